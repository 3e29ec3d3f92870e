"""Which elements only got another id: paired by what they say, not by what they are called.

Siblings that vanished are paired with siblings that appeared: pairs by name, operations
by name and interval, then what is equal but for its ids, then what is alike. Only ids that
the other side does not know at all can be renamed.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from lxml import etree

from ..cib.document import Element
from ..cib.identity import REFERRING_IDS, defines_id
from .edits import Children
from .owners import RESOURCES
from .similar import alike, content_without_ids
from .words import SETS


@dataclass
class Renaming:
    """An element with another id, and all ids in it that are others now: old and new."""

    old: Element
    new: Element
    ids: list[tuple[str, str]] = field(default_factory=list)


def renamings(
    old: Element, new: Element, mentioned: Callable[[], set[str]]
) -> list[Renaming]:
    """Return what was renamed between two canonical trees, in document order.

    What is still referred to by its old id (``mentioned``) was not renamed: with a
    rename goes every reference.
    """
    before, after = _ids(old), _ids(new)
    gone, come = before - after, after - before
    if not gone or not come:
        return []
    gone -= mentioned()
    return [found for found in _Finder(gone, come).walk(old, new) if found.ids]


def _ids(root: Element) -> set[str]:
    return {e.get("id", "") for e in root.iter(etree.Element) if defines_id(e)}


Names = Callable[[Element], Hashable | None]
"""What tells elements apart besides their ids."""


class _Finder:
    """Walks two trees side by side; each id is given and taken once."""

    def __init__(self, gone: set[str], come: set[str]) -> None:
        self._gone = gone
        self._come = come

    def walk(
        self, old: Element, new: Element, into: Renaming | None = None
    ) -> Iterator[Renaming]:
        before, after = Children(old), Children(new)
        if before.contents == after.contents:
            return
        partner = dict(zip(before.names, before.elements, strict=True))
        known = set(after.names)
        removed = [
            element
            for name, element in zip(before.names, before.elements, strict=True)
            if name not in known and element.get("id") in self._gone
        ]
        added = [
            element
            for name, element in zip(after.names, after.elements, strict=True)
            if name not in partner and element.get("id") in self._come
        ]
        pairs = {other: one for one, other in _pairs(removed, added)}
        for name, element in zip(after.names, after.elements, strict=True):
            origin = partner.get(name)
            if origin is not None:
                yield from self.walk(origin, element, into)
            elif element in pairs:
                yield from self._renamed(pairs[element], element, into)

    def _renamed(
        self, old: Element, new: Element, into: Renaming | None
    ) -> Iterator[Renaming]:
        was, now = old.get("id", ""), new.get("id", "")
        if was not in self._gone or now not in self._come:
            return
        self._gone.remove(was)
        self._come.remove(now)
        found = into or Renaming(old, new)
        found.ids.append((was, now))
        if into is None:
            yield found
        yield from self.walk(old, new, found)


def _pairs(
    removed: list[Element], added: list[Element]
) -> Iterable[tuple[Element, Element]]:
    """Return which removed siblings are which added ones, each once."""
    left = [e for e in removed if e.tag not in REFERRING_IDS]
    right = [e for e in added if e.tag not in REFERRING_IDS]
    for names in (_natural, content_without_ids):
        if not left or not right:
            return
        found = _unique(left, right, names)
        yield from found
        paired = {each for pair in found for each in pair}
        left = [e for e in left if e not in paired]
        right = [e for e in right if e not in paired]
    likely = [e for e in left if _tells(e)], [e for e in right if _tells(e)]
    for one, other in alike(*likely):
        if one.tag == other.tag and _agent(one) == _agent(other):
            yield one, other


def _unique(
    left: Sequence[Element], right: Sequence[Element], names: Names
) -> list[tuple[Element, Element]]:
    """Pair elements of one name, in order; where little tells them apart, only if unique."""
    here: dict[Hashable, list[Element]] = {}
    there: dict[Hashable, list[Element]] = {}
    for side, found in ((left, here), (right, there)):
        for element in side:
            name = names(element)
            if name is not None:
                found.setdefault(name, []).append(element)
    pairs: list[tuple[Element, Element]] = []
    for name, some in here.items():
        others = there.get(name, [])
        if len(some) == len(others) and (len(some) == 1 or _tells(some[0])):
            pairs += zip(some, others, strict=True)
    return pairs


def _natural(element: Element) -> Hashable | None:
    """Return what an element is known by besides its id, None if it is by nothing."""
    if element.tag == "nvpair":
        name = element.get("name")
        return None if name is None else (element.tag, name)
    if element.tag == "op":
        return (element.tag, *(element.get(n) for n in ("name", "interval", "role")))
    if element.tag in SETS:
        rules = tuple(map(content_without_ids, element.iterchildren("rule")))
        return (element.tag, element.get("score"), rules)
    names = _NATURAL.get(element.tag)
    return None if names is None else (element.tag, *map(element.get, names))


_NATURAL = {
    "fencing-level": ("target", "target-pattern", "target-attribute", "target-value",
                      "index"),
    "port-mapping": ("port", "range"),
    "storage-mapping": ("target-dir",),
    "recipient": ("value",),
}  # fmt: skip


def _tells(element: Element) -> bool:
    """Say whether there is enough in an element to recognise it by."""
    if element.tag in RESOURCES or element.tag in ("template", "alert", "acl_role"):
        return sum(1 for _ in element.iterdescendants("nvpair", "op", "primitive")) > 1
    return element.tag.startswith("rsc_")


def _agent(element: Element) -> tuple[str | None, ...]:
    return tuple(
        element.get(name) for name in ("class", "provider", "type", "template")
    )
