"""How much a change matters, and why: one small function a rule, the first one decides."""

import re
from typing import NamedTuple

from lxml import etree

from ..cib.document import Element
from . import meaningless
from .change import Kind, Weight
from .edits import Edit
from .meaningless import Rule, Surroundings, same_parent
from .owners import RESOURCES
from .values import is_true
from .words import SETS


class Judgement(NamedTuple):
    """A weight and the reason for it."""

    weight: Weight
    reason: str = ""


def weigh(edit: Edit, around: Surroundings) -> Judgement:
    """Return the weight of an edit and why."""
    for weight, rules in RULES:
        for rule in rules:
            reason = rule(edit, around)
            if reason is not None:
                return Judgement(weight, reason)
    return Judgement(Weight.CONFIGURATION)


# Dangerous


def _option(edit: Edit) -> tuple[str, str | None]:
    """Return name and new value of a cluster option that an edit sets or removes."""
    element = edit.element
    parent = element.getparent()
    if element.tag != "nvpair" or parent is None:
        return "", None
    if parent.tag != "cluster_property_set":
        return "", None
    return element.get("name", ""), edit.new.get(
        "value"
    ) if edit.new is not None else None


def _says(value: str | None, truth: bool) -> bool:
    return value is not None and is_true(value) is truth


def fencing_off(edit: Edit, _: Surroundings) -> str | None:
    """``stonith-enabled``, ``fencing-enabled``, ``startup-fencing`` off; watchdog timeout."""
    name, value = _option(edit)
    names = ("stonith-enabled", "fencing-enabled", "startup-fencing")
    if name in names and _says(value, False):
        return "without fencing a failed node can go on writing to shared data"
    if name in ("stonith-watchdog-timeout", "fencing-watchdog-timeout"):
        return "a wrong watchdog timeout lets resources start twice"
    return None


def quorum_policy(edit: Edit, _: Surroundings) -> str | None:
    """Any change of ``no-quorum-policy``."""
    if _option(edit)[0] == "no-quorum-policy":
        return "it decides what a part of the cluster without quorum does"
    return None


def everything_at_once(edit: Edit, _: Surroundings) -> str | None:
    """``stop-all-resources`` on; any change of ``symmetric-cluster``."""
    name, value = _option(edit)
    if name == "stop-all-resources" and _says(value, True):
        return "every resource stops"
    if name == "symmetric-cluster":
        return "it decides for every resource whether it may run without a constraint"
    return None


def access(edit: Edit, _: Surroundings) -> str | None:
    """Any change of ACLs, or of ``enable-acl``."""
    around = {str(each.tag) for each in edit.element.iterancestors()}
    if _option(edit)[0] == "enable-acl" or "acls" in around:
        return "it decides who may change the cluster"
    return None


def open_port(edit: Edit, _: Surroundings) -> str | None:
    """``remote-clear-port`` or ``remote-tls-port`` set on ``<cib>``."""
    names = {each.name for each in edit.attributes if each.new is not None}
    if edit.element.tag == "cib" and names & {"remote-clear-port", "remote-tls-port"}:
        return "the CIB can be changed over the network through it"
    return None


def schema_lowered(edit: Edit, _: Surroundings) -> str | None:
    """``validate-with`` lowered, removed, or ``none``."""
    if edit.element.tag != "cib":
        return None
    for each in edit.attributes:
        if each.name == "validate-with" and _schema(each.new) < _schema(each.old):
            return "an older schema, or none, lets mistakes through"
    return None


def _schema(name: str | None) -> tuple[int, ...]:
    match = re.fullmatch(r"pacemaker-(\d+)\.(\d+)", name or "")
    return tuple(int(part) for part in match.groups()) if match else (0, 0)


def fence_device(edit: Edit, _: Surroundings) -> str | None:
    """A fence device removed or stopped, a fencing level removed."""
    if edit.kind is Kind.REMOVED:
        devices = _primitives(edit, "stonith")
        if edit.element.tag == "fencing-level" or devices:
            return "a node may not be fenced when it has to be"
    resource = _resource(edit)
    if resource is None or resource.get("class") != "stonith" or edit.new is None:
        return None
    if edit.element.get("name") == "target-role" and edit.new.get("value") == "Stopped":
        return "a stopped fence device fences nobody"
    return None


