"""The cluster that this node is a member of, through Pacemaker's own tools."""

import bz2
import zlib
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from ..cib import canonical
from ..cib.digest import Dialect, dialect_of, mangled_attributes
from ..cib.document import Cib, Element, parse, parse_tree
from ..cib.patchset import Patchset
from ..errors import (
    BadDataError,
    BusyError,
    CibgitError,
    DigestError,
    NoQuorumError,
    PermissionDeniedError,
    StaleError,
    TimedOutError,
    UnknownOutcomeError,
    UnreachableError,
    UnsafeError,
    UsageError,
)
from . import cibfiles, commands, pushlock, variables
from .health import Failure, Health
from .health import parse as parse_health

REDIRECTIONS = ("CIB_file", "CIB_shadow", "CIB_server", "CIB_port")
"""Variables that make Pacemaker's tools talk to something else than this cluster."""

CIB_DIRECTORY = Path("/var/lib/pacemaker/cib")
"""Where the CIB manager keeps its files (``CRM_CONFIG_DIR``)."""

DEFAULT_IPC_BYTES = 131072
"""``PCMK_ipc_buffer`` where nobody set it; it bounds a CIB's bz2 size up to 3.0.0."""

_TIMEOUT = 60.0
_ATTEMPTS = 20


class Local:
    """The ``local:`` adapter. ``environment`` is the caller's; little of it is passed on.

    Raises :class:`~cibgit.errors.UsageError` when a variable would redirect Pacemaker's
    tools to a file or another cluster: the CIB would then come from one place and quorum
    and nodes from another.
    """

    address = "local:"

    def __init__(self, environment: Mapping[str, str]) -> None:
        for name in REDIRECTIONS:
            if environment.get(name):
                raise UsageError(
                    f"{name} is set, so Pacemaker's tools would not talk to this cluster",
                    f"Unset {name}, or name what it points to with --at dir:PATH.",
                )
        self._environment = commands.environment(environment)
        self._version: str | None = None

    def read(self) -> Cib:
        """Return the CIB as this node's CIB manager has it."""
        result = self._run(*commands.QUERY)
        if result.code != commands.OK:
            raise _cannot_read(result)
        return parse(result.stdout, "live")

    def dialect(self) -> Dialect:
        """Return the dialect of the installed release, which is the one that runs."""
        return dialect_of(self.pacemaker_version())

    def pacemaker_version(self) -> str:
        """Return the installed release as ``2.1.5``."""
        if self._version is None:
            self._version = commands.installed_version(self._environment) or ""
        return self._version

    def check_writable(self, expected: Cib) -> None:
        """Refuse without quorum, and what the cluster's IPC could not carry.

        The CIB manager itself accepts writes without quorum, and a rejoin then drops one
        side's configuration whole (experiment, 2.1.5).
        """
        result = self._run(*commands.QUORUM)
        if result.code == commands.NO_QUORUM or result.stdout.strip() == b"0":
            raise NoQuorumError(
                "this partition has no quorum: a change made here may vanish when the"
                " cluster joins again",
                "Push from a node of the partition that has quorum.",
            )
        if result.code != commands.OK:
            raise UnreachableError(
                f"cannot tell whether there is quorum: {result.reason}"
            )
        self._check_size(canonical.compact(expected))

    def apply(self, patchset: Patchset) -> None:
        """Send one patchset through ``cibadmin --patch``."""
        try:
            result = self._run(*commands.PATCH, stdin=patchset.to_bytes())
        except TimedOutError as error:
            raise UnknownOutcomeError(error.message) from None
        if result.code != commands.OK:
            raise _not_applied(result)

    def rewrite_disk(self) -> Cib:
        """Have this node's CIB manager write its disk, and return what it wrote.

        The whole CIB is replaced by itself, on this node only: no counter of the
        configuration rises (experiment, 2.1.5 and 3.0.3). A replacement by a CIB that is
        older than the live one is refused, so a change in between is not undone; then it
        is read again.
        """
        for _ in range(_ATTEMPTS):
            result = self._run(*commands.QUERY)
            if result.code != commands.OK:
                raise _cannot_read(result)
            cib = parse(result.stdout, "live")
            if self._changes_on_the_way(cib):
                raise UnsafeError(
                    "the live CIB has values that this Pacemaker would change on the way",
                    "Change any option of the cluster: that writes to disk, too.",
                )
            result = self._run(*commands.REWRITE, stdin=result.stdout)
            if result.code == commands.OK:
                return cib
            if result.code != commands.OLD_DATA:
                raise _not_applied(result)
        raise BusyError("the live CIB changes all the time", "Try again.")

    def _changes_on_the_way(self, cib: Cib) -> bool:
        return next(mangled_attributes(cib.root, self.dialect()), None) is not None

    def places(self) -> list[str]:
        """Name the other members of the partition, and the disk where it is readable."""
        own = self._own_name()
        members = self._run(*commands.MEMBERS).stdout.decode().split()
        # a node that is asked for itself through the cluster does not answer (2.1.5)
        names = sorted(set(members) - {own}) if own else []
        return ["disk", *names] if cibfiles.is_readable(CIB_DIRECTORY) else names

    def read_copy(self, place: str) -> Element:
        """Return the configuration that another node, or this node's disk, holds."""
        if place == "disk":
            return cibfiles.read_pair(CIB_DIRECTORY).cib.configuration
        result = self._run(*commands.query_configuration(place), timeout=15)
        if result.code != commands.OK:
            raise _cannot_read(result)
        return parse_tree(result.stdout, place)

    def health(self) -> Health:
        """Ask ``crm_mon``."""
        result = self._run(*commands.MONITOR)
        if result.code != commands.OK:
            raise _cannot_read(result)
        return parse_health(result.stdout)

    def is_settled(self, health: Health) -> bool:
        """Ask the DC whether it is idle, and the scheduler whether anything is to do.

        A controller that has not yet heard of a change is idle too; the scheduler,
        started on the live CIB, knows at once what the change demands.
        """
        if not health.dc:
            return False
        state = self._run(*commands.controller_state(health.dc), timeout=15)
        if commands.IDLE not in state.stdout:
            return False
        graph = self._run(*commands.PENDING)
        actions = (b"<rsc_op", b"<crm_event")
        return graph.code == commands.OK and not any(a in graph.stdout for a in actions)

    def forget(self, failures: Iterable[Failure]) -> None:
        """Clean up each resource on each node where it failed; never mind what cannot be."""
        for resource, node in sorted({(each.resource, each.node) for each in failures}):
            with suppress(CibgitError):
                self._run(*commands.cleanup(resource, node))

    def hold(self, holder: str) -> AbstractContextManager[None]:
        """Take the lock of the cluster that this node is a member of."""
        return pushlock.held(self._run, self._own_name(), holder)

    def _own_name(self) -> str:
        return self._run(*commands.OWN_NAME).stdout.decode().strip()

    def _run(
        self, *argv: str, stdin: bytes = b"", timeout: float = _TIMEOUT
    ) -> commands.Result:
        return commands.run(argv, self._environment, stdin=stdin, timeout=timeout)

    def _check_size(self, compact: bytes) -> None:
        """Refuse a CIB that every later query of Pacemaker up to 3.0.0 would choke on.

        Such a CIB is accepted with exit 0; afterwards each query times out on all nodes,
        for replies are compressed with bz2 into one IPC buffer (experiment, 2.1.5).
        """
        numbers = tuple(int(n) for n in self.pacemaker_version().split(".") if n)
        limit = self._ipc_bytes()
        if numbers > (3, 0, 0) or len(compact) < limit:
            return
        # bz2 beats the fastest zlib on XML: a cheap answer for most
        if len(zlib.compress(compact, 1)) < limit:
            return
        size = len(bz2.compress(compact))
        if size >= limit:
            raise UnsafeError(
                f"the CIB would be {size} bytes compressed, more than this cluster's IPC"
                f" can carry ({limit}): afterwards every query would time out",
                "Set a larger PCMK_ipc_buffer on all nodes and restart them first.",
            )

    def _ipc_bytes(self) -> int:
        own = self._environment.get("PCMK_ipc_buffer", "")
        found = [own, *variables.values("PCMK_ipc_buffer")]
        sizes = [int(value) for value in found if value.isdecimal()]
        return max([DEFAULT_IPC_BYTES, *sizes])


