"""What an edit means: its sentence, its weight and why."""

from typing import NamedTuple

from lxml import etree

from ..cib.document import SECTIONS, Element
from ..cib.identity import key, named
from ..cib.secrets import HIDDEN, shown
from .change import AttributeChange, Kind, Weight
from .edits import AGENT, CDATA, COMMENT, LAST_COMMENT, Edit, pruned
from .meaningless import Surroundings
from .owners import CONSTRAINTS, RESOURCES, owning
from .rules import agent_words
from .text import value
from .weights import weigh
from .words import SETS, inside, phrase, shown_comment, subject

_RULE_PARTS = frozenset(
    {"rule", "expression", "date_expression", "date_spec", "duration", "rsc_expression",
     "op_expression", "resource_set", "resource_ref", "lifetime"}
)  # fmt: skip
_EXPRESSIONS = frozenset(
    {"expression", "date_expression", "rsc_expression", "op_expression"}
)
_NOUNS = {
    **dict.fromkeys((*SECTIONS, *SETS, "nvpair", "op", "operations", "fencing-level",
                     "network", "port-mapping", "storage", "storage-mapping", "recipient",
                     "select", "attribute", "docker", "podman", "rkt"), ""),
    **dict.fromkeys(("acl_permission", "read", "write", "deny"), "permission: "),
    **dict.fromkeys(("role", "role_ref"), "role "),
    **dict.fromkeys(("select_nodes", "select_fencing", "select_resources",
                     "select_attributes"), "events of "),
}  # fmt: skip
"""Parts that are told by a noun and their phrase, without a subject before it."""

_UNSET = "(not set)"


class Meaning(NamedTuple):
    """An edit in words; nothing in it is secret."""

    sentence: str
    subject: str
    weight: Weight
    reason: str
    details: tuple[str, ...]


def meaning(edit: Edit, around: Surroundings) -> Meaning:
    """Say what an edit means to the cluster and to those who run it."""
    told = subject(edit.element)
    weight, reason = weigh(edit, around)
    silent = weight is Weight.NONE and edit.kind is Kind.CHANGED
    details = () if silent else tuple(_details(edit))
    return Meaning(_sentence(edit, told), told, weight, reason, details)


def _sentence(edit: Edit, told: str) -> str:
    if edit.kind is Kind.MOVED:
        return _moved(edit, told)
    if edit.kind is Kind.RENAMED:
        return _renamed(edit)
    if edit.kind is Kind.ADDED:
        return f"{_came_or_went(edit, told, 'added')}{_where(edit.element)}"
    if edit.kind is Kind.REMOVED:
        return f"{_came_or_went(edit, told, 'removed')}"
    return _changed(edit, told)


def _came_or_went(edit: Edit, told: str, verb: str) -> str:
    element = edit.element
    if element.tag in _NOUNS:
        return f"{verb} {_NOUNS[element.tag]}{phrase(element)}"
    return f"{told}: {verb} {phrase(element)}" if told else f"{verb}: {phrase(element)}"


def _where(element: Element) -> str:
    """Return where an added resource stands, if it is inside another one."""
    parent = element.getparent()
    if element.tag not in RESOURCES or parent is None or parent.tag not in RESOURCES:
        return ""
    following = _next(element) if parent.tag == "group" else None
    before = f" before {value(key(following).name)}" if following is not None else ""
    return f" in {named(key(parent))}{before}"


def _next(element: Element) -> Element | None:
    return next(iter(element.itersiblings(etree.Element)), None)


# Changed attributes


def _changed(edit: Edit, told: str) -> str:
    old, new = edit.old, edit.new
    assert old is not None
    assert new is not None
    if new.tag in _EXPRESSIONS:
        was, now = phrase(old), phrase(new)
        if was != now:
            return f"{told}: {was} -> {now}"
    parts = [
        _attribute(each, edit)
        for each in edit.attributes
        if each.name not in AGENT or edit.kind is not Kind.REPLACED
    ]
    if edit.kind is Kind.REPLACED:
        parts.insert(0, f"replaced: {_agent(old)} -> {_agent(new)}")
    said = ", ".join(parts)
    return f"{told}: {said}" if told else said


