"""What an import did, as text."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..compare.text import counted
from ..flow.pasts import Past
from ..policy.finding import Finding, Severity
from .difference import printable

if TYPE_CHECKING:
    from ..flow.import_ import Imported

_SHOWN = 20
"""So many findings of one rule are shown; a folder may have thousands of one kind."""


def imported(result: "Imported", name: str, short: str) -> str:
    """Render an import; ``short`` is the new tip, empty where there is none."""
    count, branch = len(result.states), result.target.branch
    lines = [] if short else [_state(past) for past in result.states]
    if count:
        versions = dict.fromkeys(str(result.states[end].version) for end in (0, -1))
        verb, tip = ("Imported", f" as {short}") if short else ("Would import", "")
        lines.append(
            f"{verb} {counted(count, 'configuration')} of {name}"
            f" ({' to '.join(versions)}) into {branch}{tip},"
            f" from {_files(result.files)}."
        )
    elif result.files:
        lines.append(f"Nothing new for {branch} in {_files(result.files)}.")
    else:
        lines.append("There is no CIB to import.")
    if result.target.reason and result.files:
        lines.append(f"It is {branch} because {result.target.reason}.")
    return printable("\n".join([*lines, *findings(result.findings)]))


def findings(found: Sequence[Finding]) -> list[str]:
    """Render findings, worst first, and a line that counts them."""
    shown: Counter[str] = Counter()
    lines = []
    for each in found:
        shown[each.rule] += 1
        if shown[each.rule] <= _SHOWN:
            lines.append(_finding(each))
    hidden = sum(count - _SHOWN for count in shown.values() if count > _SHOWN)
    if hidden:
        lines.append(f"... and {hidden} more of the same kinds; --json lists all")
    if lines:
        numbers = Counter(each.severity for each in found)
        parts = (
            counted(numbers[severity], severity.value)
            for severity in Severity
            if numbers[severity]
        )
        lines.append(f"Findings: {', '.join(parts)}.")
    return lines


def _finding(one: Finding) -> str:
    sentence = one.sentence
    if one.element not in sentence:
        sentence = f"{one.element}: {sentence}"
    return f"{one.severity.value}: {sentence}" + (
        f"\n    {one.hint}" if one.hint else ""
    )


def _state(past: Past) -> str:
    who = str(past.change) if past.change.user else "unknown"
    return f"  {past.version!s:<12} {past.when:%Y-%m-%d %H:%M:%S}  {who}  {past.source}"


def _files(count: int) -> str:
    return f"{counted(count, 'file')} with a CIB"
