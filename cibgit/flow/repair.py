"""Repair: put a CIB directory in order, so that the next start finds its configuration.

Offline, on a stopped node, a signature is written, or a good file is put in place.
Online the live configuration is what is right: the CIB manager writes it to disk again.
The configuration of a running cluster is never changed.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from ..cib.digest import on_disk
from ..cib.document import Cib
from ..cluster.cibfiles import CIB, SIGNATURE, CibFiles
from ..cluster.cibmender import CibMender
from ..cluster.cibwriter import LAST
from ..cluster.directory import PATIENCE, daemon_using
from ..cluster.inventory import Inventory
from ..cluster.startup import BACKUP
from ..errors import BusyError, CibgitError, StaleError, TimedOutError
from .doctor import Diagnosis, daemon_of, doctor
from .prescribe import Kind, Treatment, seen

DISK_SECONDS = 15.0
"""How long the CIB manager may take to write its disk."""


@dataclass(frozen=True)
class Repaired:
    """What was done: where the copies are, what proves it, and the doctor's last word."""

    kept: Path
    proof: str
    after: Diagnosis


def repair(treatment: Treatment) -> Repaired:
    """Carry a treatment out and ask the doctor again.

    Raises :class:`~cibgit.errors.StaleError` when the files are not what the treatment
    was decided for, :class:`~cibgit.errors.BusyError` when a CIB manager came or went.
    """
    if treatment.kind is Kind.ONLINE:
        proof = _repair_online(treatment)
    else:
        proof = _repair_offline(treatment)
    return Repaired(treatment.kept, proof, doctor(treatment.patient))


def _repair_offline(treatment: Treatment) -> str:
    release = treatment.start.release
    was_right = treatment.start.files[0].is_good
    path = treatment.patient.directory.absolute()
    with CibMender.opened(path) as files, files.locked(PATIENCE):
        with Inventory.taken(path) as found:
            _refuse_changed(treatment, found)
            manager = daemon_of(treatment.patient, found)
            touched, owned = _touched(treatment, found), _owned(found)
            itself = found.itself
            backups = {name: found.content(name).data for name in treatment.resign}
        _refuse_process(files, None)
        files.keep(touched, treatment.kept)
        owner = files.owner_for(manager)
        if treatment.kind is Kind.SIGN:
            files.sign(CIB, release.signer.digest(treatment.data), owner)
        elif treatment.kind is Kind.PUT:
            digest = release.signer.digest(treatment.data)
            files.put(treatment.data, digest, owner, was_right=was_right)
        for name, data in backups.items():
            files.sign(name, release.signer.digest(data), owner)
        if treatment.own:
            files.own(owned, treatment.own)
            if not treatment.own.can_write_in(itself):
                files.own_directory(treatment.own)
        _refuse_process(files, None)
    return ""


def _touched(treatment: Treatment, found: Inventory) -> list[str]:
    """Name the files whose content, owner or mode will be another."""
    names = [CIB, SIGNATURE, *(f"{name}.sig" for name in treatment.resign)]
    return list(dict.fromkeys([*names, *(_owned(found) if treatment.own else [])]))


def _owned(found: Inventory) -> list[str]:
    """Name the files that must be the CIB manager's."""
    return [
        name
        for name in found.entries
        if name in (CIB, SIGNATURE, LAST) or name.startswith(BACKUP)
    ]


def _repair_online(treatment: Treatment) -> str:
    """Let the CIB manager write its disk, and prove that the configuration stayed."""
    node, running = treatment.patient.node, treatment.before.running
    assert node is not None
    assert running is not None
    before = node.read()
    path = treatment.patient.directory.absolute()
    with CibMender.opened(path) as files:
        with files.locked(PATIENCE):
            with Inventory.taken(path) as found:
                _refuse_changed(treatment, found)
            _refuse_process(files, running)
            files.keep([CIB, SIGNATURE], treatment.kept)
            files.remove([SIGNATURE, CIB])
        os.kill(running, signal.SIGPIPE)
        written = node.rewrite_disk()
        disk = _await_disk(files, written)
    dialect = node.dialect()
    digest = on_disk(disk.configuration, dialect)
    return (
        f"The live configuration is {written.version} (was {before.version}), digest"
        f" {on_disk(written.configuration, dialect)}; the disk has {digest}."
    )


def _await_disk(files: CibFiles, written: Cib) -> Cib:
    """Wait until the disk has what was written, or something newer."""
    deadline = time.monotonic() + DISK_SECONDS
    while True:
        try:
            pair = files.read()
        except CibgitError:
            pair = None
        is_signed = pair is not None and pair.signature is not None and pair.matches
        if pair and is_signed and pair.cib.version[:2] >= written.version[:2]:
            return pair.cib
        if time.monotonic() > deadline:
            raise TimedOutError(
                f"the CIB manager did not write {files.path / CIB} within"
                f" {DISK_SECONDS:.0f} seconds",
                "Its log says why; the live configuration is untouched.",
            )
        time.sleep(0.05)


def _refuse_changed(treatment: Treatment, found: Inventory) -> None:
    if seen(found) != treatment.seen:
        raise StaleError(
            f"somebody changed {found.path} since the repair was decided",
            "Ask again: cibgit repair",
        )


def _refuse_process(files: CibFiles, expected: int | None) -> None:
    """Refuse to go on when a CIB manager came, went or is another one."""
    daemon = daemon_using(files.path, files.status)
    if daemon != expected:
        what = f"process {daemon} uses it" if daemon else "it has ended"
        raise BusyError(
            f"the CIB manager of {files.path} is not as it was: {what}",
            "Ask again: cibgit doctor",
        )
