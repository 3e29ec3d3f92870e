"""Apply changes: what leads from old to new leads there.

Any part of a list of changes can be applied too, as far as it finds what it speaks of.
"""

from collections.abc import Iterable

from lxml import etree

from ..cib.canonical import arrange, canonical
from ..cib.document import Cib, Element, parse_tree
from ..cib.identity import key
from ..cib.references import rename
from ..errors import BadDataError
from .change import Change, Kind, Path, Step
from .edits import (
    BETWEEN_COMMENTS,
    CDATA,
    COMMENT,
    LAST_COMMENT,
    comments_at_end,
    comments_before,
)
from .paths import children_by_step


def apply(changes: Iterable[Change], old: Cib) -> Cib:
    """Return the canonical form of ``old`` after all changes.

    ``apply(compare(old, new), old)`` is the canonical form of ``new``. Raises
    :class:`~cibgit.errors.BadDataError` when a change speaks of what is not there.
    """
    changes = list(changes)
    result = canonical(old).copy()
    ids = {was: now for change in changes for was, now in change.renames}
    if ids:
        rename(result.root, ids)
        arrange(result.root)
    rest = [change for change in changes if change.kind is not Kind.RENAMED]
    known: Known = {}
    found = [
        None if change.kind is Kind.ADDED else _find(result, change.path, known)
        for change in rest
    ]
    for change, element in zip(rest, found, strict=True):
        if element is not None:
            _set_attributes(change, element)
    runs = [
        _detach(element)
        if element is not None and change.kind in (Kind.MOVED, Kind.REMOVED)
        else []
        for change, element in zip(rest, found, strict=True)
    ]
    places: dict[Path, list[tuple[Change, list[Element]]]] = {}
    for change, run in zip(rest, runs, strict=True):
        if change.place is not None:
            here = places.setdefault(change.place.parent, [])
            here.append((change, run or _parsed(change)))
    for path, coming in places.items():
        _insert(_find(result, path, {}), coming)
    arrange(result.root)
    return result


Known = dict[Element, dict[Step, Element]]
"""The children of elements that were looked through, by their steps."""


def _find(cib: Cib, path: Path, known: Known) -> Element:
    element = cib.root
    for depth, step in enumerate(path):
        if element not in known:
            known[element] = children_by_step(element)
        found = known[element].get(step)
        if found is None:
            way = " / ".join(str(each) for each in path[: depth + 1])
            raise BadDataError(f"{cib.source}: there is no {way}")
        element = found
    return element


def _set_attributes(change: Change, element: Element) -> None:
    for each in change.attributes:
        name, value = each.name, each.new
        if name in (COMMENT, LAST_COMMENT):
            _set_comments(element, name, value)
        elif name == CDATA:
            element.text = None if value is None else etree.CDATA(value)
        elif value is None:
            del element.attrib[name]
        else:
            element.set(name, value)


def _set_comments(element: Element, name: str, value: str | None) -> None:
    notes = [] if value is None else value.split(BETWEEN_COMMENTS)
    if name == LAST_COMMENT:
        for each in comments_at_end(element):
            element.remove(each)
        element.extend(etree.Comment(note) for note in notes)
        return
    parent = element.getparent()
    for each in comments_before(element):
        if parent is not None:
            parent.remove(each)
    for note in notes:
        element.addprevious(etree.Comment(note))


def _detach(element: Element) -> list[Element]:
    """Take an element with its comments out of the tree."""
    run = [*comments_before(element), element]
    parent = element.getparent()
    if parent is not None:
        for each in run:
            parent.remove(each)
    return run


def _parsed(change: Change) -> list[Element]:
    return list(parse_tree(f"<x>{change.xml}</x>".encode(), "a change"))


def _insert(parent: Element, coming: list[tuple[Change, list[Element]]]) -> None:
    """Put elements below their parent, the last one first: each before its next one."""
    known = children_by_step(parent, from_end=True)
    for change, run in reversed(coming):
        before = change.place.before if change.place else None
        following = known.get(before) if before else None
        if before is not None and following is None:
            raise BadDataError(f"there is no {before} to put {change.path[-1]} before")
        if following is None:
            end = len(parent) - len(comments_at_end(parent))
            parent[end:end] = run
        else:
            first = [*comments_before(following), following][0]
            for each in run:
                first.addprevious(each)
        step = Step(*key(run[-1]))
        if step in known:
            known = children_by_step(parent, from_end=True)
        known[step] = known.get(step, run[-1])
