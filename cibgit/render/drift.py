"""Drift as text and as Markdown: what moved, by whom, and how it stands to git."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..compare.change import Weight
from ..compare.summary import hidden, visible
from ..flow.drift import Entry, Standing
from .difference import SYMBOLS, count, grouped, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..cib.document import LastChange, Version
    from ..compare.change import Change
    from ..flow.adopt import Adopted
    from ..flow.divergence import Conflict
    from ..flow.drift import Drift
    from ..flow.lost import Lost

_TITLES = {
    Standing.LIVE_MOVED: "Live moved",
    Standing.EQUAL: "Both did the same",
    Standing.CONFLICT: "Both changed it, in conflict",
    Standing.NOT_PUSHED: "Merged, not pushed",
}
_WEIGHTS = {
    Weight.DANGEROUS: "dangerous",
    Weight.CONFIGURATION: "configuration",
    Weight.OPERATIONAL: "operational",
    Weight.NONE: "without meaning",
}


def drift(
    found: "Drift",
    *,
    everything: bool = False,
    colour: bool = False,
    width: int | None = None,
) -> str:
    """Render drift as text; ``everything`` shows what has no meaning too."""
    parts = [header(found)]
    for standing, title in _TITLES.items():
        changes = found.of(standing)
        usual = [each for each in changes if each.weight is not Weight.OPERATIONAL]
        operational = [each for each in changes if each.weight is Weight.OPERATIONAL]
        for name, group in ((title, usual), (f"{title} (operational)", operational)):
            shown = group if everything else visible(group)
            body = grouped(shown, everything=True, colour=colour, width=width)
            if body:
                parts.append(f"{name}:\n{body}")
        if standing is Standing.CONFLICT and changes:
            parts.append("\n".join(_conflicts(found.entries)))
    if everything and found.ignored:
        body = grouped(found.ignored, everything=True, colour=colour, width=width)
        parts.append(f"Ignored (cibgit.toml):\n{body}")
    parts += [
        printable(f"* {each.sentence}\n    {each.hint}") for each in found.findings
    ]
    parts += [_lost(each, colour=colour, width=width) for each in found.lost]
    parts += _makers(found)
    parts.append(summary(found, everything=everything))
    return "\n\n".join(parts)


def _lost(one: "Lost", *, colour: bool, width: int | None) -> str:
    """Render what a partition changed and live does not have."""
    state, winner = one.state, one.winner
    title = printable(
        f"Lost: written without quorum at {state.version} by {state.last_change}, until"
        f" the network healed; {winner} took its place"
    )
    body = grouped(one.missing, everything=True, colour=colour, width=width)
    return f"{title}:\n{body}\n    Into git, and back: cibgit adopt --lost, cibgit push"


def _makers(found: "Drift") -> Iterator[str]:
    """Render who made what, where it was not all the last one's doing."""
    made: dict[str, list[str]] = {}
    last = str(found.live.last_change)
    is_last = all(str(one.maker) == last for one in found.entries if one.maker)
    for one in found.entries:
        if one.maker and one.change.weight:
            what = f"{one.change.owner} {one.change.subject}".rstrip()
            made.setdefault(_deed(one.maker, one.version), []).append(what)
    if len(made) > 1 or not is_last:
        lines = [f"  {who}: {', '.join(dict.fromkeys(w))}" for who, w in made.items()]
        yield printable("\n".join(["Made by:", *lines]))


def _deed(maker: "LastChange", version: "Version | None") -> str:
    """Render who it was, when, and which version of the CIB came of it."""
    parts = (str(maker), maker.at, str(version or ""))
    return ", ".join(part for part in parts if part)


def header(found: "Drift") -> str:
    """Render which states are compared, and who changed the live one last."""
    live, last = found.live, found.live.last_change
    when = f", {last.at}" if last.at else ""
    return printable(
        f"live      {live.source} ({live.version}), last changed by {last}{when}\n"
        f"applied   {found.applied.commit[:10]}\n"
        f"desired   {found.desired[:10]}"
    )


def summary(found: "Drift", *, everything: bool = False) -> str:
    """Render the last line: whether there is drift, how much of which weight."""
    weights = found.weights()
    told = [
        f"{weights[each]} {word}" for each, word in _WEIGHTS.items() if weights[each]
    ]
    line = f"Drift: {', '.join(told)}." if told else "No drift."
    if found.lost:
        line += f" Lost: {sum(len(each.missing) for each in found.lost)}."
    waiting = found.of(Standing.NOT_PUSHED)
    if waiting:
        line += f" Not pushed: {len(visible(waiting)) or len(waiting)}."
    left = hidden([one.change for one in found.entries])
    if found.ignored:
        line += f" Ignored: {len(found.ignored)}."
    if left and not everything:
        line += " (What has no meaning is hidden: --all)"
    return line


def markdown(found: "Drift") -> str:
    """Render drift for an issue, a chat or a mail."""
    lines = [f"**{summary(found, everything=True)}**", "", "```", header(found), "```"]
    if found.entries:
        lines += ["", "| | weight | part | change | by |", "|---|---|---|---|---|"]
        lines += [_row(each) for each in found.entries]
    for each in found.lost:
        lines += ["", "```", _lost(each, colour=False, width=None), "```"]
    return "\n".join(lines)


def adopted(done: "Adopted", *, lost: bool = False, discarded: bool = False) -> str:
    """Render what was adopted, and what was left; of what was ``lost``, if that is meant."""
    if done.commit is None:
        return left(done.left) if done.left or not lost else "Nothing was lost."
    if discarded:
        return f"Discarded; {done.commit[:10]} says so."
    lines = [grouped(done.changes), ""] if visible(done.changes) else []
    lines.append(f"Adopted as {done.commit[:10]}. {count(done.changes, planned=False)}")
    if visible(done.left):
        lines.append(left(done.left))
    return "\n".join(lines)


def left(changes: "Sequence[Change]") -> str:
    """Render what of a drift stays as it is."""
    shown = visible(changes)
    if not shown:
        return "Nothing drifted." if not changes else "Nothing else."
    lines = ["Left as it is:", grouped(shown)]
    if any(change.weight is Weight.OPERATIONAL for change in shown):
        lines.append("Operational changes are included with: --operational")
    return "\n".join(lines)


def _row(entry: Entry) -> str:
    change = entry.change
    said = "; ".join(
        [f"{SYMBOLS[change.kind]} {change.sentence}", *_both(entry.conflicts)]
    )
    who = str(entry.maker) if entry.maker else ""
    weight = _WEIGHTS[change.weight]
    cells = (entry.standing.value, weight, str(change.owner), said, who)
    return "| " + " | ".join(cell(each) for each in cells) + " |"


def cell(text: str) -> str:
    """Return a text that stays in its cell, and is nothing but text."""
    line = " ".join(printable(text).split())
    for mark in "\\`*_[]<>|#":
        line = line.replace(mark, f"\\{mark}")
    return line


def _both(conflicts: "Iterable[Conflict]") -> Iterator[str]:
    for one in conflicts:
        lead = f"{one.attribute} " if one.attribute else ""
        yield f"git {lead}{one.desired}, live {lead}{one.live}"


def _conflicts(entries: Iterable[Entry]) -> Iterator[str]:
    for entry in entries:
        for one in entry.conflicts:
            what = f"{one.address}, {one.attribute}" if one.attribute else one.address
            yield printable(
                f"! {what}\n    desired: {one.desired}\n    live:    {one.live}"
            )
