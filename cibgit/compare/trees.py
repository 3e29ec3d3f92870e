"""From records back to elements."""

from collections.abc import Mapping
from dataclasses import replace

from lxml import etree

from ..cib.canonical import arrange
from ..cib.document import Element
from .edits import BETWEEN_COMMENTS, CDATA, COMMENT, LAST_COMMENT
from .records import ROOT, Document, Ident

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


def with_orders(found: Document, orders: Mapping[Ident, list[Ident]]) -> Document:
    """Return records with other children in some elements."""
    changed = {k: replace(found[k], children=orders[k]) for k in orders}
    return found | changed


def arranged(found: Document) -> dict[Ident, list[Ident]]:
    """Return what stands in each element, in the order of the canonical form."""
    names: dict[Element, Ident] = {}
    arrange(grow(found, ROOT, names))
    return {
        ident: [names[child] for child in element if child in names]
        for element, ident in names.items()
    }


def comments(text: str | None) -> list[Element]:
    """Return the comments that a value of a record holds."""
    if text is None:
        return []
    return [etree.Comment(each) for each in text.split(BETWEEN_COMMENTS)]