def _cannot_read(result: commands.Result) -> CibgitError:
    match result.code:
        case commands.DISCONNECTED | commands.UNAVAILABLE:
            return UnreachableError(
                f"the cluster does not run on this node: {result.reason}",
                "Start it, or name the files of a stopped cluster with --at dir:PATH.",
            )
        case commands.INSUFFICIENT_PRIVILEGES | commands.NO_PERMISSION:
            return PermissionDeniedError(
                f"this user may not read the CIB: {result.reason}",
                "Be root, or a member of group haclient.",
            )
        case commands.TIMED_OUT:
            return TimedOutError(f"the CIB manager did not answer: {result.reason}")
        case _:
            return UnreachableError(
                f"cibadmin could not read the CIB: {result.reason} (exit {result.code})"
            )


def _not_applied(result: commands.Result) -> CibgitError:
    """Say what a failed ``cibadmin --patch`` means; an unknown code promises nothing."""
    match result.code:
        case commands.OLD_DATA:
            return StaleError("the live CIB moved while the change was under way")
        case commands.ERROR | commands.DIGEST_MISMATCH:
            return DigestError(
                "the CIB manager refused the change: its result would not have had the"
                f" planned digest ({result.reason})"
            )
        case commands.DATA_ERROR | commands.CONFIG_ERROR | commands.FEATURE_SET_TOO_NEW:
            return BadDataError(
                f"the CIB manager refused the result as invalid: {result.reason}",
                "Run crm_verify -x on the file; nothing was changed.",
            )
        case commands.INSUFFICIENT_PRIVILEGES | commands.NO_PERMISSION:
            return PermissionDeniedError(
                f"this user may not change it: {result.reason}"
            )
        case commands.DISCONNECTED:
            return UnreachableError(f"there is no CIB manager here: {result.reason}")
    return UnknownOutcomeError(
        f"cibadmin ended with exit {result.code}: {result.reason}"
    )
