"""Text for ``crm configure`` on standard input, in a here-document of the shell."""

import html
import re

from ..cib.document import Element, attributes
from .script import InexpressibleError, Script, Secret, Word, is_secret

_BARE = re.compile(r"[^\s\"'\\]+")
_NAMED = re.compile(r"([^=\"'\s\\]+=|[a-z]+:)(.*)", re.DOTALL)
_END = "EOF"
_IN_WORDS = '\\" for ", \\\\ for \\'
_IN_XML = "&amp; for &, &lt; for <, &quot; for \", &apos; for '"


class Load:
    """Lines that one ``crm`` reads, each a list of pieces that follow each other."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.lines: list[list[Word]] = []
        self._in_xml: set[str] = set()

    def add(self, words: list[Word]) -> None:
        """Add one line of words."""
        line: list[Word] = []
        for word in words:
            _refuse_end(word)
            line += [" "] if line else []
            line += _quoted(word)
        self.lines.append(line)

    def add_xml(self, pieces: list[Word]) -> None:
        """Add one object as XML."""
        for piece in pieces:
            _refuse_end(piece)
        self._in_xml |= {one.variable for one in pieces if isinstance(one, Secret)}
        self.lines.append(["xml ", *pieces])

    def run(self, *command: str) -> None:
        """Add the command that reads these lines to the script."""
        if not self.lines:
            return
        words = [word for line in self.lines for word in line]
        secret = any(isinstance(word, Secret) for word in words)
        self.script.note_secrets(words)
        for name in sorted(
            {word.variable for word in words if isinstance(word, Secret)}
        ):
            rule = _IN_XML if name in self._in_xml else _IN_WORDS
            self.script.comment(f"in {name} write {rule}")
        mark = _END if secret else f"'{_END}'"
        self.script.lines.append(" ".join([*command, f"<<{mark}"]))
        for line in self.lines:
            self.script.lines.append("".join(_piece(word, secret) for word in line))
        self.script.lines.append(_END)
        self.lines = []


def _quoted(word: Word) -> list[Word]:
    if isinstance(word, Secret):
        return [f'{word.prefix}"', Secret("", word.variable), '"']
    if _BARE.fullmatch(word):
        return [word]
    found = _NAMED.fullmatch(word)
    name, value = (found[1], found[2]) if found else ("", word)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return [f'{name}"{escaped}"']


def _piece(word: Word, secret: bool) -> str:
    if isinstance(word, Secret):
        return word.reference
    return re.sub(r"([\\$`])", r"\\\1", word) if secret else word


def _refuse_end(word: Word) -> None:
    # crmsh takes a backslash before its quote for an escaped quote (experiment, 4.4.1)
    if isinstance(word, str) and word.endswith("\\"):
        raise InexpressibleError("a value that ends with a backslash")


def xml(script: Script, element: Element) -> list[Word]:
    """Return an object as pieces of one line of XML, without its comments."""
    pieces: list[Word] = [f"<{element.tag}"]
    owner = element.get("id", "")
    for name, value in attributes(element):
        word: Word = script.value(owner, name, value)
        if name == "value" and is_secret(element.get("name", "")):
            word = script.value(owner, element.get("name", ""), value)
        escaped = html.escape(word) if isinstance(word, str) else word
        pieces += [f' {name}="', escaped, '"']
        if value.endswith("\\"):
            raise InexpressibleError("a value that ends with a backslash")
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        return [*pieces, "/>"]
    pieces.append(">")
    for child in children:
        pieces += xml(script, child)
    return [*pieces, f"</{element.tag}>"]
