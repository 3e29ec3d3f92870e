"""Record: every live state that is seen becomes a commit beside the branches.

They are a chain at ``refs/cibgit/NAME/live``, each by whoever changed the cluster. A push
or an export lets that ref name what it made; ``refs/cibgit/NAME/seen`` holds the end of
the chain meanwhile, and the next state has both for parents. So no state is ever lost.

A branch can show the chain: it is ``seen``, and only ever moves forward.
"""

from contextlib import suppress
from dataclasses import replace

from ..cib.document import Cib, LastChange, Version
from ..errors import BusyError, UnsafeError
from .applied import find_applied
from .export import Details, author, content_digest, trailers
from .files import written
from .site import Site


def details(site: Site, cib: Cib, version: Version, change: LastChange) -> Details:
    """Return author and trailers of a commit that holds what a cluster had.

    The log may tell program and node, and not the user.
    """
    if not change.user and (change.client or change.origin):
        change = replace(change, user="unknown")
    digest = content_digest(cib, site.cluster.dialect())
    return {"author": author(change), "trailers": trailers(version, change, digest)}


def record(site: Site, cib: Cib) -> str | None:
    """Make a commit of a live state; None where the last one recorded is the same.

    Where a push or an export moves the chain meanwhile it is looked at once more.
    """
    hidden = site.hidden(cib)
    site.keeper.refuse_uncertain()
    with suppress(BusyError):
        return _recorded(site, hidden)
    return _recorded(site, hidden)


def _recorded(site: Site, hidden: Cib) -> str | None:
    repository = site.repository
    tip, seen = repository.get_ref(site.ref("live")), repository.get_ref(_seen(site))
    base = tip or seen or _start(site, hidden)
    if base and site.blob(base) == repository.blob_id(written(hidden)):
        return None
    merged = []
    if tip and seen and seen != tip and not repository.is_ancestor(seen, tip):
        if _shows(site, seen, tip):
            base = seen
        else:
            merged = [seen]
    commit = _committed(site, base, hidden, merged)
    known = {site.ref("live"): tip, _seen(site): seen}
    repository.set_refs([*known], commit, "watch", known)
    return commit


def check_branch(site: Site, branch: str) -> None:
    """Refuse a branch that people work on: checked out, or with commits of their own.

    Raises :class:`~cibgit.errors.BusyError` or :class:`~cibgit.errors.UnsafeError`.
    """
    repository = site.repository
    if branch == repository.branch():
        raise BusyError(
            f"the branch {branch} is checked out in {repository.root}",
            "Name one for the recorded states alone: live, say.",
        )
    old = repository.tip(branch)
    ends = [repository.get_ref(name) for name in (site.ref("live"), _seen(site))]
    if old and not any(end and repository.is_ancestor(old, end) for end in ends):
        raise UnsafeError(
            f"the branch {branch} has commits that are no recorded states of {site.name}",
            "Name another one; it is made where there is none.",
        )


def show(site: Site, branch: str, cib: Cib) -> None:
    """Let a branch show what is live now: the end of the chain, with both its ends.

    Where a push or an adopted change made live what the chain does not end in, it goes on
    with a commit that has that state.
    """
    hidden, repository = site.hidden(cib), site.repository
    live, seen = repository.get_ref(site.ref("live")), repository.get_ref(_seen(site))
    if live is None or site.blob(live) != repository.blob_id(written(hidden)):
        return  # a push is under way: the next look finds what came of it
    old = repository.tip(branch)
    if old not in (live, seen) or branch == repository.branch():
        check_branch(site, branch)
    if seen is None or repository.is_ancestor(seen, live):
        end = live
    elif _shows(site, seen, live):
        end = seen
    else:
        end = _committed(site, seen, hidden, [live])
        repository.set_ref(_seen(site), end, "watch")
    if end != old:
        repository.advance(branch, old, end, "cibgit watch")


def _shows(site: Site, end: str, live: str) -> bool:
    """Say whether an end of the chain has in it what ``live`` is, and shows it."""
    repository = site.repository
    return repository.is_ancestor(live, end) and site.blob(end) == site.blob(live)


def _committed(site: Site, base: str | None, hidden: Cib, merged: list[str]) -> str:
    return site.commit_beside(
        base,
        hidden,
        f"{site.name} {hidden.version}",
        **details(site, hidden, hidden.version, hidden.last_change),
        merged=merged,
    )


def _seen(site: Site) -> str:
    return site.ref("seen")


def _start(site: Site, cib: Cib) -> str | None:
    """Return what the chain starts from: what is applied, or else HEAD."""
    applied = find_applied(site, cib)
    return applied.commit if applied else site.repository.head()


def start_version(site: Site) -> Version | None:
    """Return the version of the last state of the chain, None where nobody knows it."""
    repository = site.repository
    for name in (_seen(site), site.ref("live")):
        commit = repository.get_ref(name)
        if commit is None:
            continue
        version = Version.of(repository.trailers(commit).get("CIB-Version", ""))
        if version:
            return version
    return None


class Repeats:
    """States that only repeat the end of the chain, in the order in which they came.

    An epoch may bring no change of content (a suspension, say): then there is no commit
    that tells how far the chain had come.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        end = site.repository.get_ref(_seen(site))
        self._blob = site.blob(end) if end else None

    def has(self, cib: Cib) -> bool:
        """Say whether a state, and all before it, have the content of the chain's end."""
        if self._blob is not None:
            hidden = self._site.hidden(cib)
            if self._site.repository.blob_id(written(hidden)) != self._blob:
                self._blob = None
        return self._blob is not None
