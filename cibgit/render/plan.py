"""Plans as text: changes, what the cluster would do because of them, what is wrong."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..policy.effect import Effect, Kind
from ..policy.finding import Finding, Severity, worst_first
from .difference import count, difference, printable

if TYPE_CHECKING:
    from ..compare.change import Change
    from ..flow.divergence import Conflict, Divergence
    from ..flow.plan import Plan

_SYMBOLS = {
    Kind.START: "+",
    Kind.STOP: "-",
    Kind.RESTART: "±",
    Kind.MOVE: ">",
    Kind.MIGRATE: ">",
    Kind.RECOVER: "±",
    Kind.FENCE: "!",
}
_WORDS = {Severity.ERROR: "refused", Severity.WARNING: "warning", Severity.NOTE: "note"}
_FEW = 3


def plan(
    planned: "Plan", desired: str, *, colour: bool = False, width: int | None = None
) -> str:
    """Render a whole plan; ``desired`` says what is to be pushed."""
    live = f"{planned.live.source} ({planned.live.version})"
    if not planned.changes:
        return "No changes."
    parts = [
        difference(planned.changes, (live, desired), colour=colour, width=width),
        consequences(planned),
        f"configuration digest  {planned.hidden_digests()[1]}"
        if planned.is_final
        else "",
    ]
    return "\n\n".join(part for part in parts if part)


def consequences(planned: "Plan") -> str:
    """Render effects and findings."""
    effects = planned.effects
    lines = []
    if not effects.unknown:
        lines = _effects("Effects:", effects.happens) or ["Effects: none."]
        lines += _effects("No longer, because of this:", effects.averted)
        lines += _effects("Would happen anyway:", effects.anyway)
    if planned.verdict.findings:
        lines += [""] if lines else []
        lines += [_finding(one) for one in worst_first(planned.verdict.findings)]
    return printable("\n".join(lines))


def divergence(
    found: "Divergence", desired: str, *, colour: bool = False, width: int | None = None
) -> str:
    """Render how git and live both left what is applied."""
    applied = f"applied ({found.applied.commit[:10]})"
    live = f"{found.live.source} ({found.live.version}), by {found.live.last_change}"
    parts = [
        "Planned, but not live:",
        difference(found.wanted, (applied, desired), colour=colour, width=width),
        "Live moved meanwhile:",
        _moved(found.moved, (applied, live), colour, width),
        conflicts(found.conflicts),
    ]
    return "\n\n".join(parts)


def _moved(
    changes: "list[Change]", sides: tuple[str, str], colour: bool, width: int | None
) -> str:
    """Render what is done already: not as a plan."""
    shown = difference(changes, sides, colour=colour, width=width)
    return shown.replace(count(changes), count(changes, planned=False))


def conflicts(found: "list[Conflict]") -> str:
    """Render what both sides touched."""
    if not found:
        return "Both touched: nothing. The live change can be exported and merged."
    lines = [f"Both touched: {len(found)} in conflict."]
    for one in found:
        what = f"{one.address}, {one.attribute}" if one.attribute else one.address
        lines.append(f"! {what}\n    desired: {one.desired}\n    live:    {one.live}")
    return printable("\n".join(lines))


def _effects(title: str, effects: Iterable[Effect]) -> list[str]:
    """Render effects, many that say the same of one resource in one line."""
    nodes: dict[tuple[Kind, str], list[str]] = {}
    lines = []
    for one in effects:
        if one.kind in (Kind.MONITOR, Kind.UNMONITOR):
            nodes.setdefault((one.kind, one.subject), []).append(one.source)
            continue
        reason = f"  ({one.reason})" if one.reason else ""
        lines.append(f"  {_SYMBOLS.get(one.kind, '~')} {one.sentence}{reason}")
    for (kind, subject), places in nodes.items():
        shown = ", ".join(places) if len(places) <= _FEW else f"{len(places)} nodes"
        lines.append(f"  ~ {Effect(kind, subject, shown).sentence}")
    return [title, *lines] if lines else []


def _finding(one: Finding) -> str:
    hint = f"\n    {one.hint}" if one.hint else ""
    symbol = "!" if one.severity is Severity.ERROR else "*"
    return f"{symbol} {_WORDS[one.severity]}: {one.sentence} [{one.rule}]{hint}"
