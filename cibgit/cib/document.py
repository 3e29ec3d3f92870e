"""A CIB as a tree: safe parsing, sections, version triple, who changed it last.

Parsing is stricter than Pacemaker's. ``cibadmin`` of Pacemaker 2.x reads with libxml2's
recovery mode and applies what is left of a truncated or malformed file with exit 0
(experiment, 2.1.5); here anything that is not well formed is refused whole.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, NoReturn, cast

from lxml import etree

from ..errors import BadDataError
from . import rawxml

if TYPE_CHECKING:
    from .parts import Outline

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


class Version(NamedTuple):
    """The version triple of a CIB; Pacemaker compares it in this order."""

    admin_epoch: int
    epoch: int
    num_updates: int

    def __str__(self) -> str:
        return f"{self.admin_epoch}.{self.epoch}.{self.num_updates}"

    @classmethod
    def of(cls, text: str) -> "Version | None":
        """Return the version that :meth:`__str__` wrote, None for anything else."""
        numbers = text.split(".")
        if len(numbers) != len(cls._fields) or not all(map(str.isdecimal, numbers)):
            return None
        return cls(*map(int, numbers))


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
    ``data`` are the bytes that were parsed, if any were.
    """

    __slots__ = ("_data", "_root", "canonical", "outline", "source")

    def __init__(self, root: Element, source: str, data: bytes | None = None) -> None:
        self._root: Element | None = root
        self._data = data
        self.source = source
        self.canonical: Cib | None = None
        """Its canonical form, once :func:`~cibgit.cib.canonical.canonical` made it."""
        self.outline: Outline | None = None
        """Its outline, once :func:`~cibgit.cib.outline.outline` made it."""

    def is_written_as(self, data: bytes) -> bool:
        """Say whether it was parsed from exactly these bytes."""
        return self._data == data

    @property
    def root(self) -> Element:
        """The root element; parsed again after :meth:`release`."""
        if self._root is None:
            self._root = parse_tree(self._data or b"", self.source)
        return self._root

    def release(self, above: int = 0) -> None:
        """Give back the memory of the tree of a document of more bytes than ``above``.

        A tree takes eight times the bytes that it was parsed from, and is parsed from
        them again when it is asked for.
        """
        if self._data is not None and len(self._data) > above:
            self._root = None

    def copy(self) -> "Cib":
        """Return an independent copy of the whole tree."""
        tree = etree.fromstring(etree.tostring(self.root, encoding="utf-8"), parser())
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
    return _cib(_read(data, source), source, data)


def parse_authored(data: bytes, source: str) -> Cib:
    """Parse a CIB that people write: as :func:`parse`, and nothing may get lost.

    Stray text (what is left of a merge conflict, say), processing instructions and
    comments outside ``<cib>`` are accepted by Pacemaker and silently dropped; in a file
    under review that is a mistake or would become one, so it is refused with its line.
    """
    return _cib(_read(data, source, authored=True), source, data)


def parse_tree(data: bytes, source: str) -> Element:
    """Parse any document that Pacemaker's tools exchange, under the rules of :func:`parse`."""
    return _read(data, source)


def _cib(root: Element, source: str, data: bytes) -> Cib:
    if root.tag != "cib":
        raise BadDataError(
            f"{source}: the root element is <{root.tag}>, not <cib>",
            "A CIB file starts with <cib>; a single section is not enough.",
        )
    return Cib(root, source, data)


def _read(data: bytes, source: str, *, authored: bool = False) -> Element:
    if len(data) > MAX_BYTES:
        raise BadDataError(
            f"{source}: {len(data)} bytes are more than the {MAX_BYTES} that are read"
        )
    if not data or data.isspace():
        raise BadDataError(f"{source}: the document is empty")
    rawxml.refuse_doctype(data, source)
    clean = rawxml.readable(data, source, authored=authored)
    try:
        root = etree.fromstring(clean, parser())
    except etree.XMLSyntaxError as error:
        _refuse_syntax(error, source)
    if _TOO_DEEP(root):
        raise BadDataError(f"{source}: elements nest deeper than {MAX_DEPTH} levels")
    has_text = _ANY_TEXT(root)
    if authored and (has_text or _has_more(root, clean)):
        for found in cast("list[Element]", _STRAY(root)):
            _refuse_stray(found, source)
    # where expat had to read, the text is gone: what looks like it is CDATA
    if has_text and clean is data:
        drop_text(root)
    return root


def parse_with_text(data: bytes, source: str) -> Element:
    """Parse under the rules of :func:`parse_tree`, and keep text where libxml2 keeps it.

    ``XML_PARSE_NOBLANKS`` leaves white space in elements that are empty otherwise, which
    Pacemaker up to 1.1.6 took for content.
    """
    parse_tree(data, source)
    return etree.fromstring(data, parser())


def _has_more(root: Element, data: bytes) -> bool:
    """Say whether there may be instructions, or comments outside the root element."""
    if root.getprevious() is not None or root.getnext() is not None:
        return True
    return rawxml.has_instruction(data)


def drop_text(root: Element) -> None:
    """Take all text out, in place; comments keep what they say."""
    for element in root.iter():
        element.tail = None
        if isinstance(element.tag, str):
            element.text = None


def parser() -> etree.XMLParser:
    """Return a parser that fetches nothing, expands nothing and keeps no blanks."""
    return etree.XMLParser(
        remove_blank_text=True,
        resolve_entities=False,
        strip_cdata=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        collect_ids=False,
    )


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
    rawxml.refuse_text(where, found.tag)
