"""From arguments and environment to the values that flows take."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NoInputError, UsageError

if TYPE_CHECKING:
    from ..cib.document import Cib
    from ..cluster.protocol import Cluster
    from ..config import ClusterConfig
    from ..flow.site import Site

STDIN = "-"
LIVE = "live"
RELEASED = 4 * 1024 * 1024
"""Bytes from which on a CIB is kept as text while the other side is read."""


def configured(folder: Path, cluster: str | None) -> "tuple[Path, ClusterConfig]":
    """Return the folder of ``cibgit.toml`` and the cluster that is meant."""
    from .. import config

    settings = config.load(config.find(folder))
    return settings.root, settings.cluster(cluster)


def connected(root: Path, settings: "ClusterConfig", at: str | None) -> "Cluster":
    """Return the live side, at another address if one is given."""
    from ..cluster.addresses import connect

    base = root if at is None else Path.cwd()
    return connect(at or settings.at, base, os.environ, settings.pacemaker)


def site(folder: Path, cluster: str | None, at: str | None) -> "Site":
    """Return one cluster with both its sides."""
    from ..flow.site import Site
    from ..repository import Repository

    root, settings = configured(folder, cluster)
    repository = Repository.open(root)
    file = root / settings.path
    path = file.resolve().relative_to(repository.root.resolve()).as_posix()
    return Site(settings, repository, connected(root, settings, at), file, path)


def sides(
    arguments: list[str], folder: Path, cluster: str | None, at: str | None
) -> "list[tuple[Cib, str]]":
    """Return the two CIBs that the arguments of ``diff`` mean, and what to call them.

    Where nothing is named it is from live to ``cib.xml`` in the work tree.
    Of large ones no two trees are in memory at a time.
    """
    if len(arguments) > len(("old", "new")):
        raise UsageError("diff takes two sides at most")
    if arguments.count(STDIN) > 1:
        raise UsageError("standard input can be one side only")
    found = []
    for argument in arguments if len(arguments) > 1 else [LIVE, *arguments]:
        found.append(side(argument, folder, cluster, at))
        found[-1][0].release(RELEASED)
    return found if arguments else [*found, edited(folder, cluster)]


def side(
    argument: str, folder: Path, cluster: str | None, at: str | None
) -> "tuple[Cib, str]":
    """Return the CIB that an argument of ``diff`` means, and what to call it.

    ``live``, ``-`` (standard input), a file that exists, or else a git revision.
    """
    from ..flow.files import read_file

    if argument == LIVE:
        return live(folder, cluster, at)
    if argument == STDIN:
        return stdin(), "standard input"
    file = folder / argument
    if file.is_file():
        return read_file(file), argument
    try:
        found = site(folder, cluster, at)
    except NoInputError:
        raise NoInputError(
            f"{argument!r} is not a file, and there is no repository to look it up in",
            "Name a file, a git revision, live, or - for standard input.",
        ) from None
    cib = found.desired(argument)
    return (
        cib,
        f"{argument} {found.repository.short(found.repository.resolve(argument))}",
    )


def live(folder: Path, cluster: str | None, at: str | None) -> "tuple[Cib, str]":
    """Return the live CIB and what to call it; no repository is needed with ``at``."""
    from ..cib.identity import check_ids
    from ..config import ClusterConfig

    try:
        root, settings = configured(folder, cluster)
        name = settings.name
    except NoInputError:
        if at is None:
            raise
        root, settings, name = folder, ClusterConfig("live", at), at
    cib = connected(root, settings, at).read()
    cib.source = f"live {name}"
    check_ids(cib)
    return cib, f"{cib.source} ({cib.version})"


def stdin() -> "Cib":
    """Read a CIB from standard input."""
    from ..flow.files import authored

    return authored(sys.stdin.buffer.read(), "standard input")


def edited(folder: Path, cluster: str | None) -> "tuple[Cib, str]":
    """Return the CIB of the work tree and what to call it."""
    from ..flow.files import read_file

    root, settings = configured(folder, cluster)
    return read_file(root / settings.path), settings.path


def colour() -> bool:
    """Say whether to colour: a terminal that can, and nobody who objects."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and sys.stdout.isatty()


def confirm(question: str, *, yes: bool) -> None:
    """Ask before a write; without a terminal only ``--yes`` will do."""
    import typer

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "there is nobody to ask: standard input is no terminal", "Use --yes."
        )
    if not typer.confirm(question):
        raise typer.Abort
