"""Replacing the pair in a CIB directory so that death at any moment does no harm.

Two files cannot be renamed as one. A starting Pacemaker moves a pair that does not match
aside and goes back to a backup, or to nothing; a ``cib.xml`` without ``.sig`` it accepts
as it is (``cib_file_verify_digest`` up to 3.0.2; experiment, 2.1.5). So the signature
goes first and comes back last, and at no moment does a wrong one lie beside the file.
What each step leaves behind when the process, or the machine, dies after it:

1. ``cib.xml.cibgit`` and ``cib.xml.sig.cibgit`` are written, synced, read back and
   verified, with the owner and mode of what they replace: the old pair.
2. ``cib-N.raw`` and its ``.sig`` are unlinked, and the old pair linked to these names:
   the old pair; only the oldest backup may be missing, or unsigned.
3. ``cib.last`` is replaced: the old pair.
4. ``cib.xml.sig`` is unlinked: the old ``cib.xml``, unsigned.
5. ``cib.xml.cibgit`` is renamed to ``cib.xml``: the new ``cib.xml``, unsigned.
6. ``cib.xml.sig.cibgit`` is renamed to ``cib.xml.sig``: the new pair.

Pacemaker itself backs up first and then renames both without step 4; dead in between, it
leaves a mixture. The directory is synced after each of the steps 3 to 6, for a journal
may order what is not synced as it likes. What step 4 or 5 left unsigned,
:meth:`CibWriter.complete` signs again, and only on evidence: with the signature of step
1 if it fits ``cib.xml``, else with that of the newest backup if that one does. A file
that somebody edited and left unsigned fits neither and stays as it is.

No lock keeps a CIB manager from starting meanwhile; it is looked for once more right
before step 4, and the caller looks again afterwards.

The temporary names are fixed, which the lock allows, so nothing piles up. Pacemaker's
are ``cib.XXXXXX``, and any regular ``cib-*`` it takes for a backup
(``cib_archive_filter``, ``daemons/based/based_io.c``); these are neither. No symbolic
link is followed.
"""

import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from lxml import etree

from ..cib.digest import Dialect, on_disk
from ..cib.digest import signature as signer
from ..cib.document import MAX_BYTES, Cib, parse
from ..errors import (
    BadDataError,
    BusyError,
    CibgitError,
    PermissionDeniedError,
    UnknownOutcomeError,
    UnsafeError,
)
from .cibfiles import CIB, SIGNATURE, CibFiles

LAST = "cib.last"
NEW_CIB = "cib.xml.cibgit"
NEW_SIGNATURE = "cib.xml.sig.cibgit"
NEW_LAST = "cib.last.cibgit"

BACKUPS = 100
"""How many backups there are before the first is used again (``CIB_SERIES_MAX``)."""

Ownership = tuple[int, int, int]
"""User, group and mode of a file."""


