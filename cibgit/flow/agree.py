"""Agree: the agents of all nodes tell each other what they see, and say where it differs.

Each multicasts its :class:`~cibgit.cluster.views.View` in a process group of Corosync, to
all in one order. No ssh is needed, and no secret leaves a node: only digests of what has
its secrets masked.
"""

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from ..cib.canonical import canonical, compact
from ..cib.document import Cib
from ..cib.secrets import Rules, find
from ..cluster import archives, cibfiles
from ..cluster.cpg import GoneError, Group, Member
from ..cluster.views import Disagreement, Steady, Verdict, View, disagreements, read
from ..errors import BadDataError, CibgitError, DigestError, NoInputError

COROSYNC = Path("/etc/corosync/corosync.conf")

QUIET = 3.0
"""Seconds after which a disagreement is told; a change takes a moment to arrive."""

REFRESH = 2.0
"""Seconds after which the files are looked at again, though nobody said anything."""

_LIMIT = 1024 * 1024
_MASK = "masked"
_CONFIG_VERSION = re.compile(r"config_version\s*:\s*(\d{1,18})")
_KEY = re.compile(r"key\s*:")


@dataclass(frozen=True)
class Told:
    """A disagreement, or its end."""

    disagreement: Disagreement
    is_over: bool = False


@dataclass(frozen=True)
class Apart:
    """The agents do not hear each other, and why."""

    sentence: str
    hint: str = ""


@dataclass(eq=False)
class Agreement:
    """What this node's agent sees, and what the others say.

    ``files`` is the CIB directory, ``rules`` say what is secret, ``live`` reads the live
    CIB where the files do not say how the nodes are called. ``tell`` hears of each
    disagreement once, and of its end. It is a :class:`~cibgit.cluster.events.Source`.
    """

    name: str
    files: Path
    rules: Rules
    live: Callable[[], Cib]
    tell: Callable[[Told | Apart], None]
    corosync: Path = COROSYNC
    steady: Steady = field(default_factory=lambda: Steady(QUIET))
    _group: Group | None = None
    _views: dict[Member, View] = field(default_factory=dict)
    _members: frozenset[Member] = frozenset()
    _names: Mapping[int, str] = field(default_factory=dict)
    _own: View | None = None
    _looked_at: object = None
    _sent: View | None = None
    _trouble: str = ""

    def join(self) -> None:
        """Join the others; without the library or the permission that is refused.

        Without Corosync it is tried again later.
        """
        with suppress(GoneError):
            self._group = Group(f"cibgit:{self.name}")

    def close(self) -> None:
        """Leave the others."""
        if self._group:
            self._group.close()
        self._group = None

    @property
    def descriptor(self) -> int | None:
        """What becomes readable when another agent says something."""
        return self._group.descriptor if self._group else None

    def heard(self) -> float:
        """Read, answer and judge; return in how many seconds to look again."""
        now = time.monotonic()
        try:
            self._exchange()
        except CibgitError as error:
            self.close()
            self._views, self._members, self._sent = {}, frozenset(), None
            if self._trouble != error.message:
                self.tell(Apart(error.message, error.hint))
            self._trouble = error.message
        else:
            self._trouble = ""
        views = {member.node: view for member, view in sorted(self._views.items())}
        found = disagreements(views, self._names)
        begun, ended = self.steady.update(now, found, views)
        for each in begun:
            self.tell(Told(each))
        for each in ended:
            self.tell(Told(each, is_over=True))
        due = self.steady.due(now)
        return REFRESH if due is None else min(due, REFRESH)

    def _exchange(self) -> None:
        if self._group is None:
            self._group = Group(f"cibgit:{self.name}")
        for message in self._group.read():
            view = read(message.data)
            if view is not None:
                self._views[message.sender] = view
        members = self._group.members
        if members - self._members:
            self._sent = None  # whoever is new has not heard it
        self._members = members
        self._views = {who: self._views[who] for who in members & self._views.keys()}
        own = self._look()
        if own != self._sent and self._group.send(own.to_bytes()):
            self._sent = own

    def _look(self) -> View:
        """Return what this node has; the files are read where they changed."""
        paths = [self.files / "cib.xml", self.files / "cib.xml.sig", self.corosync]
        state = [_state(path) for path in paths]
        if self._own is None or state != self._looked_at:
            self._own = self._seen()
            self._looked_at = state
        return self._own

    def _seen(self) -> View:
        verdict, cib = _disk(self.files)
        digest, number = _corosync(self.corosync)
        if cib is None:
            if not self._names:
                with suppress(CibgitError):
                    self._names = _names(self.live())
            return View(verdict, corosync=digest, config_version=number)
        self._names = _names(cib)
        return View(
            verdict,
            cib.version[:2],
            masked_digest(cib, self.rules),
            sha256(
                repr((self.rules.hide, sorted(self.rules.allow))).encode()
            ).hexdigest(),
            digest,
            number,
        )


def masked_digest(cib: Cib, rules: Rules) -> str:
    """Return a digest of a configuration on which no secret has an influence."""
    form = canonical(cib).copy()
    for found in find(form, rules):
        found.replace(_MASK)
    return sha256(compact(form)).hexdigest()


def _disk(files: Path) -> tuple[Verdict, Cib | None]:
    """Return how it stands with ``cib.xml``, and what it holds if it is right."""
    try:
        cib = cibfiles.read_pair(files).cib
        canonical(cib)
        return "right", cib
    except DigestError:
        return "mismatch", None
    except BadDataError:
        return "broken", None
    except NoInputError:
        return "missing", None
    except CibgitError:
        return "unreadable", None


def _corosync(path: Path) -> tuple[str, int | None]:
    """Return a digest of the lines that count, without keys, and the number in them."""
    with suppress(OSError, CibgitError), archives.opened(path) as file:
        text = file.read(_LIMIT).decode(errors="replace")
        lines = [line.strip() for line in text.splitlines()]
        counting = [x for x in lines if x and x[0] != "#" and not _KEY.match(x)]
        numbers = [n[1] for x in counting if (n := _CONFIG_VERSION.fullmatch(x))]
        digest = sha256("\n".join(counting).encode()).hexdigest()
        return digest, int(numbers[-1]) if numbers else None
    return "", None


def _names(cib: Cib) -> dict[int, str]:
    """Return how the nodes are called, by Corosync's numbers."""
    return {int(node): name for node, name in cib.nodes().items() if node.isdecimal()}


def _state(path: Path) -> object:
    try:
        found = path.stat()
    except OSError as error:
        return error.errno
    return found.st_ino, found.st_mtime_ns, found.st_size
