"""What is refused before anything is written: in git, or by a push."""

from ..cib import schema
from ..cib.document import SECTIONS, Cib
from ..cib.owned import VOLATILE_ROOT_ATTRIBUTES
from ..errors import BadDataError, StaleError, UnsafeError
from .applied import missing_marker
from .site import Site

REQUIRED = SECTIONS[:4]
"""Sections that every schema demands."""


def refuse_dirty(site: Site, hint: str) -> None:
    """Refuse to go on over edits of the work tree that would be lost."""
    if site.is_dirty():
        raise UnsafeError(f"{site.path} has changes that are not committed", hint)


def branch_for(site: Site, what: str) -> str:
    """Return the branch that is checked out; refuse where none could take ``what``."""
    branch = site.repository.branch()
    if branch is None:
        raise UnsafeError(
            f"HEAD is detached, so there is no branch that could take {what}",
            "Check out a branch first.",
        )
    return branch


def refuse_unknown_push(site: Site, live: Cib) -> None:
    """Refuse to answer as drift what is a push from another clone.

    Raises :class:`~cibgit.errors.StaleError`.
    """
    missing = missing_marker(site, live)
    if missing:
        raise StaleError(
            f"the live CIB was pushed from commit {missing[:12]}, which this clone does"
            " not have: what looks like drift may be somebody's push",
            f"Let this clone follow: {site.repository.fetching}. Where nobody has that"
            " commit any more: cibgit export",
        )


def check_desired(desired: Cib, live: Cib) -> None:
    """Refuse a desired state that is empty, another cluster's, or not valid here.

    Raises :class:`~cibgit.errors.BadDataError` or :class:`~cibgit.errors.UnsafeError`.
    """
    _check_sections(desired)
    _check_cluster(desired, live)
    _check_root(desired, live)
    _check_schema(desired)


def _check_sections(desired: Cib) -> None:
    """An empty desired state is a mistake, never "delete everything"."""
    present = {section.tag: section for section in desired.configuration}
    for name in REQUIRED:
        if name not in present:
            raise BadDataError(f"{desired.source}: the section <{name}> is missing")
    if not any(len(section) for section in present.values()):
        raise BadDataError(
            f"{desired.source}: the configuration is empty",
            "To empty a cluster on purpose, keep its nodes and cluster options.",
        )


def _check_cluster(desired: Cib, live: Cib) -> None:
    """Refuse the CIB of another cluster: other cluster name, or other node names."""
    wanted, here = desired.option("cluster-name"), live.option("cluster-name")
    if wanted and here and wanted != here:
        raise UnsafeError(
            f"{desired.source} belongs to cluster {wanted!r}, live is {here!r}",
            "Check --cluster and the file.",
        )
    ours, theirs = desired.nodes(), live.nodes()
    if not ours and theirs:
        raise UnsafeError(f"{desired.source} lists no node, live has {len(theirs)}")
    for identity in ours.keys() & theirs.keys():
        if ours[identity] != theirs[identity]:
            raise UnsafeError(
                f"{desired.source}: node {identity} is {ours[identity]!r},"
                f" live it is {theirs[identity]!r}: this is another cluster's CIB"
            )
    if theirs and not set(ours.values()) & set(theirs.values()):
        raise UnsafeError(
            f"{desired.source} shares no node with live"
            f" ({', '.join(sorted(theirs.values()))}): this is another cluster's CIB"
        )


def _check_root(desired: Cib, live: Cib) -> None:
    """Refuse what only a change of ``<cib>`` itself could do: that is never patched."""
    if desired.schema != live.schema:
        raise BadDataError(
            f"{desired.source}: validate-with is {desired.schema or 'missing'!r}, live has"
            f" {live.schema or 'none'!r}; a push does not change the schema",
            "Upgrade with cibadmin --upgrade, then: cibgit export",
        )
    names = {*desired.root.keys(), *live.root.keys()} - VOLATILE_ROOT_ATTRIBUTES
    for name in sorted(str(name) for name in names):
        if desired.root.get(name) != live.root.get(name):
            raise BadDataError(
                f"{desired.source}: {name} of <cib> is {desired.root.get(name)!r}, live"
                f" {live.root.get(name)!r}; a push does not change <cib> itself",
                "Set it with cibadmin --modify, then: cibgit export",
            )


def _check_schema(desired: Cib) -> None:
    """Refuse what the schema forbids, where it is installed; else the cluster will."""
    if not schema.is_installed(desired.schema):
        return
    for violation in schema.validate(desired):
        raise BadDataError(
            f"{desired.source}: not valid under {desired.schema}: {violation.message}"
            f" (line {violation.line} of the canonical form)",
            "See the lines with: cibgit fmt, then crm_verify -x FILE",
        )
