"""Commands about changes that were made past git."""

from enum import Enum
from typing import Annotated

import typer

from ..exitcodes import ExitCode
from . import gather
from .options import HERE, AtOption, ClusterOption, DirectoryOption, JsonOption


class Format(Enum):
    """How drift is told."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def drift(
    revision: Annotated[
        str, typer.Argument(metavar="[REV]", help="The commit that is desired.")
    ] = "HEAD",
    everything: Annotated[
        bool, typer.Option("--all", help="Show changes without meaning too.")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="How to answer.")] = (
        Format.TEXT
    ),
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Show who changed the cluster past git, and how that stands to git.

    Each change is compared three ways (applied, desired, live): live moved; merged, not
    pushed; both, equal; both, in conflict. Exit 0: live is what is applied; 1: it is not.

    \b
    Examples:
      cibgit drift
      cibgit drift --format markdown
    """
    from ..flow.drift import drift as run
    from ..render import drift as render
    from ..render import json as as_json

    site = gather.site(directory, cluster, at)
    found = run(site, revision)
    if json or form is Format.JSON:
        typer.echo(as_json.drifted(found, site.name))
    elif form is Format.MARKDOWN:
        typer.echo(render.markdown(found))
    else:
        look = gather.terminal()
        typer.echo(render.drift(found, everything=everything, **look))
    return ExitCode.DIFFERS if found.is_drift else ExitCode.OK
