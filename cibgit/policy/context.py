"""What rules judge: both sides of a plan and what is known about them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..cib.document import Cib, Element
from ..cib.identity import defines_id
from .agent import Agent, Missing, NotAsked
from .complaint import Complaint
from .effect import Effects
from .settings import Policy

_TRUE = frozenset({"true", "on", "yes", "y", "1"})


@dataclass(frozen=True)
class Context:
    """One plan as the rules see it.

    ``live`` is the whole live CIB with its status, ``target`` the whole CIB that the push
    would make of it. ``agents`` has the metadata of the agents that the plan touches (see
    :func:`~cibgit.policy.agents.touched`), or why it has not:
    :class:`~cibgit.policy.agent.Missing` or `NotAsked`. ``complaints`` are those
    of ``crm_verify`` that ``live`` does not have.
    """

    live: Cib
    target: Cib
    policy: Policy
    now: datetime
    effects: Effects = field(default_factory=Effects)
    agents: Mapping[str, Agent | Missing | NotAsked] = field(default_factory=dict)
    complaints: tuple[Complaint, ...] = ()


def by_id(cib: Cib) -> dict[str, Element]:
    """Return the elements of ``<configuration>`` that define an id."""
    return {
        str(element.get("id")): element
        for element in cib.configuration.iter("*")
        if defines_id(element)
    }


def resources(cib: Cib) -> Iterator[Element]:
    """Yield the resources that run something: primitives and bundles."""
    section = cib.configuration.find("resources")
    if section is not None:
        yield from section.iter("primitive", "bundle")


def option(cib: Cib, *names: str) -> str:
    """Return a cluster option, or an empty string; the first of ``names`` that is set.

    ``cib-bootstrap-options`` goes before the other sets, as in Pacemaker.
    """
    for name in names:
        value = cib.option(name)
        if value:
            return value
        for pair in cib.root.iterfind(
            "configuration/crm_config/cluster_property_set/nvpair"
        ):
            if pair.get("name") == name:
                return pair.get("value", "")
    return ""


def is_true(value: str, default: bool) -> bool:
    """Read a boolean as Pacemaker does (``crm_str_to_boolean``)."""
    return value.lower() in _TRUE if value else default
