"""A cluster that git leaves alone for a while: for how long, by whom and why.

It stands in the live CIB, so that every clone, every agent and every administrator knows.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from .document import Cib
from .marking import marked
from .owned import (
    SUSPENDED,
    SUSPENDED_BY,
    SUSPENDED_FOR,
    SUSPENDED_UNTIL,
    marker_option,
)

_TIME = "%Y-%m-%dT%H:%M:%SZ"
"""How the time stands in the CIB, where people look at it with their own tools."""


@dataclass(frozen=True)
class Suspension:
    """``until`` is in UTC epoch seconds; ``by`` is who suspended, ``reason`` why."""

    until: int
    by: str
    reason: str

    @property
    def end(self) -> datetime:
        """``until`` in UTC."""
        return datetime.fromtimestamp(self.until, UTC)

    def holds(self, now: datetime) -> bool:
        """Say whether its time is not over."""
        return now.timestamp() < self.until

    def __str__(self) -> str:
        return f"until {self.end:%Y-%m-%d %H:%M:%S} UTC by {self.by}: {self.reason}"


def suspension(cib: Cib, now: datetime) -> Suspension | None:
    """Return what suspends a live CIB at a time, None where nothing does (any more)."""
    try:
        until = datetime.strptime(marker_option(cib, SUSPENDED_UNTIL) or "", _TIME)
    except ValueError:
        return None
    by, reason = marker_option(cib, SUSPENDED_BY), marker_option(cib, SUSPENDED_FOR)
    end = int(until.replace(tzinfo=UTC).timestamp())
    found = Suspension(end, by or "unknown", reason or "no reason given")
    return found if found.holds(now) else None


def suspended(live: Cib, wanted: Suspension) -> Cib:
    """Return ``live`` with that suspension, in place of any other."""
    options = {
        SUSPENDED_UNTIL: f"{wanted.end:{_TIME}}",
        SUSPENDED_BY: wanted.by,
        SUSPENDED_FOR: wanted.reason,
    }
    return marked(live, options, SUSPENDED)


def resumed(live: Cib) -> Cib:
    """Return ``live`` without any suspension, be its time over or not."""
    return marked(live, {}, SUSPENDED)
