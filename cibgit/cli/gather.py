"""From arguments and environment to the values that flows take."""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NoInputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..cib.document import Cib
    from ..cluster.protocol import Cluster
    from ..config import ClusterConfig
    from ..flow.care import Care
    from ..flow.orders import Orders, Report
    from ..flow.site import Site

STDIN = "-"
LIVE = "live"

STATE = "CIBGIT_STATE"
"""The variable that names another folder for the timers of this node."""

_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_LONGEST = 7 * 86400


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


def seconds(text: str) -> float:
    """Return a time such as ``90s``, ``10m`` or ``2h`` in seconds."""
    found = re.fullmatch(r"(\d{1,6})\s*([a-z]*)", text.strip().lower())
    length = int(found[1]) * _UNITS.get(found[2], 0) if found else 0
    if not 1 <= length <= _LONGEST:
        raise UsageError(
            f"{text!r} is not a time between one second and a week",
            "Write it as 90s, 10m or 2h.",
        )
    return float(length)


def orders(state: Path | None = None) -> "Orders":
    """Return the timers of this node and user: root's lie where all of the node look."""
    from ..flow.orders import Orders

    if state or os.environ.get(STATE):
        return Orders((state or Path(os.environ[STATE])).absolute())
    if os.geteuid() == 0:
        return Orders(Path("/var/lib/cibgit"))
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Orders(Path(home) / "cibgit")


def user() -> str:
    """Return who runs this, and who became that with sudo."""
    import getpass

    try:
        name = getpass.getuser() if os.geteuid() else "root"
    except (KeyError, OSError):
        name = f"uid {os.geteuid()}"
    before = os.environ.get("SUDO_USER")
    return f"{name} ({before})" if before and before != name else name


def care(
    settle_timeout: str, no_wait: bool, rollback: bool, confirm_within: str | None
) -> "Care":
    """Return how carefully to push; progress goes to standard error."""
    import platform

    import typer

    from ..flow.care import Care, Confirmation

    confirmation = None
    if confirm_within is not None:
        kept = orders()
        starter = timer_starter(kept)
        confirmation = Confirmation(seconds(confirm_within), kept, starter)
    return Care(
        holder=user(),
        host=platform.node(),
        settle_seconds=None if no_wait else seconds(settle_timeout),
        rollback=rollback,
        confirmation=confirmation,
        tell=lambda line: typer.echo(f"  {line}", err=True),
    )


def timer_command(kept: "Orders", *token: str) -> list[str]:
    """Return the command that runs one timer, or goes on with all of this node."""
    folder = str(kept.folder)
    return [sys.executable, "-m", "cibgit", "timer", *token, "--state", folder]


def timer_starter(kept: "Orders") -> "Callable[[str], None]":
    """Return what starts a timer so that it outlives this process."""
    from ..cluster import background

    def start(token: str) -> None:
        argv = timer_command(kept, token)
        background.start(argv, os.environ, f"cibgit-timer-{token}", os.geteuid())

    return start


def reboot_note(kept: "Orders") -> str:
    """See to it that timers go on after a reboot; return why they would not, or ''."""
    from ..cluster import background

    return background.survive_reboot(timer_command(kept), os.geteuid())


def run_timer(kept: "Orders", token: str) -> "Report | None":
    """Run one timer in the foreground, until it has done what it is there for."""
    from ..cluster.addresses import connect
    from ..flow.timer import timer

    return timer(kept, token, lambda at: connect(at, Path("/"), os.environ))