class CibWriter(CibFiles):
    """One open CIB directory that may be written. The lock is the caller's to take."""

    @contextmanager
    def locked(self, patience: float) -> Iterator[None]:
        """Keep other cibgit processes from writing; wait ``patience`` seconds at most.

        The lock is one of the directory itself: it leaves no file, and the kernel gives
        it back when its holder dies.
        """
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(self._at, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise BusyError(
                        f"{self.path}: another cibgit has been writing for"
                        f" {patience:g} seconds",
                        "Wait for it, or look for it with `fuser`.",
                    ) from None
                time.sleep(0.01)
        try:
            if not os.path.samestat(self.status, self.path.stat()):
                raise BusyError(f"{self.path}: somebody replaced the directory")
            yield
        finally:
            fcntl.flock(self._at, fcntl.LOCK_UN)

    def refuse_unwritable(self, size: int = 0) -> None:
        """Refuse what could not be replaced in place, with owner and mode kept.

        ``size`` is about that of the new file. The old one stays as a backup.
        """
        for name in (CIB, SIGNATURE):
            found = self._status(name)
            if found and not stat.S_ISREG(found.st_mode):
                raise UnsafeError(
                    f"{self.path / name} is not a regular file",
                    "Pacemaker cannot back up anything else. Put the file itself there.",
                )
        if not os.access(".", os.W_OK | os.X_OK, dir_fd=self._at, effective_ids=True):
            raise PermissionDeniedError(
                f"{self.path} cannot be written by this user, or is read-only",
                "Run cibgit as root or as the owner of the directory.",
            )
        uid, gid, _ = self._ownership(CIB, 0)
        user, groups = os.geteuid(), {os.getegid(), *os.getgroups()}
        if user and (user != uid or gid not in groups):
            raise PermissionDeniedError(
                f"{self.path / CIB} belongs to user {uid}, group {gid}: only root and"
                " that user can replace it and keep the owner",
                "Pacemaker does not start with files that are not its own.",
            )
        space = os.fstatvfs(self._at)
        if space.f_bavail * space.f_frsize < 2 * size + 65536:
            raise BusyError(
                f"{self.path}: there is no room for a CIB of {size} bytes",
                "Make room on that file system and try again.",
            )

    def complete(self) -> None:
        """Put back the signature that a writer took away and did not live to replace.

        The lock must be held and no daemon run. Nothing is done without evidence.
        """
        if self._status(CIB) is None or self._status(SIGNATURE) is not None:
            return
        root = self._read_once().cib.root
        backup = _backup((self._next_backup() - 1) % BACKUPS) + ".sig"
        for name in (NEW_SIGNATURE, backup):
            content = self._signature(name)
            if content is not None and signer(root, content):
                # unlike a rename, this cannot replace what a starting daemon writes
                self._link(name, SIGNATURE)
                os.fsync(self._at)
                break

    def replace(self, cib: Cib, dialect: Dialect, check: Callable[[], None]) -> None:
        """Write a new pair in place of the old one, which becomes the newest backup.

        The lock must be held, and what is there must have been read and verified.
        ``check`` may refuse at the last moment. Raises
        :class:`~cibgit.errors.UnknownOutcomeError` when the new ``cib.xml`` stands and
        its signature could not be written: Pacemaker would use the file.
        """
        try:
            self._prepare(cib, dialect)
            self._back_up()
            check()
            with suppress(FileNotFoundError):
                self._unlink(SIGNATURE)
            os.fsync(self._at)
            self._rename(NEW_CIB, CIB)
        except BaseException:
            with suppress(OSError, CibgitError):
                self.complete()
                self._clean()
            raise
        try:
            os.fsync(self._at)
            self._rename(NEW_SIGNATURE, SIGNATURE)
            os.fsync(self._at)
        except OSError as error:
            raise UnknownOutcomeError(
                f"{self.path / CIB} is the new one, but may be lost or unsigned:"
                f" {error.strerror}",
                "Read it again before you start Pacemaker.",
            ) from error

    def _prepare(self, cib: Cib, dialect: Dialect) -> None:
        """Step 1: the new pair under temporary names, verified as a reader would."""
        self._clean()
        owner = self._ownership(CIB, 0o600)
        data = etree.tostring(cib.root, pretty_print=True, encoding="utf-8")
        self._write(NEW_CIB, data, owner)
        digest = on_disk(cib.root, dialect)
        signature_owner = self._ownership(SIGNATURE, 0o600, owner)
        self._write(NEW_SIGNATURE, digest.encode(), signature_owner)
        read_back = self._content(NEW_CIB, MAX_BYTES)
        written = parse(read_back, str(self.path / NEW_CIB)).root
        same = etree.tostring(written) == etree.tostring(cib.root)
        if not same or self._signature(NEW_SIGNATURE) != digest:
            raise BadDataError(
                f"{self.path / CIB}: the new CIB cannot be written without changing it"
            )

    def _back_up(self) -> None:
        """Steps 2 and 3. A missing file of the pair is left out, as Pacemaker does."""
        number = self._next_backup()
        backup = _backup(number)
        for ending in ("", ".sig"):
            with suppress(FileNotFoundError):
                self._unlink(backup + ending)
        for ending in ("", ".sig"):
            with suppress(FileNotFoundError):
                self._link(CIB + ending, backup + ending)
        owner = self._ownership(LAST, 0o640)
        self._write(NEW_LAST, str((number + 1) % BACKUPS).encode(), owner)
        self._rename(NEW_LAST, LAST)
        os.fsync(self._at)

    def _next_backup(self) -> int:
        try:
            number = re.match(rb"\s*(\d{1,9})", self._content(LAST, 20))
        except FileNotFoundError:
            return 0
        return int(number[1]) if number and int(number[1]) < BACKUPS else 0

    def _ownership(
        self, name: str, mode: int, default: Ownership | None = None
    ) -> Ownership:
        """Return user, group and mode of a file; without it ``default``.

        Without a default they are those of ``cib.xml`` or the directory, and ``mode``.
        """
        found = self._status(name)
        if found:
            return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)
        like = self._status(CIB) or self.status
        return default or (like.st_uid, like.st_gid, mode)

    def _write(self, name: str, data: bytes, owner: Ownership) -> None:
        uid, gid, mode = owner
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(name, flags, 0o600, dir_fd=self._at)
        with os.fdopen(descriptor, "wb") as file:
            created = os.fstat(descriptor)
            if (created.st_uid, created.st_gid) != (uid, gid):
                os.fchown(descriptor, uid, gid)
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)

    def _clean(self) -> None:
        for name in (NEW_CIB, NEW_SIGNATURE, NEW_LAST):
            with suppress(FileNotFoundError):
                self._unlink(name)

    def _rename(self, old: str, new: str) -> None:
        os.rename(old, new, src_dir_fd=self._at, dst_dir_fd=self._at)

    def _link(self, old: str, new: str) -> None:
        os.link(
            old, new, src_dir_fd=self._at, dst_dir_fd=self._at, follow_symlinks=False
        )

    def _unlink(self, name: str) -> None:
        os.unlink(name, dir_fd=self._at)


def _backup(number: int) -> str:
    return f"cib-{number}.raw"
