"""Disk watch: would this node start with its configuration? The agent asks the doctor.

While a cluster runs nobody notices that ``cib.xml`` no longer matches its signature, or
that the CIB manager has stopped writing to the disk. At the next start it is too late.
"""

import re
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..cib.document import Cib, Version
from ..policy.finding import Finding, Severity
from .doctor import Patient, doctor
from .site import Site

_PATH = "disk-damaged"
"""The file in the commit that a channel's ref names: what was told, in words."""

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


class DiskFound:
    """The state of a disk, for people to hear of damage once and of its end once."""

    def __init__(self, site: Site, state: DiskState) -> None:
        self.site = site
        self.told = state

    def ref(self, channel: str) -> str:
        """Return the ref that names what a channel was told last of this node.

        Where nodes share a repository, each has its own: their disks are not shared.
        """
        node = _NO_REF.sub("-", self.told.node)
        return self.site.ref(f"told-disk-{node}-{channel}")

    def is_known(self, told: str) -> bool:
        """Say whether a commit that was told holds this very damage."""
        repository = self.site.repository
        known = repository.blob_at(told, _PATH)
        return self.is_wrong and known == repository.blob_id(self._content)

    @property
    def is_wrong(self) -> bool:
        """Whether there is something to tell, or only its end."""
        return self.told.is_damaged

    @cached_property
    def state(self) -> str | None:
        """A commit off all branches that holds what is told; None where all is well."""
        if not self.is_wrong:
            return None
        files = {_PATH: self._content}
        return self.site.repository.commit_tree_files(None, files, "disk: damaged")

    @cached_property
    def _content(self) -> bytes:
        rules = {f"{each.element}: {each.rule}" for each in self.told.errors}
        return "".join(f"{line}\n" for line in sorted(rules)).encode()


@dataclass
class DiskWatch:
    """Asks the doctor now and then; ``found`` is what came of it last.

    ``node`` is the name of this node. Nothing is asked as long as nothing has moved: for
    1,000 resources an answer costs two seconds of one processor.
    """

    site: Site
    patient: Patient
    node: str
    found: DiskFound | None = None
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

        A disk that is behind counts at the second look: a write may be under way.
        Raises :class:`~cibgit.errors.CibgitError` for a directory that cannot be listed.
        """
        self._asked = time.monotonic()
        moment = self._now(cib.version if cib else None)
        if moment == self._moment:
            return
        self.found, self._moment = None, None
        errors = [
            each
            for each in doctor(self.patient).findings
            if each.severity is Severity.ERROR
        ]
        is_behind = any(each.rule == _BEHIND for each in errors)
        if not self._was_behind:
            errors = [each for each in errors if each.rule != _BEHIND]
        if not errors and not is_behind:
            self._moment = moment
        self._was_behind = is_behind
        state = DiskState(self.node, self.patient.directory, errors)
        self.found = DiskFound(self.site, state)

    def _now(self, version: Version | None) -> object:
        """Return what moves with everything that the doctor looks at first."""
        found = [version[:2] if version else None]
        for name in ("", "cib.xml", "cib.xml.sig", "cib.last"):
            try:
                stat = (self.patient.directory / name).stat()
            except OSError as error:
                found.append(error.errno)  # type: ignore[arg-type]
            else:
                found.append((stat.st_ino, stat.st_ctime_ns, stat.st_size))  # type: ignore[arg-type]
        return found
