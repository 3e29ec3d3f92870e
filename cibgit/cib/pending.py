"""What a push that waits for confirmation writes beside the marker in the live CIB.

It stands in the CIB itself, so that confirming, cancelling and the timer are writes of
one value of which exactly one wins, from any node, and every administrator sees it.
"""

from dataclasses import dataclass

from .document import Cib
from .marking import marked
from .owned import (
    CONFIRM_BY,
    PENDING,
    PUSHED_BY,
    RESTORES,
    REVERTED,
    TIMER_ON,
    TRANSIENT,
    marker_commit,
    marker_option,
)


@dataclass(frozen=True)
class Pending:
    """A push that waits: its name, the deadline (UTC epoch seconds), what comes back.

    ``restores`` is the commit that the push replaced, ``timer`` the node that puts it
    back, ``by`` who pushed.
    """

    token: str
    confirm_by: int
    restores: str
    timer: str
    by: str


@dataclass(frozen=True)
class Reverted:
    """A push that was taken back: its name and commit, when (epoch seconds), by what.

    ``how`` is ``timer`` or ``cancel``.
    """

    token: str
    commit: str
    at: int
    how: str


def pending(cib: Cib) -> Pending | None:
    """Return what waits for confirmation in a live CIB, or None."""
    token, restores = marker_option(cib, PENDING), marker_option(cib, RESTORES)
    deadline = marker_option(cib, CONFIRM_BY) or ""
    if not token or not restores or not deadline.isdecimal():
        return None
    timer, by = marker_option(cib, TIMER_ON) or "", marker_option(cib, PUSHED_BY) or ""
    return Pending(token, int(deadline), restores, timer, by)


def reverted(cib: Cib) -> Reverted | None:
    """Return which push was taken back last, as long as nothing was pushed since."""
    fields = (marker_option(cib, REVERTED) or "").split()
    if len(fields) != 4 or not fields[2].isdecimal():  # noqa: PLR2004
        return None
    token, commit, at, how = fields
    return Reverted(token, commit, int(at), how)


def with_pending(target: Cib, waiting: Pending) -> Cib:
    """Return the target of a push that waits for confirmation."""
    options = {
        PENDING: waiting.token,
        CONFIRM_BY: str(waiting.confirm_by),
        RESTORES: waiting.restores,
        TIMER_ON: waiting.timer,
        PUSHED_BY: waiting.by,
    }
    return marked(target, options, TRANSIENT)


def confirmed(live: Cib) -> Cib:
    """Return ``live`` without what waited for confirmation; nothing else changes."""
    return marked(live, {}, TRANSIENT)


def taken_back(target: Cib, live: Cib, waiting: Pending, at: int, how: str) -> Cib:
    """Return ``target`` with the note that the push that ``live`` names was taken back."""
    commit = marker_commit(live) or "unknown"
    note = f"{waiting.token} {commit} {at} {how}"
    return marked(target, {REVERTED: note}, TRANSIENT)
