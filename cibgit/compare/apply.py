"""Apply changes: what leads from old to new leads there.

Any part of a list of changes can be applied too, as far as it finds what it speaks of.
"""

from collections.abc import Iterable

from lxml import etree

from ..cib.canonical import arrange, canonical
from ..cib.document import Cib, Comment, Element, parse_tree
from ..cib.identity import key
from ..cib.references import rename
from ..errors import BadDataError
from .change import Change, Kind, Path
from .edits import (
    BETWEEN_COMMENTS,
    CDATA,
    COMMENT,
    LAST_COMMENT,
    comments_at_end,
    comments_before,
)


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
    found = [
        None if change.kind is Kind.ADDED else _find(result, change.path)
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
    for change, run in zip(rest, runs, strict=True):
        if change.place is not None:
            _insert(result, change, run or _parsed(change))
    arrange(result.root)
    return result


def _find(cib: Cib, path: Path) -> Element:
    element = cib.root
    for depth, step in enumerate(path):
        same = [c for c in element.iterchildren(step.tag) if key(c).name == step.name]
        if len(same) <= step.number:
            way = " / ".join(str(each) for each in path[: depth + 1])
            raise BadDataError(f"{cib.source}: there is no {way}")
        element = same[step.number]
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


def _insert(cib: Cib, change: Change, run: list[Element]) -> None:
    assert change.place is not None
    parent = _find(cib, change.place.parent)
    elements = [child for child in parent if not isinstance(child, Comment)]
    if change.place.position < len(elements):
        after = elements[change.place.position]
        position = parent.index(after) - len(comments_before(after))
    else:
        position = len(parent) - len(comments_at_end(parent))
    parent[position:position] = run
