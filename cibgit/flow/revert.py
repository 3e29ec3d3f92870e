"""Revert: git back onto live, all of it or by element, as a push like any other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..compare.apply import apply
from ..compare.change import Change
from ..compare.diff import compare
from ..compare.select import selected
from ..compare.unchanged import same
from ..errors import BusyError
from .adopt import choose, moved
from .drift import Drift, drift
from .plan import Plan, judged
from .record import record
from .refusals import check_desired, refuse_unknown_push
from .site import Site


@dataclass(frozen=True)
class Reverting:
    """The push that reverts, None where there is nothing to revert.

    ``left`` is what stays of the drift, as what live made of what is applied.
    """

    plan: Plan | None
    left: list[Change]


def revert(
    site: Site,
    elements: Sequence[str] = (),
    *,
    operational: bool = False,
    force: Sequence[str] = (),
) -> Reverting:
    """Plan a push of what is applied, or of a part of it; nothing is written.

    What waits in git is not pushed with it. Raises
    :class:`~cibgit.errors.NoInputError` for an element of which nothing drifted.
    """
    found = drift(site)
    if found.applied.is_live:
        return Reverting(None, [])
    refuse_unknown_push(site, found.live)
    back = _back(found)
    picked = choose(back, elements, operational=operational)
    if not picked.chosen:
        return Reverting(None, moved(found))
    changes = selected(back, lambda change: change in picked.chosen)
    target = apply(changes, found.live)
    target.source = f"applied {found.applied.commit[:10]}"
    check_desired(target, found.live)
    real = site.read()
    if not same(site.hidden(real), found.live):
        raise BusyError(
            f"{found.live.source} changed meanwhile", "Look again, and repeat."
        )
    planned = Plan(
        site,
        real,
        found.applied,
        target,
        found.applied.commit,
        compare(found.live, target),
        site.cluster.dialect(),
    )
    gone = {change.path for change in changes}
    left = [change for change in moved(found) if change.path not in gone]
    return Reverting(judged(planned, force), left)


def recorded(planned: Plan) -> str:
    """Keep in git what is about to be reverted; return the commit that it goes back to."""
    record(planned.site, planned.live)
    return planned.commit or planned.site.repository.resolve("HEAD")


def _back(found: Drift) -> list[Change]:
    """Return the changes that lead back, each weighed as what it takes back was."""
    weights = {change.path: change.weight for change in moved(found)}
    return [
        replace(change, weight=weights.get(change.path, change.weight))
        for change in compare(found.live, found.applied.cib)
    ]
