"""Doctor: will this node find its configuration at the next start, and which one?"""

import grp
import pwd
import time
from dataclasses import dataclass, replace
from pathlib import Path

from ..cib.document import Cib
from ..cluster import diagnosis, surroundings
from ..cluster.case import Case
from ..cluster.cibfiles import SYSTEM
from ..cluster.directory import DAEMON_DIRECTORIES, daemon_using
from ..cluster.inventory import Inventory
from ..cluster.judgement import Daemon, Judged
from ..cluster.local import Local
from ..cluster.release import NEWEST, Release
from ..cluster.startup import ONE_BACKUP, Prediction, is_system, predict
from ..compare.change import Change
from ..compare.diff import compare
from ..errors import CibgitError, PermissionDeniedError
from ..policy.finding import Finding, Severity, count, worst_first

USER, GROUP = "hacluster", "haclient"

INSTALLED = "installed"
"""Why a release is the one that counts: it is on this machine, with its schemas."""

_SETTLE = 0.5
"""Seconds in which a write to disk is done that follows an accepted change."""

HEARTBEAT_RELEASE = "0.6.0"
"""What reads a Heartbeat directory, where the user does not say."""


@dataclass(frozen=True)
class Patient:
    """Which directory, and who will read it.

    ``version`` and ``before_upgrade`` are releases where the user names them,
    ``installed`` the one on this machine, or None. ``as_node`` has owners judged in a
    copied directory, too. ``node`` is this node's running side.
    """

    directory: Path
    version: str | None = None
    before_upgrade: str | None = None
    installed: str | None = None
    as_node: bool = False
    node: Local | None = None


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor says.

    ``why_release`` says where the release comes from; ``changes`` lead from ``reference``
    (the live CIB, or the newest good backup) to ``cib.xml``, and are None where there was
    nothing to compare.
    """

    patient: Patient
    why_release: str
    start: Prediction
    upgrade: Prediction | None
    running: int | None
    findings: list[Finding]
    changes: list[Change] | None
    reference: str

    @property
    def is_healthy(self) -> bool:
        """Whether there is nothing to act on."""
        return count(self.findings) == 0


def doctor(patient: Patient) -> Diagnosis:
    """Look at a CIB directory and foretell the next start from it; nothing is written.

    Raises ``NoInputError`` or ``PermissionDeniedError`` for a directory that cannot be
    listed; whatever is wrong inside is a finding. Where a CIB manager runs, what looks
    wrong is looked at again: it may have been writing.
    """
    try:
        found = _look(patient)
    except PermissionDeniedError as error:
        raise PermissionDeniedError(error.message, "Be root.") from None
    if found.running is not None and not found.is_healthy:
        time.sleep(_SETTLE)
        found = _look(patient)
    return found


def _look(patient: Patient) -> Diagnosis:
    with Inventory.taken(patient.directory.absolute()) as files:
        release, why = _release(patient, files)
        daemon = daemon_of(patient, files)
        start = predict(files, release, daemon, is_installed=why == INSTALLED)
        upgrade = None
        if patient.before_upgrade:
            target = Release.of(patient.before_upgrade)
            upgrade = predict(files, target, daemon, is_installed=False)
        running = daemon_using(patient.directory.absolute(), files.status)
        live, notes = _live(patient, files, running)
        case = Case(files.path, files, start, daemon, running, live, upgrade)
        changes, reference = _changes(case)
        case = replace(case, changes=changes)
        rules = (*diagnosis.RULES, *surroundings.RULES)
        findings = [finding for rule in rules for finding in rule(case)]
    return Diagnosis(
        patient,
        why,
        start,
        upgrade,
        running,
        worst_first([*findings, *notes]),
        changes,
        reference,
    )


def _release(patient: Patient, files: Inventory) -> tuple[Release, str]:
    """Return the release that will read the directory, and where that is known from."""
    if patient.version:
        return Release.of(patient.version), "named"
    if ONE_BACKUP in files.entries:
        return Release.of(HEARTBEAT_RELEASE), "a Heartbeat directory"
    if patient.installed:
        return Release.of(patient.installed), INSTALLED
    return Release.of(NEWEST), "the newest that is known; none is installed"


def daemon_of(patient: Patient, files: Inventory) -> Daemon | None:
    """Return who the CIB manager is, where the directory is one of its own.

    A copy belongs to whoever made it, and its owners say nothing.
    """
    try:
        daemon = Daemon(pwd.getpwnam(USER).pw_uid, grp.getgrnam(GROUP).gr_gid)
    except KeyError:
        return None
    own = str(files.path) in DAEMON_DIRECTORIES or is_system(files)
    itself = files.itself
    theirs = itself.uid == daemon.uid or itself.gid == daemon.gid
    return daemon if patient.as_node or own or theirs else None


def _live(
    patient: Patient, files: Inventory, running: int | None
) -> tuple[Cib | None, list[Finding]]:
    """Read the live CIB of the CIB manager that uses the directory."""
    if running is None or patient.node is None or not is_system(files):
        return None, []
    try:
        return patient.node.read(), []
    except CibgitError as error:
        note = Finding(
            Severity.NOTE,
            "live-unread",
            str(SYSTEM),
            f"the live CIB could not be read, so only the disk was judged: {error.message}",
        )
        return None, [note]


def _changes(case: Case) -> tuple[list[Change] | None, str]:
    """Compare ``cib.xml`` with the live CIB, or with the newest good backup."""
    first = case.first
    if first.root is None or not first.is_whole:
        return None, ""
    backup = _newest_good(case.start.files[1:])
    if case.live is not None:
        reference, name = case.live, f"live ({case.live.version})"
    elif not first.is_good and backup is not None and backup.root is not None:
        reference = Cib(backup.root, backup.name)
        name = f"{backup.name} ({backup.version})"
    else:
        return None, ""
    try:
        return compare(reference, Cib(first.root, first.name)), name
    except CibgitError:
        return None, ""


def _newest_good(backups: tuple[Judged, ...]) -> Judged | None:
    return next((each for each in backups if each.is_good), None)
