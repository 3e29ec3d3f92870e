"""One result of a check, as a value."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How bad it is. A note is no reason to act, and no reason to exit with 1."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """What is wrong with one thing.

    ``rule`` names the check (``digest-mismatch``), ``element`` the file or element that
    it is about, ``sentence`` the cause, ``hint`` the remedy; a note may have none.
    """

    severity: Severity
    rule: str
    element: str
    sentence: str
    hint: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the finding as JSON shows it."""
        return {**vars(self), "severity": self.severity.value}


def refused(rule: str, element: str, sentence: str) -> Finding:
    """Return the finding of a rule that only ``--force`` relaxes."""
    hint = f"To do it all the same: --force {rule}"
    return Finding(Severity.ERROR, rule, element, sentence, hint)


@dataclass(frozen=True)
class Located:
    """A finding and its place: the file, as it is called, and the line (0: nobody knows)."""

    finding: Finding
    file: str
    line: int = 0

    def to_dict(self) -> dict[str, object]:
        """Return both as JSON shows them."""
        return {**self.finding.to_dict(), "file": self.file, "line": self.line}


def count(findings: Iterable[Finding]) -> int:
    """Return how many are more than notes."""
    return sum(each.severity is not Severity.NOTE for each in findings)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings by severity; in their own order within one."""
    order = list(Severity)
    return sorted(findings, key=lambda finding: order.index(finding.severity))
