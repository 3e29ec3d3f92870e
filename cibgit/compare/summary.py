"""Which changes are worth a line."""

from collections.abc import Iterable

from .change import Change, Kind, Weight


def visible(changes: Iterable[Change]) -> list[Change]:
    """Return the changes that mean something to the cluster or to those who run it."""
    return [change for change in changes if change.weight > Weight.NONE]


def hidden(changes: Iterable[Change]) -> list[Change]:
    """Return the changes without meaning; sections and sets that hold others are none.

    An empty set that comes because something is put into it, or that goes because
    nothing is left in it, is told with what it holds.
    """
    changes = list(changes)
    holding = {c.place.parent for c in changes if c.place and c.kind is Kind.ADDED}
    holding |= {c.path[:-1] for c in changes if c.kind is Kind.REMOVED}
    return [
        change
        for change in changes
        if change.weight is Weight.NONE
        and not (change.kind in (Kind.ADDED, Kind.REMOVED) and change.path in holding)
    ]
