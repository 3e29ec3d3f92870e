"""Status: how the repository and the live cluster stand to each other."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ..cib.document import Cib
from ..cib.pending import Pending, Reverted, pending, reverted
from ..cib.secrets import Slot
from ..cib.suspension import Suspension, suspension
from ..compare.change import Change
from ..compare.diff import compare
from .applied import Applied, find_applied, missing_marker
from .orders import Orders, Report
from .site import Site


@dataclass(frozen=True)
class Status:
    """Both sides of one cluster.

    ``drift`` leads from applied to live, ``unpushed`` from applied to the desired state of
    HEAD (from live, where nothing is known to be applied). ``missing`` is a commit that
    the live CIB names although this clone lacks it, ``fetching`` the command that brings
    it. ``waiting`` is a push that waits for
    confirmation, ``undone`` one that was taken back last, ``report`` what its timer on
    this node said of it. ``uncertain`` are secrets that could not be compared, with the
    reason. ``suspended`` says until when git leaves the cluster alone.
    """

    live: Cib
    applied: Applied | None
    head: str | None
    drift: list[Change]
    unpushed: list[Change]
    edited: bool
    missing: str | None
    fetching: str
    uncertain: dict[Slot, str]
    waiting: Pending | None = None
    undone: Reverted | None = None
    report: Report | None = None
    suspended: Suspension | None = None

    def is_overdue(self, now: float) -> bool:
        """Whether a push should have been put back by ``now`` and was not."""
        return self.waiting is not None and self.waiting.confirm_by < now

    @property
    def in_sync(self) -> bool:
        """Whether HEAD, the work tree and live are one."""
        return bool(
            self.applied
            and not (self.drift or self.unpushed or self.edited or self.missing)
        )


def status(site: Site, orders: Orders | None = None) -> Status:
    """Read both sides and compare them; nothing is written.

    ``orders`` are the timers of this node.
    """
    live = site.live()
    applied = find_applied(site, live)
    head = site.repository.head()
    desired = site.committed(head) if head else None
    if desired:
        desired = site.ignoring(desired, live).cib
    base = applied.cib if applied else live
    missing = missing_marker(site, live)
    drifted = applied is not None and not applied.is_live
    return Status(
        live=live,
        applied=applied,
        head=head,
        drift=compare(base, live) if drifted else [],
        unpushed=compare(base, desired) if desired else [],
        edited=site.is_dirty(),
        missing=missing,
        fetching=site.repository.fetching if missing else "",
        uncertain=site.keeper.uncertain,
        waiting=pending(live),
        undone=reverted(live),
        report=_report(site, live, orders),
        suspended=suspension(live, datetime.now(UTC)),
    )


def _report(site: Site, live: Cib, orders: Orders | None) -> Report | None:
    """Return what a timer of this node said of the push that the live CIB still names."""
    reports = orders.reports(site.name) if orders else []
    named = pending(live) or reverted(live)
    token = named.token if named else ""
    return next((each for each in reports if each.token == token), None)
