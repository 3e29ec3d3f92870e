"""Status: how the repository and the live cluster stand to each other."""

from dataclasses import dataclass

from ..cib.document import Cib
from ..compare.change import Change
from ..compare.diff import compare
from .applied import Applied, find_applied, missing_marker
from .site import Site


@dataclass(frozen=True)
class Status:
    """Both sides of one cluster.

    ``drift`` leads from applied to live, ``unpushed`` from applied to the desired state of
    HEAD (from live, where nothing is known to be applied). ``missing`` is a commit that
    the live CIB names although this clone lacks it.
    """

    live: Cib
    applied: Applied | None
    head: str | None
    drift: list[Change]
    unpushed: list[Change]
    edited: bool
    missing: str | None

    @property
    def in_sync(self) -> bool:
        """Whether HEAD, the work tree and live are one."""
        return bool(
            self.applied
            and not (self.drift or self.unpushed or self.edited or self.missing)
        )


def status(site: Site) -> Status:
    """Read both sides and compare them; nothing is written."""
    live = site.live()
    applied = find_applied(site, live)
    head = site.repository.head()
    desired = site.committed(head) if head else None
    if desired:
        desired = site.ignoring(desired, live).cib
    base = applied.cib if applied else live
    drifted = applied is not None and not applied.is_live
    return Status(
        live=live,
        applied=applied,
        head=head,
        drift=compare(base, live) if drifted else [],
        unpushed=compare(base, desired) if desired else [],
        edited=site.repository.is_dirty(site.path),
        missing=missing_marker(site, live),
    )
