"""What differs between two trees in canonical form, by identity: edits of elements.

Everything is keyed, so the time grows with the size of the documents; equal subtrees are
skipped by their bytes. Comments belong to the element after them, as in the canonical
form: they are compared as an attribute of it.
"""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace

from lxml import etree

from ..cib.canonical import order_of
from ..cib.document import SECTIONS, Comment, Element, attributes
from ..cib.identity import Key, defines_id, key
from ..cib.pairing import dump, longest_increasing
from .change import AttributeChange, Kind

COMMENT = "#comment"
"""The name under which the comments before an element are compared."""

LAST_COMMENT = "#comment at the end"
"""The name under which the comments after the last child are compared."""

CDATA = "#cdata"
"""The name under which CDATA, which Pacemaker stores and nobody reads, is compared."""

BETWEEN_COMMENTS = "--><!--"
"""What joins several comments to one text: no comment can hold it."""

AGENT = frozenset({"class", "provider", "type", "template"})
"""Attributes of a primitive that say what it is: another value is another resource."""

FRAMES = frozenset(
    {*SECTIONS, "cluster_property_set", "instance_attributes", "meta_attributes",
     "utilization", "operations"}
)  # fmt: skip
"""Elements that mean nothing but what they hold."""

Name = tuple[Key, int]
"""Identity among siblings; the number tells those of equal identity apart."""


@dataclass
class Edit:
    """One difference: the element as it was and as it is, None where there is none.

    ``parent`` is the element that lost a removed one, as it is now. ``index`` is where an
    added or moved element stands now, among the elements of its parent. ``cut`` are
    elements below an added or removed one that came from or went to another place, so
    they are no part of what was added or removed.
    """

    kind: Kind
    old: Element | None
    new: Element | None
    attributes: tuple[AttributeChange, ...] = ()
    index: int | None = None
    cut: frozenset[Element] = frozenset()
    parent: Element | None = None

    @property
    def element(self) -> Element:
        """The element as it is, or as it was where it is gone."""
        found = self.old if self.new is None else self.new
        assert found is not None
        return found


def edits(old: Element, new: Element) -> list[Edit]:
    """Return what leads from one canonical tree to another, in document order.

    An element that stands under another parent with the same id is moved, not removed
    and added.
    """
    found = _join_moves(list(_walk(old, new)))
    return [part for edit in found for part in _unpacked(edit)]


class Children:
    """The elements below one parent: names and bytes, each with its comments."""

    def __init__(self, parent: Element) -> None:
        self.elements: list[Element] = []
        self.names: list[Name] = []
        self.dumps: list[bytes] = []
        seen: Counter[Key] = Counter()
        pending = b""
        for child in parent:
            pending += dump(child)
            if isinstance(child, Comment):
                continue
            identity = key(child)
            self.elements.append(child)
            self.names.append((identity, seen[identity]))
            self.dumps.append(pending)
            seen[identity] += 1
            pending = b""


def _walk(old: Element, new: Element, moved: Container[Element] = ()) -> Iterator[Edit]:
    changed = attribute_changes(old, new)
    if changed:
        agent = any(change.name in AGENT for change in changed)
        replaced = agent and new.tag in ("primitive", "template")
        yield Edit(Kind.REPLACED if replaced else Kind.CHANGED, old, new, changed)
    before, after = Children(old), Children(new)
    if before.dumps == after.dumps:
        return
    places = {name: index for index, name in enumerate(before.names)}
    partner = [places.get(name) for name in after.names]
    for index in sorted(set(range(len(before.names))) - set(partner)):
        if before.elements[index] not in moved:
            yield Edit(Kind.REMOVED, before.elements[index], None, parent=new)
    away = _moved(new.tag, after.elements, partner)
    for index, child in enumerate(after.elements):
        origin = partner[index]
        if origin is None:
            if child not in moved:
                yield Edit(Kind.ADDED, None, child, index=index)
            continue
        if index in away:
            yield Edit(Kind.MOVED, before.elements[origin], child, index=index)
        if before.dumps[origin] != after.dumps[index]:
            yield from _walk(before.elements[origin], child, moved)


def attribute_changes(old: Element, new: Element) -> tuple[AttributeChange, ...]:
    """Return what differs on two elements themselves, comments included."""
    was, now = values(old), values(new)
    return tuple(
        AttributeChange(name, was.get(name), now.get(name))
        for name in dict.fromkeys([*was, *now])
        if was.get(name) != now.get(name)
    )


def values(element: Element) -> dict[str, str]:
    """Return the attributes of an element, and its comments as if they were such."""
    found = dict(attributes(element))
    if element.text:
        found[CDATA] = element.text
    notes = [c.text or "" for c in comments_before(element)]
    last = [c.text or "" for c in comments_at_end(element)]
    if notes:
        found[COMMENT] = BETWEEN_COMMENTS.join(notes)
    if last:
        found[LAST_COMMENT] = BETWEEN_COMMENTS.join(last)
    return found


def comments_before(element: Element) -> list[Element]:
    """Return the comments that belong to an element, in document order."""
    found: list[Element] = []
    sibling = element.getprevious()
    while isinstance(sibling, Comment) and element.getparent() is not None:
        found.insert(0, sibling)
        sibling = sibling.getprevious()
    return found


def comments_at_end(parent: Element) -> list[Element]:
    """Return the comments after the last element below ``parent``."""
    found: list[Element] = []
    for child in reversed(parent):
        if not isinstance(child, Comment):
            break
        found.insert(0, child)
    return found


