"""How much a change matters, and why: one small function a rule, the first one decides."""

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from lxml import etree

from ..cib.document import SECTIONS, Element
from ..cib.identity import key
from .change import AttributeChange, Kind, Weight
from .edits import CDATA, COMMENT, LAST_COMMENT, Edit
from .owners import RESOURCES
from .values import SYNONYMS, default_of, equal, is_true, score, type_of
from .words import SETS


class Judgement(NamedTuple):
    """A weight and the reason for it."""

    weight: Weight
    reason: str = ""


class Surroundings:
    """What must be known of both documents to judge one edit."""

    def __init__(self, *roots: Element) -> None:
        self._roots = roots
        self._times: Counter[str] | None = None

    def times(self, name: str) -> int:
        """Return how often a meta attribute or cluster option is set, in either document."""
        if self._times is None:
            found: Counter[str] = Counter()
            for root in self._roots:
                here = Counter(
                    pair.get("name", "")
                    for block in root.iter("meta_attributes", "cluster_property_set")
                    for pair in block.iterchildren("nvpair")
                )
                found |= here
            self._times = found
        return self._times[name]


Rule = Callable[[Edit, Surroundings], str | None]
"""Returns the reason where it holds, None where it does not."""


def weigh(edit: Edit, around: Surroundings) -> Judgement:
    """Return the weight of an edit and why."""
    for weight, rules in RULES:
        for rule in rules:
            reason = rule(edit, around)
            if reason is not None:
                return Judgement(weight, reason)
    return Judgement(Weight.CONFIGURATION)


# Without meaning


def commentary(edit: Edit, _: Surroundings) -> str | None:
    """Comments and descriptions."""
    notes = {COMMENT, LAST_COMMENT, CDATA, "description"}
    names = {each.name for each in edit.attributes}
    if edit.kind is Kind.CHANGED and names and names <= notes:
        return "Pacemaker reads neither comments nor descriptions"
    return None


def same_value(edit: Edit, _: Surroundings) -> str | None:
    """Other text, same value; comments beside it do not count."""
    if edit.kind is not Kind.CHANGED or edit.old is None or edit.new is None:
        return None
    if _renamed_option(edit) or all(_same(edit, each) for each in edit.attributes):
        return "another way to write the same value"
    return None


def _same(edit: Edit, one: AttributeChange) -> bool:
    assert edit.old is not None
    assert edit.new is not None
    if one.name in (COMMENT, LAST_COMMENT, CDATA, "description"):
        return True
    was, now = one.old, one.new
    if edit.new.tag != "nvpair":
        was = default_of(edit.old, one.name) if was is None else was
        now = default_of(edit.new, one.name) if now is None else now
    if was is None or now is None:
        return False
    kind = type_of(edit.old, one.name)
    return kind is type_of(edit.new, one.name) and equal(kind, was, now)


def _renamed_option(edit: Edit) -> bool:
    """Say whether only an older name of a meta attribute became its newer one."""
    if edit.old is None or edit.new is None or edit.new.tag != "nvpair":
        return False
    parent = edit.new.getparent()
    names = [e.get("name", "") for e in (edit.old, edit.new)]
    return (
        parent is not None
        and parent.tag == "meta_attributes"
        and {each.name for each in edit.attributes} == {"name"}
        and len({SYNONYMS.get(name, name) for name in names}) == 1
    )


def frame(edit: Edit, _: Surroundings) -> str | None:
    """A section, a set or an ``operations`` element alone."""
    element = edit.element
    holds = (*SECTIONS, *SETS, "operations")
    if edit.kind not in (Kind.ADDED, Kind.REMOVED) or element.tag not in holds:
        return None
    if element.get("id-ref") is not None:
        return None
    return "an empty section or set means nothing"


def default_written_out(edit: Edit, around: Surroundings) -> str | None:
    """What holds anyway, where nothing else sets it."""
    element = edit.element
    if edit.kind not in (Kind.ADDED, Kind.REMOVED) or element.tag != "nvpair":
        return None
    default = default_of(element, "value")
    name, value = element.get("name", ""), element.get("value")
    if default is None or value is None or around.times(name) > 1:
        return None
    if not equal(type_of(element, "value"), default, value):
        return None
    return "that is the default, and nothing else sets it"


