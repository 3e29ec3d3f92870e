"""Which element of a configuration people mean, and which changes speak of it.

An element is asked for as output calls it: ``vip``, ``resource vip``, ``vip params.ip``,
``cluster options stonith-enabled``, ``resources / group web / primitive vip``, or the
``id`` of anything. Alone, the name of an option is enough. For ``vip params.ip`` people
may write ``vip.params.ip``; as ids may hold dots, all readings are kept until the newest
configuration, or else the newest change that one of them fits, decides.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..cib.identity import REFERRING_IDS
from .change import Change, Kind, Owner, OwnerKind, Path
from .edits import AGENT
from .facts import (
    AGENT_FACT,
    ID_FACT,
    PLACE_FACT,
    brought,
)

OPTIONS = (
    OwnerKind.OPTIONS,
    OwnerKind.RESOURCE_DEFAULTS,
    OwnerKind.OPERATION_DEFAULTS,
)
"""Owners of which there is one each, so that the name of an option is enough."""

_ADDRESS = re.compile(r"\s+/\s+")
_DEFINING = rf"<(?!(?:{'|'.join(sorted(REFERRING_IDS))})\b)[\w-]+\b[^<>]*"
"""The start of a tag whose ``id`` is its own."""

_NAMING = ("name", "interval", "role")
"""Attributes that are part of a subject."""

_WHOLE = (Kind.ADDED, Kind.REMOVED)


@dataclass(frozen=True)
class Reading:
    """One thing that may be meant: an owner, one subject of it, or an inner element.

    ``name`` is that of an owner or the id of any element, empty for the owners that are
    one of their kind; ``kind`` is None where any will do. ``subject`` is empty for the
    whole.
    """

    name: str
    subject: str = ""
    kind: OwnerKind | None = None

    def __str__(self) -> str:
        kind = f"{self.kind} " if self.kind else ""
        return f"{kind}{self.name} {self.subject}".strip()

    def fits(self, change: Change) -> bool:
        """Say whether a change speaks of this, or of what is in it."""
        if self.kind not in (None, change.owner.kind):
            return False
        if not self.name:
            kinds = (self.kind,) if self.kind else OPTIONS
            return change.owner.kind in kinds and self._tells(change)
        if self.subject:
            return self._tells(change)
        was = [old for old, _ in _node_names(change)]
        return (
            self.owns(change.owner) or self.name in was or self._is_on_the_way(change)
        )

    def owns(self, found: Owner) -> bool:
        """Say whether an owner is the one that is named."""
        return found.name == self.name and self.kind in (None, found.kind)

    def is_of(self, subject: str) -> bool:
        """Say whether a subject is the one that is asked for, whatever its condition."""
        asked = self.subject
        return (
            not asked
            or subject == asked
            or subject.startswith((f"{asked} ", f"{asked}."))
        )

    def narrowed(self, change: Change) -> Change:
        """Return a change that fits, with no details but those of the subject."""
        lines = self.lines(change) if self.subject else []
        return replace(change, details=tuple(lines)) if lines else change

    def before(self, changes: Iterable[Change]) -> "Reading":
        """Return what was to be asked for before these changes renamed it."""
        for change in changes:
            for old, new in (*change.renames, *_node_names(change)):
                if new == self.name:
                    return replace(self, name=old)
        return self

    def _tells(self, change: Change) -> bool:
        """Say whether a change of an owner tells the subject, or brings it."""
        if change.subject or change.kind not in _WHOLE:
            is_own = self.owns(change.owner) or not self.name
            return is_own and any(self.is_of(each) for each in _subjects(change))
        return not self.subject or bool(self.lines(change))

    def lines(self, change: Change) -> list[str]:
        """Return what an owner that came or went whole says of the subject."""
        if not (self.owns(change.owner) or holds(change, self.name)):
            return []
        return [
            fact.sentence
            for each in brought(change)
            if self.owns(each.owner) or not self.name
            for fact in each.facts
            if self.is_of(fact.subject)
        ]

    def _is_on_the_way(self, change: Change) -> bool:
        place = change.place.parent if change.place else ()
        if _is_in(self.name, change.path) or _is_in(self.name, place):
            return True
        return holds(change, self.name)


def _node_names(change: Change) -> Iterator[tuple[str, str]]:
    """Yield the old and new name of a node that has another one, with the same id."""
    for each in change.attributes:
        is_name = change.owner.kind is OwnerKind.NODE and each.name == "uname"
        if is_name and each.old and each.new:
            yield each.old, each.new


def holds(change: Change, name: str) -> bool:
    """Say whether something with an id came or went inside what a change tells of."""
    text = f' id="{name}"'
    if change.kind not in _WHOLE or text not in change.xml:
        return False
    return re.search(_DEFINING + re.escape(text), change.xml) is not None


def _subjects(change: Change) -> Iterator[str]:
    """Yield what changed: how it is called, how it was, or what of an owner itself."""
    yield change.subject
    if not change.subject:
        yield from _of_owner(change)
    for each in change.attributes:
        if each.name in _NAMING and each.old and each.new:
            yield change.subject.replace(each.new, each.old)


def _of_owner(change: Change) -> Iterator[str]:
    """Yield the subjects of the facts that an owner's own attributes are."""
    if change.kind is Kind.MOVED:
        yield PLACE_FACT
    if change.kind is Kind.RENAMED:
        yield ID_FACT
    for each in change.attributes:
        yield AGENT_FACT if each.name in AGENT else each.name


def _is_in(name: str, path: Path) -> bool:
    return any(step.name == name and step.tag not in REFERRING_IDS for step in path)


def readings(text: str) -> list[Reading]:
    """Return everything that a text may mean, the likeliest first."""
    text = " ".join(text.split())
    if " / " in text:
        return _of_address(_ADDRESS.split(text))
    found = list(_of_kind(text))
    found += [Reading(text), Reading("", text)]
    first, _, rest = text.partition(" ")
    if rest:
        found.append(Reading(first, rest))
    for dot in (place for place, c in enumerate(text) if c == "."):
        found.append(Reading(text[:dot], text[dot + 1 :]))
    return [each for each in found if each.name or each.subject or each.kind]


def _of_kind(text: str) -> Iterator[Reading]:
    """Yield the readings of a text that begins like the heading of an owner."""
    for kind in OwnerKind:
        if text != kind.value and not text.startswith(f"{kind.value} "):
            continue
        rest = text[len(kind.value) + 1 :]
        if kind in (*OPTIONS, OwnerKind.CIB):
            yield Reading("", rest, kind)
            continue
        yield Reading(rest, "", kind)
        name, _, subject = rest.partition(" ")
        if subject:
            yield Reading(name, subject, kind)


def _of_address(steps: list[str]) -> list[Reading]:
    """Return the readings of ``resources / group web / primitive vip``."""
    named = [step.partition(" ")[2] for step in steps if " " in step]
    return [Reading(named[-1])] if named else []
