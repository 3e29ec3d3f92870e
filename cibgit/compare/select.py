"""A part of a list of changes, by name or otherwise, fit to be applied alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from .change import Change, Kind, Path, Place


def speaks_of(change: Change, pattern: str) -> bool:
    """Say whether a change is about what a shell pattern names.

    That is its owner (``vip``, ``resource vip``), an element on the way to it by its id,
    or its whole address.
    """
    names = [str(change.owner), change.owner.name, change.address]
    names += [step.name for step in change.path]
    return any(name and fnmatchcase(name, pattern) for name in names)


def selected(
    changes: Sequence[Change], wanted: Callable[[Change], bool]
) -> list[Change]:
    """Return the wanted changes, and those that they cannot be without.

    An added element needs the added one that it stands in, a removed one what moves out
    of it, and a renamed one its new name. Where an element was put before one that stays
    away, it comes before the next one instead.
    """
    chosen = [wanted(change) for change in changes]
    growing = True
    while growing:
        growing = False
        for mine, change in enumerate(changes):
            for other in _needed(change, changes) if chosen[mine] else ():
                growing = growing or not chosen[other]
                chosen[other] = True
    pairs = list(zip(changes, chosen, strict=True))
    away = [change for change, is_chosen in pairs if not is_chosen and change.place]
    return [_placed(change, away) for change, is_chosen in pairs if is_chosen]


def _needed(change: Change, changes: Sequence[Change]) -> Iterator[int]:
    """Yield the places of the changes that one cannot be without."""
    into: Path = change.place.parent if change.place else ()
    for place, other in enumerate(changes):
        if other is change:
            continue
        if other.kind is Kind.ADDED:
            if _within(into, other.path) or _within(change.path[:-1], other.path):
                yield place
        elif other.kind is Kind.RENAMED:
            if any(_mentions(change, new) for _, new in other.renames):
                yield place
        elif change.kind is Kind.REMOVED and _within(other.path, change.path):
            yield place


def _within(path: Path, outer: Path) -> bool:
    return bool(outer) and path[: len(outer)] == outer


def _mentions(change: Change, name: str) -> bool:
    into: Path = change.place.parent if change.place else ()
    values = [each.new for each in change.attributes]
    steps = [step.name for step in (*change.path, *into)]
    return name in steps or name in values or f'"{name}"' in change.xml


def _placed(change: Change, away: Sequence[Change]) -> Change:
    """Return a change whose place is told by an element that will be there."""
    place = change.place
    while place and place.before:
        for other in away:
            step = other.path[-1]
            is_it = step[:2] == place.before[:2] and other.place
            if is_it and other.place and other.place.parent == place.parent:
                place = Place(place.parent, other.place.before)
                break
        else:
            break
    return replace(change, place=place)
