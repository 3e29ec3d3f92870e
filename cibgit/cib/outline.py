"""The outline of a CIB: sections and the text of what stands in them, all written in C.

Two large CIBs are mostly equal. What is equal as text need not become an object of
Python: a section is written at once, with one child a line at one depth, and split
there. The children are in canonical order; each is written as it stands, so equal text
is equal content, while different text may still mean the same.
"""

import copy
import re
from collections.abc import Sequence

from lxml import etree

from . import owned
from .canonical import child_order
from .document import Cib, Comment, Element, attributes
from .pairing import dump
from .parts import Outline, Part
from .rawxml import CDATA, has_instruction

_BREAK = re.compile(rb"\n  <(?!/)")
"""What stands before each child in a pretty-printed element, and nowhere else."""

_TAGS_OF_SPECIAL_IDS = ("resource_ref", "obj_ref", "role", "node", "acl_target")
_SPECIAL_IDS = re.compile(
    rb"<(?:" + "|".join(_TAGS_OF_SPECIAL_IDS).encode() + rb")\s[^>]*>"
)
_ID = re.compile(rb' id="([^"]*)"')


def outline(cib: Cib) -> Outline:
    """Return the outline of a CIB; it is made once.

    Raises :class:`~cibgit.errors.BadDataError` where there is no ``<configuration>``.
    """
    if cib.outline is None:
        cib.outline = _outline(cib)
    return cib.outline


def part(element: Element, order: Sequence[int] | None) -> Part:
    """Return an element as text, its children in that order (None: as they stand)."""
    text = etree.tostring(
        element, encoding="utf-8", pretty_print=True, with_tail=False
    ).rstrip()
    return _split(element, text, order)


def _split(element: Element, text: bytes, order: Sequence[int] | None) -> Part:
    if not len(element):
        return Part(text, [], b"")
    start, *children = _BREAK.split(text)
    children[-1], _, end = children[-1].rpartition(b"\n</")
    if len(children) != len(element):
        # a comment of several lines looked like children
        children = [dump(child)[1:] for child in element]
    if order:
        children = [children[index] for index in order]
    return Part(start, children, b"</" + end)


def _outline(cib: Cib) -> Outline:
    configuration = cib.configuration
    sections = list(configuration)
    order = child_order(configuration) or range(len(sections))
    names: list[bytes] = []
    parts: list[Part] = []
    is_plain = _is_plain_root(cib.root) and not configuration.nsmap
    special_is_unique = True
    options = configuration.find("crm_config")
    for section in [sections[index] for index in order]:
        text = etree.tostring(
            section, encoding="utf-8", pretty_print=True, with_tail=False
        ).rstrip()
        if not isinstance(section.tag, str):
            is_plain = is_plain and isinstance(section, Comment)
            parts.append(Part(text, [], b""))
            continue
        is_plain = is_plain and _is_plain(section, text)
        special_is_unique = special_is_unique and _special_is_unique(section)
        names += _ids(section.tag, text)
        if section is options:
            parts.append(part(_without_owned(section), None))
        else:
            parts.append(_split(section, text, child_order(section)))
    unique = len(set(names)) == len(names) and configuration.get("id") is None
    return Outline(
        _start(cib.root, owned.VOLATILE_ROOT_ATTRIBUTES),
        _start(configuration),
        parts,
        is_plain,
        unique and special_is_unique,
    )


def _is_plain_root(root: Element) -> bool:
    """Say whether there is one configuration, perhaps a status, and nothing else."""
    tags = [child.tag for child in root if child.tag != "status"]
    return tags == ["configuration"] and not root.nsmap


def _is_plain(section: Element, text: bytes) -> bool:
    """Say whether equal text of children means that they are equal, and no more.

    Not where prefixes of names are declared around them; nor where text may break lines
    (CDATA), nor with processing instructions, which the canonical form drops. The order of
    constraints that stand where they should not would depend on what is left out.
    """
    return not (
        section.nsmap
        or CDATA in text
        or has_instruction(text)
        or text.count(b"<constraints") > (section.tag == "constraints")
    )


def _ids(tag: str, text: bytes) -> list[bytes]:
    """Return what may be a definition of an id in a section; comments may add some."""
    if tag != "resources":
        text = _SPECIAL_IDS.sub(b"", text)
    return _ID.findall(text)


def _special_is_unique(section: Element) -> bool:
    """Say whether no two siblings of one kind refer to, or are named, the same."""
    if section.tag == "resources":
        return True
    seen = set()
    found = 0
    for element in section.iter(*_TAGS_OF_SPECIAL_IDS):
        name = element.get("id")
        if name is not None:
            seen.add((element.getparent(), element.tag, name))
            found += 1
    return len(seen) == found


def _without_owned(options: Element) -> Element:
    configuration = etree.Element("configuration")
    configuration.append(copy.deepcopy(options))
    owned.strip(configuration)
    return configuration[0]


def _start(element: Element, without: frozenset[str] = frozenset()) -> bytes:
    bare = etree.Element(element.tag)
    for name, value in attributes(element):
        if name not in without:
            bare.set(name, value)
    return etree.tostring(bare, encoding="utf-8")[: -len("/>")] + b">"
