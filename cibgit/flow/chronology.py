"""In which order configurations were in force, by what files and git say of them.

Four clocks disagree now and then:

* ``(admin_epoch, epoch)`` counts changes of the configuration. It goes back when somebody
  restores a backup of a stopped cluster, or deletes its files;
* ``cib-last-written`` is local time without a zone, by a clock that may be wrong;
* ``num_updates`` counts changes of status, and begins anew with each daemon;
* the numbers of files in one series, and the order of commits, are the order in which
  they were written, but say nothing of other series.

The counters decide, then the time, then ``num_updates``, then the place in a series.
Where they go back within one series, the cluster began anew: what was written later than
that, in this series or by its time in another, comes after all that was written before.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import inf
from operator import attrgetter

from ..cib.document import Version

GIT = "git"
"""The series of what is in git already."""

_MOMENT = 0.5
"""Seconds after which a cluster began anew whose first file has an older time."""


@dataclass(frozen=True)
class Moment:
    """One configuration at one time, as one file or commit has it.

    ``blob`` is the id of its canonical form. ``time`` is in seconds since 1970, None
    where nobody knows; ``series`` is empty where the place means nothing. ``index`` is
    the caller's.
    """

    blob: str
    version: Version
    time: float | None
    series: str
    place: int
    index: int = -1

    @property
    def change(self) -> tuple[str, int, int]:
        """What is the same in every file of this change, but for a restored one."""
        return self.blob, self.version.admin_epoch, self.version.epoch


@dataclass(frozen=True)
class Choice:
    """What an import is to do.

    ``new`` are the configurations to be added, oldest first, each by its first moment;
    ``older`` those that would stand before what is in git.
    """

    new: list[Moment]
    older: list[Moment]


def choose(moments: Iterable[Moment]) -> Choice:
    """Return what comes after the newest moment of git, one for each configuration.

    Equal configurations in a row are one. What git has is never chosen: that holds
    whatever the clocks say, for an import that is repeated must change nothing.
    """
    moments = list(moments)
    git = [moment for moment in moments if moment.series == GIT]
    files = [moment for moment in moments if moment.series != GIT]
    choice, before = Choice([], []), len(git)
    for group in _groups([*git, *_unknown(files, git)]):
        before -= sum(moment.series == GIT for moment in group)
        if all(moment.series != GIT for moment in group):
            (choice.older if before else choice.new).append(group[0])
    return choice


def _unknown(files: Sequence[Moment], git: Sequence[Moment]) -> list[Moment]:
    """Return the files that are part of no configuration that git has, as they came.

    In which order the series come decides between what nothing else tells apart.
    """
    known = {moment.change for moment in git}
    until = max((moment.time or -inf for moment in git), default=-inf)
    left = {
        id(moment)
        for group in _groups(files)
        if not any(
            moment.change in known and (moment.time or -inf) <= until
            for moment in group
        )
        for moment in group
    }
    return [moment for moment in files if id(moment) in left]


def _groups(moments: Sequence[Moment]) -> Iterator[list[Moment]]:
    for _, group in groupby(ordered(moments), attrgetter("blob")):
        yield list(group)


def ordered(moments: Sequence[Moment]) -> list[Moment]:
    """Return moments in the order in which they were."""
    series: dict[str, list[Moment]] = defaultdict(list)
    for moment in moments:
        series[moment.series].append(moment)
    loose = series.pop("", [])
    tracks = [_Track(sorted(each, key=attrgetter("place"))) for each in series.values()]
    cuts = sorted(cut for track in tracks for cut in track.cuts)
    keys = [
        (key, moment)
        for rank, track in enumerate(tracks)
        for moment, key in track.keys(cuts, rank)
    ]
    keys += [
        (
            _key(bisect_right(cuts, moment.time or -inf), moment, moment.time or -inf),
            moment,
        )
        for moment in loose
    ]
    return [moment for _, moment in sorted(keys, key=lambda pair: pair[0])]


Key = tuple[int, tuple[int, int], float, int, int, int]


class _Track:
    """One series: when each of its moments can have been, and where it began anew."""

    def __init__(self, moments: Sequence[Moment]) -> None:
        self.cuts: list[float] = []
        self._moments: list[tuple[Moment, float, int]] = []
        latest, previous, begun = -inf, (0, 0), 0
        for moment in moments:
            time = latest if moment.time is None else moment.time
            if moment.version[:2] < previous:
                begun += 1
                if max(time, latest) > -inf:
                    # a file that was restored has the time of its first life
                    self.cuts.append(time if time > latest else latest + _MOMENT)
            latest, previous = max(time, latest), moment.version[:2]
            self._moments.append((moment, latest, begun))

    def keys(self, cuts: Sequence[float], rank: int) -> Iterable[tuple[Moment, Key]]:
        """Yield each moment with its key; ``cuts`` are those of all series, sorted."""
        for moment, time, begun in self._moments:
            others = bisect_right(cuts, time) - bisect_right(self.cuts, time)
            yield moment, _key(begun + others, moment, time, rank)


def _key(run: int, moment: Moment, time: float, rank: int = -1) -> Key:
    version = moment.version
    return run, version[:2], time, version.num_updates, rank, moment.place
