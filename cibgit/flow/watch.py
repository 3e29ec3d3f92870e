"""Watch: every state that a cluster has becomes a commit, and drift is told at once.

On a node the CIB directory is watched; elsewhere the cluster is asked, at growing
intervals; and everywhere it is asked now and then, for what never reaches the disk.
Whatever fails is told and tried again; nothing is taken for seen before it is recorded.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from ..cib.canonical import canonical, compact
from ..cib.document import Cib, Version
from ..cluster.events import Events
from ..cluster.succession import Succession, directory
from ..compare.change import Weight
from ..errors import CibgitError, UnreachableError
from ..policy.finding import Finding
from .drift import Drift, drift
from .makers import attributed
from .record import record, start_version
from .site import Site

QUIET = 0.5
"""Seconds without a new state after which it is asked whether there is drift."""

SHORT = 1.0
"""Seconds after which the first poll follows, where nothing tells of changes."""

GROWTH = 1.5
REMEMBERED = 300
TIDY = 500


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


Event = Seen | Drift | Trouble
Hook = Callable[[Drift], None]


@dataclass
class Tally:
    """What a watch has seen since it was started; for metrics."""

    states: int = 0
    missed: int = 0
    troubles: int = 0
    hooks: int = 0
    looked: float = 0.0
    version: Version | None = None
    drift: Drift | None = None


@dataclass
class Watch:
    """One agent for one cluster. ``tell`` hears of everything, ``hook`` of drift once.

    ``hook`` may raise a :class:`~cibgit.errors.CibgitError`: then it is called again
    later. ``slow`` is the longest pause between two polls, in seconds; ``after`` is
    called after each look.
    """

    site: Site
    events: Events
    tell: Callable[[Event], None]
    hook: Hook | None = None
    slow: float = 60.0
    after: Callable[[Tally], None] = lambda _: None
    tally: Tally = field(default_factory=Tally)
    _mark: int | None = None
    _newest: Cib | None = None
    _known: deque[tuple[Version, bytes]] = field(
        default_factory=lambda: deque(maxlen=REMEMBERED)
    )
    _polled: float = float("-inf")
    _judged: tuple[object, ...] = ()
    _troubles: dict[str, str] = field(default_factory=dict)
    _started: bool = False

    def run(self) -> None:
        """Watch until :meth:`~cibgit.cluster.events.Events.stop` is called."""
        pause = SHORT
        while not self.events.stopped:
            before = self.tally.states, self.tally.troubles
            self._attempt("look", self._look)
            states, troubles = self.tally.states, self.tally.troubles
            if states == before[0]:
                self._attempt("judge", self._judge)
            self._attempt("after", lambda: self.after(self.tally))
            if states > before[0]:
                pause = SHORT
                self.events.wait(QUIET)
                continue
            grown = min(pause * GROWTH, self.slow)
            waits_for_events = self.events.wakes and troubles == before[1]
            self.events.wait(self.slow if waits_for_events else min(pause, self.slow))
            pause = grown

    def once(self) -> Drift:
        """Look once, record and judge; what fails is raised."""
        self._look()
        found = self._judge()
        self.after(self.tally)
        if found is None:
            raise UnreachableError("nothing of the cluster could be read")
        return found

    def _attempt(self, name: str, step: Callable[[], object]) -> None:
        """Do one step; what fails is told, once as long as it stays the same."""
        try:
            step()
            trouble = None
        except CibgitError as error:
            trouble = Trouble(error.message, error.hint)
        except OSError as error:
            place = error.filename or "a file"
            trouble = Trouble(f"{place}: {error.strerror or error}")
        if trouble is None:
            self._troubles.pop(name, None)
            return
        self.tally.troubles += 1
        if self._troubles.get(name) != trouble.sentence:
            self._troubles[name] = trouble.sentence
            self.tell(trouble)

    # Looking

    def _look(self) -> None:
        self.site.forget()
        disk = directory(self.site.cluster)
        if disk is not None:
            self._look_at(Succession(disk))
        if self._newest is None or time.monotonic() >= self._polled + self._interval(
            disk
        ):
            self._poll(disk)
        self.tally.looked = time.time()

    def _interval(self, disk: object) -> float:
        return self.slow if disk is not None else 0.0

    def _look_at(self, states: Succession) -> None:
        """Record what went by; at first what went by since the last commit of the chain."""
        after = None if self._started else start_version(self.site)
        if not self._started:
            self.tally.version = after
            self._mark = states.number() if after is None else None
        for glimpse in states.since(self._mark):
            found = glimpse.found
            if isinstance(found, Finding):
                self.tell(Trouble(found.sentence, found.hint))
            elif glimpse.is_now or after is None or found.version[:2] > after[:2]:
                found.source = f"live {self.site.name}"
                self._record(found, is_now=glimpse.is_now)
            if glimpse.mark is not None:
                self._mark = glimpse.mark
            if not isinstance(found, Finding):
                self._newest = found
        self._started = True

    def _poll(self, disk: Path | None) -> None:
        """Ask the cluster itself; the disk follows, so it may be first to tell."""
        live = self.site.live()
        newest = self._newest
        is_ahead = disk and newest and live.version[:2] > newest.version[:2]
        if disk and is_ahead and self.events.wait(SHORT):
            self._look_at(Succession(disk))
            return
        self._polled = time.monotonic()
        self._record(live, is_now=True)
        self._newest = live

    def _record(self, cib: Cib, *, is_now: bool) -> None:
        """Make a commit of a state, unless it is one that was seen already.

        The one that is live now is a new state even where the cluster had it before.
        """
        form = sha256(compact(canonical(cib))).digest()
        identity = (cib.version._replace(num_updates=0), form)
        if identity in (list(self._known)[-1:] if is_now else self._known):
            return
        before = self.tally.version
        commit = record(self.site, cib)
        self._known.append(identity)
        self.tally.version = cib.version
        if commit is None:
            return
        missed = _missed(before, cib.version)
        self.tally.states += 1
        self.tally.missed += missed
        self.tell(Seen(cib, commit, missed))
        if self.tally.states % TIDY == 0:
            self.site.repository.tidy()

    # Judging

    def _judge(self) -> Drift | None:
        """Say whether there is drift, where something moved since the last time."""
        if self._newest is None:
            return None
        repository, site = self.site.repository, self.site
        refs = [repository.get_ref(site.ref(name)) for name in ("live", "applied")]
        moment = (*refs, repository.head(), self._polled, self._newest.version)
        if moment == self._judged:
            return self.tally.drift
        found = drift(self.site, live=self._newest)
        self.tally.drift = found
        self._tell_once(found)
        self._judged = moment
        return found

    def _tell_once(self, found: Drift) -> None:
        """Tell of a drift, and of its end, once each: also after a restart."""
        site, repository = self.site, self.site.repository
        told = repository.get_ref(site.ref("told"))
        live = repository.get_ref(site.ref("live"))
        matters = any(
            count and weight > Weight.NONE for weight, count in found.weights().items()
        )
        if matters and live:
            if told and site.blob(told) == site.blob(live):
                return
        elif told is None:
            return
        found = attributed(site, found)
        self.tell(found)
        if self.hook:
            self.hook(found)
            self.tally.hooks += 1
        if matters and live:
            repository.set_ref(site.ref("told"), live, "drift was told")
        else:
            repository.drop_ref(site.ref("told"))


def _missed(before: Version | None, now: Version) -> int:
    """Return how many epochs lie between two states that were seen."""
    if before is None or before.admin_epoch != now.admin_epoch:
        return 0
    return max(now.epoch - before.epoch - 1, 0)
