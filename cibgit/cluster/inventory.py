"""What lies in a CIB directory: every name with its owner, and what is in the files.

Only looked at: nothing is written, no link is followed out of the directory, nothing that
could block is opened, and no more is read than a CIB may have.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path, PurePath
from typing import Self

from ..cib.document import MAX_BYTES
from .cibfiles import CibFiles

MAX_SIGNATURE = 4096
"""Bytes of a signature file that are read; more than 32 are wrong in any case."""

_HOPS = 8


class Kind(Enum):
    """What a name stands for."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "symbolic link"
    SOCKET = "socket"
    OTHER = "special file"


@dataclass(frozen=True)
class Entry:
    """One name.

    ``changed`` and ``modified`` are its ctime and mtime in whole seconds, ``target`` is
    that of a link.
    """

    name: str
    kind: Kind
    uid: int
    gid: int
    mode: int
    size: int
    changed: int
    modified: int
    target: str = ""


@dataclass(frozen=True)
class Content:
    """What was read of a file, or why it was not (``problem``, the system's words)."""

    data: bytes = b""
    problem: str = ""
    is_missing: bool = False
    is_foreign: bool = False


class Inventory(CibFiles):
    """One open CIB directory that is only looked at."""

    @classmethod
    @contextmanager
    def taken(cls, path: Path) -> Iterator[Self]:
        """Open a directory and list it; errors of the directory itself are told."""
        with cls.opened(path) as files:
            _ = files.entries
            yield files

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """All names, in the order in which the file system lists them."""
        return {
            name: entry
            for name in os.listdir(self._at)  # noqa: PTH208  (of a descriptor)
            if (entry := self._entry(name))
        }

    @property
    def itself(self) -> Entry:
        """The directory."""
        return _described(".", self.status, "")

    def found(self, name: str) -> Entry | None:
        """Return what a name leads to, following links inside the directory.

        None where there is nothing, or a circle; a :attr:`Kind.LINK` where it leads out.
        """
        return self._followed(name)[0]

    def content(self, name: str, limit: int = MAX_BYTES) -> Content:
        """Read a regular file of the directory, at most ``limit`` bytes and one more."""
        entry = self.found(name)
        if entry is None or entry.kind is not Kind.FILE:
            return self._obstacle(name, entry)
        try:
            return Content(self._read_regular(entry.name, limit))
        except FileNotFoundError:
            return Content(problem="it is gone", is_missing=True)
        except OSError as error:
            return Content(problem=error.strerror or str(error), is_foreign=True)

    def _obstacle(self, name: str, entry: Entry | None) -> Content:
        """Say why there is no regular file behind a name."""
        if self._followed(name)[1]:
            return Content(problem="it is a link in a circle")
        if entry is None:
            return Content(problem="there is no such file", is_missing=True)
        if entry.kind is Kind.LINK:
            problem = f"it is a link to {entry.target}, which is not followed"
            return Content(problem=problem, is_foreign=True)
        return Content(problem=f"it is a {entry.kind.value}")

    def signature(self, name: str) -> Content:
        """Read a ``.sig`` as Pacemaker does: up to the first NUL."""
        found = self.content(name, MAX_SIGNATURE)
        return Content(
            found.data.split(b"\0")[0],
            found.problem,
            found.is_missing,
            found.is_foreign,
        )

    def _entry(self, name: str) -> Entry | None:
        found = self._status(name)
        if found is None:
            return None
        target = ""
        if stat.S_ISLNK(found.st_mode):
            try:
                target = os.readlink(name, dir_fd=self._at)
            except OSError:
                return None
        return _described(name, found, target)

    def _read_regular(self, name: str, limit: int) -> bytes:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
        descriptor = os.open(name, flags, dir_fd=self._at)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "it is no longer a regular file")
            return file.read(limit + 1)

    def _followed(self, name: str) -> tuple[Entry | None, bool]:
        """Return what a name leads to, and whether it leads in circles."""
        entry = self.entries.get(name)
        for _ in range(_HOPS):
            if entry is None or entry.kind is not Kind.LINK:
                return entry, False
            inside = self._inside(entry.target)
            if inside is None:
                return entry, False
            entry = self.entries.get(inside)
        return None, True

    def _inside(self, target: str) -> str | None:
        """Return the name in this directory that a link leads to, or None."""
        path = PurePath(target)
        home = path.parent in (PurePath(), PurePath(self.path))
        return path.name if home and path.name not in ("", "..") else None


def _described(name: str, found: os.stat_result, target: str) -> Entry:
    return Entry(
        name,
        _kind(found.st_mode),
        found.st_uid,
        found.st_gid,
        stat.S_IMODE(found.st_mode),
        found.st_size,
        int(found.st_ctime_ns // 1_000_000_000),
        int(found.st_mtime_ns // 1_000_000_000),
        target,
    )


def _kind(mode: int) -> Kind:
    for test, kind in (
        (stat.S_ISREG, Kind.FILE),
        (stat.S_ISDIR, Kind.DIRECTORY),
        (stat.S_ISLNK, Kind.LINK),
        (stat.S_ISSOCK, Kind.SOCKET),
    ):
        if test(mode):
            return kind
    return Kind.OTHER