def resource_gone(edit: Edit, _: Surroundings) -> str | None:
    """A resource removed (not: moved elsewhere)."""
    gone = edit.kind is Kind.REMOVED and edit.element.tag in RESOURCES
    return "its service stops for good" if gone and _primitives(edit, "") else None


def another_agent(edit: Edit, _: Surroundings) -> str | None:
    """Another agent, or template, under the same id."""
    if edit.kind is Kind.REPLACED:
        return "the old agent stops, the other one starts under the same name"
    return None


def renamed_resource(edit: Edit, _: Surroundings) -> str | None:
    """A resource with another id."""
    if edit.kind is Kind.RENAMED and edit.element.tag in RESOURCES:
        return "it stops under the old name and starts under the new one"
    return None


def unfenced_start(edit: Edit, _: Surroundings) -> str | None:
    """``requires=nothing``: a start that does not wait for fencing."""
    element = edit.element
    if element.tag != "nvpair" or edit.new is None:
        return None
    if element.get("name") == "requires" and edit.new.get("value") == "nothing":
        return "it may start while a failed node still runs it"
    return None


def _primitives(edit: Edit, kind: str) -> list[Element]:
    """Return the primitives of a class that are gone with an edit, not moved away."""
    stays = {below for cut in edit.cut for below in cut.iter(etree.Element)}
    return [
        primitive
        for primitive in edit.element.iter("primitive")
        if primitive not in stays and kind in ("", primitive.get("class"))
    ]


def _resource(edit: Edit) -> Element | None:
    for each in (edit.element, *edit.element.iterancestors()):
        if each.tag in RESOURCES:
            return each
    return None


# Operational


def in_service(edit: Edit, _: Surroundings) -> str | None:
    """Nodes in standby or maintenance; resources stopped, unmanaged, in maintenance."""
    element = edit.element
    parent = element.getparent()
    around = None if parent is None else parent.getparent()
    if element.tag != "nvpair" or parent is None or around is None:
        return None
    name = element.get("name")
    if around.tag == "node" and name in ("standby", "maintenance"):
        return "a node is taken out of service or back"
    switches = ("target-role", "is-managed", "maintenance")
    if parent.tag == "meta_attributes" and around.tag not in ("op", "op_defaults"):
        if name in switches:
            return "a resource is started, stopped, or left alone for a while"
        return None
    options = ("maintenance-mode", "last-lrm-refresh", "stop-all-resources")
    if parent.tag == "cluster_property_set" and name in options:
        return "the cluster is left alone for a while, or looks again"
    return None


def moved_by_hand(edit: Edit, _: Surroundings) -> str | None:
    """Constraints ``cli-ban-*``, ``cli-prefer-*`` and ``cli-standby-*``."""
    for each in (edit.element, *edit.element.iterancestors()):
        if each.tag == "rsc_location":
            prefixes = ("cli-ban-", "cli-prefer-", "cli-standby-")
            if each.get("id", "").startswith(prefixes):
                return "left behind by a move or a ban"
    return None


# Configuration


def order_counts(edit: Edit, _: Surroundings) -> str | None:
    """Another order where it counts: resources, members, sets, tags, mappings."""
    parent = same_parent(edit)
    if parent is None:
        return None
    if edit.element.tag in SETS:
        return "of sets of equal score the last one wins"
    return _ORDERS.get(parent.tag)


_ORDERS = {
    "resources": "of equal priority, the first one listed is placed first",
    "group": "members start in this order, and stop in reverse",
    "resource_set": "a set is worked through in this order",
    "operations": "of equal operations the first one counts",
    "constraints": "of constraints on the same resources the first one may count",
    "fencing-topology": "of equal levels the first one counts",
    "storage": "mappings are passed to the container in this order",
    "network": "mappings are passed to the container in this order",
    **dict.fromkeys(SETS, "of pairs of equal name the first one counts"),
}


RULES: tuple[tuple[Weight, tuple[Rule, ...]], ...] = (
    (Weight.NONE, meaningless.RULES),
    (
        Weight.DANGEROUS,
        (fencing_off, quorum_policy, everything_at_once, access, open_port,
         schema_lowered, fence_device, resource_gone, another_agent, renamed_resource,
         unfenced_start),
    ),
    (Weight.OPERATIONAL, (in_service, moved_by_hand)),
    (Weight.CONFIGURATION, (order_counts,)),
)  # fmt: skip
"""Every rule, in the order in which they are asked."""
