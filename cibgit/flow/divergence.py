"""Divergence: git and live both left what is applied. Three groups, nothing hidden."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..cib.document import Cib
from ..compare.change import Change, Kind
from ..compare.diff import compare
from ..compare.redact import redacted
from .applied import Applied


@dataclass(frozen=True)
class Conflict:
    """What both sides touched, and not in the same way.

    ``attribute`` is empty where the element itself is in dispute: one side removed what
    the other changed, or both added it. ``desired`` and ``live`` say what each made of
    it.
    """

    address: str
    attribute: str
    desired: str
    live: str


@dataclass(frozen=True)
class Divergence:
    """``wanted`` leads from applied to desired, ``moved`` from applied to live."""

    live: Cib
    applied: Applied
    commit: str | None
    wanted: list[Change]
    moved: list[Change]
    conflicts: list[Conflict]


def diverged(
    live: Cib, applied: Applied, desired: Cib, commit: str | None
) -> Divergence:
    """Compare both sides with what is applied."""
    wanted, moved = compare(applied.cib, desired), compare(applied.cib, live)
    return Divergence(live, applied, commit, wanted, moved, conflicts(wanted, moved))


def conflicts(wanted: Iterable[Change], moved: Iterable[Change]) -> list[Conflict]:
    """Return what both groups touched differently, exact to element and attribute."""
    return list(dict.fromkeys(_conflicts(wanted, list(moved))))


def alike(ours: Change, theirs: Change) -> bool:
    """Say whether both sides did the same: what else each added beside does not count."""
    if ours.place and theirs.place and ours.place.parent == theirs.place.parent:
        theirs = replace(theirs, place=ours.place)
    return ours == theirs


def _conflicts(wanted: Iterable[Change], moved: list[Change]) -> Iterator[Conflict]:
    for ours in wanted:
        for theirs in moved:
            if ours.address == theirs.address:
                yield from _same_element(ours, theirs)
            elif _swallows(ours, theirs):
                yield Conflict(theirs.address, "", ours.kind.value, theirs.kind.value)
            elif _swallows(theirs, ours):
                yield Conflict(ours.address, "", ours.kind.value, theirs.kind.value)


def _same_element(ours: Change, theirs: Change) -> Iterator[Conflict]:
    if alike(ours, theirs):
        return
    if ours.kind is not theirs.kind or ours.kind is not Kind.CHANGED:
        yield Conflict(ours.address, "", ours.kind.value, theirs.kind.value)
        return
    live = {change.name: change.new for change in theirs.attributes}
    told = [
        {change.name: str(change.new) for change in redacted(side).attributes}
        for side in (ours, theirs)
    ]
    for change in ours.attributes:
        name = change.name
        if name in live and live[name] != change.new:
            yield Conflict(ours.address, name, told[0][name], told[1][name])


def _swallows(outer: Change, inner: Change) -> bool:
    """Say whether one change takes away what the other one touches."""
    within = inner.address.startswith(f"{outer.address} / ")
    return within and outer.kind in (Kind.REMOVED, Kind.REPLACED)
