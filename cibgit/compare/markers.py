"""A merged document as people resolve it: git's conflict markers around whole lines.

What is between the markers is what each side has in that place: the line of one element,
an element with all that is in it, or the members of one parent. Each side alone, taken
everywhere, gives a well-formed document.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, takewhile
from typing import NamedTuple

from lxml import etree

from ..cib.canonical import arrange, pretty
from ..cib.document import Element
from .edits import COMMENT, LAST_COMMENT
from .merge import Choice, Merged
from .records import ROOT, Document, Ident
from .trees import SPECIAL, arranged, comments, grow, with_orders

INDENT = "  "

_Part = Callable[[Document, Ident, int], Iterator[str]]


class Labels(NamedTuple):
    """What the two sides are called behind the markers."""

    ours: str = "ours"
    theirs: str = "theirs"


def marked(result: Merged, labels: Labels = Labels(), size: int = 7) -> bytes:  # noqa: B008
    """Return a merged document in pretty form, conflicts between markers.

    ``size`` is the length of a marker, which git may ask for (``conflict-marker-size``).
    """
    if not (result.values or result.choices or result.orders):
        return pretty(result.cib)
    lines = _Writer(result, labels, size).lines()
    return "".join(f"{line}\n" for line in lines).encode()


class _Writer:
    """Writes the lines of one document."""

    def __init__(self, result: Merged, labels: Labels, size: int) -> None:
        self.result = result
        self.labels = labels
        self.size = size
        self.choices = dict(result.choices)
        both = self._with_both_places()
        changed = result.as_theirs(both)
        self.places = arranged(both), arranged(changed)
        _, mine, other = result.versions
        self.ours = self._side(both, mine, self._hidden(ours=True))
        self.theirs = self._side(changed, other, self._hidden(ours=False))

    def lines(self) -> Iterator[str]:
        """Yield the whole document."""
        yield from self._element(ROOT, 0)

    def _hidden(self, *, ours: bool) -> set[Ident]:
        """Return what is not there for one side."""
        return {
            ident
            for ident, choice in self.choices.items()
            if not (choice.ours if ours else choice.theirs)
        }

    def _side(self, both: Document, side: Document, hidden: set[Ident]) -> Document:
        """Return what a side alone has, in its own order where that is disputed."""
        found = _without(both, hidden)
        disputed = self.result.orders & found.keys()
        return with_orders(found, {each: _own(found, side, each) for each in disputed})

    def _with_both_places(self) -> Document:
        """Return the merged records; what both sides moved stands in both places."""
        result, found = self.result, dict(self.result.merged)
        moved: dict[Ident, Ident] = {}
        for parent, items in result.places.items():
            away = {i: _second(parent, i) for i in items if found[i].parent != parent}
            children = [away.get(ident, ident) for ident in items]
            found[parent] = replace(found[parent], children=children)
            moved |= {there: ident for ident, there in away.items()}
        for there, ident in moved.items():
            # it is shown for theirs alone, and sorted by what it says there
            values = result.values_of_theirs(ident)
            found[there] = replace(found[ident], parent=there.parent, values=values)
            self.choices[there] = Choice(ours=False, theirs=True)
        return found

    def _element(self, ident: Ident, depth: int) -> Iterator[str]:
        if ident in self.choices:
            yield from self._alternatives([ident], [ident], depth)
            return
        yield from self._either(ident, self._head, depth)
        if self._is_open(ident):
            yield from self._inside(ident, depth + 1)
            yield f"{INDENT * depth}</{ident.key.tag}>"

    def _inside(self, ident: Ident, depth: int) -> Iterator[str]:
        ours, theirs = (place.get(ident, []) for place in self.places)
        if ident in self.result.orders:
            ours, theirs = self.ours[ident].children, self.theirs[ident].children
            yield from self._alternatives(ours, theirs, depth)
        elif ours == theirs:
            for child in ours:
                yield from self._element(child, depth)
        else:  # they stand where they do by values that are disputed
            yield from self._alternatives(ours, theirs, depth)
        yield from self._either(ident, self._foot, depth)

    def _alternatives(
        self, ours: Iterable[Ident], theirs: Iterable[Ident], depth: int
    ) -> Iterator[str]:
        """Yield the elements that each side has in a place, whole."""
        yield from self._block(
            chain.from_iterable(self._whole(self.ours, each, depth) for each in ours),
            chain.from_iterable(
                self._whole(self.theirs, each, depth) for each in theirs
            ),
        )

    def _either(self, ident: Ident, part: _Part, depth: int) -> Iterator[str]:
        """Yield a part of an element, or both sides' where they are disputed."""
        ours = list(part(self.ours, ident, depth))
        theirs = list(part(self.theirs, ident, depth))
        yield from ours if ours == theirs else self._block(ours, theirs)

    def _head(self, found: Document, ident: Ident, depth: int) -> Iterator[str]:
        """Yield the comments before an element, and its first line."""
        record, indent = found[ident], INDENT * depth
        for comment in comments(record.values.get(COMMENT)):
            yield indent + _text(comment)
        plain = {k: v for k, v in record.values.items() if k not in SPECIAL}
        line = grow({ident: replace(record, values=plain, children=[])}, ident)
        arrange(line)
        text = _text(line)
        if self._is_open(ident):
            text = text.removesuffix("/>") + ">"
        yield indent + text

    def _is_open(self, ident: Ident) -> bool:
        """Say whether either side has anything in an element."""
        sides = (self.ours[ident], self.theirs[ident])
        return any(side.children or LAST_COMMENT in side.values for side in sides)

    def _foot(self, found: Document, ident: Ident, depth: int) -> Iterator[str]:
        for comment in comments(found[ident].values.get(LAST_COMMENT)):
            yield INDENT * depth + _text(comment)

    def _whole(self, found: Document, ident: Ident, depth: int) -> Iterator[str]:
        """Yield an element with all that is in it and the comments before it, if any."""
        if ident not in found:
            return
        element = grow(found, ident)
        arrange(element)
        text = etree.tostring(element, pretty_print=True, encoding="unicode")
        notes = [_text(each) for each in comments(found[ident].values.get(COMMENT))]
        for line in [*notes, *text.splitlines()]:
            yield INDENT * depth + line

    def _block(self, ours: Iterable[str], theirs: Iterable[str]) -> Iterator[str]:
        """Yield both sides; lines that they begin or end with in common stand outside."""
        mine, other = list(ours), list(theirs)
        before = _shared(mine, other)
        common = mine[:before]
        mine, other = mine[before:], other[before:]
        after = _shared(mine[::-1], other[::-1])
        yield from common
        yield f"{'<' * self.size} {self.labels.ours}"
        yield from mine[: len(mine) - after]
        yield "=" * self.size
        yield from other[: len(other) - after]
        yield f"{'>' * self.size} {self.labels.theirs}"
        yield from mine[len(mine) - after :]


def _second(parent: Ident, ident: Ident) -> Ident:
    """Return what an element is called in the place to which theirs moved it."""
    return Ident(parent, ident.key, -1)


def _own(found: Document, side: Document, parent: Ident) -> list[Ident]:
    """Return what a side itself has in an element, in its order."""
    inside = set(found[parent].children)
    places = (
        place
        for child in side[parent].children
        for place in (child, _second(parent, child))
    )
    return [place for place in places if place in inside]


def _without(found: Document, hidden: set[Ident]) -> Document:
    """Return what is left of a document without some elements and all that is in them."""
    left: Document = {}
    waiting = [ROOT]
    while waiting:
        ident = waiting.pop()
        children = [each for each in found[ident].children if each not in hidden]
        left[ident] = replace(found[ident], children=children)
        waiting += children
    return left


def _shared(one: list[str], other: list[str]) -> int:
    """Return how many lines two lists begin with in common."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _text(element: Element) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False)
