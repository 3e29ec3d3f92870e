"""Digests of a CIB, exactly as each Pacemaker computes them.

Two kinds exist. The *on-disk* digest stands in ``cib.xml.sig``: MD5 over a blank, the
dump of the tree and a newline. The *versioned* digest stands in patchsets and is what
``cibadmin --md5-sum-versioned`` prints: MD5 over the dump without who-wrote-it
attributes. The dump is one line without text nodes, attributes in document order; how
it escapes attribute values differs between releases (:class:`Dialect`).

Sources: ``lib/common/digest.c``, ``lib/common/xml.c`` and ``lib/common/xml_io.c`` of
Pacemaker 1.1.24 to 3.0.2, and the output of their ``cibadmin -5`` and ``-6``.
"""

import copy
import hashlib
import re
from collections.abc import Callable, Iterator
from enum import Enum

from lxml import etree

from .document import Comment, Element, attributes

VOLATILE_ATTRIBUTES = (
    "crm-debug-origin",
    "cib-last-written",
    "update-origin",
    "update-client",
    "update-user",
)
"""Attributes that the versioned digest leaves out at every depth
(``pcmk__xa_filterable``)."""


class Dialect(Enum):
    """How a Pacemaker release escapes attribute values when it dumps XML."""

    OLD = "1.1.10 to 2.1.2"
    MID = "2.1.3 to 2.1.7"
    NEW = "2.1.8 and later"


def dialect_of(version: str | None) -> Dialect:
    """Return the dialect of a Pacemaker release such as ``2.1.5`` or ``2.1.5-a3f44794f94``.

    An unknown version counts as the newest.
    """
    numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version or "")
    if not numbers:
        return Dialect.NEW
    release = tuple(int(part or 0) for part in numbers.groups())
    if release >= (2, 1, 8):
        return Dialect.NEW
    return Dialect.MID if release >= (2, 1, 3) else Dialect.OLD


def on_disk(root: Element, dialect: Dialect) -> str:
    """Return the digest that ``cib.xml.sig`` holds: 32 lower-case hexadecimal digits.

    Equal to ``cibadmin --md5-sum -x FILE`` of a release of that dialect. ``root`` is a
    tree without text nodes; nothing is left out of it. MD5 is Pacemaker's choice and
    protects against accidents only.
    """
    return _md5(b" " + dump(root, dialect) + b"\n")


def versioned(root: Element, dialect: Dialect) -> str:
    """Return the digest that patchsets hold, as ``cibadmin --md5-sum-versioned`` prints it.

    Up to 2.1 a root without ``crm_feature_set``, or with one before 3.0.5, gets the
    on-disk digest instead (``calculate_xml_versioned_digest``). 3.0 always filters; no
    CIB that its schemas accept makes a difference, for a running cluster sets the
    attribute.
    """
    feature_set = _local(root).get("crm_feature_set")
    if dialect is not Dialect.NEW and _before(feature_set, (3, 0, 5)):
        return on_disk(root, dialect)
    return _md5(dump(_without_volatile(root), dialect))


def dump(root: Element, dialect: Dialect) -> bytes:
    """Return the one-line form of a tree that Pacemaker hashes, in UTF-8."""
    data = etree.tostring(root, encoding="utf-8", with_tail=False)
    if data.isascii() and not any(mark in data for mark in _SPECIAL):
        return data
    if _FOREIGN.search(data):
        return "".join(_serialize(root, _ESCAPES[dialect])).encode()
    # names are ASCII in every schema, so what is not stands in values and comments;
    # lxml writes a hundred times faster than Python does, so its dump is corrected:
    # everywhere but in comments, which are dumped as they are
    parts = _COMMENT.split(data)
    parts[::2] = [_corrected(part, dialect) for part in parts[::2]]
    return b"".join(parts)


def dump_unescaped(root: Element) -> bytes:
    """Return the one-line form as 1.1.9 wrote it: five characters escaped, no others."""
    escapes = str.maketrans({**_ENTITIES, "'": "&apos;"})
    return "".join(_serialize(root, lambda value: value.translate(escapes))).encode()


