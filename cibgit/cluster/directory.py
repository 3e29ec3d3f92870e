"""``dir:PATH``: the files of a stopped cluster, or any directory with a ``cib.xml``.

The adapter stands in for the CIB manager: compare-and-swap on the version triple, the
digest of the result, the counters and the who-wrote-it attributes are its business (as
``cib_perform_op`` and ``xml_apply_patchset`` of Pacemaker 2.1.5 do it); ``cibfiles`` and
``cibwriter`` know the files. A running CIB manager reads its files only once and
overwrites them at its next write, so while one uses the directory nothing is written.
"""

import os
import pwd
import re
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from itertools import zip_longest
from pathlib import Path

from lxml import etree

from ..cib.digest import Dialect, dialect_of, versioned
from ..cib.document import Cib, Element, parse
from ..cib.patchset import Patchset
from ..cib.patchset import apply as apply_patchset
from ..errors import (
    BadDataError,
    BusyError,
    DigestError,
    StaleError,
    UnknownOutcomeError,
    UnsafeError,
    UsageError,
)
from .cibfiles import CIB, SYSTEM, CibFiles, Pair, told
from .cibwriter import CibWriter
from .health import Failure, Health

DAEMON_DIRECTORIES: tuple[str, ...] = (str(SYSTEM), "/var/lib/heartbeat/crm")
"""Where a CIB manager without ``-r`` keeps its files: now, and in Heartbeat's days."""

PATIENCE = 10.0
"""Seconds to wait for another cibgit that is writing."""

_NO_UPDATE_ATTRIBUTES = re.compile(r"|(pacemaker|transitional)-(0\.\d+|1\.[01])")
_ROOT_OPTION = re.compile(
    # getopt accepts flags before the letter, and any start of the long name
    r"-[^-r]*r(?P<short>.*)|--c(?:i(?:b(?:-(?:r(?:oo?t?)?)?)?)?)?(?:=(?P<long>.*))?",
    re.DOTALL,
)


