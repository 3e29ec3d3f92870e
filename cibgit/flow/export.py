"""Export: live to git."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from ..cib import digest
from ..cib.canonical import canonical
from ..cib.document import Cib, LastChange, Version
from ..cib.secrets import Slot
from ..compare.change import Change
from ..compare.diff import compare
from ..compare.unchanged import same
from ..errors import UnsafeError
from ..repository import Author
from .applied import Applied, find_applied
from .site import Site

VERSION = "CIB-Version"
"""The trailer of a state that git and live had in common: the version that it had."""


class Details(TypedDict):
    """Who made the change, and what the commit says of it."""

    author: Author | None
    trailers: dict[str, str]


@dataclass(frozen=True)
class Exported:
    """What an export did.

    ``commit`` holds the live state. ``outcome`` is ``unchanged`` (git had it already),
    ``committed`` (a new commit on the branch) or ``recorded`` (a commit beside the
    branch, at ``ref``, because ``obstacle``: both sides moved). ``changes`` lead from
    what git had to live. ``sealed`` are secrets that stood in clear in git until now, and
    still do in its history.
    """

    outcome: str
    commit: str
    version: Version
    changes: list[Change]
    ref: str = ""
    obstacle: str = ""
    unpushed: bool = False
    sealed: tuple[Slot, ...] = ()


def export(site: Site, message: str = "") -> Exported:
    """Bring the live configuration into git; at most one commit.

    A change that waits in git is never overwritten: where both sides moved, the live
    state becomes a commit beside the branch, to be merged.
    """
    live = site.live()
    site.keeper.refuse_uncertain()
    applied = find_applied(site, live)
    head = site.repository.head()
    if applied is not None and applied.is_live and _is_complete(site, applied, live):
        site.repository.set_refs(site.refs(), applied.commit, "export: unchanged")
        return Exported(
            "unchanged",
            applied.commit,
            live.version,
            [],
            unpushed=applied.commit != head,
        )
    at_head = site.committed(head) if head else None
    taken = site.ignoring(live, at_head).cib if at_head else live
    changes = compare(at_head or _nothing(live), taken)
    text = message or f"Export {site.name} {live.version}"
    details: Details = {
        "author": author(live.last_change),
        "trailers": trailers(
            live.version,
            live.last_change,
            content_digest(taken, site.cluster.dialect()),
        ),
    }
    known = site.ignoring(at_head, live).cib if at_head else None
    obstacle = _obstacle(site, known, applied)
    if obstacle and applied is None:
        raise UnsafeError(
            f"{obstacle}, and the export would overwrite them", "Commit them."
        )
    if obstacle and applied is not None:
        commit = _beside(site, applied, taken, text, details)
        beside = compare(applied.cib, taken)
        ref = site.ref("live")
        return Exported("recorded", commit, live.version, beside, ref, obstacle)
    clear = tuple(site.in_clear(head)) if head else ()
    commit = site.commit(taken, text, **details)
    site.repository.set_refs(site.refs(), commit, "export")
    return Exported("committed", commit, live.version, changes, sealed=clear)


def _is_complete(site: Site, applied: Applied, live: Cib) -> bool:
    """Say whether HEAD is not live, or has it with its vault and no secret in clear."""
    if applied.commit != site.repository.head():
        return True
    return not site.in_clear(applied.commit) and site.keeper.is_stored(live)


def _beside(
    site: Site, applied: Applied, live: Cib, message: str, details: Details
) -> str:
    """Commit the live state on top of what is applied; once only for one state."""
    ref = site.ref("live")
    recorded = site.repository.get_ref(ref)
    known = site.committed(recorded) if recorded else None
    if recorded and known is not None and same(known, live):
        return recorded
    commit = site.commit_beside(applied.commit, live, message, **details)
    site.repository.set_ref(ref, commit, "export: beside the branch")
    return commit


def author(change: LastChange) -> Author | None:
    """Return who changed the CIB as a git author, None where the CIB does not say."""
    if not change.user:
        return None
    email = f"{change.user}@{change.origin or 'localhost'}"
    return Author(change.user, email, written_at(change))


def written_at(change: LastChange) -> datetime | None:
    """Return when the CIB was changed: ``ctime`` text in local time, without a zone."""
    try:
        return datetime.strptime(change.at, "%a %b %d %H:%M:%S %Y").astimezone()
    except (ValueError, OverflowError):
        return None


def content_digest(cib: Cib, dialect: digest.Dialect) -> str:
    """Return the on-disk digest of the canonical form, as ``CIB-Digest`` holds it.

    It is what ``cibadmin --md5-sum -x clusters/NAME/cib.xml`` prints on a node.
    """
    return digest.on_disk(canonical(cib).root, dialect)


def trailers(version: Version, change: LastChange, digest_value: str) -> dict[str, str]:
    """Return the commit trailers of a configuration that a cluster had."""
    found = {
        VERSION: str(version),
        "CIB-Digest": digest_value,
        "CIB-Changed-By": str(change) if change.user else "",
        "CIB-Changed-At": change.at,
    }
    return {name: value for name, value in found.items() if value}


def _obstacle(site: Site, at_head: Cib | None, applied: Applied | None) -> str:
    if site.is_dirty():
        return f"{site.path} has changes that are not committed"
    if at_head and applied and not same(at_head, applied.cib):
        return f"{site.path} has committed changes that were not pushed"
    return ""


def _nothing(live: Cib) -> Cib:
    empty = live.copy()
    for section in list(empty.configuration):
        empty.configuration.remove(section)
    return empty
