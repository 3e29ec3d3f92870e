"""A suspended cluster: what a plan, and drift, say of it."""

from collections.abc import Iterator
from datetime import datetime

from ..cib.document import Cib
from ..cib.suspension import suspension
from .context import Context
from .finding import Finding, Severity

RULE = "suspended"


def suspended(context: Context) -> Iterator[Finding]:
    """Refuse a push while somebody asked git to leave the cluster alone."""
    yield from told(context.live, context.now, Severity.ERROR)


def told(live: Cib, now: datetime, severity: Severity) -> Iterator[Finding]:
    """Yield a finding where a live CIB is suspended."""
    found = suspension(live, now)
    if found:
        sentence = f"suspended {found}"
        hint = "Talk to whoever did it, or end it with: cibgit resume"
        yield Finding(severity, RULE, "", sentence, hint)
