"""A list of commands for a shell, written so that nothing in a CIB can become a command.

Words are quoted, comments hold no line ends, and values whose names promise a secret are
replaced by a variable that whoever runs the commands has to set.
"""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..cib.document import Element, attributes
from ..cib.secrets import is_secret_name
from ..compare.aspects import AttributePart, OtherPart, comments
from ..compare.steps import Step
from .difference import printable

CANNOT = "# cannot be expressed: "
"""How a line begins that tells of a difference which the commands do not make."""

HELD = "another object refers to an id inside it"
"""Why something cannot be deleted, or made again."""


class InexpressibleError(Exception):
    """A tool has no command for this; the message says for what, in a few words."""


@dataclass(frozen=True)
class Secret:
    """A word whose value is not shown: ``prefix`` and then what the variable holds."""

    prefix: str
    variable: str

    @property
    def reference(self) -> str:
        """The variable as a shell expands it; an empty one ends the command."""
        return f"${{{self.variable}:?}}"


Word = str | Secret


class Script:
    """Commands of one tool in the order in which they have to run, and comments."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._variables: dict[tuple[str, str], str] = {}

    def command(self, *words: Word) -> None:
        """Add one command."""
        self.note_secrets(words)
        self.lines.append(" ".join(quoted(word) for word in words))

    def note_secrets(self, words: Sequence[Word]) -> None:
        """Say above a command which variables it takes."""
        for word in words:
            if isinstance(word, Secret):
                name = word.prefix.rstrip("=") or "a value"
                self.comment(f"set {word.variable} before: {name} is not shown")

    def comment(self, text: str) -> None:
        """Add a comment of one line."""
        self.lines.append("# " + one_line(text))

    def cannot(self, address: str, what: str) -> None:
        """Say that something is not done by these commands."""
        line = CANNOT + one_line(f"{address}: {what}")
        if line not in self.lines:
            self.lines.append(line)

    def pair(self, owner: str, name: str, value: str) -> Word:
        """Return ``name=value`` as one word."""
        if not name or "=" in name:
            raise InexpressibleError(f"a name like {name!r}")
        return self.value(owner, name, value, f"{name}=")

    def value(self, owner: str, name: str, value: str, prefix: str = "") -> Word:
        """Return a value as one word, hidden where its name promises a secret."""
        if not printable(value) == value or "\n" in value:
            raise InexpressibleError(f"control characters in the value of {name}")
        if not is_secret_name(name) or value.startswith("lrm://"):
            return prefix + value
        return Secret(prefix, self._variable(owner, name))

    def _variable(self, owner: str, name: str) -> str:
        known = self._variables
        if (owner, name) not in known:
            base = re.sub(r"\W", "_", f"{owner}_{name}", flags=re.ASCII).upper()
            base = f"_{base}" if base[0].isdigit() else base
            number = sum(re.sub(r"__\d+$", "", v) == base for v in known.values())
            known[owner, name] = f"{base}__{number + 1}" if number else base
        return known[owner, name]

    def text(self) -> str:
        """Return the lines as one text without a final newline."""
        return "\n".join(self.lines)


def quoted(word: Word) -> str:
    """Return a word as a shell reads it."""
    if isinstance(word, Secret):
        prefix = shlex.quote(word.prefix) if word.prefix else ""
        return f'{prefix}"{word.reference}"'
    return shlex.quote(word)


def one_line(text: str) -> str:
    """Return a text that stays inside one comment."""
    return printable(text.replace("\n", " "))


def refuse_others(element: Element, *known: str, where: str = "") -> None:
    """Raise :class:`InexpressibleError` for an attribute that is not known, nor the id."""
    for name, value in attributes(element):
        if name not in known and name != "id":
            raise InexpressibleError(f"{name}={value}{where}")


def tell_comments(script: Script, found: Iterable[Step]) -> None:
    """Say of which new objects the comments are not made."""
    for step in found:
        if step.old is None and step.new is not None and comments(step.new):
            script.cannot(step.address, "comments")


def tell_others(script: Script, step: Step, *done: str) -> None:
    """Say which parts are not done: all attributes and others whose names are not given."""
    for part in step.parts:
        if isinstance(part, AttributePart) and part.name not in done:
            script.cannot(
                step.address,
                f"{part.name} removed"
                if part.new is None
                else f"{part.name}={part.new}",
            )
        elif isinstance(part, OtherPart) and part.what not in done:
            script.cannot(step.address, part.what)
