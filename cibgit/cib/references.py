"""Who refers to whom: the attributes that hold another element's id.

Source: the schemas (``xs:IDREF``), and where they say only ``text``, the code that reads
them: ``obj_ref`` (tags), ``fencing-level/@devices`` (a list), the meta attribute
``container``.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lxml import etree

from .document import Element
from .identity import REFERRING_IDS, defines_id

_REFERRING = {
    "rsc": ("rsc_location", "rsc_colocation", "rsc_ticket"),
    "with-rsc": ("rsc_colocation",),
    "first": ("rsc_order",),
    "then": ("rsc_order",),
    "template": ("primitive",),
    "reference": ("acl_permission",),
}
_LISTS = {"devices": ("fencing-level",)}
_PAIRS = frozenset({"container"})


class Reference(NamedTuple):
    """One mention of an id: the element, its attribute and the id."""

    element: Element
    attribute: str
    target: str


def references(root: Element) -> Iterator[Reference]:
    """Yield every reference at and below an element, in document order."""
    for element in root.iter(etree.Element):
        for attribute in _attributes(element):
            text = element.get(attribute)
            if text is None:
                continue
            targets = text.split(",") if attribute in _LISTS else [text]
            for target in targets:
                yield Reference(element, attribute, target)


def rename(root: Element, ids: Mapping[str, str]) -> None:
    """Give elements other ids, and let everything follow that refers to them, in place.

    ``ids`` leads from old to new.
    """
    for element in root.iter(etree.Element):
        name = element.get("id", "")
        if name in ids and defines_id(element):
            element.set("id", ids[name])
    for element, attribute, _ in list(references(root)):
        parts = element.get(attribute, "").split(",")
        if attribute not in _LISTS:
            parts = [element.get(attribute, "")]
        renamed = ",".join(ids.get(part, part) for part in parts)
        if renamed != element.get(attribute):
            element.set(attribute, renamed)


def _attributes(element: Element) -> Iterator[str]:
    tag = element.tag
    for attribute, tags in (_REFERRING | _LISTS).items():
        if tag in tags:
            yield attribute
    if tag in REFERRING_IDS:
        yield "id"
    if element.get("id-ref") is not None:
        yield "id-ref"
    if tag == "nvpair" and element.get("name") in _PAIRS:
        yield "value"
