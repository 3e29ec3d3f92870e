"""What every live side can do: one Protocol, one adapter a file."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from ..cib.digest import Dialect
from ..cib.document import Cib, Element
from ..cib.patchset import Patchset
from .health import Failure, Health


class Cluster(Protocol):
    """The live side of a push, addressed as in ``cibgit.toml``.

    All methods raise subclasses of :class:`~cibgit.errors.CibgitError` only, and all are
    bounded in time.
    """

    address: str

    def read(self) -> Cib:
        """Return the whole live CIB, status included, in one atomic read."""
        ...

    def dialect(self) -> Dialect:
        """Return how the CIB manager that will check a digest escapes values."""
        ...

    def check_writable(self, expected: Cib) -> None:
        """Refuse a write that would be lost or would do harm, before anything is sent.

        ``expected`` is the whole CIB after the write. Raises ``NoQuorumError``,
        ``BusyError`` (a daemon uses the directory), ``PermissionDeniedError`` or
        ``UnsafeError`` (too large for the cluster's IPC).
        """
        ...

    def apply(self, patchset: Patchset) -> None:
        """Apply a patchset as one compare-and-swap.

        Raises ``StaleError`` when the live version is not the patchset's source,
        ``DigestError`` when the result's digest is not the patchset's, ``BadDataError``
        when the result is invalid, ``UnknownOutcomeError`` when nobody knows.
        """
        ...

    def places(self) -> list[str]:
        """Name the places, besides :meth:`read`, that hold a copy of the configuration.

        ``disk``, or the name of another node.
        """
        ...

    def read_copy(self, place: str) -> Element:
        """Return the ``<configuration>`` that stands at a place, its own digest verified."""
        ...

    def health(self) -> Health | None:
        """Return how the cluster is, None where nothing runs (files of a stopped one)."""
        ...

    def is_settled(self, health: Health) -> bool:
        """Return whether the cluster has nothing left to do, as far as can be told."""
        ...

    def forget(self, failures: Iterable[Failure]) -> None:
        """Let the cluster forget failed actions, so that it tries again."""
        ...

    def hold(self, holder: str) -> AbstractContextManager[None]:
        """Be the only push of this cluster while the context lasts.

        ``holder`` says who, for others. Raises ``BusyError`` when another push is under
        way, with what it said of itself. A courtesy to people: what keeps changes from
        being lost is :meth:`apply`.
        """
        ...
