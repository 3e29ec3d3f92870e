"""Known-good: commits whose push settled and stayed healthy, as tags of git.

The name of a tag is ``known-good/<cluster>/<UTC time>``; its message says what was
measured. A tag is of this clone, like any other, until somebody pushes it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..cib.document import Cib, Version
from ..compare.unchanged import same
from ..errors import NoInputError
from .export import content_digest
from .site import Site

FOLDER = "known-good"


@dataclass(frozen=True)
class KnownGood:
    """One known-good state: its tag, when it was set (UTC), the commit and its subject."""

    tag: str
    when: str
    commit: str
    subject: str
    reason: str


def known_good(site: Site) -> list[KnownGood]:
    """Return the known-good states of a cluster, the newest first."""
    return [
        KnownGood(tag.name, _when(tag.name), tag.commit, tag.subject, tag.message)
        for tag in site.repository.tags.under(f"{FOLDER}/{site.name}")
    ]


def set_known_good(
    site: Site, revision: str, reason: str, version: Version | None = None
) -> KnownGood:
    """Tag a commit as known-good; it must have a CIB that could be pushed.

    ``reason`` says how it is known, ``version`` the live version that it was, if any.
    """
    cib = site.desired(revision)
    commit = site.repository.resolve(revision)
    taken = {each.tag for each in known_good(site)}
    when = datetime.now(UTC)
    while (name := f"{FOLDER}/{site.name}/{when:%Y%m%dT%H%M%SZ}") in taken:
        when += timedelta(seconds=1)
    trailers = {
        "CIB-Digest": content_digest(cib, site.cluster.dialect()),
        "CIB-Version": str(version or ""),
    }
    site.repository.tags.create(name, commit, reason, trailers)
    subject = site.repository.subject(commit)
    return KnownGood(name, _when(name), commit, subject, reason)


def remove_known_good(site: Site, name: str) -> str:
    """Remove a known-good tag, by its full name or its time; return the full name."""
    prefix = f"{FOLDER}/{site.name}/"
    tag = prefix + name.removeprefix(prefix)
    site.repository.tags.remove(tag)
    return tag


def last_known_good(site: Site, live: Cib) -> KnownGood:
    """Return the newest known-good state that is not what runs now.

    Raises :class:`~cibgit.errors.NoInputError` when there is none.
    """
    found = known_good(site)
    for each in found:
        cib = site.committed(each.commit)
        if cib is not None and not same(cib, live):
            return each
    raise NoInputError(
        f"{site.name} has no known-good state"
        + (" other than what runs now" if found else " yet"),
        "A push that settles in good health sets one; so does: cibgit known-good set",
    )


def _when(tag: str) -> str:
    stamp = tag.rpartition("/")[2]
    try:
        return f"{datetime.strptime(stamp, '%Y%m%dT%H%M%SZ'):%Y-%m-%d %H:%M:%S}"
    except ValueError:  # somebody else's name
        return stamp
