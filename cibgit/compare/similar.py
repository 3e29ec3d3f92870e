"""Pair what was removed with what was added where no identity helps: by likeness.

This is the only place where two lists are compared each with each, so it is for a few
leftovers: :data:`CAP` bounds it.
"""

import copy
from collections.abc import Sequence

from lxml import etree

from ..cib.document import Element, attributes

CAP = 250_000
"""Largest product of the numbers of elements on both sides (some 0.1 s)."""

LIKENESS = 0.8
"""From which likeness on (1 is equal) two elements count as one with another id."""

_KEYS = [("nvpair", "name"), ("op", "name")]


def alike(
    removed: Sequence[Element], added: Sequence[Element]
) -> list[tuple[Element, Element]]:
    """Return the pairs of elements that are alike but for their ids.

    Empty where there is too much to compare, or nothing.
    """
    if not removed or not added:
        return []
    size = [sum(1 for e in side for _ in e.iter()) for side in (removed, added)]
    if size[0] * size[1] > CAP:
        return []
    # 3 ms that only a diff with leftovers has to pay (docs/architecture.md)
    from xmldiff.diff import Differ

    left, right = _masked(removed), _masked(added)
    matches = Differ(F=LIKENESS, uniqueattrs=_KEYS).match(left, right)
    places = {id(copied): place for place, copied in enumerate(right)}
    # the differ works on its own copy of the left side: only positions tell what is what
    return [
        (removed[one.getparent().index(one)], added[places[id(other)]])
        for one, other, *_ in matches
        if id(other) in places
        and one.getparent() is not None
        and one.getparent().getparent() is None
    ]


def without_ids(element: Element) -> Element:
    """Return a copy of an element in which every id that it or its parts define is gone.

    Mentions of these ids inside it are masked too.
    """
    copied = copy.deepcopy(element)
    copied.tail = None
    own = {name for each in copied.iter(etree.Element) if (name := each.get("id"))}
    for each in copied.iter(etree.Element):
        for name, value in attributes(each):
            if name == "id":
                del each.attrib[name]
            elif value in own:
                each.set(name, "")
    return copied


def content_without_ids(element: Element) -> tuple[object, ...]:
    """Return something that is equal for elements that are equal but for their ids."""
    own = {e.get("id") for e in element.iter(etree.Element)}
    return tuple(
        (
            each.tag,
            len(each),
            each.text,
            *(
                (name, None if value in own else value)
                for name, value in each.items()
                if name != "id"
            ),
        )
        for each in element.iter()
    )


def _masked(found: Sequence[Element]) -> Element:
    root = etree.Element("x")
    root.extend(without_ids(element) for element in found)
    return root
