"""Prescribe: what a repair would do about a CIB directory. Nothing is written."""

import stat
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from ..cib.document import MAX_BYTES, parse
from ..cib.eras import signers
from ..cluster.cibfiles import CIB, SIGNATURE
from ..cluster.cibwriter import LAST
from ..cluster.explanation import is_as_signed
from ..cluster.inventory import Inventory
from ..cluster.judgement import Cause, Daemon, Judged
from ..cluster.startup import (
    ONE_BACKUP,
    Outcome,
    Prediction,
    invalid,
    is_system,
    predict,
)
from ..errors import BadDataError, BusyError, NoInputError, UnsafeError
from .doctor import INSTALLED, Diagnosis, Patient, daemon_of, doctor

_OWN_MODE = 0o600
_MODE_BITS = 0o607
_SHOWN = 5
_MENDED_BY_A_WRITE = {
    *("writes-off", "disk-behind", "digest-mismatch", "unsigned", "missing"),
    *("permissions", "unusable", "broken-xml", "link"),
}
"""Findings that are gone once the CIB manager has written its disk."""


class Kind(Enum):
    """What kind of repair it is."""

    NOTHING = "nothing to repair"
    SIGN = "offline: sign cib.xml as it is"
    PUT = "offline: put another file in place"
    OWN = "offline: owners and modes"
    BACKUPS = "offline: sign backups again"
    ONLINE = "online: let the CIB manager write its disk again"


