"""Addresses of a live side, and the adapter behind each."""

from collections.abc import Mapping
from pathlib import Path

from ..errors import UsageError
from .commands import installed_version
from .directory import Directory
from .local import Local
from .protocol import Cluster


def connect(
    address: str,
    base: Path,
    environment: Mapping[str, str],
    pacemaker: str | None = None,
) -> Cluster:
    """Return the adapter for an address; nothing is read or run yet.

    ``base`` is what a relative ``dir:`` path starts from, ``pacemaker`` the release that
    will read the files of a directory. Raises :class:`~cibgit.errors.UsageError` for an
    address of no known kind.
    """
    kind, _, rest = address.partition(":")
    if kind == "local" and not rest:
        return Local(environment)
    if kind == "dir" and rest:
        path = base / Path(rest).expanduser()
        return Directory(path, pacemaker, lambda: installed_version(environment))
    raise UsageError(
        f"{address!r} is no address of a cluster",
        "Known are local: (this node) and dir:PATH (the files of a stopped cluster).",
    )
