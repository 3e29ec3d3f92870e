"""Commands that make git leave a cluster alone for a while."""

from typing import Annotated

import typer

from ..exitcodes import ExitCode
from . import caring, gather
from .options import HERE, AtOption, DirectoryOption, JsonOption

ClusterArgument = Annotated[
    str | None,
    typer.Argument(metavar="[CLUSTER]", help="The cluster, where there are several."),
]


def suspend(
    until: Annotated[
        str,
        typer.Option(
            "--until", metavar="TIME", help="2027-01-31, 2027-01-31T18:00Z, or 4h."
        ),
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; everybody sees it.")
    ],
    cluster: ClusterArgument = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Leave a cluster alone until a time: no push, and drift calls nobody.

    For work by hand. It is written into the live CIB, so it holds for every clone and
    every agent. What is changed meanwhile is recorded all the same; a push needs --force
    suspended. A date means until that day is over. It ends by itself, or by resume.

    \b
    Examples:
      cibgit suspend --until 4h --reason "storage is migrated, ticket 4711"
      cibgit suspend prod --until 2027-01-31 --reason "year-end freeze"
    """
    from dataclasses import asdict

    from ..cib.suspension import Suspension
    from ..flow.suspend import suspend as run
    from ..render.difference import printable
    from ..render.json import dumps

    end = int(caring.moment(until).timestamp())
    site = gather.site(directory, cluster, at)
    done = run(site, Suspension(end, caring.user(), reason))
    if json:
        typer.echo(dumps("suspend", cluster=site.name, **asdict(done)))
    else:
        typer.echo(printable(f"{site.name} is suspended {done}"))
    return ExitCode.OK


def resume(
    cluster: ClusterArgument = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """End a suspension before its time.

    \b
    Example:
      cibgit resume prod
    """
    from dataclasses import asdict

    from ..flow.resume import resume as run
    from ..render.difference import printable
    from ..render.json import dumps

    site = gather.site(directory, cluster, at)
    ended = run(site)
    if json:
        typer.echo(dumps("resume", cluster=site.name, ended=ended and asdict(ended)))
    elif ended:
        typer.echo(printable(f"{site.name} is managed again. It was suspended {ended}"))
    else:
        typer.echo(f"{site.name} is not suspended.")
    return ExitCode.OK
