"""Log: the commits that changed a cluster's configuration, or one element of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from itertools import islice

from ..cib.document import Cib
from ..compare.asked import Reading, readings
from ..compare.change import Change, OwnerKind
from ..compare.located import find, names
from ..compare.summary import visible
from ..errors import NoInputError, UsageError
from ..revisions import Revision
from .site import Site
from .versions import Step, steps

_NEAR = 5
_RANGE = ".."


@dataclass(frozen=True)
class Question:
    """What is asked for: an element (empty: everything), and the commits to look at.

    ``since``: only commits whose author's time is not before that.
    """

    element: str = ""
    start: str = "HEAD"
    after: str | None = None
    since: datetime | None = None

    @classmethod
    def of(cls, words: Sequence[str], since: datetime | None = None) -> "Question":
        """Return what the words of a command line ask; one may be a range ``A..B``."""
        ranges = [word for word in words if _RANGE in word and " " not in word]
        if len(ranges) > 1 or any("..." in word for word in ranges):
            raise UsageError("the commits to look at are one range: A..B, A.. or ..B")
        element = " ".join(word for word in words if word not in ranges)
        after, _, start = ranges[0].partition(_RANGE) if ranges else ("", "", "")
        return cls(" ".join(element.split()), start or "HEAD", after or None, since)


@dataclass(frozen=True)
class Entry:
    """One commit and what it changed of what is asked for.

    ``note`` says what happened to the file as a whole. ``is_whole``: everything in it came
    or went, and no element was asked for.
    """

    revision: Revision
    changes: list[Change]
    note: str = ""
    is_whole: bool = False


def log(
    site: Site,
    question: Question,
    *,
    limit: int | None = None,
    everything: bool = False,
) -> list[Entry]:
    """Return the commits that changed what is asked for, newest first.

    ``everything`` counts commits, too, that changed nothing of meaning about an element.
    Raises :class:`~cibgit.errors.NoInputError` for an element that never was.
    """
    if question.element:
        search = Search(site, question, everything)
        found = _first(search.entries(), limit)
        search.check_known(any_found=any(each.changes for each in found))
        return found
    past = _until(revisions(site, question), question.since)
    return _first(
        (entry(step) for step in steps(site, past) if _is_in(step, question)), limit
    )


def revisions(site: Site, question: Question) -> list[Revision]:
    """Return the commits to look at; none before the first commit."""
    repository = site.repository
    if question.start == "HEAD" and repository.head() is None:
        return []
    return repository.revisions(site.path, question.start, question.after)


def entry(step: Step, changes: list[Change] | None = None) -> Entry:
    """Return what a commit did, or a part of that."""
    if changes is not None:
        return Entry(step.revision, changes, step.note)
    whole = step.old is None or step.new is None
    return Entry(step.revision, step.changes, step.note, whole)


class Search:
    """Goes back through history after one element, by the names that it had."""

    def __init__(self, site: Site, question: Question, everything: bool) -> None:
        self._site = site
        self._question = question
        self._everything = everything
        self._asked = readings(question.element)
        self._known: set[str] = set()
        self._is_known = False

    def entries(self) -> Iterator[Entry]:
        """Yield the commits that changed the element, newest first."""
        past = revisions(self._site, self._question)
        for number, step in enumerate(steps(self._site, past)):
            if number == 0:
                self._look(step.new)
                if self._is_known:
                    past = _until(past, self._question.since)
            if number >= len(past):
                return
            changes = self._of_element(step)
            if not _is_in(step, self._question):
                continue
            if step.revision.is_cut or (
                changes if self._everything else visible(changes)
            ):
                yield entry(step, changes)

    @property
    def reading(self) -> Reading:
        """What is meant, by the oldest name that was met."""
        return self._asked[0]

    def check_known(self, *, any_found: bool) -> None:
        """Raise for an element that was never met, and name what is like it."""
        if any_found or self._is_known:
            return
        element = self._question.element
        near = get_close_matches(element, sorted(self._known), _NEAR)
        raise NoInputError(
            f"{element!r} is nothing that {self._site.path} has or had"
            f" in the history of {self._question.start}",
            f"Did you mean {', '.join(near)}?" if near else "",
        )

    def _look(self, cib: Cib | None) -> None:
        """Let the newest configuration say what is meant."""
        if cib is None:
            return
        found = find(cib, self._asked)
        if Reading("", "", OwnerKind.CIB) in self._asked:
            self._is_known = True
        elif found:
            self._asked, self._is_known = [found[0].reading], True
        else:
            self._known.update(names(cib))
            self._known.update(_subjects(cib, self._asked))

    def _of_element(self, step: Step) -> list[Change]:
        """Return the changes of the element, and go on by the name that it had before."""
        for reading in self._asked:
            changes = [reading.narrowed(x) for x in step.changes if reading.fits(x)]
            if changes:
                self._asked, self._is_known = [reading.before(step.changes)], True
                return changes
        self._asked = [each.before(step.changes) for each in self._asked]
        if not self._is_known:
            self._known.update(each.owner.name for each in step.changes)
        return []


def _subjects(cib: Cib, asked: Iterable[Reading]) -> Iterator[str]:
    """Yield what could be asked of elements that are there, for a hint."""
    for reading in asked:
        if reading.name and reading.subject:
            for found in find(cib, [Reading(reading.name, "", reading.kind)]):
                for fact in found.owned.facts:
                    yield f"{reading.name} {fact.subject}"


def _is_in(step: Step, question: Question) -> bool:
    return question.since is None or step.revision.when >= question.since


def _until(past: list[Revision], since: datetime | None) -> list[Revision]:
    """Return the commits down to the last one that is new enough."""
    if since is None:
        return past
    new = [place for place, each in enumerate(past) if each.when >= since]
    return past[: new[-1] + 1] if new else []


def _first(found: Iterator[Entry], limit: int | None) -> list[Entry]:
    """Return so many of them, reading no further."""
    return list(islice(found, limit))
