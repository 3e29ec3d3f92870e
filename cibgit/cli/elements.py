"""Commands that ask the history of a configuration: log and blame."""

from typing import Annotated

import typer

from ..exitcodes import ExitCode
from . import gather
from .options import HERE, ClusterOption, DirectoryOption, JsonOption


def log(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ELEMENT] [A..B]",
            help="What to tell of, as diff calls it; and a range of commits.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", metavar="N", min=1, help="So many commits."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Commits not older than a date, yesterday, '2 weeks ago' ...",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show changes without meaning too.")
    ] = False,
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Tell what each commit changed: of the whole configuration, or of one element.

    ELEMENT is an id, the name of a node or of a cluster option, and what diff shows:
    'vip params.ip', 'resource vip', 'resources / group web / primitive vip'. Commits that
    did not change it are left out. Another id that it had before is followed.

    \b
    Examples:
      cibgit log --limit 5
      cibgit log vip
      cibgit log vip params.ip --since '2 weeks ago'
      cibgit log stonith-enabled v1.0..HEAD
    """
    from ..flow.log import Question
    from ..flow.log import log as run
    from ..render import log as render

    site = gather.site(directory, cluster, None)
    oldest = site.repository.moment(since) if since is not None else None
    question = Question.of(words or [], oldest)
    found = run(site, question, limit=limit, everything=everything)
    if json:
        typer.echo(render.log_json(found, site.name, question.element))
        return ExitCode.OK
    nothing = f"No commit there changed {question.element or site.path}."
    look = gather.terminal()
    typer.echo(render.log(found, nothing, everything=everything, **look))
    return ExitCode.OK


def blame(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="ELEMENT [A..B]",
            help="What to tell of, as diff calls it; and a range of commits.",
        ),
    ],
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Tell who made an element what it is: the last commit about each of its facts.

    For one fact, such as 'vip params.ip' or stonith-enabled: its values over time. With
    A..B the element is looked at as it is in B, and nothing older than A counts.

    \b
    Examples:
      cibgit blame vip
      cibgit blame vip params.ip
      cibgit blame cli-ban-web-on-bob
    """
    from ..errors import UsageError
    from ..flow.blame import blame as run
    from ..flow.log import Question
    from ..render import log as render

    site = gather.site(directory, cluster, None)
    question = Question.of(words)
    if not question.element:
        raise UsageError("name an element, not only a range of commits")
    found = run(site, question)
    if json:
        typer.echo(render.blame_json(found, site.name, question.element))
    else:
        nothing = f"There is nothing to tell of {question.element}."
        colour = gather.terminal()["colour"]
        typer.echo(render.blame(found, nothing, colour=colour))
    return ExitCode.OK
