"""``corosync.conf`` as a value: strict reading with line numbers, and writing.

The grammar is that of ``parse_section`` (``exec/coroparse.c``, Corosync 3.1.7), tried
with ``corosync -t``: one ``name {``, ``key: value``, ``}`` or ``# comment`` a line.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NoReturn

from ..errors import BadDataError


class GrammarError(BadDataError):
    """A file that Corosync refuses, too: with it, it does not start."""


LINE_BYTES = 510
"""The longest line without its end: ``fgets`` into 512 bytes (experiment, 3.1.7)."""

_NAME = re.compile(r"[A-Za-z0-9._/-]+")
"""What the map of keys takes as a name (``icmap_is_valid_name_char``)."""

_OTHER = re.compile("[\udc80-\udcff]")

_UNUSED = "See corosync.conf(5). Nothing of the file was used."

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


@dataclass
class Entry:
    """One ``key: value``, with the comments above it; ``line`` is 0 where it was made."""

    key: str
    value: str
    comments: list[str] = field(default_factory=list)
    line: int = 0


@dataclass
class Section:
    """One ``name { ... }``; ``tail`` are the comments before its end."""

    name: str
    items: "list[Entry | Section]" = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    line: int = 0

    @property
    def entries(self) -> list[Entry]:
        """The keys that stand directly in it."""
        return [item for item in self.items if isinstance(item, Entry)]

    @property
    def sections(self) -> "list[Section]":
        """The sections that stand directly in it."""
        return [item for item in self.items if isinstance(item, Section)]

    def all(self, name: str) -> "list[Section]":
        """Return the sections of that name in it."""
        return [section for section in self.sections if section.name == name]

    def get(self, key: str, default: str = "") -> str:
        """Return the value of a key: where it stands twice, the last one counts."""
        values = [entry.value for entry in self.entries if entry.key == key]
        return values[-1] if values else default


@dataclass
class Conf:
    """A whole file; ``source`` is what messages call it.

    ``header`` are the comments at the top, up to an empty line. A key outside of all
    sections stands in ``root``, too.
    """

    root: Section
    header: list[str] = field(default_factory=list)
    source: str = "corosync.conf"

    def copy(self) -> "Conf":
        """Return another one that can be changed."""
        return deepcopy(self)

    @property
    def nodes(self) -> list[Section]:
        """The ``node`` sections, in the order of the file."""
        return [node for part in self.root.all("nodelist") for node in part.all("node")]

    @property
    def comments(self) -> list[str]:
        """Every comment of the file."""
        sections = [self.root, *_inner(self.root)]
        return [
            *self.header,
            *(text for each in sections for text in (*each.comments, *each.tail)),
            *(text for _, entry in self.walk() for text in entry.comments),
        ]

    def walk(self) -> Iterator[tuple[tuple[Section, ...], Entry]]:
        """Yield every key with the sections around it, from the outermost in."""
        return _walk((), self.root)


def _walk(
    around: tuple[Section, ...], section: Section
) -> Iterator[tuple[tuple[Section, ...], Entry]]:
    for item in section.items:
        if isinstance(item, Entry):
            yield around, item
        else:
            yield from _walk((*around, item), item)


def _inner(section: Section) -> Iterator[Section]:
    for each in section.sections:
        yield each
        yield from _inner(each)


def parse(data: bytes, source: str, *, of_node: bool = False) -> Conf:
    """Read a file, or refuse it whole.

    ``of_node``: as a node has it. Comments there may have bytes that are no UTF-8, as
    Corosync does not read them; they are kept as ``surrogateescape`` does.

    Raises :class:`GrammarError` with the line where Corosync refuses it, and
    :class:`~cibgit.errors.BadDataError` where Corosync takes what nobody means: bytes that
    are no UTF-8, control characters, a name that the map of keys does not take.
    """
    return _Parser(source, of_node).parse(data)


class _Parser:
    def __init__(self, source: str, of_node: bool) -> None:
        self._source = source
        self._of_node = of_node
        self._line = 0
        self._comments: list[str] = []
        self._open = [Section("")]
        self._header: list[str] = []

    def parse(self, data: bytes) -> Conf:
        for self._line, raw in enumerate(data.split(b"\n"), 1):
            if len(raw) > LINE_BYTES:
                self._fail(f"the line is longer than {LINE_BYTES} bytes")
            text = raw.removesuffix(b"\r").decode(errors="surrogateescape").strip(" \t")
            if has_other_bytes(text) and not (self._of_node and text.startswith("#")):
                self._refuse("the line is no text in UTF-8")
            if _CONTROL.search(text):
                self._refuse("the line has control characters")
            self._take(text)
        if len(self._open) > 1:
            self._line = self._open[-1].line
            self._fail(f"section {self._open[-1].name} is not closed")
        root = self._open[0]
        root.tail = self._comments
        return Conf(root, self._header, self._source)

    def _take(self, text: str) -> None:
        section = self._open[-1]
        if not text:
            is_top = len(self._open) == 1 and not section.items
            if is_top and self._comments and not self._header:
                self._header, self._comments = self._comments, []
        elif text.startswith("#"):
            self._comments.append(text)
        elif "{" in text:
            self._enter(*text.split("{", 1))
        elif ":" in text:
            key, value = (part.strip(" \t") for part in text.split(":", 1))
            name = self._named(key, "key")
            section.items.append(Entry(name, value, self._above(), self._line))
        elif text == "}":
            if len(self._open) == 1:
                self._fail("there is no section that this } could close")
            section.tail = self._above()
            self._open.pop()
        else:
            self._fail("the line is neither 'name {', 'key: value' nor '}'")

    def _enter(self, name: str, rest: str) -> None:
        if rest:
            self._fail("nothing may follow a '{' (a value cannot hold one)")
        found = self._named(name.strip(" \t"), "section")
        made = Section(found, comments=self._above(), line=self._line)
        self._open[-1].items.append(made)
        self._open.append(made)

    def _named(self, name: str, what: str) -> str:
        if not _NAME.fullmatch(name):
            self._refuse(f"{name!r} cannot be the name of a {what}")
        return name

    def _above(self) -> list[str]:
        found, self._comments = self._comments, []
        return found

    def _fail(self, sentence: str) -> NoReturn:
        raise GrammarError(f"{self._source}:{self._line}: {sentence}", _UNUSED)

    def _refuse(self, sentence: str) -> NoReturn:
        raise BadDataError(f"{self._source}:{self._line}: {sentence}", _UNUSED)


def has_other_bytes(text: str) -> bool:
    """Say whether a text has bytes that are no UTF-8, as ``surrogateescape`` reads them."""
    return not text.isascii() and _OTHER.search(text) is not None


def write(conf: Conf) -> bytes:
    """Return the text of a file, each level one tab deeper, as Corosync's own example.

    Bytes of comments that are no UTF-8 stay what they were. Raises
    :class:`~cibgit.errors.BadDataError` where a line gets longer than Corosync
    reads.
    """
    blocks = ["\n".join(conf.header)] if conf.header else []
    loose = [line for entry in conf.root.entries for line in _entry(entry, "")]
    blocks += ["\n".join(loose)] if loose else []
    blocks += ["\n".join(_section(section, "")) for section in conf.root.sections]
    blocks += ["\n".join(conf.root.tail)] if conf.root.tail else []
    text = "\n\n".join(blocks) + "\n" if blocks else ""
    for line in text.split("\n"):
        if len(line.encode(errors="surrogateescape")) > LINE_BYTES:
            raise BadDataError(
                f"{conf.source}: the line {line.strip()[:30]!r}... gets longer than the"
                f" {LINE_BYTES} bytes that Corosync reads"
            )
    return text.encode(errors="surrogateescape")


def _section(section: Section, indent: str) -> Iterator[str]:
    yield from (indent + comment for comment in section.comments)
    yield f"{indent}{section.name} {{"
    inner = indent + "\t"
    for item in section.items:
        yield from (
            _entry(item, inner) if isinstance(item, Entry) else _section(item, inner)
        )
    yield from (inner + comment for comment in section.tail)
    yield indent + "}"


def _entry(entry: Entry, indent: str) -> Iterator[str]:
    yield from (indent + comment for comment in entry.comments)
    yield f"{indent}{entry.key}: {entry.value}".rstrip(" ")
