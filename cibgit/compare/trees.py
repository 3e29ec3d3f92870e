"""From records back to elements."""

from lxml import etree

from ..cib.document import Element
from .edits import BETWEEN_COMMENTS, CDATA, COMMENT, LAST_COMMENT
from .records import Document, Ident

SPECIAL = frozenset({COMMENT, LAST_COMMENT, CDATA})
"""Values of a record that are no attributes."""


def grow(
    found: Document, top: Ident, names: dict[Element, Ident] | None = None
) -> Element:
    """Return an element and all below it; ``names`` is told which is which.

    The comments before the element itself are left out: they stand beside it.
    """
    record = found[top]
    plain = {k: v for k, v in record.values.items() if k not in SPECIAL}
    element = etree.Element(top.key.tag, plain)
    if names is not None:
        names[element] = top
    if CDATA in record.values:
        element.text = etree.CDATA(record.values[CDATA])
    for child in record.children:
        element.extend(comments(found[child].values.get(COMMENT)))
        element.append(grow(found, child, names))
    element.extend(comments(record.values.get(LAST_COMMENT)))
    return element


def comments(text: str | None) -> list[Element]:
    """Return the comments that a value of a record holds."""
    if text is None:
        return []
    return [etree.Comment(each) for each in text.split(BETWEEN_COMMENTS)]