def free_order(edit: Edit, _: Surroundings) -> str | None:
    """Another order of what has none."""
    if edit.kind is not Kind.MOVED or edit.old is None or edit.new is None:
        return None
    old, new = edit.old.getparent(), edit.new.getparent()
    if old is None or new is None or key(old) != key(new):
        return None
    tag = edit.new.tag
    if tag in SETS:
        return _of_other_score(edit.new, new)
    ordered = {"resources", "group", "resource_set", "tag", "network", "storage",
               "constraints", "operations", "fencing-topology", *SETS}  # fmt: skip
    if new.tag in ordered or tag == "resource_set":
        return None
    return "their order has no meaning"


def _of_other_score(block: Element, parent: Element) -> str | None:
    same = [
        other
        for other in parent.iterchildren(block.tag)
        if other is not block
        and score(other.get("score", "0")) == score(block.get("score", "0"))
    ]
    return None if same else "their scores decide, not their order"


def renamed_part(edit: Edit, _: Surroundings) -> str | None:
    """Another id of anything but a resource."""
    if edit.kind is not Kind.RENAMED or edit.element.tag in RESOURCES:
        return None
    return "an id is only a name, and what refers to it follows"


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
    """Fencing switched off, whole or in part."""
    name, value = _option(edit)
    names = ("stonith-enabled", "fencing-enabled", "startup-fencing")
    if name in names and _says(value, False):
        return "without fencing a failed node can go on writing to shared data"
    if name in ("stonith-watchdog-timeout", "fencing-watchdog-timeout"):
        return "a wrong watchdog timeout lets resources start twice"
    return None


def quorum_policy(edit: Edit, _: Surroundings) -> str | None:
    """What a partition without quorum does."""
    if _option(edit)[0] == "no-quorum-policy":
        return "it decides what a part of the cluster without quorum does"
    return None


def everything_at_once(edit: Edit, _: Surroundings) -> str | None:
    """Options that stop or place every resource."""
    name, value = _option(edit)
    if name == "stop-all-resources" and _says(value, True):
        return "every resource stops"
    if name == "symmetric-cluster":
        return "it decides for every resource whether it may run without a constraint"
    return None


def access(edit: Edit, _: Surroundings) -> str | None:
    """Who may read and change the cluster."""
    around = {str(each.tag) for each in edit.element.iterancestors()}
    if _option(edit)[0] == "enable-acl" or "acls" in around:
        return "it decides who may change the cluster"
    return None


def open_port(edit: Edit, _: Surroundings) -> str | None:
    """A port on which the CIB can be read and written from afar."""
    names = {each.name for each in edit.attributes if each.new is not None}
    if edit.element.tag == "cib" and names & {"remote-clear-port", "remote-tls-port"}:
        return "the CIB can be changed over the network through it"
    return None


def schema_lowered(edit: Edit, _: Surroundings) -> str | None:
    """Validation by an older schema, or none."""
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
    """A device or level that is gone or disabled."""
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
    """A resource that is deleted."""
    gone = edit.kind is Kind.REMOVED and edit.element.tag in RESOURCES
    return "its service stops for good" if gone and _primitives(edit, "") else None


def another_agent(edit: Edit, _: Surroundings) -> str | None:
    """A resource that becomes another one under the same name."""
    if edit.kind is Kind.REPLACED:
        return "the old agent stops, the other one starts under the same name"
    return None


def renamed_resource(edit: Edit, _: Surroundings) -> str | None:
    """A resource with another name: to the cluster another resource."""
    if edit.kind is Kind.RENAMED and edit.element.tag in RESOURCES:
        return "it stops under the old name and starts under the new one"
    return None


def unfenced_start(edit: Edit, _: Surroundings) -> str | None:
    """Resources that need not wait for fencing."""
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
    """What is switched while a cluster is run: standby, maintenance, started, stopped."""
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
    """Constraints that ``crm_resource --move`` and ``--ban`` leave behind."""
    for each in (edit.element, *edit.element.iterancestors()):
        if each.tag == "rsc_location":
            prefixes = ("cli-ban-", "cli-prefer-", "cli-standby-")
            if each.get("id", "").startswith(prefixes):
                return "left behind by a move or a ban"
    return None


RULES: tuple[tuple[Weight, tuple[Rule, ...]], ...] = (
    (
        Weight.NONE,
        (commentary, same_value, frame, default_written_out, free_order, renamed_part),
    ),
    (
        Weight.DANGEROUS,
        (fencing_off, quorum_policy, everything_at_once, access, open_port,
         schema_lowered, fence_device, resource_gone, another_agent, renamed_resource,
         unfenced_start),
    ),
    (Weight.OPERATIONAL, (in_service, moved_by_hand)),
)  # fmt: skip
"""Every rule, in the order in which they are asked."""
