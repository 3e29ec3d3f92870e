"""The commits that changed one file, with both contents of each; many contents at once.

Nothing here runs git; :mod:`cibgit.repository` does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

FORM = (
    *("--first-parent", "--raw", "--diff-merges=first-parent", "--no-renames"),
    *("--no-abbrev", "--no-mailmap"),
    "--format=%x00%H%x00%at%x00%aI%x00%an%x00%s%x00%(trailers:only,unfold)%x00",
)
"""The form of a log that :func:`read` reads; git allows no NUL in a message."""

BATCH = 32
"""So many contents are read by one ``git cat-file``: what is in memory stays bounded."""

_FIELDS = 7
_LATEST = 2**37


@dataclass(frozen=True)
class Revision:
    """A commit that changed the file.

    ``when`` is the author's time, in the author's zone. ``old`` and ``new`` are the ids of
    what its first parent and the commit itself have of the file; empty where they have
    none. ``is_cut``: the clone is shallow and ends here, so ``old`` is not known.
    """

    commit: str
    when: datetime
    author: str
    subject: str
    trailers: dict[str, str]
    old: str
    new: str
    is_cut: bool = False


def read(out: bytes, cut: Sequence[str]) -> Iterator[Revision]:
    """Read a log in the form of :data:`FORM`; ``cut`` are the commits it ends at."""
    fields = out.decode("utf-8", "replace").split("\0")[1:]
    for place in range(0, len(fields), _FIELDS):
        commit, time, stamp, author, subject, trailers, raw = fields[
            place : place + _FIELDS
        ]
        changed = next((x for x in raw.split("\n") if x.startswith(":")), None)
        if changed is None:
            continue
        old, new = (x if x.strip("0") else "" for x in changed.split(" ", 4)[2:4])
        if old == new:  # another mode, the same content
            continue
        pairs = (line.partition(": ") for line in trailers.split("\n"))
        yield Revision(
            commit,
            _when(stamp, time),
            author,
            subject,
            {key: value for key, colon, value in pairs if colon},
            old,
            new,
            commit in cut,
        )


def _when(stamp: str, seconds: str) -> datetime:
    """Return a time with its zone, which commits of broken tools do not have."""
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        return datetime.fromtimestamp(min(int(seconds or 0), _LATEST), UTC)


def contents(out: bytes) -> Iterator[bytes | None]:
    """Read what ``git cat-file --batch`` answered; None for what is missing."""
    place = 0
    while place < len(out):
        end = out.index(b"\n", place)
        header, place = out[place:end].split(), end + 1
        if header[-1] == b"missing":
            yield None
            continue
        size = int(header[-1])
        yield out[place : place + size]
        place += size + 1
