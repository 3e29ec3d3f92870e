"""Pacemaker's own judgement of a CIB: what it would do with it, and what it complains of.

``crm_simulate`` and ``crm_verify`` need no running cluster: a status that was saved will
do. Both get the CIB by standard input. What ``crm_simulate`` writes (a shadow of the CIB,
the graph) lies in memory, in a directory that only this user can read.
"""

import re
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..cib.canonical import compact
from ..cib.document import Cib
from ..errors import CibgitError, UnreachableError
from ..policy.complaint import Complaint
from ..policy.effect import Effects, Simulation, delta, read
from ..policy.finding import Severity
from . import commands

TIMEOUT = 120.0
"""Seconds for one simulation."""

MEMORY = "/dev/shm"
"""Where files need not touch a disk, where there is such a place."""

_COMPLAINT = re.compile(r"(?:\([^)]*\)\s*)?(error|warning):\s*(.+)", re.IGNORECASE)


def effects(before: Cib, after: Cib, environment: Mapping[str, str]) -> Effects:
    """Return what ``after`` brings about that ``before`` does not.

    Both are whole CIBs with one and the same status. Where nothing can be simulated the
    answer says why: no status, no tools, or a CIB that ``crm_simulate`` refuses.
    """
    status = before.root.find("status")
    if status is None or not len(status):
        return Effects(unknown=f"{before.source} has no status")
    try:
        with ThreadPoolExecutor(2) as both:
            old, new = both.map(lambda cib: simulate(cib, environment), (before, after))
        return delta(old, new)
    except CibgitError as error:
        return Effects(unknown=error.message)


def simulate(cib: Cib, environment: Mapping[str, str]) -> Simulation:
    """Run the scheduler on a CIB as if it were live.

    Raises :class:`~cibgit.errors.UnreachableError` when the tool is missing or refuses.
    """
    memory = MEMORY if Path(MEMORY).is_dir() else None
    with tempfile.TemporaryDirectory(prefix="cibgit-", dir=memory) as folder:
        graph = Path(folder, "graph")
        result = commands.run(
            (*commands.SIMULATE, str(graph)),
            {**environment, "CIB_shadow_dir": folder},
            stdin=compact(cib),
            timeout=TIMEOUT,
        )
        if result.code != commands.OK or not graph.is_file():
            raise UnreachableError(f"crm_simulate refuses this CIB: {result.reason}")
        return read(result.stdout, graph.read_bytes())


def complaints(cib: Cib, environment: Mapping[str, str]) -> tuple[Complaint, ...]:
    """Return what ``crm_verify`` says about a CIB, each complaint once.

    Its words differ between releases: they are shown and compared, never understood.
    Raises :class:`~cibgit.errors.UnreachableError` when the tool is missing.
    """
    result = commands.run(
        commands.VERIFY, environment, stdin=compact(cib), timeout=TIMEOUT
    )
    found = {}
    for line in result.stderr.decode(errors="replace").splitlines():
        match = _COMPLAINT.match(line)
        if match:
            is_error = match[1].lower() == "error"
            severity = Severity.ERROR if is_error else Severity.WARNING
            found[match[2]] = Complaint(severity, match[2])
    return tuple(found.values())
