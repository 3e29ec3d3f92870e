"""The nodes of a ring, and their files: read at once, replaced on all or on none.

This node is asked directly, every other one through the words of ``reach``.
"""

import hashlib
import platform
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from ..corosync.runtime import Runtime, parse
from ..errors import (
    MAKE_ROOM,
    BadConfigError,
    BadDataError,
    BusyError,
    CibgitError,
    NoQuorumError,
    StaleError,
    UnreachableError,
)
from . import commands
from . import corosync_commands as corosync

TIMEOUT = 30.0
"""Seconds that one step on one node may take."""

AT_ONCE = 16
"""How many nodes are asked at the same time."""

_NODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")
"""What may stand for ``{node}``: nothing that a program could take for an option."""

_SILENT = "it does not say why (see its log there)"

_LOGGED = re.compile(r".*\[MAIN *\] *")
"""What stands before a message of Corosync on standard error."""

_FULL = "No space left on device"

_T = TypeVar("_T")


@dataclass(frozen=True)
class Copy:
    """What one node has: its file as bytes (None: missing), and what it runs with.

    ``problem`` says why the file could not be read, ``silent`` why Corosync did not say
    what it runs with.
    """

    data: bytes | None = field(default=None, repr=False)
    runtime: Runtime | None = field(default=None, repr=False)
    problem: str = ""
    silent: str = ""

    @property
    def digest(self) -> str:
        """What a replacement of this very file is made for."""
        return "missing" if self.data is None else hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Ring:
    """Runs programs on nodes; ``path`` is the file there, ``reach`` how others are reached.

    ``own`` in a method says that the node is this one.
    """

    reach: Sequence[str]
    path: str
    environment: Mapping[str, str]

    @classmethod
    def connect(
        cls, reach: Sequence[str], path: str, caller: Mapping[str, str]
    ) -> "Ring":
        """Return the ring that this node is a member of; nothing is run yet."""
        agent = {name: caller[name] for name in ("SSH_AUTH_SOCK",) if name in caller}
        return cls(reach, path, {**commands.environment(caller), **agent})

    def read_own(self) -> Copy:
        """Return what this node has."""
        return self._read(corosync.SHELL)

    def read(self, nodes: Iterable[str]) -> dict[str, Copy]:
        """Return what other nodes have; one that cannot be asked says why."""

        def read(node: str) -> Copy:
            try:
                return self._read(self._at(node))
            except CibgitError as error:
                return Copy(problem=error.message)

        return _on_all(read, nodes)

    def stage(self, node: str, data: bytes, *, own: bool) -> None:
        """Lay a new file beside the node's, where its Corosync tests it.

        Raises :class:`~cibgit.errors.BadDataError` when that refuses it, and
        :class:`~cibgit.errors.UnreachableError` when it cannot be written.
        """
        answer = self._ask(node, corosync.stage(self.path, data), own=own)
        if "rejected" in answer:
            said = answer["rejected"].decode(errors="replace").strip()
            raise BadDataError(
                f"Corosync on {node} refuses the file: {_cause(said) or _SILENT}",
                "Nothing was changed on any node.",
            )
        _require(answer, "staged", node)

    def install(self, node: str, expected: str, *, own: bool) -> None:
        """Put the new file in the place of the one with the digest ``expected``.

        Raises :class:`~cibgit.errors.StaleError` when another one stands there now.
        """
        answer = self._ask(node, corosync.install(self.path, expected), own=own)
        if "moved" in answer:
            raise StaleError(f"{self.path} on {node} was changed by somebody else")
        _require(answer, "installed", node)

    def restore(self, node: str, new: bytes, old: str, *, own: bool) -> None:
        """Put back the file with the digest ``old``, if ``new`` is what stands there.

        Raises :class:`~cibgit.errors.UnreachableError` when it cannot be.
        """
        program = corosync.restore(self.path, hashlib.sha256(new).hexdigest(), old)
        _require(self._ask(node, program, own=own), "restored", node)

    def discard(self, node: str, *, own: bool) -> None:
        """Take away what is left of a push that is over, or was not begun."""
        self._ask(node, corosync.discard(self.path), own=own)

    def reload(self) -> str:
        """Have all nodes read their files; return why this one could not, or ''."""
        result = self._run(corosync.RELOAD)
        return "" if result.code == commands.OK else _reason(result)

    def check_quorum(self) -> None:
        """Raise where this partition has no quorum, or Corosync does not run."""
        result = self._run(corosync.QUORUM)
        if result.code == corosync.NOT_QUORATE:
            raise NoQuorumError(
                "this partition has no quorum: other nodes would not hear of the reload",
                "Push from a node of the partition that has quorum.",
            )
        if result.code != corosync.QUORATE:
            raise UnreachableError(f"Corosync does not run here: {_reason(result)}")

    def host(self) -> str:
        """Return the name of this machine, for where Corosync cannot say who it is."""
        return platform.node().partition(".")[0]

    def _at(self, node: str) -> tuple[str, ...]:
        if not _NODE.fullmatch(node):
            raise BadConfigError(f"{node!r} cannot be the name of a node to be reached")
        words = (word.replace("{node}", node) for word in self.reach)
        return (*words, *corosync.SHELL)

    def _read(self, argv: Sequence[str]) -> Copy:
        answer = _parts(self._run(argv, corosync.read(self.path)), argv[0])
        if "unreadable" in answer:
            return Copy(problem=f"{self.path} cannot be read by this user")
        if "silent" in answer:
            said = answer["silent"].decode(errors="replace").strip()
            return Copy(answer.get("file"), silent=_first_line(said))
        text = answer["cmap"].decode(errors="replace")
        return Copy(answer.get("file"), parse(text))

    def _ask(self, node: str, program: bytes, *, own: bool) -> dict[str, bytes]:
        argv = corosync.SHELL if own else self._at(node)
        try:
            result = self._run(argv, program)
        except CibgitError as error:
            raise type(error)(f"{node}: {error.message}", error.hint) from None
        return _parts(result, node)

    def _run(self, argv: Sequence[str], program: bytes = b"") -> commands.Result:
        return commands.run(argv, self.environment, stdin=program, timeout=TIMEOUT)


