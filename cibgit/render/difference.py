"""Changes as text for a terminal: by owner, symbols and words, colour on demand.

``!`` at the start of a line marks what is dangerous. What has no meaning is hidden unless
asked for, and counted. A change brings its own words, in which nothing is secret.
"""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ..compare.change import Change, Kind, Owner, Weight
from ..compare.summary import hidden, visible

SYMBOLS = {
    Kind.ADDED: "+",
    Kind.REMOVED: "-",
    Kind.CHANGED: "~",
    Kind.REPLACED: "±",
    Kind.MOVED: ">",
    Kind.RENAMED: "~",
}
DANGER = "!"
_COLOURS = {
    Kind.ADDED: "32",
    Kind.REMOVED: "31",
    Kind.CHANGED: "33",
    Kind.REPLACED: "35",
    Kind.MOVED: "36",
    Kind.RENAMED: "33",
}
_BOLD, _DIM, _ALARM = "1", "2", "1;31"
_COUNTED = (
    (Kind.ADDED, "add", "added"),
    (Kind.CHANGED, "change", "changed"),
    (Kind.REPLACED, "replace", "replaced"),
    (Kind.MOVED, "move", "moved"),
    (Kind.RENAMED, "rename", "renamed"),
    (Kind.REMOVED, "remove", "removed"),
)
_HOLDING = frozenset({"group", "clone", "master", "bundle"})
_NOW = "now: "


def difference(
    changes: Sequence[Change],
    sides: tuple[str, str],
    *,
    everything: bool = False,
    colour: bool = False,
    width: int | None = None,
) -> str:
    """Render changes under a header that says which side is which, with a count.

    ``everything`` shows what has no meaning too. ``width`` is that of the terminal, in
    columns; None: lines are not wrapped.
    """
    if not changes:
        return "No changes."
    body = grouped(changes, everything=everything, colour=colour, width=width)
    header = printable(f"--- {sides[0]}\n+++ {sides[1]}\n")
    last = count(changes, everything=everything)
    return "\n".join([header, *([body, ""] if body else []), last])


def grouped(
    changes: Iterable[Change],
    *,
    everything: bool = False,
    colour: bool = False,
    width: int | None = None,
) -> str:
    """Render changes, those of one owner together, a blank line between owners."""
    groups: dict[Owner, list[Change]] = {}
    for change in changes if everything else visible(changes):
        groups.setdefault(change.owner, []).append(change)
    pen = _Pen(colour, width)
    return "\n\n".join("\n".join(_group(*each, pen)) for each in groups.items())


def count(
    changes: Sequence[Change], *, planned: bool = True, everything: bool = False
) -> str:
    """Render the line that counts: ``Plan: 1 to add, 2 to change.``"""
    if not changes:
        return "No changes."
    told = list(changes if everything else visible(changes))
    numbers = Counter(each.kind for each in told)
    parts = [
        f"{numbers[kind]} to {future}" if planned else f"{numbers[kind]} {past}"
        for kind, future, past in _COUNTED
        if numbers[kind]
    ]
    lead = "Plan" if planned else "Changes"
    line = f"{lead}: {', '.join(parts) or 'nothing that means anything'}."
    dangers = sum(each.weight is Weight.DANGEROUS for each in told)
    if dangers:
        line += f" {dangers} dangerous ({DANGER})."
    left = 0 if everything else len(hidden(changes))
    if left:
        line += f" ({left} without meaning hidden: cibgit diff --all)"
    return line


def printable(text: str) -> str:
    """Return a text without anything that a terminal would obey."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode()
        for c in text
    )


class _Pen:
    """Wraps and colours lines."""

    def __init__(self, colour: bool, width: int | None) -> None:
        self._colour = colour
        self._width = width

    def line(self, lead: str, text: str, style: str, indent: int) -> str:
        """Return one line, its further ones indented."""
        text = printable(lead + text)
        if self._width is not None and len(text) > self._width:
            text = textwrap.fill(
                text,
                max(self._width, indent + 20),
                subsequent_indent=" " * indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
        return f"\033[{style}m{text}\033[0m" if self._colour else text


def _group(owner: Owner, changes: list[Change], pen: _Pen) -> Iterator[str]:
    yield pen.line("", f"{owner}{_within(changes[0])}", _BOLD, 2)
    given = {""}
    for place, change in enumerate(changes):
        danger = change.weight is Weight.DANGEROUS
        style = _ALARM if danger else _COLOURS[change.kind]
        lead = f"{DANGER if danger else ' '} {SYMBOLS[change.kind]} "
        yield pen.line(lead, change.sentence, style, 6)
        if change.reason not in given and change.weight is not Weight.OPERATIONAL:
            yield pen.line("      ", f"({change.reason})", _DIM, 7)
            given.add(change.reason)
        later = {line for other in changes[place + 1 :] for line in other.details}
        for detail in change.details:
            if not (detail.startswith(_NOW) and detail in later):
                depth = 6 + len(detail) - len(detail.lstrip())
                yield pen.line("      ", detail, _COLOURS[change.kind], depth + 2)


def _within(change: Change) -> str:
    """Return in which group, clone or bundle the owner stands."""
    names = [step.name for step in change.path]
    told_itself = change.kind in (Kind.MOVED, Kind.ADDED) and not change.subject
    if told_itself or change.owner.name not in names:
        return ""
    place = names.index(change.owner.name)
    parent = change.path[place - 1] if place else None
    if parent is None or parent.tag not in _HOLDING:
        return ""
    return f" (in {parent})"
