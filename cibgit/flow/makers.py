"""Who made which change: the CIB names its last writer only, recorded states tell more."""

import re
from dataclasses import replace

from ..cib.document import Cib, LastChange
from ..compare.change import Change, Path
from ..compare.diff import compare
from ..replay import PastCommit
from .applied import Applied
from .drift import Drift
from .files import same
from .site import Site

_SAID = re.compile(r"(.+?)(?: via (.+?))?(?: on (\S+))?")

STATES = 60
"""How many recorded states are looked through, the newest ones."""


def attributed(site: Site, found: Drift) -> Drift:
    """Return a drift whose changes say who made them, as far as states were recorded."""
    makers = _makers(site, found.applied, found.live)
    entries = [
        replace(one, maker=_maker(one.change, makers)) if one.is_live else one
        for one in found.entries
    ]
    return replace(found, entries=entries)


def _maker(change: Change, makers: dict[Path, LastChange]) -> LastChange | None:
    """Return who touched an element last, or the last one to touch something in it."""
    if change.path in makers:
        return makers[change.path]
    size = len(change.path)
    within = [made for path, made in makers.items() if path[:size] == change.path]
    around = [made for path, made in makers.items() if change.path[: len(path)] == path]
    found = within or around
    return found[-1] if found else None


def _makers(site: Site, applied: Applied, live: Cib) -> dict[Path, LastChange]:
    """Return who was the last to change each element since what is applied."""
    makers: dict[Path, LastChange] = {}
    before = site.committed(applied.commit) or applied.cib
    for past in _since(site, applied):
        cib = site.committed(past.commit)
        if cib is None:
            continue
        _note(makers, compare(before, cib), _made(past))
        before = cib
    if not same(before, live):
        _note(makers, compare(before, live), live.last_change)
    return makers


def _note(
    makers: dict[Path, LastChange], changes: list[Change], maker: LastChange
) -> None:
    for change in changes:
        makers.pop(change.path, None)  # so that the newest stands last
        makers[change.path] = maker


def _made(past: PastCommit) -> LastChange:
    """Read back what :func:`~cibgit.flow.export.trailers` wrote."""
    said = _SAID.fullmatch(past.trailers.get("CIB-Changed-By", ""))
    user, client, origin = said.groups("") if said else ("", "", "")
    return LastChange(user, client, origin, past.trailers.get("CIB-Changed-At", ""))


def _since(site: Site, applied: Applied) -> list[PastCommit]:
    """Return the states that were recorded after what is applied, oldest first."""
    tip = site.repository.get_ref(site.ref("live"))
    if tip is None:
        return []
    past = site.repository.history(site.path, tip)
    blob = site.blob(applied.commit)
    places = [n for n, each in enumerate(past) if each.blob == blob]
    return past[places[-1] + 1 :][-STATES:] if places else []
