"""A document as records: each element by its identity, apart from where it stands.

Three-way questions are asked of each fact alone: is the element there, what are its
values, who is its parent, in which order are its children. So one side may move a resource
into a group while the other changes a parameter of it.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

from ..cib.document import Comment, Element
from ..cib.identity import Key, defines_id, key, named
from .edits import values


class Ident(NamedTuple):
    """What makes an element the same in all versions of a document.

    ``parent`` is None where the ``id`` is of the common namespace, so that the element
    stays the same wherever it moves. ``number`` tells siblings of equal key apart.
    """

    parent: Optional["Ident"]
    key: Key
    number: int = 0


@dataclass
class Record:
    """One element: its parent, its attributes (comments included) and its children."""

    parent: Ident | None
    values: dict[str, str]
    children: list[Ident] = field(default_factory=list)


Document = dict[Ident, Record]
"""All elements of one version, in document order."""

ROOT = Ident(None, Key("cib", ""))


def document(root: Element) -> Document:
    """Return the records of a tree in canonical form."""
    found: Document = {}
    _add(root, ROOT, None, found)
    return found


def _add(element: Element, own: Ident, parent: Ident | None, found: Document) -> None:
    record = found[own] = Record(parent, values(element))
    seen: Counter[Key] = Counter()
    for child in element:
        if isinstance(child, Comment):
            continue
        name = key(child)
        below = None if defines_id(child) else own
        ident = Ident(below, name, seen[name])
        seen[name] += 1
        record.children.append(ident)
        _add(child, ident, own, found)


def ident_of(element: Element) -> Ident:
    """Return the identity of an element of a tree."""
    parent = element.getparent()
    if parent is None:
        return ROOT
    name = key(element)
    before = element.itersiblings(element.tag, preceding=True)
    number = sum(1 for each in before if key(each) == name)
    return Ident(None if defines_id(element) else ident_of(parent), name, number)


def names(found: Document) -> set[str]:
    """Return the ids that a document defines for all to refer to."""
    return {ident.key.name for ident in found if ident.parent is None}


def way(found: Document, ident: Ident) -> str:
    """Return the address of an element: ``resources / group web / primitive vip``."""
    steps = []
    step: Ident | None = ident
    while step is not None and step.key.tag not in ("cib", "configuration"):
        steps.append(named(step.key))
        step = found[step].parent if step in found else None
    return " / ".join(reversed(steps)) or ident.key.tag
