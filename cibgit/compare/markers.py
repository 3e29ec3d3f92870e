"""A merged document as people resolve it: git's conflict markers around whole lines.

What is between the markers is what each side has in that place: the line of one element,
an element with all that is in it, or the members of one parent. Each side alone, taken
everywhere, gives a well-formed document.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import takewhile
from typing import NamedTuple

from lxml import etree

from ..cib.canonical import arrange, pretty
from ..cib.document import Comment, Element
from .edits import COMMENT, LAST_COMMENT
from .merge import Choice, Merged
from .records import ROOT, Document, Ident
from .trees import SPECIAL, comments, grow

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
        self.names: dict[Element, Ident] = {}
        self.choices = dict(result.choices)
        self.ours = self._with_both_places()
        self.theirs = self._as_theirs()
        self.root = grow(self.ours, ROOT, self.names)
        arrange(self.root)

    def lines(self) -> Iterator[str]:
        """Yield the whole document."""
        yield from self._element(self.root, 0)

    def _with_both_places(self) -> Document:
        """Return the merged records; what both sides moved stands in both places."""
        found = dict(self.result.merged)
        for ident, parent in self.result.moves.items():
            if parent not in found:
                continue
            there = Ident(parent, ident.key, -1)
            # it is shown for theirs alone, and sorted by what it says there
            values = self._values_of_theirs(ident)
            found[there] = replace(found[ident], parent=parent, values=values)
            siblings = self._placed(ident, there, found[parent].children, parent)
            found[parent] = replace(found[parent], children=siblings)
            self.choices[there] = Choice(ours=False, theirs=True)
        return found

    def _placed(
        self, ident: Ident, there: Ident, siblings: list[Ident], parent: Ident
    ) -> list[Ident]:
        """Return the children with one more, after the one that it follows in theirs."""
        _, _, other = self.result.versions
        before = other[parent].children
        before = before[: before.index(ident)]
        places = [siblings.index(each) for each in before if each in siblings]
        place = max(places, default=-1) + 1
        return [*siblings[:place], there, *siblings[place:]]

    def _as_theirs(self) -> Document:
        """Return the merged records, with the disputed values of theirs."""
        found = dict(self.ours)
        for ident in self.result.values:
            values = self._values_of_theirs(ident)
            found[ident] = replace(found[ident], values=values)
        return found

    def _values_of_theirs(self, ident: Ident) -> dict[str, str]:
        """Return the merged values of an element, the disputed ones as theirs has them."""
        _, _, other = self.result.versions
        merged = self.result.merged[ident].values
        names = self.result.values.get(ident)
        if not names:
            return merged
        values = {k: v for k, v in merged.items() if k not in names}
        return values | {k: v for k, v in other[ident].values.items() if k in names}

    def _element(self, element: Element, depth: int) -> Iterator[str]:
        ident = self.names[element]
        choice = self.choices.get(ident)
        if choice is not None:
            ours = self._whole(self.ours, ident, depth) if choice.ours else ()
            theirs = self._whole(self.theirs, ident, depth) if choice.theirs else ()
            yield from self._block(ours, theirs)
            return
        yield from self._either(ident, self._head, depth)
        if self._is_open(ident):
            yield from self._inside(element, ident, depth + 1)
            yield f"{INDENT * depth}</{element.tag}>"

    def _inside(self, element: Element, ident: Ident, depth: int) -> Iterator[str]:
        if ident in self.result.orders:
            _, mine, other = self.result.versions
            yield from self._block(
                self._members(self.ours, mine, ident, depth),
                self._members(self.theirs, other, ident, depth),
            )
        else:
            for child in element:
                if not isinstance(child, Comment):
                    yield from self._element(child, depth)
        yield from self._either(ident, self._foot, depth)

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

    def _members(
        self, found: Document, side: Document, parent: Ident, depth: int
    ) -> Iterator[str]:
        """Yield what a side has in one parent, in its order."""
        for child in side[parent].children:
            if child in found and found[child].parent == parent:
                yield from self._whole(found, child, depth)

    def _whole(self, found: Document, ident: Ident, depth: int) -> Iterator[str]:
        """Yield an element with all that is in it and the comments before it."""
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


def _shared(one: list[str], other: list[str]) -> int:
    """Return how many lines two lists begin with in common."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _text(element: Element) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False)
