"""Cancel: put back at once what a push that waits for confirmation replaced."""

import time
from dataclasses import dataclass

from ..cib import canonical
from ..cib.document import Cib
from ..cib.owned import marker_commit
from ..cib.pending import Pending, Reverted, pending, reverted, taken_back
from ..compare.unchanged import same
from ..errors import NoInputError
from .orders import Orders
from .plan import drifted
from .readback import Sleep
from .site import Site
from .swap import swap


@dataclass(frozen=True)
class Cancelled:
    """What was taken back, and the commit that is live again.

    ``already`` says that the timer, or somebody else, was first.
    """

    undone: Reverted
    restored: str
    already: bool


def cancel(site: Site, orders: Orders, sleep: Sleep = time.sleep) -> Cancelled:
    """Restore what the waiting push replaced, as its timer would.

    The state comes from git, so that this works on any machine that has the repository.
    Raises :class:`~cibgit.flow.plan.DriftError` when live is not what was pushed any
    more, :class:`~cibgit.errors.NoInputError` when nothing waits.
    """
    waited: Pending | None = None

    def decide(live: Cib) -> Cib | None:
        nonlocal waited
        live.source = f"live {site.name}"
        found = pending(live)
        if found is None:
            return None
        waited = found
        pushed = _committed(site, marker_commit(live) or "")
        hidden = site.hidden(live)
        if not same(pushed, hidden):
            raise drifted(site, pushed, hidden)
        before = site.keeper.revealed(_committed(site, found.restores))
        target = canonical.target(before, live, found.restores)
        return taken_back(target, live, found, int(time.time()), "cancel")

    live = swap(site.cluster, decide, sleep)
    undone = reverted(live)
    if undone is None or (waited and undone.token != waited.token):
        raise NoInputError(
            f"nothing waits for confirmation in {site.name}",
            "To go back to an earlier state: cibgit rollback REV",
        )
    if waited:
        orders.remove(waited.token)
    restored = marker_commit(live) or ""
    if site.repository.has_commit(restored):
        site.repository.set_refs(site.refs(), restored, f"cancel: {undone.how}")
    return Cancelled(undone, restored, already=undone.how == "timer" or waited is None)


def _committed(site: Site, commit: str) -> Cib:
    found = site.committed(commit) if site.repository.has_commit(commit) else None
    if found is None:
        raise NoInputError(
            f"commit {commit[:10]}, which the live CIB names, is not in this clone",
            "Fetch it from the remote that it was pushed from:"
            f" {site.repository.fetching}",
        )
    return found