class Directory:
    """A directory with a ``cib.xml`` as the live side.

    ``version`` is the Pacemaker release that will read the files, where the user says
    so. ``installed`` returns the release installed on this machine, or None; it is asked
    for the system directory only. ``patience`` bounds the wait for another cibgit.
    """

    def __init__(
        self,
        path: Path,
        version: str | None = None,
        installed: Callable[[], str | None] = lambda: None,
        patience: float = PATIENCE,
    ) -> None:
        self.path = path.absolute()
        self.address = f"dir:{self.path}"
        self._version = version
        self._installed = installed
        self._patience = patience

    @classmethod
    def create(cls, path: Path, data: bytes, version: str | None = None) -> "Directory":
        """Lay down a first ``cib.xml`` with its signature; the content stays as it is.

        The directory is made where there is none. Its owner becomes that of the files.
        """
        directory = cls(path, version)
        cib = parse(data, str(directory.path / CIB))
        with told(path):
            path.mkdir(mode=0o750, parents=True, exist_ok=True)
        with (
            CibWriter.opened(directory.path) as files,
            files.locked(directory._patience),
        ):
            directory._refuse_busy(files)
            files.refuse_unwritable()
            if (directory.path / CIB).exists():
                raise UnsafeError(f"{directory.path / CIB} is there already")
            files.replace(
                cib, dialect_of(version), lambda: directory._refuse_busy(files)
            )
        return directory

    def read(self) -> Cib:
        """Return the CIB on disk, verified as a starting Pacemaker would.

        An unsigned file is accepted, as there; its signature is put back first where a
        cibgit that died took it away (``cibwriter``).
        """
        with CibWriter.opened(self.path) as files:
            pair = files.read()
            if pair.signature is None:
                pair = self._completed(files, pair)
        return pair.cib if pair.matches else pair.verified(self._dialect(pair))

    def pacemaker_version(self) -> str | None:
        """Return the release that was named, or the installed one for its directory."""
        if self._version:
            return self._version
        try:
            is_system = self.path.samefile(SYSTEM)
        except OSError:
            return None
        return self._installed() if is_system else None

    def dialect(self) -> Dialect:
        """Return the dialect in which digests are computed here.

        That of the known release; else the one under which the present signature is
        right, if it is right under one only; else the newest.
        """
        version = self.pacemaker_version()
        if version:
            return dialect_of(version)
        with CibWriter.opened(self.path) as files:
            return self._dialect(files.read())

    def check_writable(self, expected: Cib) -> None:
        """Refuse a write while a daemon runs, without the right or the room for it."""
        size = len(etree.tostring(expected.root))
        with CibWriter.opened(self.path) as files:
            self._refuse_busy(files)
            files.refuse_unwritable(size)

    def apply(self, patchset: Patchset) -> None:
        """Apply a patchset as the CIB manager does; see the Protocol.

        A patchset without digest is refused: nobody could say what it was meant to do.
        """
        with CibWriter.opened(self.path) as files, files.locked(self._patience):
            self._refuse_busy(files)
            files.refuse_unwritable()
            files.complete()
            pair = files.read()
            dialect = self._dialect(pair)
            old = pair.verified(dialect)
            result = _patched(patchset, old, dialect)
            if etree.tostring(result.root) == etree.tostring(old.root):
                return
            _stamp(result, old)
            files.replace(result, dialect, lambda: self._refuse_busy(files))
            if daemon := daemon_using(self.path, files.status):
                raise UnknownOutcomeError(
                    f"pacemaker-based (process {daemon}) started while"
                    f" {self.path / CIB} was being replaced",
                    "Look at the live cluster (`local:`): it runs the old or the new one.",
                )

    def places(self) -> list[str]:
        """Name the only copy: the disk."""
        return ["disk"]

    def read_copy(self, place: str) -> Element:
        """Return the configuration that is on disk now, verified."""
        if place not in self.places():
            raise UsageError(f"{self.address} has no copy called {place}")
        return self.read().configuration

    def health(self) -> None:
        """Return None: nothing runs."""

    def is_settled(self, health: Health) -> bool:  # noqa: ARG002
        """Return True: nothing moves by itself."""
        return True

    def forget(self, failures: Iterable[Failure]) -> None:
        """Do nothing: nothing runs, so nothing fails."""

    def hold(self, holder: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Hold nothing: each write locks the files, and a push has only one."""
        return nullcontext()

    def _completed(self, files: CibWriter, unsigned: Pair) -> Pair:
        """Read again after the signature was put back, as far as this user can do that."""
        if daemon_using(self.path, files.status):
            return unsigned
        try:
            with files.locked(self._patience):
                files.complete()
                return files.read()
        except (OSError, BusyError):
            return unsigned

    def _dialect(self, pair: Pair) -> Dialect:
        version = self.pacemaker_version()
        if version:
            return dialect_of(version)
        signers = pair.signers()
        return signers[0] if len(signers) == 1 else Dialect.NEW

    def _refuse_busy(self, files: CibFiles) -> None:
        if daemon := daemon_using(self.path, files.status):
            raise BusyError(
                f"{self.path} is in use by the CIB manager (process {daemon}), which"
                " would overwrite any change of the files",
                "Push to the live cluster (`local:`), or stop Pacemaker on this node.",
            )


def _patched(patch: Patchset, old: Cib, dialect: Dialect) -> Cib:
    """Return the result of the patchset, with the checks of the CIB manager.

    Source and target are compared as in ``xml_patch_version_check``; a source newer
    than the file is as stale as an older one.
    """
    if patch.source != old.version:
        raise StaleError(
            f"{old.source} is at {old.version}, the change was made for {patch.source}",
            "Plan again.",
        )
    if not any(new > old for new, old in zip(patch.target, patch.source, strict=True)):
        raise StaleError(f"the patchset leads from {patch.source} to {patch.target}")
    if not patch.digest:
        raise BadDataError("the patchset carries no digest of its result")
    result = apply_patchset(patch, old)
    digest = versioned(result.root, dialect)
    if digest != patch.digest.lower():
        raise DigestError(
            f"{old.source}: the patchset promises a CIB with the digest"
            f" {patch.digest} and makes one with {digest}; nothing was changed",
            f"The digest was computed as Pacemaker {dialect.value} does; is that the"
            " release which will read the files?",
        )
    return result


def _stamp(result: Cib, old: Cib) -> None:
    """Set what the CIB manager sets when it accepts a change and writes it to disk.

    The epoch rises and num_updates restarts when the configuration changed
    (``xml_create_patchset``); on disk num_updates is always 0, and there is no status
    (``cib_file_prepare_xml``). Schemas before 1.2 know no ``update-*`` attributes.
    """
    root = result.root
    admin_epoch, epoch, _ = result.version
    if etree.tostring(result.configuration) != etree.tostring(old.configuration):
        epoch += 1
    numbers = {"admin_epoch": admin_epoch, "epoch": epoch, "num_updates": 0}
    for name, number in numbers.items():
        root.set(name, str(number))
    root.set("cib-last-written", time.ctime())
    if not _NO_UPDATE_ATTRIBUTES.fullmatch(result.schema):
        root.set("update-origin", os.uname().nodename)
        root.set("update-client", "cibgit")
        root.set("update-user", _user_name())
    for status in root.findall("status"):
        root.remove(status)


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def daemon_using(path: Path, directory: os.stat_result) -> int | None:
    """Return the process id of a CIB manager whose directory is this one, or None.

    Its directory is looked up as it sees it itself (``/proc/PID/root``): a daemon in a
    container may use this directory under another name, and one of another cluster on
    this machine has another directory under the same name.
    """
    processes = list(Path("/proc").glob("[0-9]*"))
    if not processes:
        raise BusyError(
            f"{path}: cannot tell whether a CIB manager uses it: /proc is not mounted"
        )
    for process in processes:
        for used in _cib_directories(process):
            if _is_same(process, used, path, directory):
                return int(process.name)
    return None


def _cib_directories(process: Path) -> tuple[str, ...]:
    """Return where that process keeps a CIB: nowhere, unless it is a CIB manager.

    It is called ``cib`` up to 1.1, which others may be called too, and
    ``pacemaker-based`` since 2.0; what it is started with is ``-r DIR`` or
    ``--cib-root DIR`` (``cib/main.c``, ``daemons/based/pacemaker-based.c``).
    """
    try:
        name = (process / "comm").read_bytes().strip()
        if name not in (b"pacemaker-based", b"cib"):
            return ()
        arguments = os.fsdecode((process / "cmdline").read_bytes()).split("\0")[:-1]
    except OSError:
        return ()
    if not arguments:  # it has ended and waits for its parent
        return ()
    if name == b"cib" and not re.search("pacemaker|heartbeat", arguments[0]):
        return ()
    directories = DAEMON_DIRECTORIES
    for argument, following in zip_longest(arguments[1:], arguments[2:], fillvalue=""):
        option = _ROOT_OPTION.fullmatch(argument)
        if option:
            directories = (option["short"] or option["long"] or following,)
    return directories


def _is_same(process: Path, used: str, path: Path, directory: os.stat_result) -> bool:
    """Say whether that process means this directory; if nobody can tell, by its name."""
    seen = process / ("root" if used.startswith("/") else "cwd") / used.lstrip("/")
    try:
        return os.path.samestat(seen.stat(), directory)
    except PermissionError:
        return Path(used) in (path, path.resolve())
    except OSError:
        return False
