"""Watch: every state that a cluster has becomes a commit, and drift is told at once.

On a node the CIB directory is watched; elsewhere the cluster is asked, at growing
intervals; and everywhere it is asked now and then, for what never reaches the disk.
Whatever fails is told and tried again; nothing is taken for seen before it is recorded.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from itertools import chain
from pathlib import Path

from ..cib.canonical import canonical, compact
from ..cib.document import Cib, Version
from ..cib.suspension import suspension
from ..cluster.events import Events
from ..cluster.succession import Succession, directory
from ..errors import CibgitError, UnreachableError
from ..policy.finding import Finding
from .answer import Answering
from .drift import drift
from .locks import Locks
from .mirror import Mirror
from .notify import Beside, Channel, Found, is_suspended
from .record import Repeats, check_branch, record, show, start_version
from .site import Site
from .tally import Event, Seen, Tally, Trouble

QUIET = 0.5
"""Seconds without a new state after which it is asked whether there is drift."""

SHORT = 1.0
"""Seconds after which the first poll follows, where nothing tells of changes."""

GROWTH = 1.5
REMEMBERED = 300
TIDY = 500


Step = tuple[str, Callable[[], object]]
"""Something to be done at a look, and what its trouble is remembered by."""


@dataclass
class Watch:
    """One agent for one cluster. ``tell`` hears of everything, ``channels`` of drift.

    A channel may raise a :class:`~cibgit.errors.CibgitError`: then it is called again
    later. ``slow`` is the longest pause between two polls, in seconds; ``after`` is
    called after each look. ``answering`` is how drift is answered, if at all, ``branch``
    shows what is recorded, ``mirror`` takes it elsewhere, ``beside`` is what else is
    looked at.
    """

    site: Site
    events: Events
    tell: Callable[[Event], None]
    channels: Sequence[Channel] = ()
    slow: float = 60.0
    after: Callable[[Tally], None] = lambda _: None
    answering: Answering | None = None
    branch: str | None = None
    mirror: Mirror | None = None
    beside: Sequence[Beside] = ()
    tally: Tally = field(default_factory=Tally)
    _mark: int | None = None
    _newest: Cib | None = None
    _known: deque[tuple[Version, bytes]] = field(
        default_factory=lambda: deque(maxlen=REMEMBERED)
    )
    _polled: float = float("-inf")
    _judged: tuple[object, ...] = ()
    _found: Found | None = None
    _odd: Finding | None = None
    _is_unsure: bool = False
    _started: bool = False

    def __post_init__(self) -> None:
        self._output = Channel("output", self.tell)
        self._locks = Locks(self.site)

    def check(self) -> None:
        """Refuse a branch or a remote that will not do, before anything is recorded."""
        if self.branch:
            check_branch(self.site, self.branch)
        if self.mirror:
            self.mirror.check()

    def run(self) -> None:
        """Watch until :meth:`~cibgit.cluster.events.Events.stop` is called."""
        if self.mirror:
            self.mirror.start()
        try:
            self._run()
        finally:
            if self.mirror:
                self.mirror.close()

    def _run(self) -> None:
        pause = SHORT
        while not self.events.stopped:
            before, troubles = self._moves(), self.tally.troubles
            self._attempt("look", self._look)
            if self._moves() == before:
                for step in self._when_quiet():
                    self._attempt(*step)
            for step in self._always():
                self._attempt(*step)
            if self._moves() > before:
                pause = SHORT
                self.events.wait(QUIET)
                continue
            grown = min(pause * GROWTH, self.slow)
            waits_for_events = self.events.wakes and troubles == self.tally.troubles
            longest = self.slow if waits_for_events else min(pause, self.slow)
            self.events.wait(self._until_resumed(longest))
            pause = grown

    def _until_resumed(self, pause: float) -> float:
        """Return a pause that ends soon after a suspension does."""
        now = datetime.now(UTC)
        found = suspension(self._newest, now) if self._newest else None
        return min(pause, found.until - now.timestamp() + QUIET) if found else pause

    def once(self) -> bool:
        """Look once, record, judge, tell and answer; what was answered is judged again.

        Returns whether there is drift, or anything wrong with what is looked at beside.
        All of it is tried before what failed first is raised.
        """
        failed: list[CibgitError] = []
        moves = -1
        while moves != self._moves():
            failed += _failures([("look", self._look)])
            moves = self._moves()
            failed += _failures(chain(self._when_quiet(), self._always()))
        if failed:
            raise failed[0]
        if self._found is None:
            raise UnreachableError("nothing of the cluster could be read")
        return self._found.drift.is_drift or not all(self.tally.right.values())

    def _moves(self) -> int:
        """Count what makes another look worth while at once."""
        return self.tally.states + self.tally.answers + self.tally.gave_up

    def _when_quiet(self) -> Iterator[Step]:
        """Yield what is to be done once the cluster is quiet, one after the other."""
        yield "judge", self._judge
        for each in self.beside:
            if each.is_due(self.slow) or self._odd or self._is_unsure:
                yield each.name, partial(self._look_beside, each)
        self.tally.is_suspended = bool(self._newest and is_suspended(self._newest))
        if self.tally.is_suspended:
            return
        for channel in (self._output, *self.channels):
            yield channel.name, partial(self._tell_once, channel)
        if self.answering:
            yield "answer", partial(self._answer, self.answering)

    def _always(self) -> Iterator[Step]:
        """Yield what follows each look."""
        if self.tally.standing:
            yield "locks", self._unlock
        if self.branch:
            yield "branch", partial(self._show, self.branch)
        if self.mirror:
            yield "remote", partial(self._send, self.mirror)
        yield "after", lambda: self.after(self.tally)

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
        standing = self.tally.standing
        if trouble is None:
            standing.pop(name, None)
            return
        self.tally.troubles += 1
        if standing.get(name) != trouble.sentence:
            standing[name] = trouble.sentence
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
        after: Version | None = None
        repeats: Repeats | None = None
        if not self._started:
            after, repeats = start_version(self.site), Repeats(self.site)
            self.tally.version = after
            self._mark = states.number() if after is None else None
        for glimpse in states.since(self._mark):
            found = glimpse.found
            if glimpse.is_now:
                is_new = found != self._odd
                self._odd = found if isinstance(found, Finding) else None
            if isinstance(found, Finding):
                if not glimpse.is_now or is_new:
                    self.tell(Trouble(found.sentence, found.hint))
            elif glimpse.is_now:
                self._take(found)
            elif _is_later(found, after, repeats):
                self._record(found, is_now=False)
            if glimpse.mark is not None:
                self._mark = glimpse.mark
        self._started = True

    def _take(self, found: Cib) -> None:
        """Record what the disk has now, where that is news; else the cluster is asked.

        A disk may be behind for good, and a file that was edited and signed anew looks
        like a state: of one version, or of two that go back, only the cluster can tell.
        """
        known, self._is_unsure = self.tally.version, False
        if known is None or found.version[:2] > known[:2]:
            self._record(found, is_now=True)
            self._newest = found
        elif self._known and self._known[-1] == _identity(found):
            self._newest = found
        else:
            self._polled, self._is_unsure = float("-inf"), True

    def _poll(self, disk: Path | None) -> None:
        """Ask the cluster itself; the disk follows, so it may be first to tell."""
        live = self.site.read()  # recording hides its secrets
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
        cib.source = f"live {self.site.name}"
        identity = _identity(cib)
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

    # Judging, telling, answering

    def _judge(self) -> None:
        """Find whether there is drift, where something moved since the last time."""
        if self._newest is None:
            return
        repository, site = self.site.repository, self.site
        refs = [repository.get_ref(site.ref(name)) for name in ("live", "applied")]
        moment = (*refs, repository.head(), self._polled, self._newest.version)
        if moment == self._judged:
            return
        self._found = None
        self._found = Found(site, drift(site, live=site.hidden(self._newest)))
        self.tally.drift = self._found.drift
        self._judged = moment

    def _look_beside(self, beside: Beside) -> None:
        """Look at something else; what cannot be read is neither right nor wrong."""
        self.tally.right.pop(beside.name, None)
        beside.look(self._newest)
        if beside.found:
            self.tally.right[beside.name] = not beside.found.is_wrong

    def _tell_once(self, channel: Channel) -> None:
        """Tell of a drift, and of its end, once each: also after a restart."""
        for found in (self._found, *(each.found for each in self.beside)):
            sent = channel.deliver(found) if found else 0
            if channel is not self._output:
                self.tally.hooks += sent

    def _answer(self, answering: Answering) -> None:
        """Revert or adopt what drifted, if there is anything, and say so everywhere."""
        if self._found is None or "look" in self.tally.standing:
            return
        answered = answering.answer(self._found.drift)
        self.tally.gave_up = answering.gave_up
        if answered is None:
            return
        self.tally.answers += answered.commit is not None
        for channel in (self._output, *self.channels):
            channel.waiting.append(answered)

    def _unlock(self) -> None:
        for file in self._locks.sweep():
            self.tell(Trouble(f"{file} was left behind by a git that died; removed"))

    def _show(self, branch: str) -> None:
        if self._newest is not None:
            show(self.site, branch, self._newest)

    def _send(self, mirror: Mirror) -> None:
        try:
            mirror.wake()
        finally:
            self.tally.is_mirrored = not mirror.is_behind


def _failures(steps: Iterable[Step]) -> list[CibgitError]:
    """Do all of some steps; return what failed."""
    failed: list[CibgitError] = []
    for _, step in steps:
        try:
            step()
        except CibgitError as error:
            failed.append(error)
    return failed


def _identity(cib: Cib) -> tuple[Version, bytes]:
    """Return what makes a state the same as another one, whatever its status."""
    form = sha256(compact(canonical(cib))).digest()
    return cib.version._replace(num_updates=0), form


def _missed(before: Version | None, now: Version) -> int:
    """Return how many epochs lie between two states that were seen."""
    if before is None or before.admin_epoch != now.admin_epoch:
        return 0
    return max(now.epoch - before.epoch - 1, 0)


def _is_later(cib: Cib, after: Version | None, repeats: Repeats | None) -> bool:
    """Say whether a state came after what the chain ends in, and is not the same."""
    if after is not None and cib.version[:2] <= after[:2]:
        return False
    return repeats is None or not repeats.has(cib)
