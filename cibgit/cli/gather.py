"""From arguments and environment to the values that flows take."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ..errors import NoInputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..cib.document import Cib
    from ..cluster.protocol import Cluster
    from ..config import ClusterConfig
    from ..flow.plan import Plan
    from ..flow.saved import SavedPlan
    from ..flow.site import Site

STDIN = "-"
LIVE = "live"


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
    from ..cluster.tools import Tools
    from ..flow.site import Site
    from ..repository import Repository

    root, settings = configured(folder, cluster)
    repository = Repository.open(root)
    file = root / settings.path
    path = file.resolve().relative_to(repository.root.resolve()).as_posix()
    live = connected(root, settings, at)
    return Site(settings, repository, live, file, path, Tools(os.environ))


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


def unignored(
    sides: "Sequence[str]", old: "Cib", new: "Cib", folder: Path, cluster: str | None
) -> "tuple[Cib, Cib, int]":
    """Return both sides of a diff, and how much of it is ignored.

    Where one side is live, the other has what ``cibgit.toml`` ignores as it is live.
    """
    from datetime import UTC, datetime

    from ..compare.ignore import carried

    try:
        rules = configured(folder, cluster)[1].ignore
    except (NoInputError, UsageError):  # files can be compared anywhere
        return old, new, 0
    now = datetime.now(UTC)
    if len(sides) <= 1 or sides[0] == LIVE:
        found = carried(new, old, rules, now)
        return old, found.cib, len(found.changes)
    if sides[1] == LIVE:
        found = carried(old, new, rules, now)
        return found.cib, new, len(found.changes)
    return old, new, 0


def stdin() -> "Cib":
    """Read a CIB from standard input."""
    from ..flow.files import authored

    return authored(sys.stdin.buffer.read(), "standard input")


def document(argument: str, folder: Path) -> tuple[bytes, str]:
    """Return the bytes of a file or of standard input, and what to call them."""
    if argument == STDIN:
        return sys.stdin.buffer.read(), "standard input"
    file = folder / argument
    if not file.is_file():
        raise NoInputError(f"{argument} is not a file")
    return file.read_bytes(), argument


def edited(folder: Path, cluster: str | None) -> "tuple[Cib, str]":
    """Return the CIB of the work tree and what to call it."""
    from ..flow.files import read_file

    root, settings = configured(folder, cluster)
    return read_file(root / settings.path), settings.path


class Look(TypedDict):
    """How a terminal wants its text: coloured, and its columns (None: no terminal)."""

    colour: bool
    width: int | None


def terminal() -> Look:
    """Return how to write: colour for a terminal that can and nobody who objects."""
    if not sys.stdout.isatty():
        return {"colour": False, "width": None}
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return {"colour": wanted, "width": shutil.get_terminal_size().columns}


def until_stopped(stop: "Callable[[], None]") -> None:
    """Have SIGTERM and SIGINT end a command that runs on, in good order."""
    import signal

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())


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


def wanted(site: "Site", revision: str | None) -> "tuple[Cib, str | None, str]":
    """Return the state that a plan is for, its commit, and what to call it.

    Without a revision it is the work tree's, which has no commit yet, or else HEAD's.
    """
    if revision is None and site.repository.is_dirty(site.path):
        return site.edited(), None, f"desired {site.path} (not committed)"
    commit = site.repository.resolve(revision or "HEAD")
    return site.desired(commit), commit, f"desired {site.repository.short(commit)}"


def saved_plan(
    file: Path, message: str | None, force: list[str] | None
) -> "SavedPlan | None":
    """Return the plan that a file holds; None where it is none, so a revision is meant."""
    if not file.is_file():
        return None
    from ..flow import saved

    found = saved.load(file)
    if found and message is not None:
        raise UsageError("a saved plan names its commit; it takes no --message")
    if found:
        saved.check_force(found, force or [])
    return found


def planned_again(site: "Site", saved: "SavedPlan") -> "Plan":
    """Plan again what was saved, or refuse it as stale."""
    from ..flow.saved import planned_again as run

    return run(site, saved)
