"""Who made which change: the CIB names its last writer only.

States that were recorded tell more, and what Pacemaker logged tells of the epochs that
nobody recorded.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..cib.document import LastChange, Version
from ..cluster.journal import logged
from ..cluster.logged import Logged
from ..cluster.logged import chain as led_to
from ..compare.change import Change, Kind, Step
from ..compare.diff import compare
from ..revisions import Revision
from .drift import Drift, Entry
from .site import Site

_SAID = re.compile(r"(.+?)(?: via (.+?))?(?: on (\S+))?")

_DAEMONS = ("crmd", "pacemaker-controld", "attrd", "pacemaker-attrd")
"""How the cluster's own daemons call themselves as clients of the CIB manager."""

STATES = 60
"""How many recorded states are looked through, the newest ones."""

_Way = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Deed:
    """One element that somebody touched, in the way to ``version``.

    Without ``attributes`` it is the element itself, and so what is in it.
    """

    path: _Way
    attributes: frozenset[str]
    maker: LastChange | None
    version: Version | None
    is_move: bool = False

    def fits(self, change: Change) -> bool:
        """Whether it may be what brought about a change of the same element.

        Whoever put it into another place has not set what is in it: tools reorder.
        """
        if self.is_move:
            return change.kind is Kind.MOVED
        names = {each.name for each in change.attributes}
        return not (names and self.attributes) or not names.isdisjoint(self.attributes)


class _Deeds:
    """What was done, the newest first; it is asked for as many changes as there are."""

    def __init__(self) -> None:
        self._count = 0
        self._at: dict[_Way, list[tuple[int, _Deed]]] = {}
        self._within: dict[_Way, _Deed] = {}

    def add(self, deed: _Deed) -> None:
        """Add what was done before all that was added so far."""
        self._at.setdefault(deed.path, []).append((self._count, deed))
        self._count += 1
        for size in range(len(deed.path)):
            self._within.setdefault(deed.path[:size], deed)

    def of(self, change: Change) -> _Deed | None:
        """Return what touched an element last or came with all of it; else a part of it."""
        path = _way(change.path)
        found = [each for each in self._at.get(path, ()) if each[1].fits(change)][:1]
        for size in range(len(path)):
            around = self._at.get(path[:size], ())
            whole = [e for e in around if not (e[1].attributes or e[1].is_move)]
            found += whole[:1]
        newest = min(found, key=lambda each: each[0], default=None)
        return newest[1] if newest else self._within.get(path)


def is_person(change: LastChange) -> bool:
    """Say whether the last writer may have made a change of the configuration.

    After two partitions met again it is the controller that writes the joined CIB
    (experiment, 2.1.5).
    """
    return change.client not in _DAEMONS


def attributed(site: Site, found: Drift) -> Drift:
    """Return a drift whose changes say who made them, as far as anybody knows."""
    deeds = _Deeds()
    wanted = [one.change for one in found.entries if one.is_live]
    for step in _steps(site, found):
        for deed in step:
            deeds.add(deed)
        wanted = [change for change in wanted if deeds.of(change) is None]
        if not wanted:
            break
    return replace(found, entries=[_entry(one, deeds) for one in found.entries])


def _entry(one: Entry, deeds: _Deeds) -> Entry:
    deed = deeds.of(one.change) if one.is_live else None
    return replace(one, maker=deed.maker, version=deed.version) if deed else one


def _way(path: Iterable[Step]) -> _Way:
    return tuple((step.tag, step.name) for step in path)


@dataclass(frozen=True)
class _Step:
    """How a state differs from the one before it; ``maker`` wrote its last epoch."""

    changes: list[Change]
    maker: LastChange
    version: Version


def _steps(site: Site, found: Drift) -> Iterator[Iterator[_Deed]]:
    """Yield what each recorded state brought and who made it, the newest first."""
    log = _Log(site, found)
    after, version, maker = found.live, found.live.version, found.live.last_change
    since = _since(site, found.applied.commit)
    for past in since:
        cib = site.committed(past.commit)
        if cib is not None:
            before = _version(past.trailers)
            yield log.between(before, _Step(compare(cib, after), maker, version))
            after, version, maker = cib, before or version, _made(past)
    if len(since) > STATES:  # nobody knows who made what is older
        return
    base = site.committed(found.applied.commit) or found.applied.cib
    yield log.since_applied(_Step(compare(base, after), maker, version))


class _Log:
    """What is known of the epochs between two states, from what Pacemaker logged."""

    def __init__(self, site: Site, found: Drift) -> None:
        self._site = site
        self._applied = _version(site.repository.trailers(found.applied.commit))
        self._read: list[Logged] | None = None

    def between(self, before: Version | None, step: _Step) -> Iterator[_Deed]:
        """Yield what led from one recorded state to the next, the newest first.

        One epoch is one writer's doing. Of several a state names the last writer only;
        who the others were is in the log, or nobody knows.
        """
        epochs = before and _epochs(before, step.version)
        if before and (epochs is None or epochs > 1):
            return self._led(step, before)
        return _whole(step, step.version)

    def since_applied(self, step: _Step) -> Iterator[_Deed]:
        """Yield what led from what is applied to the first state that was recorded.

        What was adopted by element is applied, too, and no state that live ever had: so
        the log is asked first, without counting.
        """
        if led_to(self._logged(), step.version, None):
            return self._led(step, None)
        if self._applied is None:
            return _whole(step, None) if is_person(step.maker) else iter(())
        if _epochs(self._applied, step.version) == 1:
            return _whole(step, step.version)
        return iter(())

    def _led(self, step: _Step, before: Version | None) -> Iterator[_Deed]:
        for place, each in enumerate(led_to(self._logged(), step.version, before)):
            is_last = place == 0 and _epochs(each.before, each.after) == 1
            maker = step.maker if is_last and each.maker else each.maker
            if each.is_push:  # a part that was reverted, say: it made no drift
                maker = None
            for touch in each.touched:
                yield _Deed(
                    touch.path, touch.attributes, maker, each.after, touch.is_move
                )

    def _logged(self) -> list[Logged]:
        if self._read is None:
            self._read = logged(self._site.cluster, self._applied)
        return self._read


def _epochs(before: Version, after: Version) -> int | None:
    """Return how many epochs lie between two states, None where nobody can count them."""
    same = before.admin_epoch == after.admin_epoch
    return after.epoch - before.epoch if same else None


def _whole(step: _Step, version: Version | None) -> Iterator[_Deed]:
    for change in step.changes:
        names = frozenset(each.name for each in change.attributes)
        yield _Deed(_way(change.path), names, step.maker, version)


def _version(trailers: Mapping[str, str]) -> Version | None:
    return Version.of(trailers.get("CIB-Version", ""))


def _made(past: Revision) -> LastChange:
    """Read back what :func:`~cibgit.flow.export.trailers` wrote."""
    said = _SAID.fullmatch(past.trailers.get("CIB-Changed-By", ""))
    user, client, origin = said.groups("") if said else ("", "", "")
    return LastChange(user, client, origin, past.trailers.get("CIB-Changed-At", ""))


def _since(site: Site, applied: str) -> list[Revision]:
    """Return the states that were recorded after what is applied, newest first.

    A watch asks for them again and again, so no more are read than are looked through;
    one more than :data:`STATES` says that there are older ones.
    """
    tip = site.repository.get_ref(site.ref("live"))
    if tip is None:
        return []
    past = site.repository.revisions(site.path, tip, limit=STATES + 1)
    blob = site.blob(applied)
    for place, each in enumerate(past):
        if each.new == blob:
            return past[:place]
    return past if len(past) > STATES else []