def at_once(
    work: Callable[[str], None], nodes: Iterable[str]
) -> dict[str, CibgitError]:
    """Do something on all nodes at the same time; return what went wrong where."""

    def tried(node: str) -> CibgitError | None:
        try:
            work(node)
        except CibgitError as error:
            return error
        return None

    found = _on_all(tried, nodes)
    return {node: error for node, error in found.items() if error}


def _on_all(work: Callable[[str], _T], nodes: Iterable[str]) -> dict[str, _T]:
    names = list(nodes)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(names, pool.map(work, names), strict=True))


def _parts(result: commands.Result, who: str) -> dict[str, bytes]:
    """Return the parts of a whole answer, or raise what is in its place."""
    try:
        found = corosync.parts(result.stdout)
    except ValueError:
        found = {}
    if "end" not in found:
        reason = _reason(result)
        if reason.endswith(_FULL):
            raise BusyError(f"{who}: {reason}", MAKE_ROOM)
        raise UnreachableError(f"{who}: {reason}")
    return found


def _require(answer: Mapping[str, bytes], part: str, node: str) -> None:
    if part not in answer:
        raise UnreachableError(f"{node} did not say whether the file is {part}")


def _reason(result: commands.Result) -> str:
    return _first_line(result.reason) or f"exit code {result.code}"


def _cause(said: str) -> str:
    """Return the message for which Corosync ends, without date and time."""
    lines = said.splitlines()
    return _first_line(_LOGGED.sub("", next((x for x in lines if "error" in x), said)))


def _first_line(text: str) -> str:
    return text.splitlines()[0][:300] if text else ""
