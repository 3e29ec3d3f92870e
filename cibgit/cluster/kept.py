"""What a cluster keeps of its past, and in which order it was written.

Found by name where Pacemaker or Heartbeat gave the name, else by content:

* a CIB directory: ``cib.xml`` and what it replaced, ``cib-N.raw``, each with a ``.sig``;
  ``cib.last`` is the next N, which begins again at 0 after 99 (``lib/common/io.c``,
  ``lib/cib/cib_file.c``). Heartbeat, and Pacemaker up to 1.0.2, kept one predecessor:
  ``cib.xml.last``, signed by ``cib.xml.sig.last``;
* scheduler inputs ``pe-input-N.bz2`` (``pe-warn``, ``pe-error``; ``.raw`` where they are
  not compressed), with the next N in ``pe-input.last``;
* any other file whose root element is ``<cib>``: ``cib.xml.live`` of ``crm_report``,
  copies that people made.

Seen in directories, and in archives of ``crm_report``, ``crm report`` and ``pcs config
backup``, that Pacemaker 2.1.5, crmsh 4.4 and pcs 0.11 wrote.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..policy.finding import Finding, Severity
from .archives import Entry

SLOTS = 100
"""How many backups a CIB directory has (``CIB_SERIES_MAX``)."""

NEXT = ".last"
"""How the files end that hold the next number of a series."""

NOW = "cib.xml"

_NAME = re.compile(
    r"(?:cib-(?P<slot>\d{1,9})\.raw|(?P<now>cib\.xml)|(?P<before>cib\.xml\.last)"
    r"|(?P<kind>pe(?:ngine)?-(?:input|warn|error))-(?P<number>\d{1,9})(?:\.raw|\.xml)?)"
    r"(?:\.bz2|\.gz|\.xz)?"
)
_BESIDE = re.compile(r".*\.(?:sig|last)")
_ASIDE = re.compile(r"cib\.auto\..*|shadow\..*|cib\.[A-Za-z0-9]{6}")


@dataclass(frozen=True)
class Kept:
    """One file with a CIB, unpacked.

    ``series`` names the files that one daemon wrote one after the other, and ``place`` is
    the place among them; ``series`` is empty where nobody can tell. ``modified`` is in
    seconds since 1970.
    """

    source: str
    data: bytes
    signature: str | None
    modified: float
    series: str
    place: int


class Job(NamedTuple):
    """A file to be read, see :class:`Kept`; ``wanted``: its name promises a CIB."""

    name: str
    wanted: bool
    series: str = ""
    place: int = 0


def plan(entries: Sequence[Entry], following: Mapping[str, int]) -> list[Job]:
    """Return the files that may hold a CIB, those of one series oldest first.

    ``following`` is the number in each ``.last`` file, the next to be written. Numbers
    begin anew at a limit, so a series starts there.
    """
    names = sorted(entry.name for entry in entries)
    daemons = {folder(name) for name in names if name.endswith((f"{NOW}.sig", NEXT))}
    jobs = []
    for name in names:
        base, where = basename(name), folder(name)
        if match := _NAME.fullmatch(base):
            jobs.append(_job(name, match, following, names))
        elif not _BESIDE.fullmatch(base) and not (
            where in daemons and _ASIDE.fullmatch(base)
        ):
            jobs.append(Job(name, wanted=False))
    return sorted(jobs, key=lambda job: (job.series, job.place))


def unordered(jobs: Sequence[Job]) -> list[Finding]:
    """Tell which folders have backups, and no ``cib.last`` that would order them."""
    folders = sorted(
        {
            folder(job.name)
            for job in jobs
            if not job.series and basename(job.name).startswith("cib-") and job.wanted
        }
    )
    sentence = "there is no valid cib.last; backups are ordered by their versions"
    return [
        Finding(Severity.NOTE, "backup-order", each or "./", sentence)
        for each in folders
    ]


def is_known(name: str) -> bool:
    """Say whether Pacemaker or Heartbeat give this name to a file with a CIB."""
    return _NAME.fullmatch(basename(name)) is not None


def slot(name: str) -> int | None:
    """Return the number of a backup, None where it is none."""
    match = _NAME.fullmatch(basename(name))
    return int(match["slot"]) if match and match["slot"] else None


def signature_of(name: str) -> str:
    """Return the name of the signature of a file."""
    old = name.endswith(f"{NOW}.last")
    return f"{name.removesuffix('.last')}.sig.last" if old else f"{name}.sig"


def number(text: str | None) -> int | None:
    """Return the number in a ``.last`` file; one line end at most is accepted."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() else None


def folder(name: str) -> str:
    """Return the folder of a file, with the slash at its end; empty at the top."""
    return name[: name.rfind("/") + 1]


def basename(name: str) -> str:
    """Return the name of a file without its folder."""
    return name[name.rfind("/") + 1 :]


def _job(
    name: str, match: re.Match[str], following: Mapping[str, int], names: Sequence[str]
) -> Job:
    where = folder(name)
    series = where + (match["kind"] or "cib")
    following_number = following.get(series + NEXT)
    if match["before"]:
        return Job(name, True, series, -1)
    if match["now"]:
        ordered = following_number is not None or f"{name}.last" in names
        return Job(name, True, series if ordered else "", SLOTS)
    found = int(match["slot"] or match["number"])
    if following_number is None or (match["slot"] and found >= SLOTS):
        return Job(name, True)
    return Job(
        name,
        True,
        series,
        (found - following_number) % (SLOTS if match["slot"] else 10**9),
    )