def _moved(tag: str, new: list[Element], partner: Sequence[int | None]) -> set[int]:
    """Return which of the new children must be moved, as few as possible.

    Where the canonical form sorts, most of the order follows from the elements
    themselves: what it brings into place need not be moved. Whether that suffices is
    tried out.
    """
    survivors = {index for index, origin in enumerate(partner) if origin is not None}
    kept = longest_increasing(partner)
    if kept == survivors:
        return set()
    keys = order_of(tag, new)
    if keys is None:
        return survivors - kept
    stable = sorted(survivors, key=lambda index: (keys[index], partner[index]))
    settled = {stable[place] for place in longest_increasing(stable)}
    if _settles(tag, new, partner, survivors - settled):
        return survivors - settled
    return survivors - kept


def _settles(
    tag: str, new: list[Element], partner: Sequence[int | None], moved: set[int]
) -> bool:
    """Say whether sorting brings the children in order once ``moved`` were moved."""
    stay = [i for i, origin in enumerate(partner) if origin is not None]
    order = sorted(set(stay) - moved, key=lambda index: partner[index] or 0)
    for index in sorted(set(range(len(new))) - set(order)):
        order.insert(index, index)
    keys = order_of(tag, [new[index] for index in order])
    if keys is None:
        return order == list(range(len(new)))
    places = sorted(range(len(order)), key=keys.__getitem__)
    return [order[place] for place in places] == list(range(len(new)))


def _join_moves(found: list[Edit]) -> list[Edit]:
    """Turn what was removed here and added there, with one id, into moves."""
    moved: set[Element] = set()
    while moves := _moves(found, moved):
        moved |= {*moves, *moves.values()}
        found = [part for edit in found for part in _without_moved(edit, moves, moved)]
    return found


def _moves(found: list[Edit], moved: set[Element]) -> dict[Element, Element]:
    """Return the added elements that were elsewhere, outermost only: new to old."""
    gone: dict[Name, Element] = {}
    for edit in found:
        if edit.kind is Kind.REMOVED and edit.old is not None:
            inside = _inside(edit.old, moved)
            gone |= {(key(e), 0): e for e in inside if defines_id(e)}
    moves: dict[Element, Element] = {}
    taken: set[Element] = set()
    for edit in found if gone else ():
        if edit.kind is not Kind.ADDED or edit.new is None:
            continue
        skipped = moved.copy()
        for element in _inside(edit.new, skipped):
            old = gone.get((key(element), 0)) if defines_id(element) else None
            if old is not None and taken.isdisjoint([old, *old.iterancestors()]):
                moves[element] = old
                taken.add(old)
                skipped.add(element)
    return moves


def _inside(root: Element, skipped: set[Element]) -> Iterator[Element]:
    """Yield an element and what is below it, but for what is (or gets) skipped."""
    if root in skipped:
        return
    yield root
    if root not in skipped:
        for child in root.iterchildren(etree.Element):
            yield from _inside(child, skipped)


def _without_moved(
    edit: Edit, moves: dict[Element, Element], moved: set[Element]
) -> Iterator[Edit]:
    """Yield what remains of an edit, and the moves out of what was added."""
    if edit.kind is Kind.REMOVED and edit.old is not None:
        if edit.old not in moved:
            yield replace(edit, cut=_cut(edit.old, moved))
        return
    if edit.kind is not Kind.ADDED or edit.new is None:
        yield edit
        return
    if edit.new not in moved:
        yield replace(edit, cut=_cut(edit.new, moved))
    for element in list(_inside(edit.new, set(edit.cut))):
        old = moves.get(element)
        if old is not None:
            yield Edit(Kind.MOVED, old, element, index=index_of(element))
            yield from _walk(old, element, moved)


def _cut(root: Element, moved: set[Element]) -> frozenset[Element]:
    return frozenset(e for e in root.iterdescendants(etree.Element) if e in moved)


def _unpacked(edit: Edit) -> Iterator[Edit]:
    """Split what only holds other elements from what it holds, so that each is told."""
    element = edit.element
    content = [
        child
        for child in element.iterchildren(etree.Element)
        if child.tag != "rule" and child not in edit.cut
    ]
    whole = edit.kind not in (Kind.ADDED, Kind.REMOVED) or element.tag not in FRAMES
    if whole or not content:
        yield edit
        return
    yield replace(edit, cut=edit.cut.union(content))
    for child in content:
        part = Edit(
            edit.kind, None, None, cut=edit.cut & set(child.iter(etree.Element))
        )
        if edit.kind is Kind.ADDED:
            part.new, part.index = child, index_of(child)
        else:
            part.old = child
        yield from _unpacked(part)


def pruned(element: Element, cut: Container[Element]) -> Element:
    """Return a copy of an element without some elements below it and their comments."""
    copied = etree.Element(element.tag, dict(attributes(element)))
    copied.text = etree.CDATA(element.text) if element.text else None
    pending: list[Element] = []
    for child in element:
        if isinstance(child, Comment):
            pending.append(etree.Comment(child.text))
            continue
        if child not in cut:
            copied.extend([*pending, pruned(child, cut)])
        pending = []
    copied.extend(pending)
    return copied


def index_of(element: Element) -> int:
    """Return which of its parent's elements this one is, from 0."""
    return sum(1 for _ in element.itersiblings(etree.Element, preceding=True))
