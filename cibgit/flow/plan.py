"""Plan: what one push would do, and whether it may.

Nothing is written here. A plan names the state it starts from, so that it can only be
carried out while that state is live.
"""

from dataclasses import dataclass

from ..cib import canonical, digest
from ..cib.document import Cib, LastChange
from ..compare.change import Change
from ..compare.diff import compare
from ..errors import StaleError
from .applied import Applied, find_applied, missing_marker
from .files import same
from .refusals import check_desired
from .site import Site


class DriftError(StaleError):
    """Live is not what git knew. ``changes`` lead from that to live; nothing was written."""

    def __init__(
        self, message: str, hint: str, changes: list[Change], last: LastChange
    ) -> None:
        super().__init__(message, hint)
        self.changes = changes
        self.last = last


@dataclass(frozen=True)
class Plan:
    """What one push would do; nothing has been written yet.

    ``commit`` is the commit whose state is pushed, None when it is yet to be made.
    ``changes`` lead from ``live`` to ``desired``; empty: there is nothing to do.

    ``live`` is the real CIB, as the push starts from it, secrets and all: it is never
    compared, shown or stored. ``desired`` and ``changes`` have placeholders.
    """

    site: Site
    live: Cib
    applied: Applied | None
    desired: Cib
    commit: str | None
    changes: list[Change]
    dialect: digest.Dialect

    def target(self) -> Cib:
        """Return the whole CIB that the push must produce, with its real secrets.

        Raises what keeps a placeholder from being opened (exit 77 or 65).
        """
        marked = self.commit or "0" * 40
        commit = marked if self.site.config.marker else None
        real = self.site.keeper.revealed(self.desired)
        return canonical.target(real, self.live, commit)

    def digest(self) -> str:
        """Return the digest of the planned ``<configuration>``.

        After the push ``cibadmin -Q -o configuration | cibadmin -5 -p`` prints it.
        """
        return digest.on_disk(self.target().configuration, self.dialect)


def plan(site: Site, desired: Cib, commit: str | None) -> Plan:
    """Work out a push of ``desired``, and refuse it where it must not run.

    Raises :class:`DriftError` (103) when live is not what git last knew, and whatever
    :func:`~cibgit.flow.refusals.check_desired` refuses.
    """
    real = site.read()
    live = site.hidden(real)
    check_desired(desired, live)
    applied = find_applied(site, live)
    dialect = site.cluster.dialect()
    if same(live, desired):
        return Plan(site, real, applied, desired, commit, [], dialect)
    if applied is None:
        raise _no_base(site, live)
    if not applied.is_live:
        raise drifted(site, applied.cib, live)
    changes = compare(live, desired)
    return Plan(site, real, applied, desired, commit, changes, dialect)


def _no_base(site: Site, live: Cib) -> DriftError:
    missing = missing_marker(site, live)
    if missing:
        return DriftError(
            f"the live CIB was pushed from commit {missing[:12]}, which this clone does"
            " not have",
            "Fetch it from the remote that it was pushed from: git fetch --all",
            [],
            live.last_change,
        )
    return DriftError(
        f"no commit is known to have been live in {site.name}, so a push could overwrite"
        " anything",
        "Take the live state into git first: cibgit export",
        [],
        live.last_change,
    )


def drifted(site: Site, known: Cib, live: Cib) -> DriftError:
    """Return the error that shows how live left what git knew, both in hidden form."""
    missing = missing_marker(site, live)
    hint = (
        f"Commit {missing[:12]} was pushed meanwhile: git fetch --all"
        if missing
        else "Take it into git with: cibgit export. Nothing was written."
    )
    return DriftError(
        f"{live.source} is not what git knew: changed by {live.last_change}"
        f" (now {live.version})",
        hint,
        compare(known, live),
        live.last_change,
    )