def _agent(element: Element) -> str:
    template = element.get("template")
    like = "" if template is None else f"as template {value(template)}"
    return " ".join(part for part in (agent_words(element), like) if part)


def _attribute(one: AttributeChange, edit: Edit) -> str:
    if one.name in (COMMENT, LAST_COMMENT, CDATA):
        return _comment(one)
    old, new = (_shown(side, one.name) for side in (edit.old, edit.new))
    name = "" if one.name == "value" else f"{one.name} "
    if old != new:
        return f"{name}{old} -> {new}"
    if new == HIDDEN:
        return f"{name}changed {HIDDEN}"
    return f"{name}changed in a secret part: {new}"


def _shown(element: Element | None, attribute: str) -> str:
    if element is None or element.get(attribute) is None:
        return _UNSET
    return value(shown(element, attribute))


def _comment(one: AttributeChange) -> str:
    what = {COMMENT: "comment", LAST_COMMENT: "comment at the end", CDATA: "CDATA"}
    name = what[one.name]
    if one.old is None:
        return f"{name} added: {shown_comment(one.new or '')}"
    if one.new is None:
        return f"{name} removed: {shown_comment(one.old)}"
    return f"{name} changed: {shown_comment(one.old)} -> {shown_comment(one.new)}"


# Moves and renames


def _moved(edit: Edit, told: str) -> str:
    old, new = edit.old, edit.new
    assert old is not None
    assert new is not None
    lead = _part(new, told)
    before, after = old.getparent(), new.getparent()
    following = _next(new)
    place = "to the end" if following is None else f"before {_label(following)}"
    if before is None or after is None or key(before) == key(after):
        return f"{lead}moved {place}{_in(after, 'of' if following is None else 'in')}"
    return f"{lead}moved from {_home(before)} to {_home(after)}"


def _part(element: Element, told: str) -> str:
    """Return what moved, if that is not the owner itself."""
    if owning(element) is element:
        return ""
    if element.tag in ("resource_ref", "obj_ref", "role"):
        return f"{told}: {value(key(element).name)} "
    return f"{told or named(key(element))} "


def _label(element: Element) -> str:
    if element.tag in RESOURCES or element.tag in CONSTRAINTS:
        return value(key(element).name)
    if element.tag in ("resource_ref", "obj_ref", "role"):
        return value(key(element).name)
    return subject(element) or named(key(element))


def _in(parent: Element | None, word: str) -> str:
    if parent is None or parent.tag not in RESOURCES:
        return ""
    return f" {word} {named(key(parent))}"


def _home(parent: Element) -> str:
    if parent.tag == "resources":
        return "the top level"
    owner = owning(parent)
    if owner is None or owner is parent:
        return named(key(parent))
    return f"{named(key(parent))} of {named(key(owner))}"


def _renamed(edit: Edit) -> str:
    old, new = edit.old, edit.new
    assert old is not None
    assert new is not None
    what = "" if owning(new) is new else f"{subject(new) or new.tag}: "
    return f"{what}id renamed from {value(old.get('id', ''))} to {value(new.get('id', ''))}"


# What is told below the sentence


def _details(edit: Edit) -> list[str]:
    if edit.kind in (Kind.ADDED, Kind.REMOVED):
        return _content(edit)
    return _now(edit)


def _content(edit: Edit) -> list[str]:
    element = edit.element
    if element.tag in _RULE_PARTS:
        return _now(edit)
    return inside(pruned(element, edit.cut) if edit.cut else element)


def _now(edit: Edit) -> list[str]:
    """Return the whole sentence of a constraint of which something changed."""
    if edit.kind is Kind.RENAMED:
        return []
    standing = edit.new if edit.new is not None else edit.parent
    owner = None if standing is None else owning(standing)
    if owner is None or owner.tag not in CONSTRAINTS:
        return []
    notes = (COMMENT, LAST_COMMENT, CDATA)
    if edit.kind is Kind.CHANGED and all(a.name in notes for a in edit.attributes):
        return []
    return [f"now: {phrase(owner)}"]
