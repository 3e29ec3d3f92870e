"""Confirm: keep a push that waits for confirmation."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from ..cib.document import Cib
from ..cib.owned import marker_commit
from ..cib.pending import Pending, confirmed, pending, reverted
from ..errors import CibgitError, RevertedError
from .known_good import set_known_good
from .orders import Orders
from .readback import Sleep
from .site import Site
from .swap import swap


@dataclass(frozen=True)
class Confirmed:
    """What a confirmation did: the commit that stays, and its known-good tag.

    ``waited`` is None when nothing waited any more; ``untagged`` says why there is no tag.
    """

    commit: str | None
    waited: Pending | None
    known_good: str = ""
    untagged: str = ""


def confirm(site: Site, orders: Orders, sleep: Sleep = time.sleep) -> Confirmed:
    """Take the note that a push waits out of the live CIB; nothing else changes.

    Raises :class:`~cibgit.errors.RevertedError` when the cluster was put back before.
    """
    waited: Pending | None = None

    def decide(live: Cib) -> Cib | None:
        nonlocal waited
        found = pending(live)
        if found is None:
            return None
        waited = found
        return confirmed(live)

    live = swap(site.cluster, decide, sleep)
    undone = reverted(live)
    if undone and (waited is None or undone.token == waited.token):
        when = datetime.fromtimestamp(undone.at, UTC)
        raise RevertedError(
            f"too late: the push of {undone.commit[:10]} was taken back at"
            f" {when:%Y-%m-%d %H:%M:%S} UTC ({undone.how})",
            "The commit is still in git; push it again with: cibgit push",
        )
    commit = marker_commit(live)
    if waited is None or commit is None:
        return Confirmed(commit, waited)
    orders.remove(waited.token)
    return Confirmed(commit, waited, *_tagged(site, commit, live, waited))


def _tagged(site: Site, commit: str, live: Cib, waited: Pending) -> tuple[str, str]:
    """Tag the commit as known-good, if it may be; return the tag, or why there is none."""
    if not site.repository.has_commit(commit):
        fetching = site.repository.fetching
        return "", f"this clone does not have commit {commit[:10]}: {fetching}"
    try:
        health = site.cluster.health()
        if health and health.broken:
            return "", f"not well: {', '.join(health.broken)}"
        reason = f"Confirmed: the push of {site.name} by {waited.by}"
        return set_known_good(site, commit, reason, live.version).tag, ""
    except CibgitError as error:
        return "", error.message
