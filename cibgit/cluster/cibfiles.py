"""The files of a CIB directory: reading them as Pacemaker does at its start.

A directory holds ``cib.xml`` and ``cib.xml.sig`` (the on-disk digest, 32 digits and no
newline), the pairs that they replaced as hard links ``cib-N.raw`` and ``cib-N.raw.sig``
(N from 0 to 99) and ``cib.last``, the next N (``cib_file_write_with_digest`` and
``cib_file_backup``, ``lib/cib/cib_file.c``; ``lib/common/io.c``, ``pcmk__*_series_*``).

A ``.sig`` that does not match, whatever is wrong with it, makes Pacemaker put both files
aside and go back to a backup, or start with nothing; a missing one it accepts
(``cib_file_verify_digest``, ``readCibXmlFile``; experiment, 2.1.5). ``cibwriter`` writes.

All names are relative to a descriptor of the directory, so that the files of one
directory stay together even if somebody renames it.
"""

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from ..cib.digest import Dialect, on_disk
from ..cib.digest import signature as signer
from ..cib.document import MAX_BYTES, Cib, parse
from ..errors import (
    FULL,
    BadDataError,
    BusyError,
    CibgitError,
    DigestError,
    NoInputError,
    PermissionDeniedError,
    UnreachableError,
)

SYSTEM = Path("/var/lib/pacemaker/cib")
"""Where the installed Pacemaker keeps its CIB (``CRM_CONFIG_DIR``)."""

CIB = "cib.xml"
SIGNATURE = "cib.xml.sig"

_RACE = 0.1
"""Seconds after which a pair that somebody was replacing must match again."""

_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True)
class Pair:
    """What was read: the CIB and the content of its signature file, None without one."""

    cib: Cib
    signature: str | None

    @cached_property
    def matches(self) -> bool:
        """Whether Pacemaker of some release would use the file."""
        if self.signature is None:
            return True
        return signer(self.cib.root, self.signature) is not None

    @property
    def _folder(self) -> Path:
        return Path(self.cib.source).parent

    def signers(self) -> list[Dialect]:
        """Return the dialects under which there is a right signature."""
        digest = (self.signature or "").lower()
        return [each for each in Dialect if digest == on_disk(self.cib.root, each)]

    def verified(self, dialect: Dialect) -> Cib:
        """Return the CIB, or refuse it; ``dialect`` is that of the digest to be told."""
        if self.matches:
            return self.cib
        file = self.cib.source
        expected = ascii(self.signature)[1:-1] or "nothing (it is empty)"
        raise DigestError(
            f"{file} does not match its signature: {SIGNATURE} says {expected},"
            f" computed {on_disk(self.cib.root, dialect)};"
            " Pacemaker would not use the file",
            f"`cibgit doctor {self._folder}` explains it, `cibgit repair {self._folder}`"
            " puts it in order.",
        )


def is_readable(path: Path) -> bool:
    """Say whether this user can read the CIB in a directory."""
    return os.access(path / CIB, os.R_OK)


def read_pair(path: Path) -> Pair:
    """Read the pair of a directory that a daemon may use, verified; nothing is written."""
    with CibFiles.opened(path) as files:
        pair = files.read()
    pair.verified(Dialect.NEW)
    return pair


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a sentence."""
    try:
        yield
    except OSError as error:
        raise _sentence(error, path) from error


class CibFiles:
    """One open CIB directory. Methods raise ``OSError``, which :meth:`opened` tells."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._at = descriptor

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Self]:
        """Open a CIB directory and tell its errors; close it again."""
        with told(path):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                yield cls(path, descriptor)
            finally:
                os.close(descriptor)

    @property
    def status(self) -> os.stat_result:
        """The directory's own status."""
        return os.fstat(self._at)

    def read(self) -> Pair:
        """Read the pair; again while somebody is replacing it.

        A pair that still does not match is returned, for the caller to refuse.
        """
        for _ in range(50):
            before = self._identity()
            pair = self._read_once()
            if pair.matches:
                break
            time.sleep(_RACE)
            if self._identity() == before:
                break
        return pair

    def _identity(self) -> list[tuple[int, int, int] | None]:
        found = (self._status(name) for name in (CIB, SIGNATURE))
        return [
            each and (each.st_ino, each.st_mtime_ns, each.st_size) for each in found
        ]

    def _read_once(self) -> Pair:
        path = self.path / CIB
        try:
            data = self._content(CIB, MAX_BYTES)
        except FileNotFoundError:
            raise NoInputError(
                f"{path}: there is no such file",
                "Pacemaker would go back to a backup (cib-N.raw), or start with nothing.",
            ) from None
        return Pair(parse(data, str(path)), self._signature(SIGNATURE))

    def _signature(self, name: str) -> str | None:
        try:
            return self._content(name, 100).decode("latin-1")
        except FileNotFoundError:
            return None

    def _content(self, name: str, limit: int) -> bytes:
        """Read a regular file, and one byte more than the limit, for it to be noticed."""
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK, dir_fd=self._at)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise BadDataError(f"{self.path / name} is not a regular file")
            return file.read(limit + 1)

    def _status(self, name: str) -> os.stat_result | None:
        try:
            return os.stat(name, dir_fd=self._at, follow_symlinks=False)
        except FileNotFoundError:
            return None


def _sentence(error: OSError, path: Path) -> CibgitError:
    name = error.filename if isinstance(error.filename, str) else ""
    what = f"{path / name}: {error.strerror}"
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return NoInputError(what, "The address is that of a directory with a cib.xml.")
    if error.errno in _DENIED:
        return PermissionDeniedError(what, "Nothing was changed.")
    if error.errno in FULL:
        return BusyError(what, "Nothing was changed. Make room and try again.")
    return UnreachableError(what, "Nothing was changed.")
