"""What a watch tells, and what it counts."""

import time
from dataclasses import dataclass, field

from ..cib.document import Cib, Version
from .answer import Answered
from .corosync_drift import CorosyncDrift
from .disk_watch import DiskState
from .drift import Drift

STUCK = 180.0
"""Seconds that hooks and a push may keep it from looking, beside its longest pause."""


@dataclass(frozen=True)
class Seen:
    """A state that was recorded; ``missed`` epochs before it were never on disk."""

    cib: Cib
    commit: str
    missed: int = 0


@dataclass(frozen=True)
class Trouble:
    """Something failed and will be tried again."""

    sentence: str
    hint: str = ""


Event = Seen | Drift | CorosyncDrift | DiskState | Answered | Trouble


@dataclass
class Tally:
    """What a watch has seen since it was started; for metrics and for its health.

    ``standing`` has what failed the last time it was tried, ``looked`` when the cluster
    could be looked at last (seconds since the epoch). ``right`` says of ``corosync`` (the
    file is as git knows it) and ``disk`` (this node would start with what is live) how it
    stands, as far as it could be looked at.
    """

    states: int = 0
    missed: int = 0
    troubles: int = 0
    hooks: int = 0
    answers: int = 0
    gave_up: bool = False
    is_suspended: bool = False
    is_mirrored: bool | None = None
    looked: float = 0.0
    version: Version | None = None
    drift: Drift | None = None
    right: dict[str, bool] = field(default_factory=dict)
    standing: dict[str, str] = field(default_factory=dict)

    def complaint(self, slow: float) -> str:
        """Say what is wrong with the watch itself; "" where it does what it should.

        ``slow`` is the longest pause that it may make, in seconds.
        """
        silent = time.time() - self.looked
        if self.looked and silent > slow + STUCK:
            return f"the cluster was last looked at {silent:.0f} seconds ago"
        return next(iter(list(self.standing.values())), "")
