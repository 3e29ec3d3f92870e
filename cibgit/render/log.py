"""History by element, as text and as JSON: what ``log`` and ``blame`` answer."""

from collections.abc import Iterable, Iterator
from textwrap import indent
from typing import TYPE_CHECKING

from ..compare.change import Owner
from ..compare.summary import hidden, visible
from . import json as as_json
from .difference import SYMBOLS, count, grouped, printable

if TYPE_CHECKING:
    from ..flow.blame import Blame, Element, Value
    from ..flow.log import Entry
    from ..revisions import Revision

_BOLD, _DIM = "1", "2"
_TIME = "%Y-%m-%d %H:%M %z"
_CHANGED_BY = "CIB-Changed-By"
_TRAILERS = {
    _CHANGED_BY: "changed by",
    "CIB-Restores": "restores",
    "CIB-Forced": "against the policy:",
    "CIB-Source": "from",
}
"""Trailers that say more than author and subject, and how they are told."""


def log(
    entries: Iterable["Entry"],
    nothing: str,
    *,
    everything: bool = False,
    colour: bool = False,
    width: int | None = None,
) -> str:
    """Render commits, a blank line between them; ``nothing`` where there are none.

    Of a file that came or went as a whole only a count is shown.
    """
    blocks = []
    for each in entries:
        lines = [_bold(_head(each.revision), colour), *_trailers(each.revision)]
        if each.note:
            lines.append(f"  {printable(each.note)}")
        short = each.is_whole and not everything
        lines += _counted(each) if short else _told(each, everything, colour, width)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) or printable(nothing)


def _head(revision: "Revision") -> str:
    when = revision.when.strftime(_TIME)
    words = (revision.commit[:10], when, revision.author, revision.subject)
    return printable("  ".join(" ".join(word.split()) for word in words))


def _trailers(revision: "Revision") -> Iterator[str]:
    author = revision.author
    for name, words in _TRAILERS.items():
        told = revision.trailers.get(name, "")
        if name == _CHANGED_BY and told.startswith(f"{author} "):
            yield printable(f"  {told.removeprefix(f'{author} ')}")
        elif told and told != author:
            yield printable(f"  {words} {told}")


def _counted(each: "Entry") -> Iterator[str]:
    if each.changes:
        yield f"  {count(each.changes, planned=False).partition('. ')[0].rstrip('.')}."


def _told(
    each: "Entry", everything: bool, colour: bool, width: int | None
) -> Iterator[str]:
    narrow = None if width is None else width - 2
    body = grouped(each.changes, everything=everything, colour=colour, width=narrow)
    if body:
        yield f"\n{indent(body, '  ')}"
    left = 0 if everything else len(hidden(each.changes))
    if left and visible(each.changes):
        yield f"  ({left} without meaning hidden: cibgit log --all)"
    elif left:
        yield f"  nothing that means anything ({left} hidden: cibgit log --all)"


def _bold(text: str, colour: bool) -> str:
    return f"\033[{_BOLD}m{text}\033[0m" if colour else text


def blame(found: "Blame", nothing: str, *, colour: bool = False) -> str:
    """Render facts with their commits, or the values of one fact; ``nothing`` if none."""
    blocks = ["\n".join(_element(each, colour)) for each in found.elements]
    if found.values:
        blocks.append("\n".join(_values(found.values, colour)))
    return "\n\n".join(blocks) or printable(nothing)


def _element(each: "Element", colour: bool) -> Iterator[str]:
    yield _bold(printable(str(each.owner)), colour)
    author = max((len(_author(x.revision)) for x in each.facts), default=0)
    for one in each.facts:
        who = _author(one.revision).ljust(author)
        yield printable(f"  {_commit(one.revision)}  {who}  {one.fact.sentence}")


def _values(values: Iterable["Value"], colour: bool) -> Iterator[str]:
    values = list(values)
    author = max(len(_author(each.revision)) for each in values)
    last: Owner | None = None
    for each in values:
        if each.owner != last:
            yield _bold(printable(str(each.owner)), colour)
            last = each.owner
        who = _author(each.revision).ljust(author)
        said = f"{SYMBOLS[each.kind]} {each.sentence}"
        yield printable(f"  {_commit(each.revision)}  {who}  {said}")


def _commit(revision: "Revision | None") -> str:
    if revision is None:
        return "earlier".ljust(len("0123456789  2026-11-24 07:12 +0100"))
    return f"{revision.commit[:10]}  {revision.when.strftime(_TIME)}"


def _author(revision: "Revision | None") -> str:
    return " ".join(revision.author.split()) if revision else ""


def log_json(entries: Iterable["Entry"], cluster: str, element: str) -> str:
    """Return commits with all their changes, of weight none too."""
    commits = [
        {
            **_revision(each.revision),
            "note": each.note,
            "changes": as_json.changes(each.changes),
        }
        for each in entries
    ]
    return as_json.dumps("log", cluster=cluster, element=element, commits=commits)


def blame_json(found: "Blame", cluster: str, element: str) -> str:
    """Return facts with their commits, and the values of one fact."""
    return as_json.dumps(
        "blame",
        cluster=cluster,
        element=element,
        elements=[
            {
                "owner": _owner(each.owner),
                "facts": [
                    {
                        "subject": one.fact.subject,
                        "sentence": one.fact.sentence,
                        "commit": one.revision and _revision(one.revision),
                    }
                    for one in each.facts
                ],
            }
            for each in found.elements
        ],
        values=[
            {
                "owner": _owner(each.owner),
                "kind": each.kind.value,
                "sentence": each.sentence,
                "commit": _revision(each.revision),
            }
            for each in found.values
        ],
    )


def _owner(owner: Owner) -> dict[str, str]:
    return {"kind": owner.kind.value, "name": owner.name}


def _revision(revision: "Revision") -> dict[str, object]:
    return {
        "commit": revision.commit,
        "when": revision.when.isoformat(),
        "author": revision.author,
        "subject": revision.subject,
        "trailers": revision.trailers,
    }
