"""Lost: changes that a healed partition swallowed, and the way back into git.

A push that vanished is known by the marker (``applied``). What was changed by hand in a
partition without quorum is found on its nodes, in what the CIB manager kept there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ..cib.document import Cib, Version
from ..cluster.minority import Overruled, overruled
from ..cluster.succession import directory
from ..compare.apply import apply
from ..compare.change import Change
from ..compare.diff import compare
from ..compare.ignore import Rule, ignored
from ..compare.merge import merge
from ..compare.select import selected
from ..errors import UnsafeError
from .divergence import alike
from .export import VERSION
from .files import written
from .record import details
from .refusals import branch_for, check_desired
from .site import Site

LOST = "CIB-Lost"
"""The trailer of a commit that has what was lost: the version that it had."""


@dataclass(frozen=True)
class Lost:
    """What one partition changed and live does not have: all in the hidden form.

    ``base`` is the last state that both sides had, ``state`` the partition's last,
    ``winner`` the version that took its place. ``missing`` are those of the changes between
    the first two that live lacks.
    """

    base: Cib
    state: Cib
    winner: Version
    missing: list[Change]


def lost(site: Site, live: Cib) -> list[Lost]:
    """Return what is lost and not yet taken into HEAD or discarded, the oldest first.

    Only this node's own past is looked at, where its CIB directory is readable, and as
    far back as git goes.
    """
    place = directory(site.cluster)
    found = overruled(place) if place else []
    if not found:
        return []
    now = datetime.now(UTC)
    rules = [rule for rule in site.config.ignore if rule.is_active(now)]
    repository = site.repository
    first = Version.of(repository.oldest_trailer(site.path) or "")
    if first is None:
        return []
    answered = repository.commits_with_trailer(site.path, LOST)
    return [
        one
        for each in found
        if each.state.version > first  # git was there already
        for one in _missing(site, live, each, rules, answered)
    ]


def _missing(
    site: Site,
    live: Cib,
    found: Overruled,
    rules: Sequence[Rule],
    answered: Sequence[tuple[str, str]],
) -> Iterator[Lost]:
    base, state = site.hidden(found.base), site.hidden(found.state)
    if _is_answered(site, state, answered):
        return
    has = compare(base, live)
    missing = [
        change
        for change in compare(base, state)
        if change.weight
        and ignored(change, rules) != change
        and not any(alike(change, other) for other in has)
    ]
    if missing:
        yield Lost(base, state, found.winner.version, missing)


def _is_answered(site: Site, state: Cib, answered: Sequence[tuple[str, str]]) -> bool:
    """Say whether one of these commits, each with its version, has exactly this state."""
    version, blob = str(state.version), site.repository.blob_id(written(state))
    return any(
        value == version and site.blob(commit) == blob for commit, value in answered
    )


def _commit_of(site: Site, cib: Cib, start: str) -> str | None:
    blob = site.repository.blob_id(written(cib))
    return site.repository.newest_commit_with(site.path, blob, start)


def take(
    site: Site,
    live: Cib,
    found: Sequence[Lost],
    wanted: Sequence[Change],
    message: str,
) -> str:
    """Merge the ``wanted`` changes of lost states into HEAD; return the new commit.

    Each lost state becomes a commit by the one who made it, on top of what both sides
    had, and a parent of the merge: so it counts as answered, whatever is wanted of it.
    Raises :class:`~cibgit.errors.UnsafeError` where it is in conflict with git.
    """
    repository = site.repository
    branch, head = branch_for(site, "what was lost"), repository.resolve("HEAD")
    site.keeper.refuse_uncertain()
    tip, desired = head, site.desired(head)
    for one in found:
        desired = _merged(one, desired, wanted)
        check_desired(desired, live)
        side = _recorded(site, one, head)
        verb = "Merge" if wanted else "Discard"
        said = message or f"{verb} what {site.name} lost at {one.state.version}"
        tip = site.commit_beside(tip, desired, said, merged=[side])
    repository.advance(branch, head, tip, "cibgit adopt --lost")
    return tip


def _merged(one: Lost, desired: Cib, wanted: Sequence[Change]) -> Cib:
    changes = selected(compare(one.base, one.state), lambda change: change in wanted)
    if not changes:
        return desired
    merged = merge(one.base, desired, apply(changes, one.base))
    if not merged.is_clean:
        raise UnsafeError(
            f"git and what was lost are in conflict: {merged.conflicts[0].told}",
            "Take other elements by name, or edit git by hand and then: cibgit adopt"
            " --lost --discard",
        )
    merged.cib.source = "git and what was lost"
    return merged.cib


def _recorded(site: Site, one: Lost, head: str) -> str:
    """Return a commit of the lost state, on top of what both sides had.

    It does not say ``CIB-Version`` as a state does that git and live had in common: what
    was lost is not applied. For the same reason it stands beside what a watch recorded.
    """
    version, change = one.state.version, one.state.last_change
    said = details(site, one.state, version, change)
    trailers = {LOST: str(version), **said["trailers"]}
    del trailers[VERSION]
    return site.commit_beside(
        _commit_of(site, one.base, "HEAD") or head,
        one.state,
        f"{site.name} {version}, lost",
        author=said["author"],
        trailers=trailers,
    )
