"""The options of ``[policy]`` in ``cibgit.toml``, as values. Defaults stand in ``config``."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..cib.document import SECTIONS
from ..errors import BadConfigError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_LIMIT = re.compile(r"(\d{1,3})%")
_WINDOW = re.compile(r"(?P<days>\S+) (?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True)
class Limit:
    """At most so many, or at most so many percent of all."""

    number: int
    is_percent: bool = False

    def allows(self, count: int, total: int) -> bool:
        """Say whether ``count`` of ``total`` are within the limit."""
        if self.is_percent:
            return count * 100 <= self.number * total
        return count <= self.number

    def __str__(self) -> str:
        return f"{self.number}%" if self.is_percent else str(self.number)


@dataclass(frozen=True)
class Window:
    """A time of the week: on ``days`` (0 is Monday) from ``start`` to before ``end``.

    Where ``end`` is not after ``start`` the window ends on the next day.
    """

    text: str
    days: frozenset[int]
    start: time
    end: time

    def contains(self, now: datetime) -> bool:
        """Say whether a local time lies in the window."""
        today, at = now.weekday(), now.time()
        if self.start < self.end:
            return today in self.days and self.start <= at < self.end
        yesterday = (today - 1) % 7
        return (today in self.days and at >= self.start) or (
            yesterday in self.days and at < self.end
        )

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Policy:
    """What a plan must keep to. An option has the name of its rule (``max-deleted``).

    ``docs/policy.md`` says what each rule means. ``timezone`` empty: the local time of
    the machine.
    """

    protected: tuple[str, ...]
    keep: tuple[str, ...]
    max_deleted: Limit
    max_restarted: Limit
    never_empty: tuple[str, ...]
    guard_fencing: bool
    guard_quorum: bool
    guard_maintenance: bool
    no_fencing_action: bool
    windows: tuple[Window, ...]
    timezone: str
    all_nodes: bool
    references: bool
    agents: bool
    agent_parameters: bool
    verify: bool

    def local(self, now: datetime) -> datetime:
        """Return a time as the clocks show it where the windows are meant."""
        return now.astimezone(ZoneInfo(self.timezone) if self.timezone else None)


def changed(policy: Policy, options: object, where: str) -> Policy:
    """Return a policy in which the options of one table of ``cibgit.toml`` count.

    Raises :class:`~cibgit.errors.BadConfigError` for an option that is not known or has
    no sense.
    """
    if not isinstance(options, dict):
        raise BadConfigError(f"{where} must be a table")
    known = {field.name.replace("_", "-"): field for field in fields(Policy)}
    values = {}
    for option, value in options.items():
        if option not in known:
            raise BadConfigError(
                f"{where} unknown option {option!r}", f"Known are: {', '.join(known)}."
            )
        field = known[option]
        try:
            values[field.name] = _READERS[field.type](value)
        except (ValueError, ZoneInfoNotFoundError) as error:
            raise BadConfigError(f"{where} {option}: {error}") from None
    result = replace(policy, **values)
    _check(result, where)
    return result


def _check(policy: Policy, where: str) -> None:
    for section in policy.never_empty:
        if section not in SECTIONS:
            raise BadConfigError(
                f"{where} never-empty: {section!r} is no section of a CIB",
                f"Sections are: {', '.join(SECTIONS)}.",
            )
    try:
        policy.local(datetime.fromtimestamp(0).astimezone())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadConfigError(
            f"{where} timezone: {policy.timezone!r} is no time zone of this machine",
            'Use a name such as "Europe/Vienna".',
        ) from None


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(
        isinstance(one, str) and one for one in value
    ):
        raise ValueError('must be a list of texts, such as ["one", "two"]')
    return tuple(value)


def _limit(value: object) -> Limit:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Limit(value)
    match = _LIMIT.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) > 100:  # noqa: PLR2004
        raise ValueError('must be a number such as 3, or a percentage such as "20%"')
    return Limit(int(match[1]), is_percent=True)


def _windows(value: object) -> tuple[Window, ...]:
    return tuple(_window(text) for text in _texts(value))


def _window(text: str) -> Window:
    match = _WINDOW.fullmatch(text)
    problem = f"{text!r} must be days and hours, such as 'Mon-Fri 08:00-18:00'"
    if match is None:
        raise ValueError(problem)
    days: set[int] = set()
    for part in match["days"].split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError(problem)
        start, end = DAYS.index(first), DAYS.index(last or first)
        days.update(day % 7 for day in range(start, end + (1 if start <= end else 8)))
    until = "00:00" if match["end"] == "24:00" else match["end"]
    try:
        return Window(
            text,
            frozenset(days),
            time.fromisoformat(match["start"]),
            time.fromisoformat(until),
        )
    except ValueError:
        raise ValueError(problem) from None


_READERS: dict[Any, Callable[[object], Any]] = {
    bool: _flag,
    str: _text,
    tuple[str, ...]: _texts,
    Limit: _limit,
    tuple[Window, ...]: _windows,
}
