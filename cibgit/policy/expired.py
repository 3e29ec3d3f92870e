"""Ignore rules whose time is over: a finding, for what they hid is shown again."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from ..compare.ignore import Rule
from .finding import Finding, Severity


def expired(rules: Iterable[Rule], now: datetime) -> Iterator[Finding]:
    """Yield a finding for each rule that holds no more."""
    for rule in rules:
        if rule.until is not None and not rule.is_active(now):
            yield Finding(
                Severity.WARNING,
                "ignore-expired",
                rule.element or rule.attribute or str(rule),
                f"the ignore rule for {rule} ended {rule.until:%Y-%m-%d %H:%M}"
                f" ({rule.reason})",
                "Remove it from cibgit.toml, or give it another until.",
            )
