"""Three orders of one list, merged.

Whoever moved something is followed; what the other side added is put in after the element
that it followed there. Whether an order that two sides disagree on matters is for the
caller to judge.
"""

from collections.abc import Sequence, Set
from typing import NamedTuple

from .records import Ident


class Order(NamedTuple):
    """A merged order; ``disputed`` if both sides moved the same elements differently.

    ``contested`` are the elements that both sides put into the same place.
    """

    items: list[Ident]
    disputed: bool
    contested: set[Ident]


def merge_order(
    base: Sequence[Ident],
    ours: Sequence[Ident],
    theirs: Sequence[Ident],
    kept: Set[Ident],
) -> Order:
    """Merge three orders of the elements in ``kept``; symmetric unless disputed."""
    was, mine, other = ([x for x in each if x in kept] for each in (base, ours, theirs))
    shared = set(mine) & set(other)
    common = shared & set(was)
    old, left, right = (_among(each, common) for each in (was, mine, other))
    ours_moved = left != old
    theirs_moved = right != old
    disputed = (ours_moved and theirs_moved and left != right) or (
        _among(mine, shared - common) != _among(other, shared - common)
    )
    if theirs_moved and not ours_moved:
        mine, other = other, mine
    contested: set[Ident] = set()
    return Order(_with(mine, other, contested), disputed, contested)


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
