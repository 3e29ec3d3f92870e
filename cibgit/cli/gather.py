"""From arguments and environment to the values that flows take."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CibgitError, NoInputError, UsageError
from . import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..cib.document import Cib
    from ..cluster.protocol import Cluster
    from ..config import ClusterConfig
    from ..flow.keeper import Keeper
    from ..flow.site import Site
    from ..providers import Providers

STDIN = "-"
LIVE = "live"
EDITED = ""


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
    connection = connected(root, settings, at)
    return Site(settings, repository, connection, file, path, keeper(root, settings))


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
    from ..cib.secrets import censored as run

    return run(text, values)


def note_uncertain() -> None:
    """Say which secrets could not be compared, and why."""
    import typer

    for each in _keepers.values():
        for slot, reason in each.uncertain.items():
            typer.echo(
                f"cibgit: {slot} could not be compared: {censored(reason)}", err=True
            )


def sides(
    names: "Sequence[str]", folder: Path, cluster: str | None, at: str | None
) -> "list[tuple[Cib, str]]":
    """Return the CIBs that the arguments of ``diff`` mean, all in the hidden form."""
    from ..config import ClusterConfig

    try:
        root, settings = configured(folder, cluster)
    except CibgitError:  # two files need no repository, and so no vault
        root, settings = Path(os.devnull), ClusterConfig("none")
    hider = keeper(root, settings)
    found: dict[str, tuple[Cib, str]] = {}
    # live last: its secrets are compared with what the other side names
    for name in sorted(names, key=lambda name: name == LIVE):
        if name == LIVE:
            real, label = live(folder, cluster, at)
            found[name] = hider.hidden(real), label
        else:
            found[name] = side(name, folder, cluster, at, hider)
    return [found[name] for name in names]


def side(
    argument: str, folder: Path, cluster: str | None, at: str | None, hider: "Keeper"
) -> "tuple[Cib, str]":
    """Return the CIB that an argument means, in the hidden form, and what to call it.

    ``-`` (standard input), a file that exists, or else a git revision; nothing is the
    ``cib.xml`` of the work tree.
    """
    from ..flow.files import read_file

    def vault() -> bytes | None:
        return hider.store.file.read_bytes() if hider.store.file.exists() else None

    if argument == EDITED:
        root, settings = configured(folder, cluster)
        cib = read_file(root / settings.path)
        return hider.adopted(cib, vault)[0], settings.path
    if argument == STDIN:
        return hider.adopted(stdin(), vault)[0], "standard input"
    file = folder / argument
    if file.is_file():
        return hider.adopted(read_file(file), vault)[0], argument
    try:
        found = site(folder, cluster, at)
    except NoInputError:
        raise NoInputError(
            f"{argument!r} is not a file, and there is no repository to look it up in",
            "Name a file, a git revision, live, or - for standard input.",
        ) from None
    commit = found.repository.resolve(argument)
    return found.desired(argument), f"{argument} {found.repository.short(commit)}"


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


def stdin() -> "Cib":
    """Read a CIB from standard input."""
    from ..flow.files import authored

    return authored(sys.stdin.buffer.read(), "standard input")


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
