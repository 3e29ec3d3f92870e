"""Pacemaker's own judgement of a CIB: what it would do with it, and what it complains of.

``crm_simulate`` and ``crm_verify`` need no running cluster: a status that was saved will
do. Both get the CIB by standard input. The shadow file that ``crm_simulate`` makes of it
lies in a directory that only this user can read.
"""

import re
import tempfile
from collections.abc import Mapping

from ..cib.canonical import compact
from ..cib.document import Cib
from ..errors import UnreachableError
from ..policy.complaint import Complaint
from ..policy.effect import Effects, Simulation, delta, read
from ..policy.finding import Severity
from . import commands

TIMEOUT = 120.0
"""Seconds for one simulation (a CIB of 10,000 resources takes about 30)."""

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
        return delta(simulate(before, environment), simulate(after, environment))
    except UnreachableError as error:
        return Effects(unknown=error.message)


def simulate(cib: Cib, environment: Mapping[str, str]) -> Simulation:
    """Run the scheduler on a CIB as if it were live.

    Raises :class:`~cibgit.errors.UnreachableError` when the tool is missing or refuses.
    """
    with tempfile.TemporaryDirectory(prefix="cibgit-") as folder:
        result = commands.run(
            commands.SIMULATE,
            {**environment, "CIB_shadow_dir": folder},
            stdin=compact(cib),
            timeout=TIMEOUT,
        )
    if result.code != commands.OK:
        raise UnreachableError(f"crm_simulate refuses this CIB: {result.reason}")
    return read(result.stdout)


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