def signature(root: Element, digest: str) -> Dialect | None:
    """Return the dialect under which ``digest`` signs ``root``, or None.

    The newest matching dialect is named first; upper case is accepted, as Pacemaker
    compares without case (``pcmk__verify_digest``). White space around the digits is
    not: a signature file with a final newline is rejected by every release.
    """
    for dialect in (Dialect.NEW, Dialect.MID, Dialect.OLD):
        if digest.lower() == on_disk(root, dialect):
            return dialect
    return None


def is_mangled(value: str, dialect: Dialect) -> bool:
    """Say whether that Pacemaker would store another value than the one it is given.

    Up to 2.1.7 the serializer that escapes is also the one that talks between daemons:
    tabs and line ends are replaced for good, non-ASCII text is destroyed (OLD), or
    leaves what follows it unescaped, so that ``é <b>`` becomes an element (MID;
    experiment, 2.1.5).
    """
    if dialect is Dialect.NEW:
        return False
    if dialect is Dialect.OLD:
        return bool(_CONTROL.search(value)) or not value.isascii()
    escaped, raw = (
        _FIRST_NON_ASCII.split(value, 1) if not value.isascii() else (value, "")
    )
    return bool(_CONTROL.search(escaped) or _UNSAFE_RAW.search(raw))


def is_counter(name: str, value: str) -> bool:
    """Say whether Pacemaker up to 2.1.7 would compute with this value, not store it.

    ``value="value++"`` and ``value="value+=5"`` are expanded on every operation
    (``fix_plus_plus_recursive``, ``lib/cib/cib_utils.c``).
    """
    return value.startswith((f"{name}++", f"{name}+="))


def mangled_attributes(
    root: Element, dialect: Dialect
) -> Iterator[tuple[Element, str]]:
    """Yield each element and attribute name whose value that Pacemaker would not keep."""
    if dialect is Dialect.NEW:
        return
    # most CIBs have no such character anywhere, and the question costs little that way
    data = etree.tostring(root, encoding="utf-8", with_tail=False)
    if data.isascii() and not any(mark in data for mark in _MAYBE_MANGLED):
        return
    for element in root.iter(etree.Element):
        for name, value in attributes(element):
            if is_mangled(value, dialect) or is_counter(name, value):
                yield element, name


_MAYBE_MANGLED = (b"\x7f", b"&#", b"++", b"+=")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FIRST_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_UNSAFE_RAW = re.compile(r"[<&\"\t\n\r]")
_SPECIAL = (b"'", b"\x7f", b"&#", b"<!", b"<?", b" xml")
_FOREIGN = re.compile(rb"<\?|<!\[| xml(?:ns)?[:=]")
_COMMENT = re.compile(rb"(<!--.*?-->)", re.DOTALL)
_NON_ASCII = re.compile(rb"[\x80-\xff]")
_FROM_NON_ASCII = re.compile(rb"([\x80-\xff][^\"]*)")
_LXML_ESCAPE = re.compile(rb"&(?:lt|gt|amp|quot|#9|#10|#13);")
_LXML_ESCAPES = {
    b"&lt;": b"<", b"&gt;": b">", b"&amp;": b"&", b"&quot;": b'"',
    b"&#9;": b"\t", b"&#10;": b"\n", b"&#13;": b"\r",
}  # fmt: skip
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;"}
_OLD_WORDS = {"'": "&apos;", "\t": "    ", "\n": "\\n", "\r": "\\r"}
_REPLACEMENTS = {
    Dialect.MID: (
        (b"'", b"&apos;"),
        (b"&#9;", b"    "),
        (b"&#10;", b"\\n"),
        (b"&#13;", b"\\r"),
        (b"\x7f", b"\\177"),
    ),
    Dialect.NEW: (
        (b"&#9;", b"&#x09;"),
        (b"&#10;", b"&#x0A;"),
        (b"&#13;", b"&#x0D;"),
        (b"\x7f", b"&#x7F;"),
    ),
}
_REPLACEMENTS[Dialect.OLD] = _REPLACEMENTS[Dialect.MID]


