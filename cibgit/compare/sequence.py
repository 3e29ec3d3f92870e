"""Three orders of one list, merged.

Whoever moved something is followed; what the other side added is put in after the element
that it followed there. Whether an order that two sides disagree on matters is for the
caller to judge.
"""

from collections.abc import Sequence, Set
from typing import NamedTuple

from .records import Ident


class Order(NamedTuple):
    """A merged order.

    ``mirrored`` is what exchanging the sides would give: the same, unless both sides
    gave the same elements different orders. ``contested`` are the elements that both put
    into the same place.
    """

    items: list[Ident]
    mirrored: list[Ident]
    contested: set[Ident]


def merge_order(
    base: Sequence[Ident],
    ours: Sequence[Ident],
    theirs: Sequence[Ident],
    kept: Set[Ident],
) -> Order:
    """Merge three orders of the elements in ``kept``."""
    was, mine, other = ([x for x in each if x in kept] for each in (base, ours, theirs))
    shared = set(mine) & set(other)
    common = shared & set(was)
    old, left, right = (_among(each, common) for each in (was, mine, other))
    contested: set[Ident] = set()
    items, mirrored = _with(mine, other, contested), _with(other, mine, set())
    added = shared - common
    if (left == old) != (right == old) and _among(mine, added) == _among(other, added):
        # one side moved something: it is followed
        items = mirrored = mirrored if left == old else items
    return Order(items, mirrored, contested)


def _among(items: Sequence[Ident], wanted: Set[Ident]) -> list[Ident]:
    return [item for item in items if item in wanted]


def _with(
    skeleton: list[Ident], other: Sequence[Ident], contested: set[Ident]
) -> list[Ident]:
    """Insert what only ``other`` has, each run after what it follows there."""
    theirs, placed = set(other), set(skeleton)
    after: dict[Ident | None, list[Ident]] = {}
    anchor: Ident | None = None
    for item in other:
        if item in placed:
            anchor = item
        else:
            after.setdefault(anchor, []).append(item)
    merged: list[Ident] = []
    rival: list[Ident] = []
    waiting = after.get(None, [])
    for item in skeleton:
        if item not in theirs:
            rival.append(item)
            continue
        merged += _meet(rival, waiting, contested)
        merged.append(item)
        rival, waiting = [], after.get(item, [])
    return merged + _meet(rival, waiting, contested)


def _meet(
    rival: list[Ident], waiting: list[Ident], contested: set[Ident]
) -> list[Ident]:
    """Join what both sides put into one place: in an order that names no side."""
    if rival and waiting:
        contested.update(rival, waiting)
        if min(map(repr, waiting)) < min(map(repr, rival)):
            return waiting + rival
    return rival + waiting
