"""What every live side can do: one Protocol, one adapter a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from ..cib.document import Cib


@dataclass(frozen=True)
class Copy:
    """One more place that holds the configuration, read back after a write.

    ``place`` names it (``node2``, ``disk``); ``cib`` is what stands there, or None with
    the reason in ``problem``. A problem is told, and is no proof of anything.
    """

    place: str
    cib: Cib | None
    problem: str = ""


class Cluster(Protocol):
    """The live side of a push, addressed as in ``cibgit.toml``.

    All methods raise :class:`~cibgit.errors.CibgitError` subclasses only, and all are
    bounded in time.
    """

    address: str

    def read(self) -> Cib:
        """Return the whole live CIB, status included, in one atomic read."""
        ...

    def pacemaker_version(self) -> str | None:
        """Return the release that runs there (``2.1.5``), or None where unknown."""
        ...

    def check_writable(self, expected: bytes) -> None:
        """Refuse a write that would be lost or would do harm, before anything is sent.

        ``expected`` is the compact form of the whole CIB after the write. Raises
        ``NoQuorumError``, ``BusyError`` (a daemon uses the directory),
        ``PermissionDeniedError`` or ``UnsafeError`` (too large for the cluster's IPC).
        """
        ...

    def apply(self, patchset: bytes) -> None:
        """Apply a v2 patchset as one compare-and-swap.

        Raises ``StaleError`` when the live version is not the patchset's source,
        ``DigestError`` when the result's digest is not the patchset's, ``BadDataError``
        when the result is invalid, ``UnknownOutcomeError`` when nobody knows.
        """
        ...

    def copies(self) -> Iterator[Copy]:
        """Read the configuration back elsewhere: from other nodes and from the disk."""
        ...
