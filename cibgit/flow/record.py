"""Record: every live state that is seen becomes a commit beside the branches.

They are a chain at ``refs/cibgit/NAME/live``, each by whoever changed the cluster. A push
or an export lets that ref name what it made; ``refs/cibgit/NAME/seen`` holds the end of
the chain meanwhile, and the next state has both for parents. So no state is ever lost.
"""

from ..cib.document import Cib, LastChange, Version
from .applied import find_applied
from .export import Details, author, content_digest, trailers
from .files import written
from .site import Site


def details(site: Site, cib: Cib, version: Version, change: LastChange) -> Details:
    """Return author and trailers of a commit that holds what a cluster had."""
    digest = content_digest(cib, site.cluster.dialect())
    return {"author": author(change), "trailers": trailers(version, change, digest)}


def record(site: Site, cib: Cib) -> str | None:
    """Make a commit of a live state; None where the last one recorded is the same."""
    hidden, repository = site.hidden(cib), site.repository
    site.keeper.refuse_uncertain()
    tip, seen = repository.get_ref(site.ref("live")), repository.get_ref(_seen(site))
    base = tip or seen or _start(site, hidden)
    if base and site.blob(base) == repository.blob_id(written(hidden)):
        return None
    merged = []
    if tip and seen and seen != tip and not repository.is_ancestor(seen, tip):
        merged = [seen]
    commit = site.commit_beside(
        base,
        hidden,
        f"{site.name} {cib.version}",
        **details(site, hidden, cib.version, cib.last_change),
        merged=merged,
    )
    repository.set_refs([site.ref("live"), _seen(site)], commit, "watch")
    return commit


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
