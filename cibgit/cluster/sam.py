"""Supervision by Corosync: a process that dies or hangs is started again.

A binding of ``libsam`` (``sam_overview(3)``, ``lib/sam.c``, 3.1.7). ``sam_register`` forks:
the caller's process stays in there as the supervisor, and its child returns and does the
work; a new child returns when the last one died, or gave no sign of life for too long. So
it has to be called before there are threads, open files or other children. How the child
is stands in cmap: ``resources.process.PID.*``, where PID is the supervisor's. Root only.

The supervisor is the process that a service manager knows. While it waits in C no Python
handler runs, and a signal would end it and leave the child alone; so Python's own C
handler passes signals on to the child by its wakeup descriptor, the child ends in good
order, and the supervisor with the child's exit code. Where the supervisor is killed, the
other end of that descriptor closes, and the child ends, too.
"""

import ctypes
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from ..errors import PermissionDeniedError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

LIBRARY = "libsam.so.4"

_OK = 1
_RESTART, _CMAP = 2, 0x10
_ENDING = (signal.SIGTERM, signal.SIGINT)
_LONGEST_PAUSE = 60.0


class Supervised:
    """What the child of a supervisor knows; a :class:`~cibgit.cluster.events.Source`.

    ``instance`` counts the children, from 1. ``stop`` is called when somebody ends the
    supervisor.
    """

    def __init__(
        self, library: ctypes.CDLL, seconds: float, signals: int, instance: int
    ) -> None:
        self.descriptor = signals
        self.instance = instance
        self.stop: Callable[[], None] = lambda: None
        self._library = library
        self._pause = seconds / 4

    @property
    def delay(self) -> float:
        """How many seconds to wait before the work begins: longer each time."""
        failures = self.instance - 1
        return min(2.0 ** (failures - 1), _LONGEST_PAUSE) if failures else 0

    def start(self) -> None:
        """Begin to be watched: from now on, to end is to fail."""
        self._library.sam_start()

    def end(self) -> None:
        """End in good order: the supervisor ends, too, with the same exit code."""
        self._library.sam_stop()

    def heard(self) -> float:
        """Give a sign of life; stop if the supervisor was told to, or is gone."""
        with suppress(BlockingIOError):
            os.read(self.descriptor, 64)  # nothing: the supervisor is gone
            self.stop()
        self._library.sam_hc_send()
        return self._pause


def supervised(seconds: float) -> Supervised:
    """Fork, and return in the child; again in a new one whenever it is needed.

    ``seconds`` without a sign of life count as hanging: the child then gets SIGUSR1, and
    SIGKILL after as long again. Raises :class:`~cibgit.errors.PermissionDeniedError` for
    all but root, :class:`~cibgit.errors.UnreachableError` without the library or Corosync;
    also in the supervisor, where a new child cannot be had.
    """
    if os.geteuid() != 0:
        raise PermissionDeniedError("only root's processes are supervised by Corosync")
    library = _load()
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    before = {each: signal.signal(each, lambda *_: None) for each in _ENDING}
    signal.set_wakeup_fd(writing)
    instance = ctypes.c_uint()
    library.sam_initialize(int(seconds * 1000), _RESTART | _CMAP)
    code = library.sam_register(ctypes.byref(instance))
    signal.set_wakeup_fd(-1)
    for each, handler in before.items():
        signal.signal(each, handler)
    os.close(writing)
    if code != _OK:
        raise UnreachableError(
            f"Corosync does not supervise this process (sam_register: {code})",
            "It has to run on this node.",
        )
    library.sam_warn_signal_set(signal.SIGUSR1)
    return Supervised(library, seconds, reading, instance.value)


def _load() -> ctypes.CDLL:
    try:
        return ctypes.CDLL(LIBRARY)
    except OSError:
        raise UnreachableError(
            f"Corosync's library {LIBRARY} is not installed on this machine",
            "It is in the package libsam4 (Debian) or corosynclib.",
        ) from None
