"""Ignore rules: which differences between git and live are meant to be.

What a rule ignores is as it is live, on every side of a comparison: so it is no change,
and what is pushed carries it over from live.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Any

from ..cib.document import Cib
from ..errors import BadConfigError
from .apply import apply
from .change import Change, Kind, Weight
from .diff import compare
from .select import selected, speaks_of


@dataclass(frozen=True)
class Rule:
    """One table of ``ignore``; a change has to fit everything that it names.

    ``element`` and ``attribute`` are shell patterns, see :func:`ignored`; empty: any.
    ``until`` is when the rule ends; None: never.
    """

    reason: str
    element: str = ""
    attribute: str = ""
    weight: Weight | None = None
    until: datetime | None = None

    def is_active(self, now: datetime) -> bool:
        """Say whether the rule holds at a time."""
        return self.until is None or now < self.until

    def __str__(self) -> str:
        parts = [self.element, self.attribute, self.weight and self.weight.name.lower()]
        return ", ".join(str(part) for part in parts if part)


@dataclass(frozen=True)
class Carried:
    """A CIB in which what is ignored is as live has it; ``changes`` are what that is."""

    cib: Cib
    changes: list[Change] = field(default_factory=list)


def carried(cib: Cib, live: Cib, rules: Sequence[Rule], now: datetime) -> Carried:
    """Return a CIB in which everything that is ignored is as it is in ``live``.

    What could only be taken over together with something that is not ignored is not.
    """
    active = [rule for rule in rules if rule.is_active(now)]
    if not active:
        return Carried(cib)
    changes = [(ignored(each, active), each) for each in compare(cib, live)]
    mine = [part for part, _ in changes if part]
    if not mine:
        return Carried(cib)
    every = [part or whole for part, whole in changes]
    alone = [part for part in mine if _stands_alone(part, mine, every)]
    if not alone:
        return Carried(cib)
    result = apply(selected(every, lambda change: change in alone), cib)
    result.source = cib.source
    return Carried(result, alone)


def ignored(change: Change, rules: Sequence[Rule]) -> Change | None:
    """Return the part of a change that rules ignore, None where they ignore nothing.

    ``element`` fits as in :func:`~cibgit.compare.select.speaks_of`. ``attribute`` fits a
    changed XML attribute, or the name of an option or parameter (``target-role``,
    ``meta.target-role``).
    """
    attributes = []
    for rule in rules:
        if rule.weight is not None and change.weight is not rule.weight:
            continue
        if rule.element and not speaks_of(change, rule.element):
            continue
        if not rule.attribute or _is_named(change, rule.attribute):
            return change
        if change.kind is Kind.CHANGED:
            attributes += [
                one
                for one in change.attributes
                if fnmatchcase(one.name, rule.attribute)
            ]
    if not attributes:
        return None
    return replace(change, attributes=tuple(dict.fromkeys(attributes)))


def _is_named(change: Change, pattern: str) -> bool:
    subject = change.subject
    return bool(subject) and (
        fnmatchcase(subject, pattern)
        or fnmatchcase(subject.rpartition(".")[2], pattern)
    )


def _stands_alone(part: Change, mine: list[Change], every: list[Change]) -> bool:
    """Say whether a part brings nothing along but what is ignored or means nothing."""
    brought = selected(every, lambda change: change is part)
    paths = [(one.kind, one.path) for one in mine]
    return all((one.kind, one.path) in paths or not one.weight for one in brought)


def rules(options: object, where: str) -> tuple[Rule, ...]:
    """Return the rules of an ``ignore`` list of ``cibgit.toml``.

    Raises :class:`~cibgit.errors.BadConfigError` for what is not understood: a slip must
    not hide more, or less, than was meant.
    """
    if not isinstance(options, list):
        raise BadConfigError(f"{where} must be tables: [[ignore]]")
    return tuple(
        _rule(table, f"{where}, rule {number}")
        for number, table in enumerate(options, 1)
    )


def _rule(table: object, where: str) -> Rule:
    if not isinstance(table, dict):
        raise BadConfigError(f"{where} must be a table")
    known = [each.name for each in fields(Rule)]
    for name, value in table.items():
        if name not in known:
            raise BadConfigError(
                f"{where}: unknown option {name!r}", f"Known are: {', '.join(known)}."
            )
        if name != "until" and not (isinstance(value, str) and value.strip()):
            raise BadConfigError(f"{where}: {name} must be a text")
    if "reason" not in table:
        raise BadConfigError(f"{where}: it needs a reason")
    if not table.keys() & {"element", "attribute", "weight"}:
        raise BadConfigError(
            f"{where}: it would ignore everything",
            "Name an element, an attribute or a weight.",
        )
    values: dict[str, Any] = dict(table)
    if "weight" in table:
        values["weight"] = _weight(table["weight"], where)
    if "until" in table:
        values["until"] = _until(table["until"], where)
    return Rule(**values)


def _weight(name: str, where: str) -> Weight:
    names = [each.name.lower() for each in Weight]
    if name not in names:
        raise BadConfigError(f"{where}: weight is one of {', '.join(names)}")
    return Weight[name.upper()]


def _until(value: object, where: str) -> datetime:
    if isinstance(value, date):
        return ending(value)
    raise BadConfigError(
        f"{where}: until must be a date, without quotes: until = 2027-01-31"
    )


def ending(value: date | datetime) -> datetime:
    """Return when something ends: a date means when that day is over, in local time."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.astimezone()
    return datetime.combine(value + timedelta(days=1), time()).astimezone()
