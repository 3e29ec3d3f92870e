"""What differs between two CIBs, as changes that people understand.

Both are compared in canonical form, so that what has no meaning makes no difference;
the list is empty if and only if the canonical forms are equal.
"""

from dataclasses import replace

from lxml import etree

from ..cib.canonical import canonical, compact
from ..cib.document import Cib, Comment, Element, attributes
from ..cib.secrets import is_secret
from .change import Change, Kind
from .edits import Edit, comments_before, edits
from .meaning import Meaning, meaning
from .owners import owner
from .paths import Paths


def compare(old: Cib, new: Cib) -> list[Change]:
    """Return the changes that lead from ``old`` to ``new``, in the order of the document.

    Status, volatile attributes and cluster-owned parts are no differences. Changes
    without meaning (:attr:`~cibgit.compare.change.Weight.NONE`) are in the list:
    :func:`~cibgit.compare.apply.apply` makes ``new`` of ``old`` with it.
    """
    old, new = canonical(old), canonical(new)
    if compact(old) == compact(new):
        return []
    paths = Paths()
    return [_change(edit, paths) for edit in edits(old.root, new.root)]


def _change(edit: Edit, paths: Paths) -> Change:
    said: Meaning = meaning(edit)
    path = paths.path(edit.element if edit.old is None else edit.old)
    attributes = tuple(
        replace(each, secret=_is_secret(edit, each.name)) for each in edit.attributes
    )
    standing = edit.new if edit.kind in (Kind.ADDED, Kind.MOVED) else None
    return Change(
        edit.kind,
        path,
        owner(edit.element),
        said.weight,
        said.sentence,
        said.subject,
        said.reason,
        said.details,
        attributes,
        _xml(edit) if edit.kind in (Kind.ADDED, Kind.REMOVED) else "",
        None if standing is None else paths.place(standing),
    )


def _is_secret(edit: Edit, attribute: str) -> bool:
    sides = [side for side in (edit.old, edit.new) if side is not None]
    return any(is_secret(side, attribute) for side in sides)


def _xml(edit: Edit) -> str:
    """Return an element with its comments as XML, without what is elsewhere."""
    run = [*comments_before(edit.element), edit.element]
    if edit.cut:
        run[-1] = _pruned(edit.element, edit.cut)
    return "".join(
        etree.tostring(each, encoding="unicode", with_tail=False) for each in run
    )


def _pruned(element: Element, cut: frozenset[Element]) -> Element:
    """Return a copy of an element without some below it and their comments."""
    copied = etree.Element(element.tag, dict(attributes(element)))
    copied.text = etree.CDATA(element.text) if element.text else None
    gone = {each for one in cut for each in (one, *comments_before(one))}
    for child in element:
        if child in gone:
            continue
        if isinstance(child, Comment):
            copied.append(etree.Comment(child.text))
        else:
            copied.append(_pruned(child, cut))
    return copied
