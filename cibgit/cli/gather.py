"""From arguments and environment to the values that flows take."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ..errors import CibgitError, NoInputError, UsageError
from . import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..cib.digest import Dialect
    from ..cib.document import Cib
    from ..cluster.protocol import Cluster
    from ..config import ClusterConfig
    from ..flow.keeper import Keeper
    from ..flow.plan import Plan
    from ..flow.saved import SavedPlan
    from ..flow.site import Site
    from ..providers import Providers

STDIN = "-"
LIVE = "live"
EDITED = ""
RELEASED = 4 * 1024 * 1024
"""Bytes from which on a CIB is kept as text while the other side is read."""


def forced_by_push_options(environment: Mapping[str, str]) -> list[str]:
    """Return the rules that ``git push -o force=RULE`` names, as git tells a hook."""
    count = environment.get("GIT_PUSH_OPTION_COUNT", "0")
    options = [
        environment.get(f"GIT_PUSH_OPTION_{number}", "")
        for number in range(int(count) if count.isdigit() else 0)
    ]
    return [each.removeprefix("force=") for each in options if each[:6] == "force="]


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
    at_node = connected(root, settings, at)
    hider = keeper(root, settings)
    return Site(settings, repository, at_node, file, path, hider, Tools(os.environ))


def keeper(root: Path, settings: "ClusterConfig") -> "Keeper":
    """Return who hides the secrets of a cluster; the same for the whole run."""
    from ..flow.keeper import Keeper
    from ..flow.vaultfile import VaultFile

    file = root / settings.vault
    if file not in _keepers:
        store = VaultFile(file, settings.vault, keys.AgeLater())
        _keepers[file] = Keeper(settings.secrets.rules, _provide(settings), store)
    return _keepers[file]


_keepers: "dict[Path, Keeper]" = {}


def _provide(settings: "ClusterConfig") -> "Callable[[str], str]":
    """Return what asks the providers of secrets, which few clusters have."""
    made: list[Providers] = []

    def value(placeholder: str) -> str:
        from ..providers import Providers

        if not made:
            made.append(Providers(settings.secrets.providers, os.environ))
        return made[0].value(placeholder)

    return value


def forget() -> None:
    """Start anew: a keeper is of one run, and one process may have several."""
    _keepers.clear()


def censored(text: str) -> str:
    """Return a text without any secret that this run has seen: whoever prints, asks."""
    values = {value for each in _keepers.values() for value in each.known_values()}
    if not values:
        return text
    from ..cib.censor import censored as run

    return run(text, values)


def note_uncertain() -> None:
    """Say which secrets could not be compared, and why."""
    for each in _keepers.values():
        for slot, reason in each.uncertain.items():
            told = f"cibgit: {slot} could not be compared: {censored(reason)}"
            print(told, file=sys.stderr)


def sides(
    arguments: "Sequence[str]", folder: Path, cluster: str | None, at: str | None
) -> "list[tuple[Cib, str]]":
    """Return the two CIBs that the arguments of ``diff`` mean, and what to call them.

    Where nothing is named it is from live to ``cib.xml`` in the work tree. Both are in
    the hidden form. Of large ones no two trees are in memory at a time.
    """
    if len(arguments) > len(("old", "new")):
        raise UsageError("diff takes two sides at most")
    if list(arguments).count(STDIN) > 1:
        raise UsageError("standard input can be one side only")
    names = arguments or [LIVE, EDITED]
    if len(names) == 1:
        names = [LIVE, *names]
    hider = _hider(folder, cluster)
    found: dict[str, tuple[Cib, str]] = {}
    # live last: its secrets are compared with what the other side names
    for name in sorted(names, key=lambda name: name == LIVE):
        if name == LIVE:
            real, label = live(folder, cluster, at)
            found[name] = hider.hidden(real) if hider else real, label
        else:
            found[name] = side(name, folder, cluster, at, hider)
        found[name][0].release(RELEASED)
    return [found[name] for name in names]


def _hider(folder: Path, cluster: str | None) -> "Keeper | None":
    """Return who hides the secrets of what is compared; None outside of a repository.

    Two files need no vault, and starting is quick without what reads ``cibgit.toml``.
    """
    start = folder.absolute()
    if not any((each / "cibgit.toml").exists() for each in (start, *start.parents)):
        return None
    from ..config import ClusterConfig

    try:
        root, settings = configured(folder, cluster)
    except CibgitError:  # of several clusters it may be none
        root, settings = Path(os.devnull), ClusterConfig("none")
    return keeper(root, settings)


def side(
    argument: str,
    folder: Path,
    cluster: str | None,
    at: str | None,
    hider: "Keeper | None",
) -> "tuple[Cib, str]":
    """Return the CIB that an argument means, in the hidden form, and what to call it.

    ``-`` (standard input), a file that exists, or else a git revision; nothing is the
    ``cib.xml`` of the work tree.
    """
    from ..flow.files import read_file

    if argument == EDITED:
        root, settings = configured(folder, cluster)
        return _hidden(read_file(root / settings.path), hider), settings.path
    if argument == STDIN:
        return _hidden(stdin(), hider), "standard input"
    file = folder / argument
    if file.is_file():
        return _hidden(read_file(file), hider), argument
    try:
        found = site(folder, cluster, at)
    except NoInputError:
        raise NoInputError(
            f"{argument!r} is not a file, and there is no repository to look it up in",
            "Name a file, a git revision, live, or - for standard input.",
        ) from None
    commit = found.repository.resolve(argument)
    return found.desired(argument), f"{argument} {found.repository.short(commit)}"


def _hidden(cib: "Cib", hider: "Keeper | None") -> "Cib":
    """Return a CIB of the work tree, or of anywhere, in the hidden form."""
    if hider is None:
        return cib
    file = hider.store.file
    return hider.adopted(cib, lambda: file.read_bytes() if file.exists() else None)[0]


def live(folder: Path, cluster: str | None, at: str | None) -> "tuple[Cib, str]":
    """Return the live CIB as it is, secrets and all, and what to call it.

    No repository is needed with ``at``.
    """
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


def dialect(folder: Path, cluster: str | None, at: str | None) -> "Dialect":
    """Return how the live side escapes values; without one, this machine's Pacemaker."""
    from ..config import ClusterConfig

    try:
        root, settings = configured(folder, cluster)
    except NoInputError:
        root, settings = folder, ClusterConfig("live", at or "local:")
    return connected(root, settings, at).dialect()


def unignored(
    sides: "Sequence[str]", old: "Cib", new: "Cib", folder: Path, cluster: str | None
) -> "tuple[Cib, Cib, int]":
    """Return both sides of a diff, and how much of it is ignored.

    Where one side is live, the other has what ``cibgit.toml`` ignores as it is live.
    """
    if sides and LIVE not in sides and len(sides) > 1:
        return old, new, 0
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
    if revision is None and site.is_dirty():
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
