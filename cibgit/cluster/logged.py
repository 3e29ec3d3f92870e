"""What Pacemaker's CIB manager logs of each change: which elements, who, where from, when.

At level ``info`` every node logs every change of the configuration, wherever it was made
(experiment, 2.1.5)::

    Diff: --- 0.8.3 2
    Diff: +++ 0.9.0 (null)
    +  /cib:  @epoch=9, @num_updates=0
    +  /cib/configuration/resources/primitive[@id='vip']/operations/op[@id='o']:  @interval=9s
    Completed cib_modify operation for section 'all': OK (rc=0, origin=n2/cibadmin/2, \
version=0.9.0)

The user is not among it. Sources: ``lib/common/patchset.c`` (2.0.5, 2.1.5),
``patchset_display.c`` (3.0.0), ``daemons/based/based_callbacks.c``. The lines hold the
values of the configuration in clear: none is kept, just paths and names of attributes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..cib.document import LastChange, Version
from ..cib.owned import COMMIT_OPTION, MARKER_SET


class Line(NamedTuple):
    """One message of the CIB manager: when (as the log has it), on which node, what."""

    at: str
    node: str
    text: str


class Touch(NamedTuple):
    """One element that an operation touched: tags and ids on the way from ``<cib>``.

    ``attributes`` are those that it set or took away; without any, it added, removed or
    moved the element itself (``is_move``: to another place among its siblings).
    """

    path: tuple[tuple[str, str], ...]
    attributes: frozenset[str] = frozenset()
    is_move: bool = False


@dataclass(frozen=True)
class Logged:
    """One operation that changed the configuration.

    ``maker`` is None where the log does not say whose doing it was: what a node takes
    over from the others when it joins was made by somebody else, at another time.
    """

    before: Version
    after: Version
    touched: tuple[Touch, ...] = ()
    maker: LastChange | None = None

    @property
    def is_push(self) -> bool:
        """Whether it wrote which commit the cluster has."""
        return any(each.path[-1] in _MARKER for each in self.touched)


_VERSION = r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})"
_FROM = re.compile(rf"Diff: --- {_VERSION} 2")
_TO = re.compile(rf"Diff: \+\+\+ {_VERSION}(?: .*)?")
_DONE = re.compile(
    r"Completed (?P<operation>\w+) operation for section (?P<section>.+?): .+ \(rc=0,"
    rf" origin=(?P<origin>[^/\s]+)/(?P<client>\S+)/\w+, version={_VERSION}\)"
)
_PATH = r"(?P<path>/cib/configuration(?:/[\w.-]+(?:\[@id='[^']*'\])?)*)"
_CREATED = re.compile(rf"\+\+ {_PATH}:  ?<(?P<tag>[\w.-]+)(?P<rest>.*)", re.DOTALL)
_SET = re.compile(rf"\+  {_PATH}:  (?P<names>@.*)", re.DOTALL)
_UNSET = re.compile(rf"-- {_PATH}:  (?P<names>@.*)", re.DOTALL)
_REMOVED = re.compile(rf"-- {_PATH}(?: \(\d+\))?")
_MOVED = re.compile(rf"\+~ {_PATH} moved to offset \d+")
_STEP = re.compile(r"/([\w.-]+)(?:\[@id='([^']*)'\])?")
_NAMES = re.compile(r"(?:^|, )@([\w.:-]+)")
_ID = re.compile(r'\sid="([^"]*)"')
_MARKER = {("cluster_property_set", MARKER_SET), ("nvpair", COMMIT_OPTION)}
_CONTROLLER = frozenset({"crmd", "pacemaker-controld"})
_MOST = 10_000


def operations(lines: Iterable[Line]) -> Iterator[Logged]:
    """Yield the operations that changed the configuration, in the order of the lines.

    What is not understood is passed over.
    """
    opened: _Opened | None = None
    for line in lines:
        text = line.text
        if text.startswith("Diff: ---") and (start := _FROM.fullmatch(text)):
            if opened and opened.matters:
                yield opened.closed()
            opened = _Opened(_version(start))
        elif opened:
            opened.read(line)
    if opened and opened.matters:
        yield opened.closed()


@dataclass
class _Opened:
    """An operation of which not all lines have come by yet."""

    before: Version
    after: Version | None = None
    touched: list[Touch] = field(default_factory=list)
    makers: list[LastChange | None] = field(default_factory=list)

    def read(self, line: Line) -> None:
        if self.after is None:
            target = _TO.fullmatch(line.text)
            self.after = target and _version(target)
        elif line.text.startswith("Completed ") and (end := _DONE.fullmatch(line.text)):
            if _version(end, 5)[:2] == self.after[:2]:
                self.makers.append(_maker(end, line))
        elif not self.makers and len(self.touched) < _MOST:
            touch = _touch(line.text)
            if touch:
                self.touched.append(touch)

    @property
    def matters(self) -> bool:
        moved = self.after is not None and self.before[:2] != self.after[:2]
        return bool(self.makers) and (moved or bool(self.touched))

    def closed(self) -> Logged:
        """Return what is known of it.

        A value with line ends in it can look like a message: where two claim to have
        completed it, nobody knows.
        """
        maker = self.makers[0] if len(self.makers) == 1 else None
        after = self.after or self.before
        return Logged(self.before, after, tuple(self.touched), maker)


def _maker(end: re.Match[str], line: Line) -> LastChange | None:
    """Return who it was; what the controller takes over at a join is not its doing."""
    if end["client"] in _CONTROLLER and end["operation"] == "cib_replace":
        return None
    origin = line.node if end["origin"] == "local" else end["origin"]
    return LastChange("", end["client"], origin, line.at)


def chain(
    found: Sequence[Logged], live: Version, applied: Version | None
) -> list[Logged]:
    """Return the operations that led to ``live`` since ``applied``, the newest first.

    Without ``applied`` it is all that are known, pushes too. Where the log does not have
    one of them, it is those that came after it.
    """
    epoch, led = live[:2], list[Logged]()
    for each in reversed(found):
        if each.after[:2] != epoch:
            if led:
                break
            continue
        if applied and epoch <= applied[:2]:
            break
        led.append(each)
        epoch = each.before[:2]
    return led


def _touch(text: str) -> Touch | None:
    """Return what one line says was touched of the configuration, None for another line."""
    if not text.startswith("/cib/configuration", 3):  # the status changes all the time
        return None
    if match := _CREATED.fullmatch(text):
        name = _ID.search(match["rest"])
        return Touch((*_steps(match["path"]), (match["tag"], name[1] if name else "")))
    if match := _SET.fullmatch(text) or _UNSET.fullmatch(text):
        return Touch(_steps(match["path"]), frozenset(_NAMES.findall(match["names"])))
    if match := _REMOVED.fullmatch(text):
        return Touch(_steps(match["path"]))
    if match := _MOVED.fullmatch(text):
        return Touch(_steps(match["path"]), is_move=True)
    return None


def _steps(path: str) -> tuple[tuple[str, str], ...]:
    return tuple(_STEP.findall(path.removeprefix("/cib")))


def _version(match: re.Match[str], first: int = 1) -> Version:
    return Version(*(int(match[number]) for number in range(first, first + 3)))
