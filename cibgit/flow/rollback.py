"""Rollback: a commit that restores an earlier state, and then a push like any other."""

from ..cib.document import Cib
from ..compare.unchanged import same
from .site import Site


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
