"""Answer: drift is reverted or adopted without anybody being asked, within limits.

Only where people asked for it, and never by force: what a rule refuses stays as it is.
Attempts are counted in the repository, so that a restart forgets none; where somebody
changes the cluster again and again, it is given up for an hour.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ..cib.document import Version
from ..compare.change import Change
from .adopt import adopt, choose, moved
from .care import Care, carry_out, check
from .drift import Drift
from .plan import refuse_unsafe
from .push import refuse_pending
from .refusals import branch_for, refuse_unknown_push
from .revert import recorded, revert
from .site import Site

HOUR = 3600
"""Seconds in which attempts are counted, and for which it is given up."""


class Way(Enum):
    """The two answers to drift."""

    REVERT = "revert"
    ADOPT = "adopt"


class Came(Enum):
    """What came of it."""

    REVERTED = "reverted"
    ADOPTED = "adopted"
    GAVE_UP = "gave-up"


@dataclass(frozen=True)
class Answered:
    """What was done about a drift that was live at ``version``.

    ``commit`` is what live went back to, or what it was adopted as; None where it was
    given up. ``attempt`` of ``attempts`` in this hour; ``changes`` are what was answered.
    """

    came: Came
    version: Version
    commit: str | None
    attempt: int
    attempts: int
    changes: list[Change]


@dataclass(frozen=True)
class Answering:
    """How drift is answered: the way, how often in an hour, and with which care."""

    site: Site
    way: Way
    attempts: int
    care: Care
    now: Callable[[], float] = time.time

    def answer(self, found: Drift) -> Answered | None:
        """Answer a drift; None where there is nothing to answer, or it was given up.

        Raises what :mod:`~cibgit.flow.revert` and :mod:`~cibgit.flow.adopt` raise,
        :class:`~cibgit.errors.BusyError` while a push is under way or waits for
        confirmation, :class:`~cibgit.errors.StaleError` where another clone pushed: it
        may be tried again.
        """
        meant = choose(moved(found), (), operational=False).chosen
        if not meant:
            if self.gave_up:
                self._start_anew()
            return None
        refuse_pending(found.live)
        refuse_unknown_push(self.site, found.live)
        given_up = self._marks("gave-up")
        if given_up and self.now() - given_up[0] < HOUR:
            return None
        if given_up:
            self._start_anew()
        done = sum(self.now() - each < HOUR for each in self._marks("answers"))
        if done >= self.attempts:
            self._mark("gave-up", "gave up")
            return self._answered(Came.GAVE_UP, found, None, done, meant)
        if self.way is Way.REVERT:
            return self._reverted(found, done + 1, meant)
        branch_for(self.site, "what is adopted")  # nobody is there to keep it
        commit = adopt(self.site).commit
        if commit is None:  # somebody else put it right meanwhile
            return None
        self._mark("answers", "adopt")
        return self._answered(Came.ADOPTED, found, commit, done + 1, meant)

    @property
    def gave_up(self) -> bool:
        """Whether drift is left as it is for now."""
        return bool(self._marks("gave-up"))

    def _reverted(
        self, found: Drift, attempt: int, meant: list[Change]
    ) -> Answered | None:
        planned = revert(self.site).plan
        if planned is None:
            return None
        refuse_unsafe(planned)
        check(planned, self.care)

        def commit() -> str:
            self._mark("answers", "revert")  # counted before it is done
            return recorded(planned)

        outcome = carry_out(planned, commit, self.care)
        return self._answered(
            Came.REVERTED, found, outcome.pushed.commit, attempt, meant
        )

    def _answered(
        self,
        came: Came,
        found: Drift,
        commit: str | None,
        attempt: int,
        meant: list[Change],
    ) -> Answered:
        version = found.live.version
        return Answered(came, version, commit, attempt, self.attempts, meant)

    def _marks(self, name: str) -> list[int]:
        """Return when something was noted, newest first, in seconds since the epoch."""
        return self.site.repository.moments(self.site.ref(name))

    def _mark(self, name: str, reason: str) -> None:
        """Note in a reflog what is done now, and at which live state."""
        repository, site = self.site.repository, self.site
        state = repository.get_ref(site.ref("live")) or repository.resolve("HEAD")
        repository.set_ref(site.ref(name), state, f"watch: {reason}")

    def _start_anew(self) -> None:
        for name in ("answers", "gave-up"):
            self.site.repository.drop_ref(self.site.ref(name))
