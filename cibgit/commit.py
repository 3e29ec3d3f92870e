"""What a commit is made of: who made the change, the message, the file as it was.

Nothing here runs git; :mod:`cibgit.repository` does.
"""

import os
import pwd
import re
import socket
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .errors import BadConfigError, UsageError, unwritten

_TRAILER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_TRAILER_LINE = re.compile(_TRAILER.pattern + ": ")


@dataclass(frozen=True)
class Author:
    """Who made a change and when: now, if not given; local time, if without a zone."""

    name: str
    email: str
    when: datetime | None = None

    def environment(self) -> dict[str, str]:
        """Return the author as git takes it: from the environment, so never an option."""
        name = one_line(self.name.translate({ord(c): None for c in "<>"}))
        env = {
            "GIT_AUTHOR_NAME": name if name.strip(" .,:;\"'\\") else "unknown",
            "GIT_AUTHOR_EMAIL": one_line(self.email),
        }
        if self.when is not None:
            when = self.when if self.when.tzinfo else self.when.astimezone()
            env["GIT_AUTHOR_DATE"] = f"@{int(when.timestamp())} {when:%z}"[:17]
        return env


@dataclass(frozen=True)
class LogEntry:
    """One line of the history of a file; ``when`` is the author's time, in UTC."""

    commit: str
    when: datetime
    author: str
    subject: str


def stand_in(complaint: str) -> dict[str, str]:
    """Return the configuration of a committer for machines where nobody set up git.

    ``complaint`` is what git said; people can forbid it to guess.
    """
    if "auto-detection is disabled" in complaint:
        raise BadConfigError(
            "git does not know who you are, and user.useConfigOnly forbids to guess",
            "Run: git config --global user.name 'Your Name';"
            " git config --global user.email you@example.org",
        )
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container with an arbitrary user id
        user = f"uid{os.geteuid()}"
    return {"user.name": user, "user.email": f"{user}@{socket.gethostname()}"}


def one_line(text: str) -> str:
    """Return the text without line breaks, control characters or doubled spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def message_bytes(text: str, trailers: Mapping[str, str]) -> bytes:
    """Return a commit message that ends in the trailers; empty values are left out.

    A value is always one line: who controls it cannot forge another trailer.
    """
    body = text.replace("\0", "").strip()
    if not body:
        raise UsageError("the commit message is empty")
    for key in trailers:
        if not _TRAILER.fullmatch(key):
            raise ValueError(f"not the name of a trailer: {key!r}")
    values = ((key, one_line(value)) for key, value in trailers.items())
    block = "".join(f"{key}: {value}\n" for key, value in values if value)
    _, above, last = body.rpartition("\n\n")
    joins = above and all(_TRAILER_LINE.match(line) for line in last.splitlines())
    gap = "\n" if joins or not block else "\n\n"
    return (body + gap + block).encode("utf-8", "replace")


class SavedFile:
    """A file that is about to be replaced; ``data`` is what it held, None if absent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            plain = path.parent.resolve() / path.name == path and not path.is_symlink()
            self._missing = [each for each in path.parents if not each.exists()]
            self.data = path.read_bytes() if path.exists() else None
            self._mode = path.stat().st_mode & 0o7777 if path.exists() else 0
        except OSError as error:
            raise unwritten(path, error) from error
        if not plain:
            raise BadConfigError(
                f"{path} is a symbolic link, or stands behind one; only regular files"
                " of the repository are written"
            )

    def replace(self, data: bytes, mode: int = 0o644) -> None:
        """Replace the file at once: readers see the old bytes or the new, never a part."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=self.path.parent, prefix=f".{self.path.name}.", delete=False
            ) as file:
                try:
                    os.fchmod(file.fileno(), mode)
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                    Path(file.name).replace(self.path)
                except BaseException:
                    Path(file.name).unlink()
                    raise
        except OSError as error:
            raise unwritten(self.path, error) from error

    def put_back(self) -> None:
        """Make the file what it was, or remove it and the folders made for it."""
        if self.data is not None:
            self.replace(self.data, self._mode)
            return
        with suppress(OSError):  # it never came to be
            self.path.unlink()
        for folder in self._missing:
            with suppress(OSError):  # somebody else has put something there
                folder.rmdir()
