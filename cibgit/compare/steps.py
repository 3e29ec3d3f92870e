"""What has to be done to get from one CIB to another, object by object.

A *step* creates, deletes or edits one object: a resource, a constraint, a node, a set of
options, a role ... An edit lists the *parts* in which the object differs. Together the
steps hold every difference between the canonical forms: whoever turns them into the
commands of another tool can say of each whether that tool can do it, and drops none.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from lxml import etree

from ..cib.canonical import arrange, canonical
from ..cib.document import Cib, Comment, Element, attributes
from ..cib.identity import REFERRING_IDS, Key, key
from ..cib.pairing import dump
from .parts import (
    RESOURCES,
    Comparison,
    MembersPart,
    OtherPart,
    Part,
    appended,
    is_object,
    members,
    own_children,
)

_LEVEL_TARGETS = ("target", "target-pattern", "target-attribute", "target-value")
_NAMING = ("rsc", "with-rsc", "first", "then", "reference", "template")
_CONTAINERS = ("group", "clone", "master", "bundle")
_UNORDERED = frozenset({"nodes", "constraints", "fencing-topology"})


@dataclass(frozen=True)
class Step:
    """One object to create (no ``old``), delete (no ``new``) or edit (both).

    ``section`` is the tag of the section that it stands in, ``parent`` the id of the
    container that it stands in or shall stand in, empty at the top of the section.
    ``is_held``: another object refers to an id inside it (``id-ref``), so that it cannot
    just be deleted and made again.
    """

    section: str
    tag: str
    name: str
    old: Element | None
    new: Element | None
    parent: str = ""
    old_parent: str = ""
    parts: tuple[Part, ...] = ()
    is_held: bool = False

    @property
    def address(self) -> str:
        """How the object is called: ``primitive vip``."""
        return f"{self.tag} {self.name}".rstrip()

    @property
    def moved(self) -> bool:
        """Whether a resource that stays gets another container, or none any more."""
        both = self.old is not None and self.new is not None
        return both and self.parent != self.old_parent


class _Object(NamedTuple):
    section: str
    element: Element
    parent: str


def steps(old: Cib, new: Cib) -> list[Step]:
    """Return all steps from ``old`` to ``new``: those that delete, then document order.

    Empty if and only if the canonical forms are equal. What cannot be tied to one object
    (the schema, comments between objects, an order) is a step on its section. The order
    of resources is a :class:`MembersPart` of the step on ``resources``.
    """
    old, new = canonical(old), canonical(new)
    if dump(old.root) == dump(new.root):
        return []
    before, after = _objects(old), _objects(new)
    comparison = Comparison(references(old) | references(new))
    found = [
        Step(one.section, *name, one.element, None, "", one.parent)
        for name, one in before.items()
        if name not in after
    ]
    for name, one in after.items():
        step = _step(name, before.get(name), one, comparison)
        if step is not None:
            found.append(step)
    held = held_objects(old) | held_objects(new)
    found = [replace(one, is_held=(one.tag, one.name) in held) for one in found]
    found += _section_steps(old, new)
    return found or [_on_section("configuration", OtherPart("the order of elements"))]


def references(cib: Cib) -> set[str]:
    """Return every id that an ``id-ref`` names."""
    return {found.get("id-ref", "") for found in cib.root.iterfind(".//*[@id-ref]")}


def held_objects(cib: Cib) -> set[tuple[str, str]]:
    """Return the objects, by tag and name, with an id inside to which another one refers."""
    holder: dict[str, Key] = {}
    referring: list[tuple[Key, str]] = []
    for name, one in _objects(cib).items():
        for child in own_children(one.element):
            for inner in child.iter(etree.Element):
                if inner.get("id") is not None:
                    holder[inner.get("id", "")] = name
                if inner.get("id-ref") is not None:
                    referring.append((name, inner.get("id-ref", "")))
    return {holder[to] for name, to in referring if holder.get(to, name) != name}


def keeps_order(new: Cib, constraints: Sequence[str]) -> bool:
    """Say whether constraints in this order mean what they mean in ``new``.

    Only of those that relate the same two resources the order matters, as the canonical
    form has it.
    """
    wanted = canonical(new).root.find("configuration/constraints")
    if wanted is None:
        return True
    root = copy.deepcopy(canonical(new).root)
    section = root.find("configuration/constraints")
    assert section is not None
    place = {name: index for index, name in enumerate(constraints)}
    section[:] = sorted(section, key=lambda one: place.get(one.get("id", ""), 0))
    arrange(root)
    return [one.get("id") for one in section] == [one.get("id") for one in wanted]


def _step(
    name: Key, before: _Object | None, after: _Object, comparison: "Comparison"
) -> Step | None:
    if before is None:
        return Step(after.section, *name, None, after.element, after.parent)
    parts = tuple(comparison.parts(before.element, after.element))
    if not parts and before.parent == after.parent:
        return None
    elements = before.element, after.element
    return Step(after.section, *name, *elements, after.parent, before.parent, parts)


def _section_steps(old: Cib, new: Cib) -> Iterator[Step]:
    for name in dict.fromkeys([*old.root.keys(), *new.root.keys()]):
        if old.root.get(name) != new.root.get(name):
            yield _on_section("cib", OtherPart(f"attribute {name!s}"))
    olds, news = _sections(old), _sections(new)
    for tag in dict.fromkeys([*olds, *news]):
        before, after = olds.get(tag), news.get(tag)
        if _comments(before) != _comments(after):
            yield _on_section(tag, OtherPart("comments between its elements"))
        if dict([] if before is None else attributes(before)) != dict(
            [] if after is None else attributes(after)
        ):
            yield _on_section(tag, OtherPart("attributes of the section"))
        yield from _order_steps(tag, _names(before), _names(after))


def _order_steps(tag: str, before: list[Key], after: list[Key]) -> Iterator[Step]:
    if tag == "resources":
        if before != after:
            olds, news = ([name.name for name in names] for names in (before, after))
            yield _on_section(tag, MembersPart(tuple(olds), tuple(news)))
    elif tag not in _UNORDERED and appended(before, after) != after:
        yield _on_section(tag, OtherPart("the order of its elements"))


def _on_section(tag: str, part: Part) -> Step:
    return Step(tag, tag, "", None, None, parts=(part,))


def _sections(cib: Cib) -> dict[str, Element]:
    return {part.tag: part for part in cib.configuration.iterchildren(etree.Element)}


def _comments(section: Element | None) -> list[str]:
    children = [] if section is None else section
    return [child.text or "" for child in children if isinstance(child, Comment)]


def _names(section: Element | None) -> list[Key]:
    children = [] if section is None else section.iterchildren(etree.Element)
    return [object_key(child) for child in children]


def _objects(cib: Cib) -> dict[Key, _Object]:
    found: dict[Key, _Object] = {}
    for tag, section in _sections(cib).items():
        for child in section.iterchildren(etree.Element):
            _collect(found, tag, child, "")
    return found


def _collect(
    found: dict[Key, _Object], section: str, element: Element, parent: str
) -> None:
    name = object_key(element)
    if name in found:
        name = Key(name.tag, f"{name.name} (again, {element.get('id', '')})")
    found[name] = _Object(section, element, parent)
    for child in element.iterchildren(etree.Element):
        if is_object(child):
            _collect(found, section, child, element.get("id", ""))


def object_key(element: Element) -> Key:
    """Identify an object; a fencing level by target and index, for tools choose its id."""
    if element.tag != "fencing-level":
        return key(element)
    target = " ".join(filter(None, (element.get(name) for name in _LEVEL_TARGETS)))
    return Key(element.tag, f"{target} {element.get('index', '')}".strip())


def containers(cib: Cib) -> dict[str, list[str]]:
    """Return who stands in whom: the id of a container ("" for none) to its members."""
    found: dict[str, list[str]] = {"": []}
    for section in cib.root.iterfind("configuration/resources"):
        found[""] += members(section)
        for element in section.iter(*_CONTAINERS):
            found[element.get("id", "")] = list(members(element))
    return found


def resource_tags(cib: Cib) -> dict[str, str]:
    """Return what every resource is: its id to its tag."""
    return {
        element.get("id", ""): element.tag
        for section in cib.root.iterfind("configuration/resources")
        for element in section.iter(*RESOURCES)
    }


def mentions(element: Element) -> set[str]:
    """Return the ids of resources, roles and objects that an object names."""
    found: set[str] = set()
    for inner in element.iter(etree.Element):
        found |= {inner.get(name, "") for name in _NAMING}
        found |= set(inner.get("devices", "").split(","))
        if inner.tag in REFERRING_IDS:
            found.add(inner.get("id", ""))
    return found - {""}
