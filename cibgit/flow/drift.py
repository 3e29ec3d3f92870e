"""Drift: live differs from applied, so somebody changed the cluster past git.

Every change is looked at from three sides (applied, desired, live), and stands in one of
four ways to git.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from ..cib.document import Cib, LastChange, Version
from ..cib.owned import marker_commit
from ..compare.change import Change, Weight
from ..compare.unchanged import same
from ..policy.expired import expired
from ..policy.finding import Finding, Severity
from ..policy.suspended import told
from .applied import Applied, find_applied, lost_push, missing_marker
from .divergence import Conflict, Divergence, alike, conflicts, diverged
from .lost import Lost, lost
from .plan import no_base
from .site import Site


class Standing(Enum):
    """How one change stands between git and live."""

    LIVE_MOVED = "live moved"
    NOT_PUSHED = "merged, not pushed"
    EQUAL = "both, equal"
    CONFLICT = "both, conflict"


@dataclass(frozen=True)
class Entry:
    """One change and how it stands.

    ``change`` is live's, of what is not pushed git's. ``conflicts`` say what both sides
    made of it, where they disagree. ``maker`` is who made it, where that is known, and
    ``version`` that of the CIB which had it first.
    """

    standing: Standing
    change: Change
    conflicts: tuple[Conflict, ...] = ()
    maker: LastChange | None = None
    version: Version | None = None

    @property
    def is_live(self) -> bool:
        """Whether somebody made this change past git."""
        return self.standing is not Standing.NOT_PUSHED


@dataclass(frozen=True)
class Drift:
    """How git and live stand to each other, change by change.

    ``desired`` is the commit that says what is desired. ``ignored`` are the changes of
    live that ``cibgit.toml`` ignores; ``findings`` are about its rules,
    pushes that are gone, and a suspension. ``lost`` is what healed partitions swallowed.
    """

    live: Cib
    applied: Applied
    desired: str
    entries: list[Entry]
    ignored: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)

    @property
    def is_drift(self) -> bool:
        """Whether live left what is applied, or lacks what a partition lost.

        What merely waits in git is no drift.
        """
        return bool(self.lost) or any(one.is_live for one in self.entries)

    def of(self, *standings: Standing) -> list[Change]:
        """Return the changes that stand in one of these ways."""
        return [one.change for one in self.entries if one.standing in standings]

    def weights(self) -> Counter[Weight]:
        """Count what moved on the live side, by weight."""
        moved = self.of(Standing.LIVE_MOVED, Standing.EQUAL, Standing.CONFLICT)
        return Counter(change.weight for change in moved)


def drift(site: Site, revision: str = "HEAD", live: Cib | None = None) -> Drift:
    """Compare applied, the desired state of a revision and live; nothing is written.

    ``live`` is the live CIB where it has been read already. Raises
    :class:`~cibgit.flow.plan.DriftError` when no commit is known to have been live.
    """
    live = live or site.live()
    commit = site.repository.resolve(revision)
    desired = site.desired(commit)
    applied = find_applied(site, live)
    if applied is None:
        raise no_base(site, live)
    wanted = site.ignoring(desired, live)
    found = diverged(live, applied, wanted.cib, commit)
    now = datetime.now(UTC)
    findings = [
        *told(live, now, Severity.NOTE),
        *_lost(site, live),
        *_unknown(site, live),
        *expired(site.config.ignore, now),
    ]
    entries = list(_entries(found))
    return Drift(
        live, applied, commit, entries, wanted.changes, findings, lost(site, live)
    )


def _lost(site: Site, live: Cib) -> Iterator[Finding]:
    """Tell of a push that is gone, as far as live does not have its content all the same."""
    lost = lost_push(site, live)
    named = marker_commit(live)
    if lost and named and not _has(site, lost, live):
        yield Finding(
            Severity.WARNING,
            "push-lost",
            site.name,
            f"commit {lost[:10]} was pushed and is gone: live names {named[:10]} again,"
            f" and was last changed by {live.last_change}. When a partition heals, the"
            " side with the higher epoch wins whole",
            "cibgit adopt takes what is live and merges both; cibgit push then brings"
            " back what was lost.",
        )


def _unknown(site: Site, live: Cib) -> Iterator[Finding]:
    """Tell of a push from another clone: here it only looks like drift."""
    missing = missing_marker(site, live)
    if missing:
        yield Finding(
            Severity.WARNING,
            "push-unknown",
            site.name,
            f"live was pushed from commit {missing[:10]}, which this clone does not have:"
            " what looks like drift may be that push",
            f"Let this clone follow: {site.repository.fetching}",
        )


def _has(site: Site, commit: str, live: Cib) -> bool:
    cib = site.committed(commit)
    return cib is not None and same(site.ignoring(cib, live).cib, live)


def _entries(found: Divergence) -> Iterator[Entry]:
    for theirs in found.moved:
        equal = any(alike(ours, theirs) for ours in found.wanted)
        disputed = tuple(conflicts(found.wanted, [theirs]))
        if equal:
            yield Entry(Standing.EQUAL, theirs)
        elif disputed:
            yield Entry(Standing.CONFLICT, theirs, disputed)
        else:
            yield Entry(Standing.LIVE_MOVED, theirs)
    for ours in found.wanted:
        is_known = any(alike(ours, theirs) for theirs in found.moved)
        if not is_known and not conflicts([ours], found.moved):
            yield Entry(Standing.NOT_PUSHED, ours)
