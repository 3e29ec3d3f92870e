"""What makes two elements "the same", and how an element is called in a message.

An element's identity is its ``id``; without one, its parent's identity plus its tag,
plus the attribute that Pacemaker keys it by (``id-ref``, and ``name`` of a referring
pair). One namespace of ids spans the whole configuration, as the schemas type them
``xs:ID``; the exceptions are below.
"""

from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from ..errors import BadDataError
from .document import Cib, Element
from .outline import outline

REFERRING_IDS = frozenset({"resource_ref", "role", "obj_ref"})
"""Elements whose ``id`` names another element."""

FREE_IDS = frozenset({"node", "acl_target"})
"""Elements whose ``id`` is text outside the common namespace: a node or user name."""

COMMENT = "#comment"
"""The tag of a comment in a :class:`Key`."""


class Key(NamedTuple):
    """Identity of an element among its siblings.

    ``name`` is the ``id``, or ``@`` and what is referred to, or empty; of a comment, its
    text.
    """

    tag: str
    name: str


def key(element: Element) -> Key:
    """Return the identity of an element (or comment) among its siblings."""
    tag = element.tag
    if not isinstance(tag, str):
        return Key(COMMENT, element.text or "")
    name = element.get("id")
    if name is None:
        reference = element.get("id-ref")
        if reference is None:
            return Key(tag, "")
        return Key(tag, f"@{reference} {element.get('name', '')}".rstrip())
    return Key(tag, name)


def defines_id(element: Element) -> bool:
    """Say whether the ``id`` of this element is its own, in the common namespace."""
    return (
        element.get("id") is not None
        and element.tag not in REFERRING_IDS
        and element.tag not in FREE_IDS
    )


def named(identity: Key) -> str:
    """Return how an element is called: ``primitive vip``, ``operations``, ``comment``."""
    tag, name = identity
    if tag == COMMENT:
        return "comment"
    return f"{tag} {name}" if name else tag


def label(element: Element) -> str:
    """Return how one element is called; see :func:`named`."""
    return named(key(element))


def address(element: Element) -> str:
    """Return the way to an element: ``resources / primitive vip / operations``.

    ``<cib>`` and ``<configuration>`` are left out unless they are the element itself.
    """
    steps = [label(element)]
    steps += [
        label(parent)
        for parent in element.iterancestors()
        if parent.tag not in ("cib", "configuration")
    ]
    return " / ".join(reversed(steps))


def check_ids(cib: Cib) -> None:
    """Refuse a configuration in which two elements claim one identity.

    Raises :class:`~cibgit.errors.BadDataError` with the id and both lines. Pacemaker
    refuses duplicates of schema-typed ids too (exit 78), but only where validation is on,
    and it never looks at nodes or at the members of sets.
    """
    if outline(cib).has_unique_ids:
        return
    for element, other in duplicates(cib):
        raise BadDataError(
            f"{cib.source}:{element.sourceline}: duplicate id {element.get('id')!r}:"
            f" <{element.tag}> here, <{other.tag}> in line {other.sourceline}",
            "Every id may be defined once in the whole configuration.",
        )


def duplicates(cib: Cib) -> Iterator[tuple[Element, Element]]:
    """Yield each element that claims the identity of an earlier one, and that one."""
    first: dict[str | tuple[Element, str, str], Element] = {}
    for element in cib.configuration.iter(etree.Element):
        name = element.get("id")
        if name is None:
            continue
        parent = element.getparent()
        if parent is None or defines_id(element):
            other = first.setdefault(name, element)
        else:
            other = first.setdefault((parent, element.tag, name), element)
        if other is not element:
            yield element, other
