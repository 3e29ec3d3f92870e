"""Rollback: a commit that restores an earlier state, and then a push like any other."""

from ..cib.document import Cib
from ..compare.unchanged import same
from ..repository import LogEntry
from .known_good import last_known_good
from .refusals import refuse_dirty
from .site import Site

LOST_COMMITS = 50
"""How many of the commits that a rollback undoes are listed."""


def restored(site: Site, revision: str | None) -> str:
    """Return the commit to go back to: the one named, or the last known-good one.

    Raises :class:`~cibgit.errors.UnsafeError` while the work tree is being edited.
    """
    refuse_dirty(site, "Commit or stash them: a rollback would overwrite them.")
    if revision is None:
        return last_known_good(site, site.live()).commit
    return site.repository.resolve(revision)


def lost(site: Site, commit: str) -> list[LogEntry]:
    """Return the commits whose changes a rollback to ``commit`` undoes, newest first."""
    return site.repository.log(site.path, LOST_COMMITS, f"{commit}..HEAD")


def commit_desired(
    site: Site, desired: Cib, message: str, trailers: dict[str, str]
) -> str:
    """Make ``desired`` the state of HEAD, and return the commit.

    No commit is made where HEAD has that state already, and no secret in clear.
    """
    head = site.repository.head()
    current = site.committed(head) if head else None
    known = head and current is not None and same(current, desired)
    if head and known and not site.in_clear(head):
        return head
    return site.commit(desired, message, trailers=trailers)


def rollback_message(site: Site, revision: str) -> tuple[str, dict[str, str]]:
    """Return message and trailers of the commit that restores a revision."""
    commit = site.repository.resolve(revision)
    subject = site.repository.subject(commit)
    message = f"Roll {site.name} back to {site.repository.short(commit)}\n\n{subject}"
    return message, {"CIB-Restores": commit}
