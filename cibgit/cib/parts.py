"""A CIB cut into texts: sections, and what stands in them."""

from collections.abc import Sequence
from typing import NamedTuple


class Part(NamedTuple):
    """An element as text: its tags, and its children without the ``<`` they begin with."""

    start: bytes
    children: list[bytes]
    end: bytes

    def text(self, children: Sequence[bytes]) -> bytes:
        """Return the element as text, with other children."""
        return b"<".join((self.start, *children)) + self.end


class Outline(NamedTuple):
    """What a CIB holds, as text: the children of ``<configuration>`` in canonical order.

    What the cluster owns is left out, as in the canonical form. ``root`` and
    ``configuration`` are the start tags. ``is_plain`` is false where texts do not tell
    enough: then nothing but ``has_unique_ids`` may be relied on.
    """

    root: bytes
    configuration: bytes
    parts: list[Part]
    is_plain: bool
    has_unique_ids: bool
