"""Markdown for the comment of a pull request: a table first, the details folded.

Forges refuse a comment that is too long (GitHub: 65,536 characters), so every part has
its share and says how much was cut. What users wrote is shown as code: it can neither
end a table or a block nor call anybody by ``@name``.
"""

import html
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..compare.change import Change, Kind, Weight
from ..compare.summary import visible
from ..policy.finding import Finding, Severity, worst_first
from .difference import SYMBOLS, count, grouped, printable
from .plan import conflicts, consequences

if TYPE_CHECKING:
    from ..flow.divergence import Divergence
    from ..flow.plan import Plan

LIMIT = 65_536
"""Characters that a comment may have."""

_ROWS = 40
_CELL = 300
_SPECIAL = {c: f"&#{ord(c)};" for c in r"\`*_[]|~:@#"}
_WORDS = {Severity.ERROR: "refused", Severity.WARNING: "warning", Severity.NOTE: "note"}


def plan(planned: "Plan", desired: str, limit: int = LIMIT) -> str:
    """Render a whole plan; no secret is in it, as in every rendering."""
    live = f"{planned.live.source} ({planned.live.version})"
    head = [
        f"### cibgit plan: {_code(planned.site.name)}",
        "",
        f"{_code(live)} → {_code(desired)}. **{count(planned.changes)}**",
        "",
    ]
    if not planned.changes:
        return "\n".join(head)
    head += [*_findings(planned.verdict.findings), *_table(planned.changes)]
    foot = f"\nConfiguration digest after the push: `{planned.digest()}`"
    effects = [("What the cluster would do", consequences(planned))]
    details = [("Changes", grouped(planned.changes)), *effects]
    return _fitted("\n".join(head), details, foot, limit)


def divergence(found: "Divergence", desired: str, limit: int = LIMIT) -> str:
    """Render how git and live both left what is applied: nothing can be pushed."""
    live = f"{found.live.source} ({found.live.version})"
    head = [
        "### cibgit plan: live moved",
        "",
        f"**Nothing can be pushed.** {_code(live)} was changed by"
        f" {_code(str(found.live.last_change))} since git last knew it. Take it into git"
        " with `cibgit export`, and merge.",
        "",
        *_table(found.moved),
    ]
    details = [
        ("Live moved meanwhile", grouped(found.moved)),
        (f"Planned: {_code(desired)}", grouped(found.wanted)),
        ("Both touched", conflicts(found.conflicts)),
    ]
    return _fitted("\n".join(head), details, "", limit)


def difference(
    changes: Sequence[Change], sides: tuple[str, str], limit: int = LIMIT
) -> str:
    """Render what differs between two CIBs."""
    head = [f"{_code(sides[0])} → {_code(sides[1])}. **{count(changes)}**", ""]
    if not changes:
        return "\n".join(head)
    head += _table(changes)
    return _fitted("\n".join(head), [("Changes", grouped(changes))], "", limit)


def _findings(findings: Iterable[Finding]) -> list[str]:
    """Return a list of findings, notes left to the details."""
    told = [x for x in worst_first(findings) if x.severity is not Severity.NOTE]
    lines = [
        f"- **{_WORDS[one.severity]}**, rule `{one.rule}`: {_code(one.sentence)}"
        for one in told[:_ROWS]
    ]
    if len(told) > _ROWS:
        lines.append(f"- … {len(told) - _ROWS} more")
    return [*lines, ""] if lines else []


def _table(changes: Iterable[Change]) -> list[str]:
    """Return a row for each owner: how many of its changes are of which kind."""
    kinds: dict[str, Counter[Kind]] = {}
    dangers: Counter[str] = Counter()
    for each in visible(changes):
        owner = str(each.owner)
        kinds.setdefault(owner, Counter())[each.kind] += 1
        dangers[owner] += each.weight is Weight.DANGEROUS
    rows = [
        f"| {_code(owner)} | {_numbers(found)} | {dangers[owner] or ''} |"
        for owner, found in kinds.items()
    ]
    if not rows:
        return []
    cut = [f"| … {len(rows) - _ROWS} more | | |"] if len(rows) > _ROWS else []
    return ["| what | changes | dangerous |", "|---|---|---|", *rows[:_ROWS], *cut]


def _numbers(found: Counter[Kind]) -> str:
    return ", ".join(
        f"{number} {kind.value} (`{SYMBOLS[kind]}`)" for kind, number in found.items()
    )


def _fitted(
    head: str, details: Sequence[tuple[str, str]], foot: str, limit: int
) -> str:
    """Put parts together; each block of details gets an equal share of what is left."""
    parts = [head]
    blocks = [each for each in details if each[1]]
    for place, (title, body) in enumerate(blocks):
        used = sum(len(part) + 1 for part in parts) + len(foot) + 1
        share = (limit - used) // (len(blocks) - place)
        parts.append(_block(title, body, share))
    return "\n".join([*parts, foot] if foot else parts)


def _block(title: str, body: str, limit: int) -> str:
    """Return a folded block of so many characters at most; the title counts what is cut."""
    body = printable(body)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", body)), default=0))
    lines = body.split("\n")
    room = limit - len(title) - 2 * len(fence) - 120
    kept, size = 0, 0
    while kept < len(lines) and size + len(lines[kept]) + 1 <= room:
        size += len(lines[kept]) + 1
        kept += 1
    cut = len(lines) - kept
    more = f" ({cut} of {len(lines)} lines cut)" if cut else ""
    text = "\n".join(lines[:kept])
    return (
        f"\n<details><summary>{title}{more}</summary>\n\n"
        f"{fence}text\n{text}\n{fence}\n\n</details>"
    )


def _code(text: str) -> str:
    short = text if len(text) <= _CELL else text[: _CELL - 1] + "…"
    shown = printable(short).replace("\n", " ")
    return f"<code>{''.join(_SPECIAL.get(c) or html.escape(c) for c in shown)}</code>"
