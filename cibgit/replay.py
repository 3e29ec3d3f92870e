"""A chain of commits to one file, as ``git fast-import`` takes it.

Nothing here runs git; :mod:`cibgit.repository` does.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .commit import Author, one_line

FAST_IMPORT = ("fast-import", "--quiet", "--force", "--done", "--depth=10")
"""Deltas of at most 10 steps: at 50, the default, reading takes seven times as long."""

_LAST_SECOND = 10**10
_ZONE = len("+0100")


@dataclass(frozen=True)
class NewCommit:
    """A commit to be made: the bytes of the file, the whole message, the author.

    ``beside`` are other files that it changes, by path.
    """

    data: bytes
    message: bytes
    author: Author
    beside: Mapping[str, bytes] = field(default_factory=dict)


def stream(
    ref: str,
    parent: str | None,
    path: str,
    committer: str,
    commits: Iterable[NewCommit],
) -> Iterator[bytes]:
    """Yield the input of ``git fast-import``; ``committer`` is git's own ident line.

    The ref is named at the end only: a stream that breaks off changes nothing.
    """
    start = f"from {parent}\n".encode() if parent else b""
    for commit in commits:
        head = f"commit {ref}\nauthor {ident(commit.author, committer)}\n"
        yield os.fsencode(f"{head}committer {committer}\n")
        yield _data(commit.message) + start + _modify(path)
        yield _data(commit.data)
        for name, content in commit.beside.items():
            yield _modify(name) + _data(content)
        start = b""
    yield b"done\n"


def _modify(path: str) -> bytes:
    quoted = path.replace("\\", "\\\\").replace('"', '\\"')
    return os.fsencode(f'M 100644 inline "{quoted}"\n')


def ident(author: Author, committer: str) -> str:
    """Return an author as git writes one; the date is the committer's where unusable."""
    env = author.environment()
    email = "".join(c for c in env["GIT_AUTHOR_EMAIL"] if c not in "<>")
    date = " ".join(committer.split()[-2:])
    when = author.when and author.when.astimezone(author.when.tzinfo)
    if when and 0 <= when.timestamp() < _LAST_SECOND:
        zone = f"{when:%z}"[:_ZONE]  # before railways zones had seconds
        date = f"{int(when.timestamp())} {zone}"
    return f"{env['GIT_AUTHOR_NAME']} <{one_line(email)}> {date}"


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)
