"""In which parts one object of a CIB differs from what it was, by meaning.

Ids that tools generate count as a part of their own, unless something refers to them.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lxml import etree

from ..cib.document import Comment, Element, attributes
from ..cib.pairing import dump

T = TypeVar("T")

RESOURCES = frozenset({"primitive", "template", "group", "clone", "master", "bundle"})
"""Elements that are resources; templates are handled like them."""

NVSETS = ("instance_attributes", "meta_attributes", "utilization")

_GENERATED = frozenset(
    {
        "acl_permission", "attribute", "date_expression", "date_spec", "duration",
        "expression", "fencing-level", "instance_attributes", "lifetime",
        "meta_attributes", "nvpair", "op", "op_expression", "operations",
        "resource_set", "rsc_expression", "rule", "utilization",
    }
)  # fmt: skip
"""Elements whose ids administrators leave to their tool."""


@dataclass(frozen=True)
class AttributePart:
    """An XML attribute of the object itself; None where it is absent."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class PairPart:
    """A name/value pair in the only set of its kind; ``set_id`` is None for a new set."""

    kind: str
    name: str
    old: str | None
    new: str | None
    set_id: str | None


@dataclass(frozen=True)
class OperationPart:
    """An operation of a resource, found by name and interval."""

    old: Element | None
    new: Element | None


@dataclass(frozen=True)
class MembersPart:
    """The resources that stand directly inside a container, by id, in order."""

    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class OtherPart:
    """Anything else: ``what`` says it in a few words.

    ``only_ids``: nothing but ids differ. ``is_content``: elements inside the object
    differ, and are as they shall be once the object is written whole.
    """

    what: str
    only_ids: bool = False
    is_content: bool = False


Part = AttributePart | PairPart | OperationPart | MembersPart | OtherPart


def is_object(element: Element) -> bool:
    """Say whether an element inside an object is an object itself."""
    return element.tag in RESOURCES or element.tag == "recipient"


def own_children(element: Element) -> list[Element]:
    """Return the children that belong to an object, without other objects and comments."""
    children = element.iterchildren(etree.Element)
    return [child for child in children if not is_object(child)]


def members(element: Element) -> tuple[str, ...]:
    """Return the ids of the objects directly inside, in order."""
    children = element.iterchildren(etree.Element)
    return tuple(child.get("id", "") for child in children if is_object(child))


def appended(old: Sequence[T], new: Sequence[T]) -> list[T]:
    """Return the order that comes out when what is new is put at the end."""
    kept = [one for one in old if one in new]
    return kept + [one for one in new if one not in old]


def comments(element: Element) -> list[str]:
    """Return the comments that belong to an object, not those of objects inside it."""
    found = [child.text or "" for child in element if isinstance(child, Comment)]
    for child in own_children(element):
        found += [node.text or "" for node in child.iter(etree.Comment)]
    return found


def pairs(element: Element) -> dict[str, str]:
    """Return the pairs of a plain set: name to value."""
    found = element.iterchildren("nvpair")
    return {pair.get("name", ""): pair.get("value", "") for pair in found}


def is_plain_set(element: Element) -> bool:
    """Say whether a set is nothing but pairs of unique names: no rule, no reference."""
    found = list(element.iterchildren(etree.Element))
    return (
        set(element.keys()) <= {"id"}
        and all(set(pair.keys()) == {"id", "name", "value"} for pair in found)
        and all(pair.tag == "nvpair" for pair in found)
        and len({pair.get("name") for pair in found}) == len(found)
    )


def operation_key(op: Element) -> tuple[str, str, str]:
    """Return what tells operations of one resource apart: name, interval, role."""
    return op.get("name", ""), op.get("interval", ""), op.get("role", "")


def is_plain_operations(element: Element) -> bool:
    """Say whether operations are told apart by name, interval and role."""
    found = list(element.iterchildren(etree.Element))
    keys = {operation_key(op) for op in found}
    return set(element.keys()) <= {"id"} and len(keys) == len(found)


