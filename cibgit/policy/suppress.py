"""Suppressions: findings that somebody accepted, with a reason and mostly until a day.

In a CIB it is a comment before the element that it is about, and counts for all inside::

    <!-- cibgit: ignore no-monitor until 2027-03-31: the agent is being rewritten -->

In ``cibgit.toml`` it is an entry of ``[[check.ignore]]``. One that has expired counts no
more, and is a finding itself.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ..cib.document import Cib, Comment, Element
from ..errors import BadConfigError
from .finding import Finding, Severity
from .limits import fits
from .lint import REASONS

RULE = "suppression"

_INTENDED = re.compile(r"\s*cibgit:")
_INLINE = re.compile(
    r"\s*cibgit: ignore (?P<rule>\S+?)(?: until (?P<until>\S+?))?: (?P<reason>.*\S)\s*",
    re.DOTALL,
)
_OPTIONS = ("rule", "element", "reason", "until")
_HINT = "Write: <!-- cibgit: ignore RULE until YYYY-MM-DD: reason -->"


@dataclass(frozen=True)
class Ignore:
    """One suppression: of a rule, for elements that fit a pattern, to the end of a day."""

    rule: str
    reason: str
    element: str = "*"
    until: date | None = None

    def is_expired(self, today: date) -> bool:
        """Say whether its last day is over."""
        return self.until is not None and self.until < today


class Judged(NamedTuple):
    """One finding and its element; None where it is about the file."""

    element: Element | None
    finding: Finding


class _Inline(NamedTuple):
    comment: Element
    target: Element
    ignore: Ignore


def ignores(values: object, where: str) -> tuple[Ignore, ...]:
    """Read ``ignore`` of ``[check]``.

    Raises :class:`~cibgit.errors.BadConfigError` for an entry without a rule that exists
    or without a reason.
    """
    if not isinstance(values, list):
        raise BadConfigError(f"{where} ignore must be a list: [[check.ignore]]")
    return tuple(_ignore(value, f"{where} ignore") for value in values)


def _ignore(value: object, where: str) -> Ignore:
    if not isinstance(value, dict):
        raise BadConfigError(f"{where}: each must be a table: [[check.ignore]]")
    for option in value:
        if option not in _OPTIONS:
            raise BadConfigError(
                f"{where}: unknown option {option!r}",
                f"Known are: {', '.join(_OPTIONS)}.",
            )
    texts = [value.get(name, "*") for name in ("rule", "reason", "element")]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise BadConfigError(f"{where}: rule, reason and element must be texts")
    if value.get("rule") not in REASONS:
        raise BadConfigError(
            f"{where}: there is no rule {value.get('rule')!r}",
            f"Rules are: {', '.join(REASONS)}.",
        )
    if "reason" not in value:
        raise BadConfigError(f"{where}: {value['rule']} is ignored without a reason")
    until = value.get("until")
    if until is not None and type(until) is not date:
        raise BadConfigError(f"{where}: until must be a day, such as 2027-03-31")
    return Ignore(value["rule"], value["reason"], value.get("element", "*"), until)


def suppress(
    cib: Cib, found: Iterable[Judged], configured: Iterable[Ignore], today: date
) -> tuple[list[Judged], int]:
    """Return what is left of findings, and how many were suppressed.

    What is wrong with the suppressions in the CIB is among what is left.
    """
    inline, wrong = _read(cib)
    valid = [each for each in inline if not each.ignore.is_expired(today)]
    everywhere = [each for each in configured if not each.is_expired(today)]
    left: list[Judged] = []
    used: set[Element] = set()
    count = 0
    for one in found:
        mine = [each for each in valid if _covers(each, one)]
        used.update(each.comment for each in mine)
        if mine or any(_means(each, one) for each in everywhere):
            count += 1
        else:
            left.append(one)
    left += wrong
    for each in inline:
        if each.ignore.is_expired(today):
            left.append(Judged(each.comment, expired(each.ignore)))
        elif each.comment not in used:
            left.append(Judged(each.comment, _idle(each.ignore)))
    return left, count


def expired(ignore: Ignore) -> Finding:
    """Return the finding about a suppression whose time is over."""
    return Finding(
        Severity.WARNING,
        RULE,
        ignore.rule,
        f"the suppression of {ignore.rule} ended on {ignore.until}: {ignore.reason}",
        "Mend what it hides, or give it another day. See docs/check.md#suppression",
    )


def _idle(ignore: Ignore) -> Finding:
    return Finding(
        Severity.NOTE,
        RULE,
        ignore.rule,
        f"nothing is left for the suppression of {ignore.rule}: {ignore.reason}",
        "Remove the comment.",
    )


def _read(cib: Cib) -> tuple[list[_Inline], list[Judged]]:
    inline, wrong = [], []
    for comment in cib.root.iter():
        if not isinstance(comment, Comment) or not _INTENDED.match(comment.text or ""):
            continue
        found = _parsed(comment)
        if isinstance(found, str):
            finding = Finding(Severity.ERROR, RULE, "comment", found, _HINT)
            wrong.append(Judged(comment, finding))
        else:
            inline.append(found)
    return inline, wrong


def _parsed(comment: Element) -> _Inline | str:
    match = _INLINE.fullmatch(comment.text or "")
    if match is None:
        return "a comment begins with cibgit: and is no suppression"
    if match["rule"] not in REASONS:
        return f"there is no rule {match['rule']!r} to ignore"
    try:
        until = date.fromisoformat(match["until"]) if match["until"] else None
    except ValueError:
        return f"{match['until']!r} is no day"
    target = next(_after(comment), None)
    if target is None:
        return "a suppression stands before no element"
    return _Inline(comment, target, Ignore(match["rule"], match["reason"], until=until))


def _after(comment: Element) -> Iterator[Element]:
    return (each for each in comment.itersiblings() if isinstance(each.tag, str))


def _covers(inline: _Inline, one: Judged) -> bool:
    if one.element is None or inline.ignore.rule != one.finding.rule:
        return False
    return inline.target is one.element or inline.target in one.element.iterancestors()


def _means(ignore: Ignore, one: Judged) -> bool:
    if ignore.rule != one.finding.rule:
        return False
    if ignore.element == "*":
        return True
    return one.element is not None and any(
        fits(each, ignore.element)
        for each in (one.element, *one.element.iterancestors())
    )
