"""Putting a CIB directory in order: what ``repair`` does to files.

As in ``cibwriter``, death at any moment must do no harm, but here the pair that is there
may be the trouble. Where it does not match, Pacemaker passes it over in any case, so the
new ``cib.xml`` goes in first and its signature second: in between nothing is worse than
before. Where it matches, or is unsigned, the signature is taken away first, as in
``cibwriter``. What is replaced does not become a backup: it is kept elsewhere.
"""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..errors import PermissionDeniedError
from .cibfiles import CIB, SIGNATURE
from .cibwriter import NEW_CIB, NEW_SIGNATURE, CibWriter, Ownership
from .inventory import Kind
from .judgement import Daemon

MODE = 0o600
"""What the CIB manager gives its files."""

_BLOCK = 1 << 20


class CibMender(CibWriter):
    """One open CIB directory that is repaired. The lock is the caller's to take."""

    def keep(self, names: Iterable[str], folder: Path) -> None:
        """Copy files into a new folder that only their owner reads; all are synced.

        Whatever is no regular file, or is not there, is left out.
        """
        folder.mkdir(mode=0o700, parents=True)
        at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name in names:
                found = self._status(name)
                if found and stat.S_ISREG(found.st_mode):
                    self._copy(name, at, found)
            os.fsync(at)
        finally:
            os.close(at)

    def sign(self, name: str, digest: str, owner: Ownership) -> None:
        """Put a right signature beside a file, in place of what is there."""
        self._clean()
        self._write(NEW_SIGNATURE, digest.encode(), owner)
        self._rename(NEW_SIGNATURE, f"{name}.sig")
        os.fsync(self._at)

    def put(
        self, data: bytes, digest: str, owner: Ownership, *, was_right: bool
    ) -> None:
        """Put another ``cib.xml`` and its signature in place of those that are there.

        ``was_right`` says that Pacemaker would use the present pair.
        """
        self._clean()
        self._write(NEW_CIB, data, owner)
        self._write(NEW_SIGNATURE, digest.encode(), owner)
        os.fsync(self._at)
        if was_right:
            self.remove([SIGNATURE])
        self._make_room(CIB)
        self._rename(NEW_CIB, CIB)
        os.fsync(self._at)
        self._make_room(SIGNATURE)
        self._rename(NEW_SIGNATURE, SIGNATURE)
        os.fsync(self._at)

    def remove(self, names: Iterable[str]) -> None:
        """Take files away, for the CIB manager to write them anew."""
        for name in names:
            with suppress(FileNotFoundError):
                self._unlink(name)
        os.fsync(self._at)

    def own(self, names: Iterable[str], daemon: Daemon) -> None:
        """Give regular files to the CIB manager, readable by nobody else."""
        for name in names:
            found = self._status(name)
            if found is None or not stat.S_ISREG(found.st_mode):
                continue
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            with suppress(FileNotFoundError):
                descriptor = os.open(name, flags, dir_fd=self._at)
                try:
                    if stat.S_ISREG(os.fstat(descriptor).st_mode):
                        _give(descriptor, daemon, MODE, self.path / name)
                finally:
                    os.close(descriptor)

    def own_directory(self, daemon: Daemon) -> None:
        """Give the directory itself to the CIB manager."""
        _give(self._at, daemon, 0o750, self.path)

    def owner_for(self, daemon: Daemon | None) -> Ownership:
        """Return whose new files shall be: the CIB manager's, or as ``cib.xml`` is."""
        if daemon:
            return daemon.uid, daemon.gid, MODE
        uid, gid, mode = self._ownership(CIB, MODE)
        return uid, gid, mode & 0o660 | MODE

    def kind(self, name: str) -> Kind | None:
        """Return what lies under a name, without following it."""
        found = self._status(name)
        if found is None:
            return None
        return Kind.DIRECTORY if stat.S_ISDIR(found.st_mode) else Kind.FILE

    def _make_room(self, name: str) -> None:
        """Move a folder out of the way, which no rename would replace."""
        if self.kind(name) is Kind.DIRECTORY:
            self._rename(name, f"{name}.folder")

    def _copy(self, name: str, at: int, found: os.stat_result) -> None:
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._at)
        with os.fdopen(source, "rb") as old:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            target = os.open(name, flags, 0o600, dir_fd=at)
            with os.fdopen(target, "wb") as new:
                while block := old.read(_BLOCK):
                    new.write(block)
                new.flush()
                with suppress(PermissionError):
                    os.fchown(target, found.st_uid, found.st_gid)
                os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
                os.fsync(target)


def _give(descriptor: int, daemon: Daemon, mode: int, path: Path) -> None:
    try:
        os.fchown(descriptor, daemon.uid, daemon.gid)
        os.fchmod(descriptor, mode)
    except PermissionError:
        raise PermissionDeniedError(
            f"{path} cannot be given to the CIB manager by this user",
            "Run cibgit as root.",
        ) from None
