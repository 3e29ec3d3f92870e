"""A CIB as a tree: safe parsing, sections, version triple, who changed it last.

Parsing is stricter than Pacemaker's. ``cibadmin`` of Pacemaker 2.x reads with libxml2's
recovery mode and applies what is left of a truncated or malformed file with exit 0
(experiment, 2.1.5); here anything that is not well formed is refused whole.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple, NoReturn, cast
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from lxml import etree

from ..errors import BadDataError

MAX_BYTES = 256 * 1024 * 1024
"""Largest document that is read, in bytes (50,000 resources take about 66 MB)."""

MAX_DEPTH = 100
"""Deepest nesting that is accepted. Only rules can nest at will; real ones stay below 20."""

SECTIONS = (
    "crm_config",
    "nodes",
    "resources",
    "constraints",
    "rsc_defaults",
    "op_defaults",
    "fencing-topology",
    "acls",
    "tags",
    "alerts",
)
"""Sections of ``<configuration>`` in canonical order."""

Element = etree._Element
Comment = etree._Comment

_TOO_DEEP = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
_ANY_TEXT = etree.XPath("boolean(//text())")
_STRAY = etree.XPath(
    "//text()[normalize-space()]/.. | //processing-instruction() | /comment()"
)
_DIGITS = 20
_DECLARED_ENCODING = re.compile(rb"""^<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']""")
_PLAIN_ENCODINGS = frozenset({b"utf-8", b"us-ascii", b"utf8", b"ascii"})


class Version(NamedTuple):
    """The version triple of a CIB; Pacemaker compares it in this order."""

    admin_epoch: int
    epoch: int
    num_updates: int

    def __str__(self) -> str:
        return f"{self.admin_epoch}.{self.epoch}.{self.num_updates}"


@dataclass(frozen=True)
class LastChange:
    """Who changed the configuration last, as the CIB manager recorded it.

    ``at`` is the text of ``cib-last-written``: ``ctime`` format in the local time of the
    node, without a zone. Each field is empty where the CIB does not say.
    """

    user: str
    client: str
    origin: str
    at: str

    def __str__(self) -> str:
        who = self.user or "unknown"
        via = f" via {self.client}" if self.client else ""
        return f"{who}{via}" + (f" on {self.origin}" if self.origin else "")


class Cib:
    """One CIB: the root element of a tree without text nodes, and where it came from.

    ``source`` names the document in messages (a path, ``live prod``, a revision). The
    tree is treated as a value: whoever changes it changes a copy (:meth:`copy`).
    """

    __slots__ = ("canonical", "root", "source")

    def __init__(self, root: Element, source: str) -> None:
        self.root = root
        self.source = source
        self.canonical: Cib | None = None
        """Its canonical form, once :func:`~cibgit.cib.canonical.canonical` made it."""

    def copy(self) -> "Cib":
        """Return an independent copy of the whole tree."""
        tree = etree.fromstring(etree.tostring(self.root, encoding="utf-8"), _parser())
        return Cib(tree, self.source)

    @property
    def version(self) -> Version:
        """The version triple; a missing part counts as 0, as in the CIB manager."""
        numbers = []
        for name in Version._fields:
            text = self.root.get(name) or "0"
            if not (text.isascii() and text.isdigit() and len(text) < _DIGITS):
                raise BadDataError(
                    f"{self.source}: admin_epoch, epoch and num_updates must be numbers"
                )
            numbers.append(int(text))
        return Version(*numbers)

    @property
    def configuration(self) -> Element:
        """The ``<configuration>`` element."""
        found = self.root.find("configuration")
        if found is None:
            raise BadDataError(f"{self.source}: there is no <configuration> in <cib>")
        return found

    @property
    def schema(self) -> str:
        """The value of ``validate-with``, or an empty string."""
        return self.root.get("validate-with", "")

    @property
    def feature_set(self) -> str:
        """The value of ``crm_feature_set``, or an empty string."""
        return self.root.get("crm_feature_set", "")

    @property
    def last_change(self) -> LastChange:
        """Who changed the configuration last."""
        get = self.root.get
        return LastChange(
            get("update-user", ""),
            get("update-client", ""),
            get("update-origin", ""),
            get("cib-last-written", ""),
        )

    def option(self, name: str) -> str:
        """Return the value of a cluster option, or an empty string.

        Only ``cib-bootstrap-options`` is read, the set that always comes first.
        """
        for pair in self.root.iterfind(
            "configuration/crm_config/cluster_property_set"
            "[@id='cib-bootstrap-options']/nvpair"
        ):
            if pair.get("name") == name:
                return pair.get("value", "")
        return ""

    def nodes(self) -> dict[str, str]:
        """Return the nodes that the CIB lists: ``id`` to ``uname``, document order."""
        return {
            node.get("id", ""): node.get("uname", "")
            for node in self.root.iterfind("configuration/nodes/node")
        }


def attributes(element: Element) -> list[tuple[str, str]]:
    """Return the attributes of an element as (name, value), in document order."""
    return cast("list[tuple[str, str]]", element.items())


