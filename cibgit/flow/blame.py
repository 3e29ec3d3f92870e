"""Blame: the commit that last changed each fact of an element, or one fact over time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from ..compare.asked import holds, readings
from ..compare.change import Change, Kind, Owner, Path
from ..compare.edits import AGENT
from ..compare.facts import AGENT_FACT, ID_FACT, PLACE_FACT, Fact
from ..compare.located import Found, find
from ..compare.trees import SPECIAL
from ..errors import NoInputError
from ..revisions import Revision
from .log import Entry, Question, Search, revisions
from .site import Site
from .versions import Step, steps

_ARRIVALS = (Kind.ADDED, Kind.MOVED)


@dataclass(frozen=True)
class Value:
    """What one commit made of a fact: the kind of change, and what it says."""

    revision: Revision
    kind: Kind
    owner: Owner
    sentence: str


@dataclass(frozen=True)
class Blamed:
    """A fact as it is, and the commit that changed it last.

    ``revision`` is None where that was before the history that was looked at.
    """

    fact: Fact
    revision: Revision | None


@dataclass(frozen=True)
class Element:
    """One owner of facts with those that were asked for, in the order of the document."""

    owner: Owner
    path: Path
    facts: list[Blamed]


@dataclass(frozen=True)
class Blame:
    """The answer: elements with their facts, or the values of one fact, newest first."""

    elements: list[Element] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)


def blame(site: Site, question: Question) -> Blame:
    """Return who made an element what it is.

    For one fact (``vip params.ip``) its values over time. Raises
    :class:`~cibgit.errors.NoInputError` for an element that is not there any more, or
    never was.
    """
    history = steps(site, revisions(site, question))
    newest = next(history, None)
    found: list[Found] = []
    if newest is not None:
        if newest.problem:
            raise NoInputError(f"{newest.revision.commit[:10]}: {newest.problem}")
        found = (
            [] if newest.new is None else find(newest.new, readings(question.element))
        )
    if found and (not found[0].reading.subject or _are_members(found)):
        return _facts(found, chain([newest] if newest else [], history))
    search = Search(site, question, everything=True)
    entries = list(search.entries())
    search.check_known(any_found=any(each.changes for each in entries))
    if not search.reading.subject and entries:
        raise _gone(question, entries[0])
    return Blame(values=[each for one in entries for each in _values(one, search)])


def _are_members(found: list[Found]) -> bool:
    return all(fact.is_member for each in found for fact in each.facts)


def _gone(question: Question, last: Entry) -> NoInputError:
    who = f"{last.revision.commit[:10]} of {last.revision.author}"
    return NoInputError(
        f"{question.element} is not in {question.start}; the last commit about it is {who}",
        f"See: cibgit log '{question.element}'",
    )


def _values(found: Entry, search: Search) -> Iterator[Value]:
    """Yield what a commit made of the fact."""
    for change in found.changes:
        whole = search.reading.lines(change)
        for sentence in whole or [change.sentence]:
            yield Value(found.revision, change.kind, change.owner, sentence)


def _facts(found: list[Found], history: Iterator[Step]) -> Blame:
    traces = [_Trace(each) for each in found]
    for step in history:
        for trace in traces:
            trace.take(step)
        if not any(trace.is_open for trace in traces):
            break
    return Blame([trace.result() for trace in traces])


class _Trace:
    """Goes back through history until each fact of an element has its commit."""

    def __init__(self, found: Found) -> None:
        self._owned = found.owned
        self._facts = found.facts
        self._blamed: list[Revision | None] = [None] * len(self._facts)
        self._open = dict(enumerate(fact.path for fact in self._facts))
        self._last = found.owned.path[-1]

    @property
    def is_open(self) -> bool:
        """Whether there are facts without a commit."""
        return bool(self._open)

    def take(self, step: Step) -> None:
        """Blame a commit for what it changed."""
        if not self._open:
            return
        for change in step.changes:
            for below in self._ways(change):
                self._close(step, change, below)
        if step.old is None and step.changes:  # nothing can be older
            self._blame(list(self._open), step)
        self._rename(step)

    def result(self) -> Element:
        """Return the facts with their commits."""
        pairs = zip(self._facts, self._blamed, strict=True)
        facts = [Blamed(fact, revision) for fact, revision in pairs]
        return Element(self._owned.owner, self._owned.path, facts)

    def _ways(self, change: Change) -> Iterator[Path]:
        """Yield the ways from the owner to what changed, as it was and as it is.

        The way is empty, too, where the owner came inside of what was added.
        """
        if change.kind is Kind.ADDED and holds(change, self._last.name):
            yield ()
            return
        ways = {change.path: None}
        if change.place and change.path:
            ways[(*change.place.parent, change.path[-1])] = None
        for path in ways:
            for place, step in enumerate(path):
                if step[:2] == self._last[:2]:
                    yield path[place + 1 :]
                    break

    def _close(self, step: Step, change: Change, below: Path) -> None:
        touched = [
            index
            for index, path in self._open.items()
            if _touches(change, below, self._facts[index], path)
        ]
        self._blame(touched, step)

    def _blame(self, touched: list[int], step: Step) -> None:
        for index in touched:
            del self._open[index]
            self._blamed[index] = step.revision

    def _rename(self, step: Step) -> None:
        """Go on with the ids that were before the commit."""
        before = {new: old for each in step.changes for old, new in each.renames}
        if self._last.name in before:
            named = [i for i in self._open if self._facts[i].attribute == ID_FACT]
            self._blame(named, step)
        if before:
            self._last = _renamed((self._last,), before)[0]
            self._open = {i: _renamed(path, before) for i, path in self._open.items()}


def _renamed(path: Path, before: dict[str, str]) -> Path:
    return tuple(step._replace(name=before.get(step.name, step.name)) for step in path)


def _touches(change: Change, below: Path, fact: Fact, path: Path) -> bool:
    """Say whether a change at the end of one way changed the fact at the other's."""
    if change.attributes and all(each.name in SPECIAL for each in change.attributes):
        return False  # a comment is no fact
    if not below:
        return _touches_owner(change, fact)
    if not path:
        return False
    plain, other = ([step[:2] for step in way] for way in (below, path))
    if fact.is_member:
        return change.kind in _ARRIVALS and plain == other
    if change.kind is Kind.ADDED and other[: len(plain)] == plain:
        return True
    return plain[: len(other)] == other


def _touches_owner(change: Change, fact: Fact) -> bool:
    if change.kind is Kind.ADDED:
        return True
    if change.kind is Kind.MOVED:
        return fact.attribute == PLACE_FACT
    changed = {each.name for each in change.attributes}
    if fact.attribute == AGENT_FACT:
        return not changed.isdisjoint(AGENT)
    return fact.attribute in changed