@dataclass(frozen=True)
class Treatment:
    """What a repair would do, in words (``steps``) and as values.

    ``start`` is how the node would start if all files were the CIB manager's.
    ``file`` is the file whose configuration the next start will find, ``data`` its
    content; ``resign`` are backups whose signature is right for another release,
    ``own`` says to give all files to the CIB manager. ``choices`` are what else could be
    done. ``kept`` is the folder that gets a copy of everything that is touched, and
    ``seen`` what the files were when this was decided.
    """

    patient: Patient
    before: Diagnosis
    start: Prediction
    kind: Kind
    steps: list[str]
    choices: list[str]
    kept: Path
    file: str = ""
    data: bytes = b""
    resign: tuple[str, ...] = ()
    own: Daemon | None = None
    seen: tuple[object, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        return self.kind is not Kind.NOTHING


def prescribe(
    patient: Patient, use: str | None = None, kept: Path | None = None
) -> Treatment:
    """Decide what to do about a CIB directory; nothing is written.

    ``use`` is the file that the user chose: ``cib.xml`` as it is, a backup, or any file.
    Without it ``cib.xml`` is signed again only where it is proved to be what was signed,
    or has no signature; else the newest verified backup takes its place. ``kept`` is the
    folder for copies; by default one beside the directory, with the time in its name.

    Raises :class:`~cibgit.errors.UnsafeError` where nothing is safe without a choice.
    """
    before = doctor(patient)
    path = patient.directory.absolute()
    kept = kept or _unused(path.with_name(f"{path.name}.repair-{_now()}"))
    with Inventory.taken(path) as files:
        start = predict(
            files, before.start.release, None, is_installed=_is_installed(before)
        )
        base = Treatment(
            patient, before, start, Kind.NOTHING, [], [], kept, seen=seen(files)
        )
        if before.running is not None:
            return _online(base, files, use)
        base = replace(
            base,
            own=_foreign(files, daemon_of(patient, files)),
            resign=_resignable(files, start),
            choices=_choices(start),
        )
        return _described(_chosen(base, files, use))


def _chosen(base: Treatment, files: Inventory, use: str | None) -> Treatment:
    """Return the treatment with its file: the user's choice, or the safe one."""
    first = base.start.files[0]
    if use is not None:
        return _with_file(base, files, use)
    if first.cause is Cause.MATCHES and base.start.outcome is not Outcome.INVALID:
        if base.own:
            return replace(base, kind=Kind.OWN)
        return replace(base, kind=Kind.BACKUPS if base.resign else Kind.NOTHING)
    if not base.start.files[1:] and first.cause is Cause.MISSING:
        return base
    if _is_proved(files, first, base):
        return _with_file(base, files, CIB)
    for backup in _verified(base.start):
        with suppress(BadDataError):
            return _with_file(base, files, backup.name)
    raise UnsafeError(
        f"{files.path}: no backup is verified, and cib.xml is not what was signed",
        "Look at the file (`cibgit doctor`) and take it as it is with --use cib.xml,"
        " or name another with --use FILE.",
    )


def _is_proved(files: Inventory, first: Judged, base: Treatment) -> bool:
    """Say whether ``cib.xml`` is certainly what was once written and signed.

    Or that nobody ever signed it: then Pacemaker would use it, and so do we.
    """
    release = base.start.release
    if first.root is None or not first.is_whole:
        return False
    if invalid(first.root, release, is_installed=_is_installed(base.before)):
        return False
    return first.cause is Cause.UNSIGNED or is_as_signed(files, first, release)


def _verified(start: Prediction) -> list[Judged]:
    """Return the verified backups, the highest version first; in turn among equals."""
    good = [
        each for each in start.files[1:] if each.cause is Cause.MATCHES and each.version
    ]
    return sorted(good, key=lambda each: each.version or (0, 0, 0), reverse=True)


def _with_file(base: Treatment, files: Inventory, use: str) -> Treatment:
    """Return the treatment that leaves this file as ``cib.xml``; refuse a bad one."""
    data = _content(files, use)
    cib = parse(data, use)
    release = base.start.release
    installed = _is_installed(base.before)
    if problem := invalid(cib.root, release, is_installed=installed):
        raise BadDataError(
            f"{use} is invalid for Pacemaker {release}: {problem}",
            "Correct it, or choose another file with --use FILE.",
        )
    kind = Kind.SIGN if use == CIB else Kind.PUT
    return replace(base, kind=kind, file=use, data=data)


def _content(files: Inventory, use: str) -> bytes:
    """Read a file of the directory by its name, or any other by its path."""
    if "/" not in use and use in files.entries:
        found = files.content(use)
        if found.problem:
            raise NoInputError(f"{files.path / use}: {found.problem}")
        return found.data
    path = Path(use)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise NoInputError(f"{use} is not a regular file")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NoInputError(f"{use}: {error.strerror}") from None


def _resignable(files: Inventory, start: Prediction) -> tuple[str, ...]:
    """Return backups that are as they were signed, by a release that signs differently."""
    return tuple(
        each.name
        for each in start.files[1:]
        if each.cause is Cause.MISMATCH
        and each.name != ONE_BACKUP
        and signers(
            files.content(each.name).data, (each.signature or b"").decode("latin-1")
        )
    )


def _foreign(files: Inventory, daemon: Daemon | None) -> Daemon | None:
    """Return the CIB manager where it is not the owner of what it needs."""
    if daemon is None:
        return None
    itself = files.itself
    if not daemon.can_write_in(itself) and not is_system(files):
        return daemon
    for name in (CIB, SIGNATURE, LAST):
        entry = files.entries.get(name)
        if entry and (entry.uid != daemon.uid or entry.mode & _MODE_BITS != _OWN_MODE):
            return daemon
    return None


def _choices(start: Prediction) -> list[str]:
    first = start.files[0]
    choices = []
    if first.root is not None and first.is_whole:
        choices.append(f"--use {CIB}  take it as it is ({first.version})")
    choices += [
        f"--use {each.name}  go back to it ({each.version}, {each.cause.value})"
        for each in start.files[1:]
        if each.is_good
    ][:_SHOWN]
    return choices


def _described(chosen: Treatment) -> Treatment:
    """Add what will be done, in words."""
    if not chosen.is_needed:
        return replace(chosen, choices=[])
    others = [c for c in chosen.choices if not c.startswith(f"--use {chosen.file} ")]
    steps = [f"copy what is touched to {chosen.kept}"]
    release = chosen.start.release
    match chosen.kind:
        case Kind.SIGN:
            steps.append(
                f"leave cib.xml as it is and write its signature for Pacemaker {release}"
            )
        case Kind.PUT:
            steps.append(
                f"put {chosen.file} in place of cib.xml, signed for Pacemaker {release}"
            )
    if chosen.resign:
        names = ", ".join(chosen.resign[:_SHOWN])
        more = len(chosen.resign) - _SHOWN
        steps.append(
            f"sign backups that another release signed, for Pacemaker {release}: {names}"
            + (f" and {more} more" if more > 0 else "")
        )
    if chosen.own:
        steps.append(
            "give cib.xml, its signature and the backups to hacluster:haclient"
        )
    return replace(chosen, steps=[*steps, "ask the doctor again"], choices=others)


def _online(base: Treatment, files: Inventory, use: str | None) -> Treatment:
    """Return the treatment of a directory that a CIB manager uses."""
    running = base.before.running
    if use is not None:
        raise BusyError(
            f"{files.path} is in use by the CIB manager (process {running}): what it has"
            " in memory is what will be written",
            "Stop the cluster on this node to choose a file, or leave out --use.",
        )
    if base.patient.node is None or not is_system(files):
        raise BusyError(
            f"{files.path} is in use by a CIB manager (process {running}) that is not"
            " this node's",
            "Run cibgit repair on that node.",
        )
    rules = {finding.rule for finding in base.before.findings}
    if not rules & _MENDED_BY_A_WRITE:
        return base
    steps = [
        f"copy cib.xml and its signature to {base.kept}",
        "take both away, for the CIB manager writes nothing over a file that it does not"
        " know",
        f"kill -PIPE {running}: the CIB manager (pacemaker-based) writes to disk again",
        "replace the live CIB by itself on this node, which writes it to disk"
        " (refused by the CIB manager should it change meanwhile; then again)",
        "compare the disk with the live configuration",
        "ask the doctor again",
    ]
    return replace(base, kind=Kind.ONLINE, steps=steps, file="live")


def _is_installed(before: Diagnosis) -> bool:
    return before.why_release == INSTALLED


def seen(files: Inventory) -> tuple[object, ...]:
    """Return what the files of a directory are, to notice that somebody changed them."""
    return tuple(
        sorted(
            (
                each.name,
                each.changed,
                each.kind.value,
                each.uid,
                each.gid,
                each.mode,
                each.size,
            )
            for each in files.entries.values()
            if each.name.startswith("cib")
        )
    )


def _unused(folder: Path) -> Path:
    """Return the name of a folder that is not there: two repairs may share a second."""
    names = (folder, *(Path(f"{folder}-{number}") for number in range(2, 100)))
    return next((name for name in names if not name.exists()), folder)


def _now() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