def parse(data: bytes, source: str) -> Cib:
    """Parse a CIB from bytes; text nodes are dropped, comments and CDATA kept.

    Raises :class:`BadDataError` for anything that is not one well-formed ``<cib>``
    without a document type, within :data:`MAX_BYTES` and :data:`MAX_DEPTH`. Duplicate
    attributes are a well-formedness error and named with their line.

    That text has no meaning, and that it is dropped: Pacemaker strips it on every read
    since 1.1.9 (``lib/common/xml.c``, ``pcmk__strip_xml_text``).
    """
    root = parse_tree(data, source)
    if root.tag != "cib":
        raise BadDataError(
            f"{source}: the root element is <{root.tag}>, not <cib>",
            "A CIB file starts with <cib>; a single section is not enough.",
        )
    return Cib(root, source)


def parse_authored(data: bytes, source: str) -> Cib:
    """Parse a CIB that people write: as :func:`parse`, and nothing may get lost.

    Stray text (what is left of a merge conflict, say), processing instructions and
    comments outside ``<cib>`` are accepted by Pacemaker and silently dropped; in a file
    under review that is a mistake or would become one, so it is refused with its line.
    """
    cib = parse(data, source)
    data = _readable(data, source, authored=True)
    strays = _STRAY(etree.fromstring(data, _parser()))
    for found in cast("list[Element]", strays):
        _refuse_stray(found, source)
    return cib


def parse_tree(data: bytes, source: str) -> Element:
    """Parse any document that Pacemaker's tools exchange, under the rules of :func:`parse`."""
    if len(data) > MAX_BYTES:
        raise BadDataError(
            f"{source}: {len(data)} bytes are more than the {MAX_BYTES} that are read"
        )
    if not data.strip():
        raise BadDataError(f"{source}: the document is empty")
    _refuse_doctype(data, source)
    data = _readable(data, source)
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        _refuse_syntax(error, source)
    if _TOO_DEEP(root):
        raise BadDataError(f"{source}: elements nest deeper than {MAX_DEPTH} levels")
    if b"<![CDATA[" not in data and _ANY_TEXT(root):
        for element in root.iter():
            element.tail = None
            if isinstance(element.tag, str):
                element.text = None
    return root


def parse_with_text(data: bytes, source: str) -> Element:
    """Parse under the rules of :func:`parse_tree`, and keep text where libxml2 keeps it.

    ``XML_PARSE_NOBLANKS`` leaves white space in elements that are empty otherwise, which
    Pacemaker up to 1.1.6 took for content.
    """
    parse_tree(data, source)
    return etree.fromstring(data, _parser())


def _readable(data: bytes, source: str, *, authored: bool = False) -> bytes:
    """Return what lxml may read: the same bytes, or a rewriting without their pitfalls."""
    if b"<![CDATA[" in data or not _is_plain(data):
        return _without_text(data, source, authored)
    return data


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        remove_blank_text=True,
        resolve_entities=False,
        strip_cdata=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        collect_ids=False,
    )


def _is_plain(data: bytes) -> bool:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return False
    declared = _DECLARED_ENCODING.match(data.lstrip(b"\xef\xbb\xbf"))
    return declared is None or declared[1].lower() in _PLAIN_ENCODINGS


class _PrologDoneError(Exception):
    """The root element begins: the prolog holds no document type."""


def _refuse_doctype(data: bytes, source: str) -> None:
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
    try:
        parser.Parse(data, True)
    except _PrologDoneError:
        pass
    except expat.ExpatError as error:
        raise BadDataError(
            f"{source}:{error.lineno}: not well-formed XML: "
            f"{expat.ErrorString(error.code)}"
        ) from None
    except (LookupError, ValueError) as error:
        raise BadDataError(f"{source}: {error}") from None


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
            _refuse_text(f"{source}:{line}", tag)

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
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadDataError(
            f"{source}:{error.lineno}: not well-formed XML: "
            f"{expat.ErrorString(error.code)}"
        ) from None
    except (LookupError, ValueError) as error:
        raise BadDataError(f"{source}: {error}") from None
    return "".join(out).encode()


def _quoted(value: str) -> str:
    return quoteattr(value, {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})


def _refuse_syntax(error: etree.XMLSyntaxError, source: str) -> NoReturn:
    line = error.lineno or 1
    reason = (error.msg or "unknown error").split(", line ")[0]
    raise BadDataError(f"{source}:{line}: not well-formed XML: {reason}") from None


def _refuse_stray(found: Element, source: str) -> NoReturn:
    where = f"{source}:{found.sourceline}"
    if isinstance(found, Comment):
        raise BadDataError(
            f"{where}: a comment outside <cib> cannot be kept by a cluster",
            "Move it inside <configuration>.",
        )
    if isinstance(found, etree._ProcessingInstruction):
        raise BadDataError(f"{where}: a processing instruction has no place in a CIB")
    _refuse_text(where, found.tag)


def _refuse_text(where: str, tag: str) -> NoReturn:
    raise BadDataError(
        f"{where}: there is text inside <{tag}>; a CIB holds elements only",
        "Is it what is left of a merge conflict?",
    )