class Comparison:
    """Compares objects; ``referred`` are the ids that something refers to."""

    def __init__(self, referred: set[str]) -> None:
        self.referred = referred

    def parts(self, old: Element, new: Element) -> Iterator[Part]:
        """Yield the parts in which two versions of one object differ."""
        if dump(old) == dump(new):
            return
        yield from _attribute_parts(old, new)
        before_in, after_in = members(old), members(new)
        if old.tag != "alert" and before_in != after_in:
            yield MembersPart(before_in, after_in)
        elif appended(before_in, after_in) != list(after_in):
            yield OtherPart("the order of what is in it", is_content=True)
        if comments(old) != comments(new):
            yield OtherPart("comments")
        olds, news = own_children(old), own_children(new)
        for tag in dict.fromkeys(child.tag for child in (*olds, *news)):
            before = [child for child in olds if child.tag == tag]
            after = [child for child in news if child.tag == tag]
            yield from self._child_parts(tag, before, after)

    def _child_parts(
        self, tag: str, before: list[Element], after: list[Element]
    ) -> Iterator[Part]:
        if [self.bare(child) for child in before] == [self.bare(c) for c in after]:
            if _ids(before) != _ids(after):
                yield OtherPart("ids inside it", only_ids=True)
            return
        sets = [*before, *after]
        alone = len(before) <= 1 and len(after) <= 1 and not self._refers(sets)
        if alone and tag in NVSETS and all(map(is_plain_set, sets)):
            yield from _pair_parts(tag, before, after)
        elif alone and tag == "operations" and all(map(is_plain_operations, sets)):
            yield from self._operation_parts(before, after)
        else:
            yield OtherPart(tag, is_content=True)

    def _refers(self, elements: list[Element]) -> bool:
        """Whether something refers to what is in there, or it refers to something."""
        return any(
            inner.get("id-ref") is not None or inner.get("id") in self.referred
            for element in elements
            for inner in element.iter(etree.Element)
        )

    def _operation_parts(
        self, before: list[Element], after: list[Element]
    ) -> Iterator[Part]:
        olds = {operation_key(op): op for parent in before for op in parent.iter("op")}
        news = {operation_key(op): op for parent in after for op in parent.iter("op")}
        gone = [name for name in olds if name not in news]
        come = [name for name in news if name not in olds]
        for name in gone:
            # another interval of the only operation of its name is a change of it
            twins = [other for other in come if other[0] == name[0]]
            alone = [other for other in gone if other[0] == name[0]]
            changed = twins[0] if len(twins) == len(alone) == 1 else None
            if changed:
                come.remove(changed)
            yield OperationPart(olds[name], news[changed] if changed else None)
        for name, op in news.items():
            if name in come:
                yield OperationPart(None, op)
            elif name in olds and self.bare(olds[name]) != self.bare(op):
                yield OperationPart(olds[name], op)
        if olds.keys() == news.keys() and all(
            self.bare(olds[name]) == self.bare(op) for name, op in news.items()
        ):
            yield OtherPart(
                "the order of operations, or an empty list of them", is_content=True
            )

    def bare(self, element: Element) -> bytes:
        """Return an element without comments and generated ids, but for those referred to."""
        clone = copy.deepcopy(element)
        etree.strip_tags(clone, etree.Comment)
        for inner in clone.iter(*_GENERATED):
            identity = inner.get("id")
            if identity is not None and identity not in self.referred:
                del inner.attrib["id"]
        return dump(clone)


def _attribute_parts(old: Element, new: Element) -> Iterator[Part]:
    before, after = dict(attributes(old)), dict(attributes(new))
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) == after.get(name):
            continue
        if name == "id":
            yield OtherPart("its id", only_ids=True)
        else:
            yield AttributePart(name, before.get(name), after.get(name))


def _pair_parts(
    tag: str, before: list[Element], after: list[Element]
) -> Iterator[Part]:
    olds = pairs(before[0]) if before else {}
    news = pairs(after[0]) if after else {}
    identity = before[0].get("id") if before else None
    for name in dict.fromkeys([*olds, *news]):
        if olds.get(name) != news.get(name):
            yield PairPart(tag, name, olds.get(name), news.get(name), identity)
    if not olds and not news:
        yield OtherPart(f"an empty set of {tag}", is_content=True)


def _ids(elements: list[Element]) -> list[str | None]:
    return [inner.get("id") for one in elements for inner in one.iter(etree.Element)]
