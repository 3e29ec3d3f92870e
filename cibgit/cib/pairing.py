"""Which child of one element is which child of another, and which of them moved."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Sequence

from lxml import etree

from .document import Element

_ADDRESSABLE = re.compile(r"[^\s/'\[\]]+")


Names = Sequence[Hashable | None]
"""What pairs the children of one element with those of another; None: equality alone."""


class Pairs:
    """Which child of the old element is which child of the new one.

    ``partner`` gives for each new child the index of the old one, or None. ``kept`` are
    the new indices whose partners stand in the same order: the longest such sequence, so
    that as few elements as possible are moved. Children that no path can address are
    paired only where they are equal and need not move.
    """

    def __init__(
        self,
        old: Element,
        new: Element,
        names: Callable[[Element], Names] | None = None,
    ) -> None:
        names = names or path_names
        self.old_dumps = [dump(child) for child in old]
        self.new_dumps = [dump(child) for child in new]
        self.old_names = names(old)
        new_names = names(new)
        known = set(new_names)
        named = {name: i for i, name in enumerate(self.old_names) if name}
        nameless: dict[bytes, list[int]] = {}
        for index in reversed(range(len(old))):
            if self.old_names[index] is None or self.old_names[index] not in known:
                nameless.setdefault(self.old_dumps[index], []).append(index)
        self.partner: list[int | None] = []
        for name, text in zip(new_names, self.new_dumps, strict=True):
            found = named.get(name) if name else None
            if name is None and nameless.get(text):
                found = nameless[text].pop()
            self.partner.append(found)
        self.kept = longest_increasing(self.partner)
        for index, name in enumerate(new_names):
            if name is None and index not in self.kept:
                self.partner[index] = None

    def same(self, before: int, index: int) -> bool:
        """Say whether old and new child are equal, byte for byte."""
        return self.old_dumps[before] == self.new_dumps[index]


def path_names(parent: Element) -> Names:
    """Return the path step that addresses each child, None where no step can."""
    steps = [path_step(child) for child in parent]
    tags = Counter(child.tag for child in parent)
    times = Counter(steps)
    return [
        step
        if step and times[step] == 1 and (child.get("id") or tags[child.tag] == 1)
        else None
        for step, child in zip(steps, parent, strict=True)
    ]


def path_step(child: Element) -> str | None:
    """Return the step of a patchset path that finds this child, None if none can."""
    if not isinstance(child.tag, str):
        return None
    name = child.get("id")
    if name is None:
        return child.tag
    return f"{child.tag}[@id='{name}']" if _ADDRESSABLE.fullmatch(name) else None


def longest_increasing(values: Sequence[int | None]) -> set[int]:
    """Return the indices of a longest increasing subsequence, None values left out."""
    tails: list[int] = []
    ends: list[int] = []
    previous: dict[int, int] = {}
    for index, value in enumerate(values):
        if value is None:
            continue
        place = bisect_left(tails, value)
        if place:
            previous[index] = ends[place - 1]
        tails[place : place + 1] = [value]
        ends[place : place + 1] = [index]
    kept = set()
    index_or_none = ends[-1] if ends else None
    while index_or_none is not None:
        kept.add(index_or_none)
        index_or_none = previous.get(index_or_none)
    return kept


def dump(element: Element) -> bytes:
    """Return an element as one line, to tell quickly whether two are equal."""
    return etree.tostring(element, encoding="utf-8", with_tail=False)
