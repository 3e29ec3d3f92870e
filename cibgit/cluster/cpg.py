"""A closed process group of Corosync: the same messages on every node, in one order.

A binding of the few functions of ``libcpg`` that are needed; see ``cpg_overview(3)`` and
``include/corosync/cpg.h`` (3.1.7). It needs a running Corosync and root, or a ``uidgid``
entry for the user; Pacemaker makes one for group haclient while it runs (experiment).
Whoever has a group waits for its descriptor and then reads.
"""

import ctypes
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from ..errors import CibgitError, PermissionDeniedError, UnreachableError

LIBRARY = "libcpg.so.4"
"""Since Corosync 2.0; the API has not changed since."""

MOST = 4096
"""Longer messages, in bytes, are neither sent nor received."""

_OK, _NOT_RUNNING, _TRY_AGAIN, _ACCESS = 1, 2, 6, 11
_AGREED = 2
_DISPATCH_ALL = 2
_NAME = 128
_PATIENCE = 5.0


class Member(NamedTuple):
    """A process in the group; ``node`` is Corosync's number of the node."""

    node: int
    process: int


class Message(NamedTuple):
    """What a member sent to all, the sender among them."""

    sender: Member
    data: bytes


class _Name(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint32), ("value", ctypes.c_char * _NAME))


class _Address(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in ("node", "process", "reason"))


class _Vector(ctypes.Structure):
    _fields_ = (("data", ctypes.c_char_p), ("length", ctypes.c_size_t))


_List = ctypes.POINTER(_Address)
_Deliver = ctypes.CFUNCTYPE(
    *(None, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32),
    *(ctypes.c_void_p, ctypes.c_size_t),
)
_Changed = ctypes.CFUNCTYPE(
    *(None, ctypes.c_uint64, ctypes.c_void_p),
    *(_List, ctypes.c_size_t) * 3,
)


class _Callbacks(ctypes.Structure):
    _fields_ = (("deliver", _Deliver), ("changed", _Changed))


class GoneError(UnreachableError):
    """Corosync does not run, or not any more: the group has to be joined anew."""


class Group:
    """One group that this process has joined; a context manager.

    ``members`` are those that are in it by what was read so far, ``descriptor`` becomes
    readable when there is more. Raises :class:`~cibgit.errors.UnreachableError` without the
    library, :class:`GoneError` without Corosync, and
    :class:`~cibgit.errors.PermissionDeniedError` where the user may not.
    """

    def __init__(self, name: str) -> None:
        self.members: frozenset[Member] = frozenset()
        self._messages: list[Message] = []
        self._library = _load()
        self._handle = ctypes.c_uint64()
        # ctypes frees a callback that nobody holds
        self._callbacks = _Callbacks(_Deliver(self._deliver), _Changed(self._changed))
        self._call(
            "initialize", ctypes.byref(self._handle), ctypes.byref(self._callbacks)
        )
        self._is_open = True
        try:
            self.descriptor = self._joined(name.encode())
        except CibgitError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the group; the others are told."""
        if self._is_open:
            self._library.cpg_finalize(self._handle)
        self._is_open = False

    def send(self, data: bytes) -> bool:
        """Send a message to all; False: Corosync is busy or forms a membership, try again.

        It arrives in one order everywhere, here too, or at none of those who stay.
        """
        if len(data) > MOST:
            raise ValueError(f"{len(data)} bytes are too many")
        vector = _Vector(data, len(data))
        return self._call(
            "mcast_joined", self._handle, _AGREED, ctypes.byref(vector), 1
        )

    def read(self) -> Sequence[Message]:
        """Return the messages that arrived; :attr:`members` follows. Does not wait."""
        self._call("dispatch", self._handle, _DISPATCH_ALL)
        found, self._messages = self._messages, []
        return found

    def _joined(self, name: bytes) -> int:
        group = _Name(min(len(name), _NAME), name[:_NAME])
        deadline = time.monotonic() + _PATIENCE
        while not self._call("join", self._handle, ctypes.byref(group)):
            if time.monotonic() > deadline:
                raise GoneError("Corosync is still forming a membership")
            time.sleep(0.05)
        descriptor = ctypes.c_int()
        self._call("fd_get", self._handle, ctypes.byref(descriptor))
        return descriptor.value

    def _call(self, name: str, *arguments: object) -> bool:
        """Call a function of the library; False: it is to be called again."""
        code = getattr(self._library, f"cpg_{name}")(*arguments)
        if code in (_OK, _TRY_AGAIN):
            return bool(code == _OK)
        if code == _ACCESS:
            raise PermissionDeniedError(
                "Corosync does not let this user join a process group",
                "Be root or, while Pacemaker runs, a member of group haclient.",
            )
        if code == _NOT_RUNNING:
            raise GoneError("Corosync does not run here")
        raise GoneError(f"Corosync does not answer (cpg_{name}: {code})")

    # ctypes swallows what a callback raises: these cannot

    def _deliver(self, *arguments: int) -> None:
        _, _, node, process, data, length = arguments
        if length <= MOST:
            text = ctypes.string_at(data, length)
            self._messages.append(Message(Member(node, process), text))

    def _changed(self, *arguments: Any) -> None:
        _, _, members, count, *_ = arguments
        found = (members[number] for number in range(count))
        self.members = frozenset(Member(each.node, each.process) for each in found)


def _load() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(LIBRARY)
        for name in (
            "initialize",
            "finalize",
            "join",
            "mcast_joined",
            "fd_get",
            "dispatch",
        ):
            getattr(library, f"cpg_{name}").restype = ctypes.c_int
    except (OSError, AttributeError):
        raise UnreachableError(
            f"Corosync's library {LIBRARY} is not installed on this machine",
            "It is in the package libcpg4 (Debian) or corosynclib.",
        ) from None
    return library
