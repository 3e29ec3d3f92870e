"""Timer: what puts the cluster back when nobody confirms a push in time.

It is a process on the node that the push ran on, started before the write. Everything
that it needs lies in a folder of that node, readable by its user only (the configuration
may hold secrets): no repository, no session, no operator. At the deadline it writes the
old configuration back if live still is exactly what was pushed, and waits for
confirmation; else it touches nothing, and reports.
"""

import fcntl
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..cib import canonical
from ..cib.document import Cib, parse
from ..cib.owned import marker_commit
from ..cib.pending import pending, reverted, taken_back
from ..cluster.protocol import Cluster
from ..errors import (
    BadDataError,
    CibgitError,
    PermissionDeniedError,
    UnreachableError,
)
from .orders import Order, Orders, Report, content_id
from .readback import Sleep
from .swap import swap

GRACE_SECONDS = 180.0
"""How long after the deadline a write that was sent before it may still come through."""

GIVE_UP_SECONDS = 7 * 86400.0
"""How long after the deadline a cluster that cannot be written to is tried again."""

START_SECONDS = 20.0
"""How long a timer may take to start."""

_GLANCE = 1.0


def arm(
    orders: Orders, order: Order, seconds: float, start: Callable[[str], None]
) -> Order:
    """Lay down what the timer needs, start it, and return the order once it runs.

    Only then the time begins, so that a slow start takes nothing from it. Raises
    :class:`~cibgit.errors.UnreachableError` when the timer does not start.
    """
    orders.write(replace(order, deadline=time.time() + START_SECONDS + seconds))
    try:
        start(order.token)
        deadline = time.monotonic() + START_SECONDS
        while not orders.is_running(order.token):
            if time.monotonic() > deadline:
                raise UnreachableError(
                    "the timer that would put the cluster back does not start;"
                    " nothing was written"
                )
            time.sleep(0.01)
        # whole seconds: it is written into the CIB
        order = replace(order, deadline=math.ceil(time.time() + seconds))
        orders.write(order)
        return order
    except BaseException:
        orders.remove(order.token)
        raise


def timer(
    orders: Orders,
    token: str,
    connect: Callable[[str], Cluster],
    sleep: Sleep = time.sleep,
) -> Report | None:
    """Wait for the deadline of one push, and put back or leave alone; report which.

    Returns None when there is nothing to do: it was disarmed, or another process has it.
    """
    order = orders.read(token)
    if order is None:
        return None
    with _only(orders.lock(token)) as alone:
        if not alone:
            return None
        orders.started(token)
        while (left := order.deadline - time.time()) > 0:
            # until the push is through, its deadline may yet be set
            sleep(min(left, _GLANCE if orders.is_written(token) else _GLANCE / 10))
            found = orders.read(token)
            if found is None:
                return None
            order = found
        report = _fire(orders, order, connect, sleep)
        if report:
            orders.report(report)
        return report


def _fire(
    orders: Orders,
    order: Order,
    connect: Callable[[str], Cluster],
    sleep: Sleep,
) -> Report | None:
    """Put back as soon as the cluster can be written to."""
    before = parse(order.configuration.encode(), f"what ran before {order.commit[:10]}")
    pause, outcome = 0.2, _Outcome(order, before)
    while orders.read(order.token) is not None:
        problem = ""
        try:
            outcome.not_before = not orders.is_written(order.token)
            swap(connect(order.address), outcome.decide, sleep)
            if outcome.found:
                return order.report(outcome.found, outcome.sentence)
        except (BadDataError, PermissionDeniedError) as error:
            return order.report("failed", error.message)
        except CibgitError as error:  # no quorum, or it does not run yet
            problem = error.message
        if time.time() > order.deadline + GIVE_UP_SECONDS:
            return order.report("failed", problem or "the push was never seen")
        sleep(pause)
        pause = min(pause * 1.5, 5.0)
    return None


@dataclass
class _Outcome:
    """What became of a push; ``decide`` finds out, and says what to write."""

    order: Order
    before: Cib
    not_before: bool = False
    found: str = ""
    sentence: str = ""

    def decide(self, live: Cib) -> Cib | None:
        order, waiting = self.order, pending(live)
        if waiting is None or waiting.token != order.token:
            self._gone(live)
            return None
        if content_id(live) != order.pushed:
            self.found = "left-alone"
            self.sentence = (
                f"not confirmed in time, but live was changed by {live.last_change}"
                f" ({live.version}) since: nothing was put back"
            )
            return None
        target = canonical.target(self.before, live, order.restores)
        return taken_back(target, live, waiting, int(time.time()), "timer")

    def _gone(self, live: Cib) -> None:
        """Nothing of ours waits: say why; a push may still be about to be written."""
        order, undone = self.order, reverted(live)
        if undone and undone.token == order.token:
            self.found = "reverted"
            self.sentence = (
                "not confirmed in time: the cluster was put back"
                if undone.how == "timer"
                else "cancelled: the cluster was put back"
            )
        elif marker_commit(live) == order.commit:
            self.found, self.sentence = "confirmed", "confirmed"
        elif not self.not_before or time.time() > order.deadline + GRACE_SECONDS:
            self.found = "gone"
            self.sentence = "the push is not in the cluster (any more): nothing to do"


@contextmanager
def _only(lock: Path) -> Iterator[bool]:
    """Tell whether this is the only timer of one push, while the context lasts."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def resume(orders: Orders, start: Callable[[str], None]) -> list[Order]:
    """Start a timer for everything that still waits on this node; one too many ends."""
    found = orders.all()
    for order in found:
        start(order.token)
    return found
