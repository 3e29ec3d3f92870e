"""What became of a push, of its confirmation, and of earlier ones, as text and as JSON."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .difference import printable
from .json import dumps, pushed_fields
from .text import pushed

if TYPE_CHECKING:
    from ..flow.cancel import Cancelled
    from ..flow.care import Outcome
    from ..flow.confirm import Confirmed
    from ..flow.known_good import KnownGood
    from ..flow.settle import Settled
    from ..flow.status import Status
    from ..repository import LogEntry

Short = Callable[[str], str]
"""How a commit id is abbreviated."""


def outcome_text(outcome: "Outcome", name: str, short: Short) -> str:
    """Render a push, how the cluster took it, and what to do now."""
    commit = short(outcome.pushed.commit)
    lines = [pushed(outcome.pushed, name, commit)]
    if outcome.settled:
        lines.append(_settled(outcome.settled))
    if outcome.known_good:
        lines.append(f"known-good: {outcome.known_good}")
    if outcome.expired:
        lines.append("Not confirmed in time: the timer has put the cluster back.")
    elif outcome.waiting:
        lines.append(
            f"Waits for confirmation until {clock(outcome.waiting.confirm_by)}:"
            " cibgit confirm, or cibgit cancel"
        )
    if outcome.back:
        lines.append(f"\nRolled back:\n{outcome_text(outcome.back, name, short)}")
    elif outcome.stays:
        lines.append(printable(f"NOT rolled back: {outcome.stays}"))
    elif outcome.settled and outcome.settled.problems and not outcome.waiting:
        lines.append(f"{commit} runs. To go back: cibgit rollback --last-known-good")
    return "\n".join(lines)


def outcome_json(outcome: "Outcome") -> str:
    """Return the same as JSON."""
    return dumps("push", **_outcome_fields(outcome))


def _outcome_fields(outcome: "Outcome") -> dict[str, Any]:
    settled = outcome.settled
    return {
        **pushed_fields(outcome.pushed),
        "settled": settled
        and {
            "at_rest": settled.at_rest,
            "healthy": settled.healthy,
            "seconds": round(settled.seconds, 3),
            "problems": settled.problems,
            "broken": settled.health.broken,
        },
        "known_good": outcome.known_good,
        "waiting": outcome.waiting and asdict(outcome.waiting),
        "expired": outcome.expired,
        "rolled_back": outcome.back and _outcome_fields(outcome.back),
        "stays": outcome.stays,
    }


def _settled(settled: "Settled") -> str:
    broken = settled.health.broken
    if settled.healthy and not broken:
        return f"settled in {settled.seconds:.1f} s, in good health"
    if settled.healthy:
        names = printable(", ".join(broken))
        return (
            f"settled in {settled.seconds:.1f} s, no worse than before, but failed: {names}"
            f"\nNot tagged as known-good. To try again: crm_resource --cleanup"
        )
    lines = [f"NOT in good health after {settled.seconds:.1f} s:"]
    lines += [f"  ! {printable(problem)}" for problem in settled.problems]
    return "\n".join(lines)


def lost(entries: Iterable["LogEntry"], short: str) -> str:
    """Render what a rollback undoes."""
    lines = [
        f"  - {each.commit[:10]}  {each.when:%Y-%m-%d %H:%M}  {printable(each.author)}:"
        f" {printable(each.subject)}"
        for each in entries
    ]
    if not lines:
        return f"No commit since {short} changed the configuration."
    return "\n".join([f"Going back to {short} undoes:", *lines, ""])


def waiting(found: "Status", now: float) -> str:
    """Render what holds pushes back, or was put back, for ``cibgit status``."""
    lines = []
    if found.suspended:
        lines.append(printable(f"Suspended {found.suspended}"))
    if found.waiting:
        until, over = found.waiting.confirm_by, found.is_overdue(now)
        lines.append(
            f"Waits for confirmation{', overdue' if over else ''}: pushed by"
            f" {printable(found.waiting.by)}, until {clock(until)} (timer on"
            f" {printable(found.waiting.timer)}): cibgit confirm, or cibgit cancel"
        )
    elif found.undone:
        how = "cancelled" if found.undone.how == "cancel" else "not confirmed in time"
        lines.append(
            f"Put back: the push of {found.undone.commit[:10]} was {how}"
            f" ({clock(found.undone.at)})."
        )
    if found.report and found.report.outcome in ("left-alone", "failed"):
        lines.append(
            f"The timer of the push of {found.report.commit[:10]} says:"
            f" {printable(found.report.sentence)} ({clock(found.report.at)})."
        )
    return "\n".join(lines)


def confirmed(result: "Confirmed", name: str, short: Short) -> str:
    """Render what a confirmation did."""
    commit = short(result.commit) if result.commit else "what it ran before"
    if result.waited is None:
        return f"Nothing waits for confirmation: {name} runs {commit}."
    tag = f"known-good: {result.known_good}" if result.known_good else ""
    tag = tag or f"not tagged as known-good: {printable(result.untagged)}"
    return f"Confirmed: {name} keeps {commit}.\n{tag}"


def cancelled(result: "Cancelled", name: str, short: Short) -> str:
    """Render what was put back."""
    undone = result.undone
    head = "Already put back" if result.already else "Put back"
    return (
        f"{head}: {name} runs {short(result.restored)} again"
        f" ({undone.how}, {clock(undone.at)}).\n"
        f"Commit {short(undone.commit)} is still in git: take it out with git revert, or"
        " push it again."
    )


def known_goods(found: Iterable["KnownGood"], name: str) -> str:
    """Render known-good states, one a line."""
    lines = [
        f"{each.when} UTC  {each.commit[:10]}  {printable(each.subject)}"
        f"\n    {each.tag}: {printable(each.reason)}"
        for each in found
    ]
    return "\n".join(lines) or f"{name} has no known-good state yet."


def clock(seconds: float) -> str:
    """Return a time in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
