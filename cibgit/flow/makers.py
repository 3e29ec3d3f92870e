"""Who made which change: the CIB names its last writer only, recorded states tell more."""

import re
from collections.abc import Iterator
from dataclasses import replace

from ..cib.document import Cib, LastChange
from ..compare.change import Change, Path
from ..compare.diff import compare
from ..revisions import Revision
from .applied import Applied
from .drift import Drift
from .site import Site

_SAID = re.compile(r"(.+?)(?: via (.+?))?(?: on (\S+))?")

STATES = 60
"""How many recorded states are looked through, the newest ones."""


def attributed(site: Site, found: Drift) -> Drift:
    """Return a drift whose changes say who made them, as far as states were recorded."""
    makers: dict[Path, LastChange] = {}
    wanted = [one.change for one in found.entries if one.is_live]
    for changes, maker in _steps(site, found.applied, found.live):
        for change in changes:
            makers.setdefault(change.path, maker)
        if all(_maker(change, makers) for change in wanted):
            break
    entries = [
        replace(one, maker=_maker(one.change, makers)) if one.is_live else one
        for one in found.entries
    ]
    return replace(found, entries=entries)


def _maker(change: Change, makers: dict[Path, LastChange]) -> LastChange | None:
    """Return who touched an element last, or something in it, or what it is in."""
    if change.path in makers:
        return makers[change.path]
    size = len(change.path)
    within = [made for path, made in makers.items() if path[:size] == change.path]
    around = [made for path, made in makers.items() if change.path[: len(path)] == path]
    found = within or around
    return found[0] if found else None


def _steps(
    site: Site, applied: Applied, live: Cib
) -> Iterator[tuple[list[Change], LastChange]]:
    """Yield what each state brought and who made it, the newest first."""
    after, maker = live, live.last_change
    since = _since(site, applied)
    for past in since:
        cib = site.committed(past.commit)
        if cib is not None:
            yield compare(cib, after), maker
            after, maker = cib, _made(past)
    if len(since) <= STATES:  # else nobody knows who made what is older
        yield compare(site.committed(applied.commit) or applied.cib, after), maker


def _made(past: Revision) -> LastChange:
    """Read back what :func:`~cibgit.flow.export.trailers` wrote."""
    said = _SAID.fullmatch(past.trailers.get("CIB-Changed-By", ""))
    user, client, origin = said.groups("") if said else ("", "", "")
    return LastChange(user, client, origin, past.trailers.get("CIB-Changed-At", ""))


def _since(site: Site, applied: Applied) -> list[Revision]:
    """Return the states that were recorded after what is applied, newest first.

    A watch asks for them again and again, so no more are read than are looked through;
    one more than :data:`STATES` says that there are older ones.
    """
    tip = site.repository.get_ref(site.ref("live"))
    if tip is None:
        return []
    past = site.repository.revisions(site.path, tip, limit=STATES + 1)
    blob = site.blob(applied.commit)
    for place, each in enumerate(past):
        if each.new == blob:
            return past[:place]
    return past if len(past) > STATES else []
