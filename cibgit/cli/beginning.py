"""The command that begins: a repository, and what a team needs in it."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..exitcodes import ExitCode
from .actions import export
from .options import HERE, DirectoryOption, JsonOption


class Forge(Enum):
    """Whose workflows ``init`` lays down."""

    ALL = "all"
    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


def init(
    path: Annotated[Path, typer.Argument(help="The folder of the repository.")] = HERE,
    cluster: Annotated[
        str, typer.Option("--cluster", metavar="NAME", help="A name for the cluster.")
    ] = "main",
    at: Annotated[
        str,
        typer.Option(
            "--at",
            metavar="ADDRESS",
            help="Where the cluster lives: local: or dir:PATH.",
        ),
    ] = "local:",
    from_live: Annotated[
        bool, typer.Option("--from-live", help="Export the live configuration, too.")
    ] = False,
    forge: Annotated[
        Forge, typer.Option("--forge", help="Whose workflows to lay down.")
    ] = Forge.ALL,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Create a repository, or add one more cluster to it.

    A new one gets a README for the team and workflows that check, plan, push and look for
    drift. Nothing that is there is overwritten.

    \b
    Examples:
      cibgit init ~/clusters --cluster prod --from-live
      cibgit init ~/clusters --cluster test --at dir:/srv/test/cib
    """
    import os

    from ..cluster.addresses import connect
    from ..config import ClusterConfig
    from ..flow.init import FORGES, TEAM
    from ..flow.init import init as run
    from ..render import json as as_json

    folder = directory / path
    live = connect(at, folder, os.environ)
    if from_live:
        live.read()  # where nobody answers nothing is laid down
    wanted = list(FORGES) if forge is Forge.ALL else [forge.value]
    extras = [*TEAM, *(file for name in wanted for file in FORGES[name])]
    done = run(folder, ClusterConfig(cluster, at), extras)
    if json and not from_live:
        typer.echo(as_json.dumps("init", root=str(done.root), files=done.files))
    elif not json:
        typer.echo(f"{done.root} is ready for cluster {cluster} at {at}")
        following = "" if from_live else f" Next: cibgit export -C {done.root}"
        typer.echo(f"Committed: {', '.join(done.files)}.{following}")
    if from_live:
        return export("", cluster, None, folder, json)
    return ExitCode.OK
