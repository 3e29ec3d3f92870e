"""What a CIB directory had, one configuration after the other, without one left out.

Whatever the CIB manager replaces stays as ``cib-N.raw`` for a hundred writes. So states
that are gone again before anybody could look are found all the same, and so is what
happened while nobody was looking.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..cib.digest import signature
from ..cib.document import Cib, parse
from ..errors import CibgitError
from ..policy.finding import Finding, Severity
from . import kept
from .directory import Directory
from .kept import NEXT, NOW, SLOTS, Job, Kept
from .local import CIB_DIRECTORY, Local
from .protocol import Cluster
from .sources import File, Source

WRITING = 1.0
"""Seconds within which a number that is being written is there."""

RENAMING = 0.3
"""Seconds within which a signature follows its file, on a busy machine too."""

MISMATCH = "digest-mismatch"


class Glimpse(NamedTuple):
    """One state that was found, or why there is none.

    ``mark`` is where to go on, ``is_now`` says that it is not a replaced one.
    """

    found: Cib | Finding
    mark: int | None
    is_now: bool


def directory(cluster: Cluster) -> Path | None:
    """Return the directory in which the states of a cluster come by, if it is here."""
    if isinstance(cluster, Directory):
        return cluster.path
    is_here = isinstance(cluster, Local) and os.access(CIB_DIRECTORY, os.R_OK | os.X_OK)
    return CIB_DIRECTORY if is_here else None


class Succession(File):
    """The states of one CIB directory, oldest first."""

    def __init__(self, path: Path) -> None:
        Source.__init__(self, path)

    def number(self) -> int | None:
        """Return the next N of the backups, None where there is none.

        The CIB manager empties the file before it writes into it
        (``pcmk__write_series_sequence``), so for a moment an empty one says nothing.
        """
        deadline = time.monotonic() + WRITING
        while (text := self._small(f"cib{NEXT}")) == "" and time.monotonic() < deadline:
            time.sleep(0.005)
        return kept.number(text)

    def since(self, mark: int | None) -> Iterator[Glimpse]:
        """Yield what came after a mark, and what is there now.

        Without a mark it is everything that is kept: the last hundred states.
        """
        now = self.number()
        if now is None:
            yield from self._now(None)
            return
        first = now - SLOTS if mark is None else now - (now - mark) % SLOTS
        while first < now:
            for each in range(first, now):
                name = f"cib-{each % SLOTS}.raw"
                if (self.path / name).exists():
                    yield from self._glimpses(
                        Job(name, wanted=True), (each + 1) % SLOTS
                    )
            first, now = now, self._later(now)
        yield from self._now(now % SLOTS)

    def _later(self, now: int) -> int:
        """Return how far it is by now: states may have gone by while others were read."""
        found = self.number()
        return now if found is None else now + (found - now) % SLOTS

    def _now(self, mark: int | None) -> Iterator[Glimpse]:
        yield from self._glimpses(Job(NOW, wanted=True), mark)

    def _glimpses(self, job: Job, mark: int | None) -> Iterator[Glimpse]:
        for state in self._states(job):
            yield Glimpse(state, mark, job.name == NOW)

    def _states(self, job: Job) -> list[Cib | Finding]:
        """Return what a file holds.

        The CIB manager renames ``cib.xml`` first and then its signature: between the two
        they do not match.
        """
        deadline = time.monotonic() + RENAMING
        while True:
            states = [
                _verified(found) if isinstance(found, Kept) else found
                for found in self._read(job)
            ]
            is_torn = any(
                isinstance(each, Finding) and each.rule == MISMATCH for each in states
            )
            if job.name != NOW or not is_torn or time.monotonic() >= deadline:
                return states
            time.sleep(0.01)


def _verified(found: Kept) -> Cib | Finding:
    """Return the CIB of a file, unless it is damaged or was edited by hand."""
    try:
        cib = parse(found.data, found.source)
    except CibgitError as error:
        return Finding(Severity.WARNING, "unreadable", found.source, error.message)
    signed = found.signature
    if signed is not None and signature(cib.root, signed) is None:
        said = f"{found.source} does not match its signature, so it never was live"
        return Finding(Severity.WARNING, MISMATCH, found.source, said)
    return cib