def _corrected(data: bytes, dialect: Dialect) -> bytes:
    """Turn lxml's escapes, in a piece of a dump without comments, into a dialect's."""
    if data.isascii() or dialect is Dialect.NEW:
        return _replaced(data, dialect)
    if dialect is Dialect.OLD:
        return _NON_ASCII.sub(_octal, _replaced(data, dialect))
    parts = _FROM_NON_ASCII.split(data)
    parts[::2] = [_replaced(part, dialect) for part in parts[::2]]
    parts[1::2] = [_LXML_ESCAPE.sub(_unescaped, part) for part in parts[1::2]]
    return b"".join(parts)


def _replaced(data: bytes, dialect: Dialect) -> bytes:
    for old, new in _REPLACEMENTS[dialect]:
        if old in data:
            data = data.replace(old, new)
    return data


def _octal(byte: re.Match[bytes]) -> bytes:
    """Return a byte as the sign-extended C int that OLD prints, in octal."""
    return f"\\{0xFFFFFF00 | byte[0][0]:o}".encode()


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return _LXML_ESCAPES[escape[0]]


def _serialize(node: Element, escape: Callable[[str], str]) -> Iterator[str]:
    if isinstance(node, Comment):
        yield f"<!--{node.text or ''}-->"
    if not isinstance(node.tag, str):
        return
    name = etree.QName(node).localname
    yield f"<{name}"
    for key, value in attributes(node):
        yield f' {etree.QName(key).localname}="{escape(value)}"'
    if len(node) == 0 and node.text is None:
        yield "/>"
        return
    yield ">"
    if node.text is not None:
        yield _cdata(node.text)
    for child in node:
        yield from _serialize(child, escape)
        if child.tail is not None:
            yield _cdata(child.tail)
    yield f"</{name}>"


def _cdata(text: str) -> str:
    # a tree from parse() has no text: what lxml shows as text is a CDATA section
    return f"<![CDATA[{text}]]>"


def _escape_new(value: str) -> str:
    return "".join(
        _ENTITIES.get(c) or (f"&#x{ord(c):02X};" if c < " " or c == "\x7f" else c)
        for c in value
    )


def _escape_mid(value: str) -> str:
    out: list[str] = []
    for index, c in enumerate(value):
        if not c.isascii():
            return "".join(out) + value[index:]
        out.append(_escape_ascii(c))
    return "".join(out)


def _escape_old(value: str) -> str:
    return "".join(
        _escape_ascii(c)
        if c.isascii()
        # each byte as a sign-extended C int in octal
        else "".join(f"\\{0xFFFFFF00 | byte:o}" for byte in c.encode())
        for c in value
    )


def _escape_ascii(c: str) -> str:
    known = _ENTITIES.get(c) or _OLD_WORDS.get(c)
    if known:
        return known
    return f"\\{ord(c):03o}" if c < " " or c == "\x7f" else c


_ESCAPES = {
    Dialect.OLD: _escape_old,
    Dialect.MID: _escape_mid,
    Dialect.NEW: _escape_new,
}


def _without_volatile(root: Element) -> Element:
    """Return ``root``, or a copy without the attributes that are not hashed."""
    data = etree.tostring(root, encoding="utf-8", with_tail=False)
    if not any(name.encode() in data for name in VOLATILE_ATTRIBUTES):
        return root
    root = copy.deepcopy(root)
    etree.strip_attributes(root, *(f"{{*}}{name}" for name in VOLATILE_ATTRIBUTES))
    return root


def _before(feature_set: str | None, limit: tuple[int, ...]) -> bool:
    numbers = re.match(r"\d+(?:\.\d+)*", feature_set or "")
    return (
        tuple(int(number) for number in numbers[0].split(".")) < limit
        if numbers
        else True
    )


def _local(element: Element) -> dict[str, str]:
    """Return the attributes by their local names, which is all that Pacemaker looks at."""
    return {etree.QName(name).localname: value for name, value in attributes(element)}


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
