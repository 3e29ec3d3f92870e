"""One push of a cluster at a time, across its machines.

On one node an abstract socket is the lock: it cannot outlive its process, has no file and
no owner. Between nodes it is a private node attribute, which Pacemaker's attribute manager
keeps in memory on all nodes and never writes to the CIB: no epoch, no status update, no
run of the scheduler, and it is gone when the node leaves (experiment, 2.1.5; a claim
costs four calls of ``attrd_updater``, 10 ms each). It says who and since when, and is
renewed while its holder lives; one that was not is nobody's.

The lock spares people surprises. What keeps changes from being lost is the
compare-and-swap of each write, so where the attribute manager does not answer, the push
goes on without a lock.
"""

import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from ..errors import BusyError, CibgitError
from . import commands

ATTRIBUTE = "cibgit-push"
"""The private attribute; its value is ``SINCE RENEWED WHO``, times in epoch seconds."""

SOCKET = b"\0cibgit-push"
"""The abstract socket; a node is a member of one cluster."""

RENEW_SECONDS = 2.0
"""How often a holder says that it lives."""

STALE_SECONDS = 10.0
"""A holder on another node that was silent for so long is dead, or its clock is wrong."""

VISIBLE_SECONDS = 2.0
"""How long the node's own claim may take to come back from the cluster."""

_ATTEMPTS = 4
_HOST = re.compile(r'host="([^"]*)"')
_VALUE = re.compile(r'value="(\d+) (\d+) ([^"]*)"')

Run = Callable[..., commands.Result]
"""How a tool is run: its words, and a ``timeout``."""


@dataclass(frozen=True)
class Holder:
    """Who pushes: what it said of itself, its node, and when it began and was seen last."""

    who: str
    node: str
    since: int
    renewed: int

    @property
    def lives(self) -> bool:
        """Whether it was heard of lately."""
        return abs(time.time() - self.renewed) < STALE_SECONDS

    def __str__(self) -> str:
        """Return who, where and since when."""
        since = datetime.fromtimestamp(self.since, UTC)
        return f"{self.who} on {self.node} since {since:%Y-%m-%d %H:%M:%S} UTC"


@contextmanager
def held(run: Run, node: str, who: str) -> Iterator[None]:
    """Be the only push while the context lasts.

    Raises :class:`~cibgit.errors.BusyError` when another one is under way.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as lock:
        try:
            lock.bind(SOCKET)
        except OSError:
            here = [each for each in _holders(run) if each.node == node]
            raise _busy(here[0] if here else None) from None
        claim = _Claim(run, node, _clean(who))
        claim.make()
        with claim.renewed():
            yield


class _Claim:
    def __init__(self, run: Run, node: str, who: str) -> None:
        self.run, self.node, self.who = run, node, who
        self.since = int(time.time())

    def make(self) -> None:
        """Claim the lock; of two claims at once both are withdrawn, and made again.

        Claims reach all nodes in one order: once our own is seen, so is every earlier one.
        """
        other = None
        for attempt in range(_ATTEMPTS):
            other = self._other()
            if other is None:
                self._write()
                other = self._seen()
                if other is None:
                    return
                self._withdraw()
            if attempt == _ATTEMPTS - 1 or other.since < self.since - 1:
                break
            time.sleep(random.uniform(0.05, 0.4))
        raise _busy(other)

    @contextmanager
    def renewed(self) -> Iterator[None]:
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(RENEW_SECONDS):
                self._write()

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self._withdraw()

    def _other(self) -> Holder | None:
        others = [h for h in _holders(self.run) if h.node != self.node and h.lives]
        return min(others, key=lambda each: each.since, default=None)

    def _seen(self) -> Holder | None:
        """Wait until the cluster has our claim, and return another one that is there."""
        deadline = time.monotonic() + VISIBLE_SECONDS
        while time.monotonic() < deadline:
            found = _holders(self.run)
            if any(h.node == self.node and h.since == self.since for h in found):
                break
            time.sleep(0.01)
        return self._other()

    def _write(self) -> None:
        value = f"{self.since} {int(time.time())} {self.who}"
        _ask(self.run, *commands.update_private(ATTRIBUTE, value))

    def _withdraw(self) -> None:
        _ask(self.run, *commands.delete_private(ATTRIBUTE))


def _holders(run: Run) -> list[Holder]:
    """Return every claim that stands; none where the attribute manager is silent."""
    found = []
    for line in _ask(run, *commands.query_attribute(ATTRIBUTE)).splitlines():
        host, value = _HOST.search(line), _VALUE.search(line)
        if host and value:
            since, renewed, who = value.groups()
            found.append(Holder(who, host[1], int(since), int(renewed)))
    return found


def _ask(run: Run, *argv: str) -> str:
    try:
        return run(*argv, timeout=10).stdout.decode(errors="replace")
    except CibgitError:
        return ""


def _clean(who: str) -> str:
    return re.sub(r'["\s]+', " ", "".join(filter(str.isprintable, who))).strip()[:80]


def _busy(holder: Holder | None) -> BusyError:
    return BusyError(
        f"another push of this cluster is under way: {holder or 'on this node'}",
        "Push again when it has ended. A push that died is forgotten after"
        f" {STALE_SECONDS:.0f} seconds.",
    )
