"""Swap: one compare-and-swap after the other, each decided anew, until it is decided.

Confirming, cancelling and the timer of a confirmed push all write this way. Whoever
comes second finds the other's state and decides on that: exactly one wins.
"""

import time
from collections.abc import Callable

from ..cib.document import Cib
from ..cluster.protocol import Cluster
from ..errors import (
    BusyError,
    CibgitError,
    StaleError,
    TimedOutError,
    UnknownOutcomeError,
    UnreachableError,
)
from .push import RETRY_SECONDS, build_verified
from .readback import RECOVERY_SECONDS, Sleep

Decide = Callable[[Cib], Cib | None]
"""From what is live to what shall be, or None when there is nothing to write (any more)."""


def swap(cluster: Cluster, decide: Decide, sleep: Sleep = time.sleep) -> Cib:
    """Write what ``decide`` wants until it wants nothing, and return what is live then.

    After a write ``decide`` is asked again, so that reading back is part of it. Raises
    :class:`~cibgit.errors.UnknownOutcomeError` when a write was sent and the cluster did
    not answer since, :class:`~cibgit.errors.BusyError` when its status never rested.
    """
    written, pause = False, 0.0
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        live = _read(cluster, sleep) if written else cluster.read()
        target = decide(live)
        if target is None:
            return live
        if time.monotonic() > deadline:
            raise BusyError(
                "the cluster changed again and again while it was written to",
                "Try again when it is quieter.",
            )
        cluster.check_writable(target)
        patch = build_verified(live, target, cluster.dialect())
        try:
            cluster.apply(patch)
            written = True
        except StaleError:
            pass
        except (UnknownOutcomeError, TimedOutError):
            written, deadline = True, deadline + RECOVERY_SECONDS
        sleep(pause)
        pause = min(pause + 0.01, 0.2)


def _read(cluster: Cluster, sleep: Sleep) -> Cib:
    """Read live; a CIB manager that died since may need its time."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    problem: CibgitError | None = None
    while time.monotonic() < deadline:
        try:
            return cluster.read()
        except (UnreachableError, TimedOutError) as error:
            problem = error
        sleep(0.5)
    said = f": {problem.message}" if problem else ""
    raise UnknownOutcomeError(
        f"a change was sent, but the cluster cannot be read since{said}",
        "Look when it answers again: cibgit status",
    )
