"""Patch: from one CIB to another as a patchset for ``cibadmin --patch``."""

from ..cib import canonical, digest, patchset
from ..cib.document import Cib
from .files import same
from .push import build_verified


def patch(old: Cib, new: Cib, dialect: digest.Dialect) -> patchset.Patchset | None:
    """Return the patchset that gives ``old`` the configuration of ``new``; None for none.

    It names the version of ``old`` as that stands there, so it is taken only by a CIB of
    just this version, and it carries the digest of the whole result. What the cluster
    owns, the status and the attributes of ``<cib>`` stay as they are in ``old``.

    Raises :class:`~cibgit.errors.BadDataError` for a value that a Pacemaker of that
    dialect would not store as it is.
    """
    if same(old, new):
        return None
    if old.root.find("status") is None:
        # the CIB manager adds it to what it reads, so it is in the digest (2.1.5)
        old = old.copy()
        old.root.append(old.root.makeelement("status"))
    return build_verified(old, canonical.target(new, old, None), dialect)
