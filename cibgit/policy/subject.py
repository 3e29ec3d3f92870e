"""What ``check`` judges: one configuration by itself, without a live side."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from ..cib.document import Cib, Element
from .agent import Agent, Missing, NotAsked
from .agents import agent_name, is_contained
from .context import by_id
from .finding import Severity
from .guards import is_device


class Spot(NamedTuple):
    """One thing that is wrong, and where; ``severity`` where it is not the rule's own."""

    element: Element
    sentence: str
    severity: Severity | None = None


@dataclass(frozen=True)
class Subject:
    """One CIB under check.

    ``agents`` has the metadata of its agents as far as somebody could say; ``pacemaker``
    is the oldest release that may run it, None where nobody said.
    """

    cib: Cib
    agents: Mapping[str, Agent | Missing | NotAsked] = field(default_factory=dict)
    pacemaker: str | None = None

    @cached_property
    def known(self) -> dict[str, Element]:
        """The elements that define an id, by it."""
        return by_id(self.cib)

    @cached_property
    def primitives(self) -> list[Element]:
        """The primitives, fencing devices included; not those inside containers."""
        found = self.cib.configuration.iterfind("resources//primitive")
        return [element for element in found if not is_contained(element)]

    @property
    def services(self) -> list[Element]:
        """The primitives that are no fencing devices."""
        return [each for each in self.primitives if not is_device(each, self.known)]

    @property
    def devices(self) -> list[Element]:
        """The fencing devices."""
        return [each for each in self.primitives if is_device(each, self.known)]

    def agent(self, element: Element) -> str:
        """Return the full name of a resource's agent."""
        return agent_name(element, self.known)

    def operations(self, element: Element, name: str) -> list[Element]:
        """Return the operations of a name: a resource's own and its template's."""
        template = self.known.get(element.get("template", ""))
        found = []
        for holder in (element, template):
            if holder is None:
                continue
            for block in holder.iterchildren("operations"):
                block = self.known.get(block.get("id-ref", ""), block)  # noqa: PLW2901
                found += [op for op in block if op.get("name") == name]
        return found

    def meta(self, element: Element, *names: str) -> Iterator[Element]:
        """Yield the pairs of a resource's own meta attributes that have one of the names."""
        for block in element.iterchildren("meta_attributes"):
            for pair in block.iterchildren("nvpair"):
                if pair.get("name") in names:
                    yield pair

    def options(self, *names: str) -> list[Element]:
        """Return the pairs that set a cluster option of one of the names."""
        pairs = self.cib.configuration.iterfind(
            "crm_config/cluster_property_set/nvpair"
        )
        return [pair for pair in pairs if pair.get("name") in names]

    def defaults(self, section: str, name: str) -> list[Element]:
        """Return the pairs that set a default (of ``rsc_defaults`` or ``op_defaults``)."""
        pairs = self.cib.configuration.iterfind(f"{section}/meta_attributes/nvpair")
        return [pair for pair in pairs if pair.get("name") == name]


Look = Callable[[Subject], Iterator[Spot]]


@dataclass(frozen=True)
class LintRule:
    """One rule of ``check``: how bad it is, why, and who looks.

    ``remedy`` is the hint of its findings; ``docs/check.md`` has a section of its name.
    """

    name: str
    severity: Severity
    reason: str
    remedy: str
    look: Look
