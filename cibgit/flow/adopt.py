"""Adopt: live into git, all of it or by element, by the one who changed the cluster."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..cib.document import Cib, LastChange, Version
from ..compare.apply import apply
from ..compare.change import Change, Kind, Weight
from ..compare.diff import compare
from ..compare.merge import merge
from ..compare.select import selected, speaks_of
from ..compare.summary import hidden
from ..compare.text import few
from ..compare.unchanged import same
from ..errors import NoInputError, UnsafeError
from .drift import Drift, drift
from .export import Details
from .lost import lost, take
from .makers import attributed, is_person
from .record import details
from .refusals import branch_for, check_desired, refuse_dirty, refuse_unknown_push
from .site import Site

_STASH = "Commit or stash them first."


@dataclass(frozen=True)
class Adopted:
    """What was adopted, and what of the drift was ``left``.

    ``commit`` is the new commit of the branch, None where there was nothing to adopt.
    """

    commit: str | None
    changes: list[Change]
    left: list[Change]


class _Said(NamedTuple):
    """What a commit says: the message, who made the change, and the trailers."""

    message: str
    details: Details


@dataclass(frozen=True)
class Choice:
    """What of a drift is meant: ``chosen``, and what is ``left``."""

    chosen: list[Change]
    left: list[Change]


def adopt(
    site: Site,
    elements: Sequence[str] = (),
    *,
    operational: bool = False,
    message: str = "",
) -> Adopted:
    """Commit what live moved, without what waits in git being touched.

    Where changes wait in git, the live state becomes a commit on top of what is applied,
    and is merged. Raises :class:`~cibgit.errors.UnsafeError` where both are in conflict,
    :class:`~cibgit.errors.NoInputError` for an element of which nothing drifted.
    """
    refuse_dirty(site, _STASH)
    found = attributed(site, drift(site))
    refuse_unknown_push(site, found.live)
    picked = choose(moved(found), elements, operational=operational)
    if not picked.chosen:
        return Adopted(None, [], picked.left)
    changes = selected(moved(found), lambda change: change in picked.chosen)
    base = site.committed(found.applied.commit) or found.applied.cib
    # what is ignored stays as git has it
    taken = site.ignoring(apply(changes, found.applied.cib), base).cib
    taken.source = "what is adopted"
    check_desired(taken, found.live)
    told = details(site, taken, found.live.version, _maker(found, changes))
    said = _Said(message or _subject(site, found, changes), told)
    commit = _committed(site, found, base, taken, said)
    left = [change for change in picked.left if change not in changes]
    return Adopted(commit, changes, left)


def adopt_lost(
    site: Site,
    elements: Sequence[str] = (),
    *,
    operational: bool = False,
    message: str = "",
    discard: bool = False,
) -> Adopted:
    """Merge what a healed partition swallowed into git, for a push to bring it back.

    With ``discard`` nothing of it is taken, and history says so. Raises like
    :func:`adopt`.
    """
    refuse_dirty(site, _STASH)
    live = site.live()
    found = lost(site, live)
    missing = [change for one in found for change in one.missing]
    if not found:
        return Adopted(None, [], [])
    picked = Choice([], missing)
    if not discard:
        picked = choose(missing, elements, operational=operational)
        if not picked.chosen:
            return Adopted(None, [], picked.left)
    commit = take(site, live, found, picked.chosen, message)
    return Adopted(commit, picked.chosen, picked.left)


def moved(found: Drift) -> list[Change]:
    """Return the changes that lead from applied to live."""
    return compare(found.applied.cib, found.live)


def choose(
    changes: Sequence[Change], elements: Sequence[str], *, operational: bool
) -> Choice:
    """Split what moved into what is meant and what is not.

    Without elements everything is meant; operational changes only where asked for.
    """
    for element in elements:
        if not any(speaks_of(change, element) for change in changes):
            raise NoInputError(
                f"nothing of {element!r} is among the changes",
                "See what is: cibgit drift",
            )
    holders = [c for c in changes if not c.weight and c not in hidden(changes)]
    chosen: list[Change] = []
    left: list[Change] = []
    for change in changes:
        named = not elements or any(speaks_of(change, each) for each in elements)
        wanted = operational or change.weight is not Weight.OPERATIONAL
        is_meant = named and wanted and change not in holders
        (chosen if is_meant else left).append(change)
    # an emptied set goes with the last that was in it; a new one comes with the first
    emptied = [each for each in holders if each.kind is Kind.REMOVED]
    for holder in sorted(emptied, key=lambda each: -len(each.path)):  # deepest first
        below = [c for c in changes if c.path[:-1] == holder.path]
        if below and all(change in chosen for change in below):
            chosen.append(holder)
            left.remove(holder)
    return Choice(chosen, left)


def _maker(found: Drift, changes: Sequence[Change]) -> LastChange:
    """Return who made the changes, the last of them where they were several."""
    last = found.live.last_change
    if not is_person(last):
        last = LastChange("unknown", "", "", last.at)
    paths = [change.path for change in changes if change.weight]
    entries = [one for one in found.entries if one.change.path in paths and one.maker]
    if len({one.maker for one in entries}) != 1 and not all(e.version for e in entries):
        return last
    newest = max(entries, key=lambda one: one.version or Version(0, 0, 0), default=None)
    return (newest and newest.maker) or last


def _committed(site: Site, found: Drift, base: Cib, taken: Cib, said: "_Said") -> str:
    """Commit what is adopted, and tell the refs that it is applied."""
    repository, desired = site.repository, site.desired(found.desired)
    if same(desired, base):
        commit = site.commit(taken, said.message, **said.details)
        repository.set_ref(site.ref("applied"), commit, "adopt")
        return commit
    merged = merge(base, desired, taken)
    if not merged.is_clean:
        raise UnsafeError(
            f"git and live are in conflict: {merged.conflicts[0].told}",
            "Adopt other elements by name, put live back with cibgit revert, or merge by"
            " hand: cibgit export",
        )
    merged.cib.source = "git and live together"
    check_desired(merged.cib, found.live)
    branch = branch_for(site, "what live has")
    side = site.commit_beside(found.applied.commit, taken, said.message, **said.details)
    commit = site.commit_beside(
        found.desired,
        merged.cib,
        f"Merge what live {site.name} has",
        merged=[side],
    )
    repository.advance(branch, found.desired, commit, "cibgit adopt")
    repository.set_ref(site.ref("applied"), side, "adopt")
    return commit


def _subject(site: Site, found: Drift, changes: Sequence[Change]) -> str:
    """Return a message that names what it is about."""
    owners = list(dict.fromkeys(str(change.owner) for change in changes))
    return f"Adopt {site.name} {found.live.version}: {few(owners, 3)}"
