"""Who signed this file? Every way in which a ``.sig`` was ever computed.

Three eras follow each other. Heartbeat hashed its own indented writing of the file, with
values as they stood in it. Pacemaker 0.7.3 to 1.1.6 hashed what libxml2 writes on one
line, white space inside empty elements included. Since 1.1.7 text is stripped first
(``v1``); how attribute values are escaped has changed five times within that era.

A digest of an era is one of bytes, not of a tree: what white space stands in an empty
element, and how a value was escaped, is gone once a file is parsed.

Sources: ``dump_data_element`` and ``parse_xml`` of Pacemaker 0.6.0 and
``calculate_xml_digest_v1`` of 1.1.6 (``lib/crm/common/xml.c``, ``lib/common/xml.c``),
``strip_text_nodes`` of 1.1.7, ``crm_xml_escape`` of 1.1.9; :mod:`.digest` for the rest.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial

from lxml import etree

from ..errors import BadDataError, UsageError
from .digest import Dialect, dump, dump_unescaped
from .document import parse_tree, parse_with_text


class Era(Enum):
    """What is hashed."""

    HEARTBEAT = "heartbeat"
    V1_LIBXML = "v1-libxml"
    V1 = "v1"


@dataclass(frozen=True)
class Signer:
    """Releases that sign alike. ``dump`` turns a file into the bytes that they hash."""

    era: Era
    releases: str
    since: tuple[int, int, int]
    dump: Callable[[bytes], bytes]
    dialect: Dialect | None = None

    def __str__(self) -> str:
        return f"{self.era.value} ({self.releases})"

    def digest(self, data: bytes) -> str:
        """Return what these releases write into the ``.sig`` of a file.

        Raises :class:`~cibgit.errors.BadDataError` for what they could not read.
        """
        return hashlib.md5(self.dump(data), usedforsecurity=False).hexdigest()


def signers(data: bytes, signature: str) -> list[Signer]:
    """Return who would accept the content of a ``.sig`` for a file, newest first.

    Upper case is accepted (``pcmk__verify_digest``), anything beside the 32 digits is
    not. A file that is not well formed has no signer.
    """
    return [each for each in SIGNERS if signature.lower() == _digest(each, data)]


def signed_by(data: bytes, signature: str) -> str | None:
    """Return the newest era and releases whose ``.sig`` this is, or None.

    For example ``v1 (2.1.8 and later)`` or ``heartbeat (Heartbeat 2.0.5 to 0.7.2)``.
    """
    for each in SIGNERS:
        if signature.lower() == _digest(each, data):
            return str(each)
    return None


def signer_of(version: str | None, era: Era | None = None) -> Signer:
    """Return how a Pacemaker release signs; without one, the newest (of that era).

    Raises :class:`~cibgit.errors.UsageError` for a release that is not of that era.
    """
    known = [each for each in SIGNERS if era in (None, each.era)]
    numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version or "")
    if not numbers:
        return known[0]
    release = tuple(int(part or 0) for part in numbers.groups())
    found = next((each for each in SIGNERS if release >= each.since), SIGNERS[-1])
    if found not in known:
        raise UsageError(f"Pacemaker {version} signs as {found}")
    return found


def _digest(signer: Signer, data: bytes) -> str | None:
    try:
        return signer.digest(data)
    except BadDataError:
        return None


def _v1(data: bytes, dialect: Dialect) -> bytes:
    return b" " + dump(parse_tree(data, "file"), dialect) + b"\n"


def _unescaped(data: bytes) -> bytes:
    return b" " + dump_unescaped(parse_tree(data, "file")) + b"\n"


def _stripped(data: bytes) -> bytes:
    root = parse_tree(data, "file")
    return _libxml_dump(etree.tostring(root, encoding="utf-8", with_tail=False), data)


def _libxml(data: bytes) -> bytes:
    root = parse_with_text(data, "file")
    return _libxml_dump(etree.tostring(root, encoding="utf-8", with_tail=False), data)


_VERBATIM = re.compile(rb"(<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>)", re.DOTALL)
_ENCODED = re.compile(rb"\A(?:\xef\xbb\xbf)?<\?xml[^>]*\sencoding=")
_NON_ASCII = re.compile("[^\x00-\x7f]")


def _libxml_dump(written: bytes, data: bytes) -> bytes:
    """Return what ``xmlNodeDump`` writes: references, unless an encoding was declared."""
    if not written.isascii() and not _ENCODED.match(data):
        parts = _VERBATIM.split(written)
        parts[::2] = [_NON_ASCII.sub(_hex, p.decode()).encode() for p in parts[::2]]
        written = b"".join(parts)
    return b" " + written + b"\n"


def _hex(found: re.Match[str]) -> str:
    return f"&#x{ord(found[0]):X};"


_TOKEN = re.compile(
    rb"""<!--.*?-->|<[!?][^>]*>|<(?P<close>/)?(?P<name>[A-Za-z_-]+)
    (?P<attributes>(?:\s+[\w-]+="[^"\\]*")*)\s*(?P<empty>/)?>""",
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(rb'\s+([\w-]+="[^"]+")')


def _heartbeat(data: bytes) -> bytes:
    """Write a file again as Heartbeat's own parser and writer did.

    Every element has its line, indented by one blank and two more a level. Values stand
    as in the file; attributes without a value, comments and text are gone. That parser
    knew no single quotes and no digits in the names of elements.
    """
    parse_tree(data, "file")
    lines: list[bytes] = []
    for depth, name, found, is_open in _elements(data):
        indent = b" " * (2 * depth + 1)
        if not found:
            _close(lines, indent, name)
            continue
        attributes = b"".join(b" " + a for a in _ATTRIBUTE.findall(found["attributes"]))
        lines.append(indent + b"<" + name + attributes + (b">" if is_open else b"/>"))
    return b"".join(line + b"\n" for line in lines)


def _elements(
    data: bytes,
) -> Iterator[tuple[int, bytes, re.Match[bytes] | None, bool]]:
    """Yield (depth, name, start tag or None for an end tag, whether it is open)."""
    depth = position = 0
    while (position := data.find(b"<", position)) >= 0:
        found = _TOKEN.match(data, position)
        if not found:
            raise BadDataError("Heartbeat could not read this file")
        position = found.end()
        if found["name"] is None:
            continue
        if found["close"]:
            depth -= 1
            yield depth, found["name"], None, False
        else:
            yield depth, found["name"], found, not found["empty"]
            depth += not found["empty"]


def _close(lines: list[bytes], indent: bytes, name: bytes) -> None:
    """Add an end tag, or make the start tag an empty one if nothing came after it."""
    opened = indent + b"<" + name
    last = lines[-1]
    if last.startswith(opened) and not last.endswith(b"/>"):
        lines[-1] = last[:-1] + b"/>"
    else:
        lines.append(indent + b"</" + name + b">")


SIGNERS = (
    *(
        Signer(Era.V1, dialect.value, since, partial(_v1, dialect=dialect), dialect)
        for dialect, since in (
            (Dialect.NEW, (2, 1, 8)),
            (Dialect.MID, (2, 1, 3)),
            (Dialect.OLD, (1, 1, 10)),
        )
    ),
    Signer(Era.V1, "1.1.9", (1, 1, 9), _unescaped),
    Signer(Era.V1, "1.1.7 and 1.1.8", (1, 1, 7), _stripped),
    Signer(Era.V1_LIBXML, "0.7.3 to 1.1.6", (0, 7, 3), _libxml),
    Signer(Era.HEARTBEAT, "Heartbeat 2.0.5 to 0.7.2", (0, 0, 0), _heartbeat),
)
"""All ways of signing, newest first."""
