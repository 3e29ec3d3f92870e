"""Waiting until a CIB directory changes, or until somebody says stop.

The CIB manager renames ``cib.xml`` and then ``cib.xml.sig`` into place on every node,
some 10 ms after a change was made on any of them; status alone is never written
(experiment, 2.1.5). Where the kernel cannot tell, waiting is waiting.
"""

import ctypes
import os
import select
import struct
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

_MOVED_TO, _DELETE_SELF, _MOVE_SELF = 0x80, 0x400, 0x800
_IGNORED, _OVERFLOW = 0x8000, 0x4000
_HEAD = struct.Struct("iIII")
_CHUNK = 65536
_NAMES = frozenset({b"cib.xml", b"cib.xml.sig"})


class Source(Protocol):
    """Something else that is waited for, and deals with it itself.

    ``descriptor`` becomes readable when there is something; None: not at present.
    """

    @property
    def descriptor(self) -> int | None:
        """What to wait for."""

    def heard(self) -> float:
        """Deal with it; return in how many seconds to be called again at the latest."""


class Events:
    """Tells when files of a directory are replaced; None: never. A context manager.

    ``wakes`` says whether the kernel watches the directory at the moment.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._descriptor = -1
        self._stopping, self._stop = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._due: dict[Source, float] = {}
        self.stopped = False
        self.wakes = False

    def __enter__(self) -> Self:
        self._watch()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._unwatch()
        os.close(self._stopping)
        os.close(self._stop)

    def stop(self) -> None:
        """End any waiting, now and later; a signal handler may call it."""
        self.stopped = True
        with suppress(OSError):
            os.write(self._stop, b".")

    def listen(self, source: Source) -> None:
        """Have something else dealt with while it is waited."""
        self._due[source] = time.monotonic()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; say whether the CIB was replaced meanwhile."""
        if not self.wakes:
            self._watch()
        deadline = time.monotonic() + seconds
        while not self.stopped:
            self._hear()
            due = min([deadline, *self._due.values()])
            others = {each.descriptor: each for each in self._due}
            found = [self._stopping] + ([self._descriptor] if self.wakes else [])
            found += [descriptor for descriptor in others if descriptor is not None]
            left = max(due - time.monotonic(), 0)
            ready = select.select(found, [], [], left)[0]
            for descriptor in ready:
                if descriptor in others:
                    self._due[others[descriptor]] = 0
            if self._descriptor in ready and self._drained():
                return True
            if not ready and time.monotonic() >= deadline:
                return False
        return False

    def _hear(self) -> None:
        """Let everything else that is ready, or due, be dealt with."""
        for source, due in self._due.items():
            if time.monotonic() >= due:
                self._due[source] = time.monotonic() + source.heard()

    def _watch(self) -> None:
        """Begin to watch, as far as kernel and directory allow it."""
        if self._directory is None or not self._directory.is_dir():
            return
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, AttributeError):  # another kernel
            return
        if descriptor < 0:
            return
        name = os.fsencode(self._directory)
        mask = _MOVED_TO | _DELETE_SELF | _MOVE_SELF
        if libc.inotify_add_watch(descriptor, name, mask) < 0:
            os.close(descriptor)
            return
        self._descriptor, self.wakes = descriptor, True

    def _unwatch(self) -> None:
        if self.wakes:
            os.close(self._descriptor)
        self._descriptor, self.wakes = -1, False

    def _drained(self) -> bool:
        """Read what the kernel tells; say whether the CIB is among it."""
        try:
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return False
        found, place = False, 0
        while place < len(data):
            _, mask, _, length = _HEAD.unpack_from(data, place)
            place += _HEAD.size
            name = data[place : place + length].rstrip(b"\0")
            place += length
            if mask & (_IGNORED | _DELETE_SELF | _MOVE_SELF):
                self._unwatch()  # another directory may have its name now
                return True
            found = found or name in _NAMES or bool(mask & _OVERFLOW)
        return found
