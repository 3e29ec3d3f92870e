"""Notify: every channel hears of a drift once, of its end once, and of each answer.

What a channel was told of is kept in the repository, so a restart tells nothing twice.
Each channel counts for itself: one that fails is tried again, the others are not.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol

from ..cib.document import Cib
from ..cib.suspension import suspension
from ..compare.change import Weight
from .answer import Answered
from .corosync_drift import CorosyncDrift
from .disk_watch import DiskState
from .drift import Drift
from .makers import attributed
from .site import Site

KEPT = 100
"""How many answers a channel that fails still gets told later."""

News = Drift | CorosyncDrift | DiskState | Answered
"""What people are told."""

Send = Callable[[News], None]
"""Tells people; raises a :class:`~cibgit.errors.CibgitError` where it could not."""


class Standing(Protocol):
    """How something stands to git: people hear of a drift once, and of its end once."""

    site: Site

    def ref(self, channel: str) -> str:
        """Return the ref that names what a channel was told last."""

    def is_known(self, told: str) -> bool:
        """Say whether a commit that was told is this drift."""

    @property
    def is_wrong(self) -> bool:
        """Whether there is something to tell, or only its end."""

    @property
    def state(self) -> str | None:
        """The commit to be noted as told; None where there is nothing to tell."""

    @property
    def told(self) -> News:
        """What people are told."""


class Beside(Protocol):
    """What the agent looks at beside the CIB; ``found`` is what came of it last.

    ``found`` is None where there is nothing to look at, or it could not be read.
    """

    name: str

    @property
    def found(self) -> Standing | None:
        """What came of the last look."""

    def is_due(self, pause: float) -> bool:
        """Say whether to look again, where looks are ``pause`` seconds apart."""

    def look(self, cib: Cib | None) -> None:
        """Look; ``cib`` is the live one. Raises a :class:`~cibgit.errors.CibgitError`."""


class Found:
    """A drift, or that there is none, and the recorded state at which it was found."""

    def __init__(self, site: Site, drift: Drift) -> None:
        self.site = site
        self.drift = drift
        self._live = site.repository.get_ref(site.ref("live"))

    def ref(self, channel: str) -> str:
        """Return the ref that names the state which a channel was told of last."""
        return self.site.ref(f"told-{channel}")

    def is_known(self, told: str) -> bool:
        """Say whether a drift that was told was found at an equal state."""
        state = self.state
        return state is not None and self.site.blob(told) == self.site.blob(state)

    @cached_property
    def told(self) -> Drift:
        """The drift as people are told it: with who made what."""
        return attributed(self.site, self.drift)

    @property
    def is_wrong(self) -> bool:
        """Whether anything that matters moved, or was lost."""
        weights = self.drift.weights()
        matters = any(weights[each] for each in Weight if each > Weight.NONE)
        return matters or bool(self.drift.lost)

    @property
    def state(self) -> str | None:
        """The state that people have to hear of; None where nothing that matters moved."""
        return self._live if self.is_wrong else None


def is_suspended(live: Cib) -> bool:
    """Say whether somebody asked that nobody be told, and nothing be done, for now."""
    return suspension(live, datetime.now(UTC)) is not None


@dataclass
class Channel:
    """One way to tell people: a name (``hook``, say), and what sends."""

    name: str
    send: Send
    waiting: deque[Answered] = field(default_factory=lambda: deque(maxlen=KEPT))

    def deliver(self, found: Standing) -> int:
        """Send what this channel has not been told yet; return how much that was."""
        sent = 0
        while self.waiting:
            self.send(self.waiting[0])
            self.waiting.popleft()
            sent += 1
        return sent + self._stands(found)

    def _stands(self, found: Standing) -> int:
        repository, ref = found.site.repository, found.ref(self.name)
        told = repository.get_ref(ref)
        if told and found.is_known(told):
            return 0
        state = found.state
        if state is not None:
            self.send(found.told)
            repository.set_ref(ref, state, "drift was told")
        elif told:
            self.send(found.told)
            repository.drop_ref(ref)
        else:
            return 0
        return 1
