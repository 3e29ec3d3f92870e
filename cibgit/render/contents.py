"""A whole CIB in words: what git compares line by line in ``git log -p``."""

from collections.abc import Iterable

from ..compare.change import Change, Owner
from .difference import printable


def described(changes: Iterable[Change]) -> str:
    """Render the additions that make up a CIB, those of one owner under its name."""
    lines: list[str] = []
    last: Owner | None = None
    for change in changes:
        if change.owner != last:
            lines.append(str(change.owner))
            last = change.owner
        said = change.sentence.removeprefix("added").lstrip(": ")
        lines += [f"  {said}", *(f"    {detail}" for detail in change.details)]
    return printable("\n".join(lines))
