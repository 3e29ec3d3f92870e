"""Notify: every channel hears of a drift once, of its end once, and of each answer.

What a channel was told of is kept in the repository, so a restart tells nothing twice.
Each channel counts for itself: one that fails is tried again, the others are not.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from ..cib.suspension import suspension
from ..compare.change import Weight
from .answer import Answered
from .drift import Drift
from .makers import attributed
from .site import Site

KEPT = 100
"""How many answers a channel that fails still gets told later."""

Send = Callable[["Drift | Answered"], None]
"""Tells people; raises a :class:`~cibgit.errors.CibgitError` where it could not."""


class Found:
    """A drift, or that there is none, and the recorded state at which it was found."""

    def __init__(self, site: Site, drift: Drift) -> None:
        self.site = site
        self.drift = drift
        self._live = site.repository.get_ref(site.ref("live"))

    @cached_property
    def told(self) -> Drift:
        """The drift as people are told it: with who made what."""
        return attributed(self.site, self.drift)

    @property
    def state(self) -> str | None:
        """The state that people have to hear of; None where nothing that matters moved."""
        weights = self.drift.weights()
        matters = any(weights[each] for each in Weight if each > Weight.NONE)
        return self._live if matters or self.drift.lost else None

    @property
    def is_suspended(self) -> bool:
        """Whether somebody asked that nobody be told, and nothing be done, for now."""
        return suspension(self.drift.live, datetime.now(UTC)) is not None


@dataclass
class Channel:
    """One way to tell people: a name (``hook``, say), and what sends."""

    name: str
    send: Send
    waiting: deque[Answered] = field(default_factory=lambda: deque(maxlen=KEPT))

    def deliver(self, found: Found) -> int:
        """Send what this channel has not been told yet; return how much that was."""
        sent = 0
        while self.waiting:
            self.send(self.waiting[0])
            self.waiting.popleft()
            sent += 1
        return sent + self._stands(found)

    def _stands(self, found: Found) -> int:
        site, repository = found.site, found.site.repository
        ref = site.ref(f"told-{self.name}")
        told = repository.get_ref(ref)
        if found.state is None:
            if told is None:
                return 0
            self.send(found.told)
            repository.drop_ref(ref)
            return 1
        if told and site.blob(told) == site.blob(found.state):
            return 0
        self.send(found.told)
        repository.set_ref(ref, found.state, "drift was told")
        return 1
