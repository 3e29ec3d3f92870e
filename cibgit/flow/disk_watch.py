"""Disk watch: would this node start with its configuration? The agent asks the doctor.

While a cluster runs nobody notices that ``cib.xml`` no longer matches its signature, or
that the CIB manager has stopped writing to the disk. At the next start it is too late.
"""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from ..cib.document import Cib, Version
from ..policy.finding import Finding, Severity
from .doctor import Patient, doctor
from .noted import Noted
from .site import Site

_BEHIND = "disk-behind"
_NO_REF = re.compile(r"[^A-Za-z0-9-]")


@dataclass(frozen=True)
class DiskState:
    """What the doctor finds in the files of one node; ``errors`` is empty when all is well.

    Only what would change the next start, or keeps the disk behind, is an error here.
    """

    node: str
    directory: Path
    errors: list[Finding]

    @property
    def is_damaged(self) -> bool:
        """Whether somebody has to do something before the next start."""
        return bool(self.errors)


@dataclass
class DiskWatch:
    """Asks the doctor now and then; ``found`` is what came of it last.

    ``node`` is the name of this node, ``looks_once`` says that there is no next look.
    Nothing is asked as long as nothing has moved: with 1,000 resources and a hundred
    backups an answer costs two seconds of one processor.
    """

    site: Site
    patient: Patient
    node: str
    looks_once: bool = False
    found: Noted[DiskState] | None = None
    name = "disk"
    _asked: float = float("-inf")
    _moment: object = None
    _was_behind: bool = False

    def is_due(self, pause: float) -> bool:
        """Say whether to ask again: after ``pause`` seconds, and always when damaged."""
        is_damaged = self.found is not None and self.found.is_wrong
        return is_damaged or time.monotonic() >= self._asked + pause

    def look(self, cib: Cib | None) -> None:
        """Ask, where the files or the live version have moved; ``cib`` is the live one.

        A disk that is behind counts at the second look, as far as there is one: a write
        may be under way, and nobody knows.
        Raises :class:`~cibgit.errors.CibgitError` for a directory that cannot be listed.
        """
        self._asked = time.monotonic()
        moment = self._now(cib.version if cib else None)
        if moment == self._moment:
            return
        self.found = None
        findings = doctor(self.patient).findings
        errors = [each for each in findings if each.severity is Severity.ERROR]
        is_behind = any(each.rule == _BEHIND for each in errors)
        is_certain = not is_behind or self._was_behind or self.looks_once
        self._was_behind = is_behind
        self._moment = None if errors else moment
        if not is_certain:
            errors = [each for each in errors if each.rule != _BEHIND]
        if errors or is_certain:
            state = DiskState(self.node, self.patient.directory, errors)
            self.found = self._noted(state)

    def _noted(self, state: DiskState) -> Noted[DiskState]:
        """Return what people hear of; where nodes share a repository, each for itself."""
        kind = f"disk-{_NO_REF.sub('-', self.node)}"
        words = {f"{each.element}: {each.rule}" for each in state.errors}
        return Noted(self.site, state, kind, "disk-damaged", words)

    def _now(self, version: Version | None) -> object:
        """Return what moves with everything that the doctor looks at first."""
        found: list[object] = [version[:2] if version else None]
        for name in ("", "cib.xml", "cib.xml.sig", "cib.last"):
            try:
                stat = (self.patient.directory / name).stat()
            except OSError as error:
                found.append(error.errno)
            else:
                found.append((stat.st_ino, stat.st_ctime_ns, stat.st_size))
        return found
