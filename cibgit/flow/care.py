"""Care: a push that is watched until the cluster is at rest, and undone if need be.

Around :func:`~cibgit.flow.push.push`: the lock, the timer of a confirmed push, the look at
the cluster before and after, the known-good tag, the way back.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..cib.canonical import canonical, pretty
from ..cib.pending import Pending, pending, reverted
from ..cluster.health import Health
from ..compare.unchanged import same
from ..errors import (
    CibgitError,
    DigestError,
    StoppedError,
    UnknownOutcomeError,
    UsageError,
    told_when_interrupted,
)
from ..exitcodes import ExitCode
from ..policy.rules import RULES
from .known_good import set_known_good
from .orders import Order, Orders, content_id
from .plan import Plan, plan
from .push import Pushed, push, refuse_pending, rehearse
from .readback import Sleep
from .rollback import commit_desired
from .settle import SETTLE_SECONDS, Settled, Tell, settle
from .site import Site
from .timer import arm

_ANY_RULE = tuple(rule.name for rule in RULES if rule.can_be_forced)
"""What no policy can forbid: to go back to what ran before."""


@dataclass(frozen=True)
class Confirmation:
    """How a push is to be confirmed: within how many seconds, and who starts the timer."""

    seconds: float
    orders: Orders
    start: Callable[[str], None]


@dataclass(frozen=True)
class Care:
    """How carefully to push.

    ``holder`` says who pushes, ``host`` on which machine. ``settle_seconds`` None: do
    not wait until the cluster is at rest. ``rollback``: go back if it is not well then.
    """

    holder: str = "somebody"
    host: str = "this machine"
    settle_seconds: float | None = SETTLE_SECONDS
    rollback: bool = False
    confirmation: Confirmation | None = None
    tell: Tell = lambda _: None
    sleep: Sleep = time.sleep


@dataclass(frozen=True)
class Outcome:
    """What came of a push: its proof, how the cluster took it, and what followed.

    ``settled`` is None when nobody waited; ``known_good`` the tag that was set;
    ``back`` the push that undid this one, or ``stays`` why there was none. ``waiting``
    is what waits for confirmation, ``expired`` whether the timer was faster.
    """

    pushed: Pushed
    settled: Settled | None = None
    known_good: str = ""
    waiting: Pending | None = None
    expired: bool = False
    back: "Outcome | None" = None
    stays: str = ""

    @property
    def code(self) -> ExitCode:
        """The exit code; the worst that is true of the push."""
        if self.back is not None:
            return ExitCode.REVERTED if not self.back.code else ExitCode.UNHEALTHY
        if self.expired:
            return ExitCode.REVERTED
        if not self.pushed.is_proven:
            return ExitCode.DIGEST
        if self.settled is None or self.settled.healthy:
            return ExitCode.OK
        return ExitCode.UNHEALTHY if self.settled.at_rest else ExitCode.TIMED_OUT


def check(planned: Plan, care: Care) -> None:
    """Refuse before anybody is asked, and before a commit is made, what would fail later."""
    if planned.changes:
        refuse_pending(planned.live)
    if planned.commit is None:
        rehearse(planned)
    if care.rollback and care.settle_seconds is None:
        raise UsageError("--rollback-on-failure must wait: it excludes --no-wait")
    if care.confirmation is None:
        return
    if not planned.site.config.marker:
        raise UsageError(
            "a confirmed push is noted in the live CIB, which marker = false forbids"
        )
    if planned.site.cluster.health() is None:
        raise UsageError(
            f"nothing runs at {planned.site.cluster.address} to be confirmed"
        )


def carry_out(planned: Plan, commit: Callable[[], str], care: Care) -> Outcome:
    """Push with care; ``commit`` makes or names the commit once nothing stands in the way.

    Raises what :func:`~cibgit.flow.push.push` raises, and
    :class:`~cibgit.errors.BusyError` while another push is under way.
    """
    if not planned.changes:
        return Outcome(push(replace(planned, commit=commit()), care.sleep))
    with planned.site.cluster.hold(care.holder):
        planned = replace(planned, commit=commit())
        before = None
        if care.settle_seconds is not None:
            before = planned.site.cluster.health()
        pushed, waiting = _push(planned, care)
        with told_when_interrupted(
            f"after {pushed.commit[:10]} was pushed and proven: not waited until the"
            " cluster is at rest"
        ):
            return _watched(planned, Outcome(pushed, waiting=waiting), before, care)


def _push(planned: Plan, care: Care) -> tuple[Pushed, Pending | None]:
    """Push, with a timer that runs before the write and ends with a push that failed."""
    if care.confirmation is None:
        return push(planned, care.sleep), None
    confirmation, orders = care.confirmation, care.confirmation.orders
    order = _order(planned)
    order = arm(orders, order, confirmation.seconds, confirmation.start)
    who = f"{care.holder} on {care.host}"
    deadline = int(order.deadline)
    waiting = Pending(order.token, deadline, order.restores, care.host, who)
    try:
        pushed = push(planned, care.sleep, waiting)
    except UnknownOutcomeError:
        raise  # it may be in the cluster: the timer will find out
    except DigestError:
        found = pending(planned.site.live())
        if found is None or found.token != order.token:
            orders.remove(order.token)
        raise
    except CibgitError:
        orders.remove(order.token)
        raise
    orders.written(order.token)
    return pushed, waiting


def _order(planned: Plan) -> Order:
    """Return what the timer has to know; when, it is told later."""
    if planned.commit is None or planned.applied is None:
        raise CibgitError("a push needs a commit, and a state to start from")
    return Order(
        token=secrets.token_hex(8),
        cluster=planned.site.name,
        address=planned.site.cluster.address,
        deadline=0,
        commit=planned.commit,
        restores=planned.applied.commit,
        pushed=content_id(planned.target()),
        configuration=pretty(canonical(planned.live)).decode(),
    )


def _watched(
    planned: Plan, outcome: Outcome, before: Health | None, care: Care
) -> Outcome:
    """Wait until the cluster is at rest; then tag the commit, or go back."""
    if before is None or care.settle_seconds is None:
        return outcome
    site = planned.site
    settled = settle(site, before, care.settle_seconds, care.tell, care.sleep)
    outcome = replace(outcome, settled=settled, expired=_is_expired(outcome, site))
    if outcome.expired:
        return outcome
    if settled.healthy:
        return _good(planned, outcome)
    if not care.rollback:
        return outcome
    return _undone(planned, outcome, before, settled, care)


def _is_expired(outcome: Outcome, site: Site) -> bool:
    """Say whether the cluster was put back while we waited for it to come to rest."""
    if outcome.waiting is None:
        return False
    undone = reverted(site.live())
    return undone is not None and undone.token == outcome.waiting.token


def _good(planned: Plan, outcome: Outcome) -> Outcome:
    """Tag a state that is healthy, runs everywhere and waits for nobody's word.

    Healthy is more than "no worse than before": what is meant to run has to.
    """
    if outcome.waiting or not outcome.pushed.is_proven or _broken(outcome):
        return outcome
    site = planned.site
    live = site.live()
    if not same(live, planned.desired):
        since = outcome.pushed.moved_on or f"{live.last_change} ({live.version})"
        return replace(outcome, pushed=replace(outcome.pushed, moved_on=since))
    reason = f"Settled in good health: {site.name} {live.version}"
    known = set_known_good(site, outcome.pushed.commit, reason, live.version)
    return replace(outcome, known_good=known.tag)


def _broken(outcome: Outcome) -> list[str]:
    return outcome.settled.health.broken if outcome.settled else []


def _undone(
    planned: Plan, outcome: Outcome, before: Health, settled: Settled, care: Care
) -> Outcome:
    """Restore what ran before, by a commit and a push like any other."""
    site, applied = planned.site, planned.applied
    # what failed before the way back began is not its doing
    base = replace(
        before, failures=settled.health.failures, refusals=settled.health.refusals
    )
    try:
        if applied is None or not same(site.live(), planned.desired):
            stays = "live was changed again since, so nothing was rolled back"
            return replace(outcome, stays=stays)
        care.tell("not healthy: going back")
        commit = _restoring_commit(planned, applied.commit, settled.problems)
        back = plan(site, site.desired(applied.commit), commit, _ANY_RULE)
        undone = Outcome(push(back, care.sleep))
        undone = _recovered(back, undone, base, before, replace(care, rollback=False))
        return replace(outcome, back=undone)
    except StoppedError:
        raise
    except CibgitError as error:
        return replace(outcome, stays=f"going back failed: {error.message}")


def _recovered(
    back: Plan, undone: Outcome, base: Health, before: Health, care: Care
) -> Outcome:
    """Wait until the earlier state runs; let the cluster forget what keeps it from that.

    Pacemaker itself forgets the failures of a resource whose parameters changed, and
    starts it. Cleaning up in the middle of that start would take its history away and
    make it fail (experiment, 2.1.5), so it is done at rest only, and only where needed: a
    stop that failed keeps a resource blocked.
    """
    watched = _watched(back, undone, base, care)
    settled = watched.settled
    if settled is None or not settled.at_rest or watched.known_good:
        return watched
    old = {*before.failures, *before.refusals}
    fresh = {*base.failures, *base.refusals, *settled.health.failures} - old
    if not fresh:
        return watched
    back.site.cluster.forget(fresh)
    return _watched(back, undone, base, care)


def _restoring_commit(planned: Plan, restores: str, problems: list[str]) -> str:
    """Commit the earlier state: on the branch, or beside it where that is being edited."""
    site, failed = planned.site, planned.commit or ""
    desired = site.desired(restores)
    short = site.repository.short
    why = "\n".join(f"* {problem}" for problem in problems)
    message = (
        f"Roll {site.name} back to {short(restores)}: {short(failed)} is not healthy"
        f"\n\n{why}"
    )
    trailers = {"CIB-Restores": restores}
    if not site.is_dirty():
        return commit_desired(site, desired, message, trailers)
    return site.commit_beside(failed, desired, message, trailers=trailers)
