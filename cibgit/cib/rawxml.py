"""XML before lxml reads it: no document type, no text that lxml could not tell from CDATA.

expat reads here. It is asked only for what lxml cannot do safely.
"""

import re
from contextlib import suppress
from typing import NoReturn
from xml.parsers import expat

from ..errors import BadDataError

_DECLARED_ENCODING = re.compile(rb"""^<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']""")
_PLAIN_ENCODINGS = frozenset({b"utf-8", b"us-ascii", b"utf8", b"ascii"})
_ESCAPES = str.maketrans({
    "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;",
    "\t": "&#9;", "\n": "&#10;", "\r": "&#13;",
})  # fmt: skip

CDATA = b"<![CDATA["
"""What begins a section of text that is kept as it is written."""


def readable(data: bytes, source: str, *, authored: bool = False) -> bytes:
    """Return what lxml may read: the same bytes, or a rewriting without their pitfalls.

    Raises :class:`BadDataError` where expat cannot read them, and for text between
    elements if people ``authored`` it.
    """
    if CDATA in data or not _is_plain(data):
        return _without_text(data, source, authored)
    return data


def has_instruction(data: bytes) -> bool:
    """Say whether there is a processing instruction, or what looks like one.

    The declaration at the beginning is none.
    """
    # searching for one byte is ten times faster than for two
    place = data.find(b"?", len("<?xml"))
    while place != -1 and data[place - 1] != ord("<"):
        place = data.find(b"?", place + 1)
    return place != -1


def _is_plain(data: bytes) -> bool:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return False
    declared = _DECLARED_ENCODING.match(data.lstrip(b"\xef\xbb\xbf"))
    return declared is None or declared[1].lower() in _PLAIN_ENCODINGS


class _PrologDoneError(Exception):
    """The root element begins: the prolog holds no document type."""


def refuse_doctype(data: bytes, source: str) -> None:
    """Look at the prolog alone, before libxml2 could expand anything.

    libxml2 expands entities in attribute values even when told not to resolve them, and
    its protection against exponential expansion is off for huge trees.
    """
    if data.lstrip()[:4] == b"<cib":
        return

    def doctype(*_: object) -> NoReturn:
        raise BadDataError(
            f"{source}:{parser.CurrentLineNumber}: a document type (<!DOCTYPE>) is"
            " refused: a CIB has none"
        )

    def root(*_: object) -> NoReturn:
        raise _PrologDoneError

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = root
    with suppress(_PrologDoneError):
        _parse(parser, data, source)


def _without_text(data: bytes, source: str, authored: bool) -> bytes:
    """Write the document again in UTF-8, without text but with its CDATA sections.

    lxml cannot tell a CDATA section from text, so where there is one the text is left
    out before lxml reads it.
    """
    out: list[str] = []
    path: list[tuple[str, int]] = []
    inside_cdata = False

    def start(name: str, attributes: list[str]) -> None:
        pairs = zip(attributes[::2], attributes[1::2], strict=True)
        path.append((name, parser.CurrentLineNumber))
        out.append(f"<{name}" + "".join(f" {k}={_quoted(v)}" for k, v in pairs) + ">")

    def cdata(begin: bool) -> None:
        nonlocal inside_cdata
        inside_cdata = begin
        out.append("<![CDATA[" if begin else "]]>")

    def end(name: str) -> None:
        path.pop()
        out.append(f"</{name}>")

    def text(content: str) -> None:
        if inside_cdata:
            out.append(content)
        elif authored and content.strip():
            tag, line = path[-1]
            refuse_text(f"{source}:{line}", tag)

    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CommentHandler = lambda content: out.append(f"<!--{content}-->")
    parser.ProcessingInstructionHandler = lambda name, content: out.append(
        f"<?{name} {content}?>"
    )
    parser.StartCdataSectionHandler = lambda: cdata(True)
    parser.EndCdataSectionHandler = lambda: cdata(False)
    parser.CharacterDataHandler = text
    _parse(parser, data, source)
    return "".join(out).encode()


def _parse(parser: expat.XMLParserType, data: bytes, source: str) -> None:
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadDataError(
            f"{source}:{error.lineno}: not well-formed XML: "
            f"{expat.ErrorString(error.code)}"
        ) from None
    except (LookupError, ValueError) as error:
        raise BadDataError(f"{source}: {error}") from None


def _quoted(value: str) -> str:
    # not xml.sax.saxutils.quoteattr: that imports urllib and half of the network
    return f'"{value.translate(_ESCAPES)}"'


def refuse_text(where: str, tag: str) -> NoReturn:
    """Refuse text between elements, with the place and the element around it."""
    raise BadDataError(
        f"{where}: there is text inside <{tag}>; a CIB holds elements only",
        "Is it what is left of a merge conflict?",
    )
