"""Suspend: git leaves a cluster alone until a time, and everybody can see why."""

import time
from datetime import UTC, datetime

from ..cib.digest import is_mangled
from ..cib.document import Cib
from ..cib.suspension import Suspension, suspended, suspension
from ..errors import UsageError
from .readback import Sleep
from .site import Site
from .swap import swap

LONGEST_REASON = 200
"""Characters of a reason, and of a name."""


def suspend(site: Site, wanted: Suspension, sleep: Sleep = time.sleep) -> Suspension:
    """Write into the live CIB that pushes are refused and drift is not told.

    It takes the place of a suspension that is there. Nothing else changes. Raises
    :class:`~cibgit.errors.UsageError` for a time that is over, without a reason, and for
    one that Pacemaker would not keep.
    """
    wanted = Suspension(wanted.until, _line(wanted.by), _line(wanted.reason))
    now = datetime.now(UTC)
    if not wanted.holds(now):
        raise UsageError(f"the time is over already: {wanted}")
    if not wanted.reason:
        raise UsageError("to suspend needs a reason", "Say why: --reason TEXT")
    dialect = site.cluster.dialect()
    if is_mangled(wanted.reason, dialect) or is_mangled(wanted.by, dialect):
        raise UsageError(
            "the Pacemaker here would not keep that reason as it is: non-ASCII text with"
            " markup or a quote after it",
            "Write it in plain ASCII.",
        )
    if not site.config.marker:
        raise UsageError(
            f"{site.name} has marker = false, and a suspension stands in the marker",
            "To hold pushes back there, use the windows of the policy.",
        )

    def decide(live: Cib) -> Cib | None:
        live.source = f"live {site.name}"
        return None if suspension(live, now) == wanted else suspended(live, wanted)

    swap(site.cluster, decide, sleep)
    return wanted


def _line(text: str) -> str:
    """Return a text as one line that every tool can show."""
    words = "".join(each if each.isprintable() else " " for each in text).split()
    line = " ".join(words)
    if len(line) > LONGEST_REASON:
        raise UsageError(f"a reason has {LONGEST_REASON} characters at most")
    return line
