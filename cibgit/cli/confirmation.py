"""Commands about pushes that wait for confirmation, and about known-good states."""

from typing import Annotated

import typer

from ..exitcodes import ExitCode
from . import caring, gather
from .options import (
    HERE,
    AtOption,
    ClusterOption,
    DirectoryOption,
    JsonOption,
    StateOption,
)


def confirm(
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Keep a push that waits for confirmation.

    Works on any machine that has the repository and reaches the cluster. Exit 110: too
    late, the cluster was put back.

    \b
    Example:
      cibgit confirm
    """
    from dataclasses import asdict

    from ..flow.confirm import confirm as run
    from ..render import outcome as text
    from ..render.json import dumps

    site = gather.site(directory, cluster, at)
    result = run(site, caring.orders())
    if json:
        typer.echo(dumps("confirm", **asdict(result)))
    else:
        typer.echo(text.confirmed(result, site.name, site.repository.short))
    return ExitCode.OK


def cancel(
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Put back at once what a push that waits for confirmation replaced.

    \b
    Example:
      cibgit cancel
    """
    from dataclasses import asdict

    from ..flow.cancel import cancel as run
    from ..render import outcome as text
    from ..render.json import dumps

    site = gather.site(directory, cluster, at)
    result = run(site, caring.orders())
    if json:
        typer.echo(dumps("cancel", **asdict(result)))
    else:
        typer.echo(text.cancelled(result, site.name, site.repository.short))
    return ExitCode.OK


def timer(
    token: Annotated[
        str | None,
        typer.Argument(
            metavar="[TOKEN]", help="Run this one timer, in the foreground."
        ),
    ] = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> int:
    """Go on with the timers of confirmed pushes on this node.

    A push starts its timer itself. This is for the boot of a node: it starts all that
    still wait. Where systemd runs, a push with --confirm-within sees to that.

    \b
    Example:
      cibgit timer
    """
    import syslog

    from ..flow.timer import resume
    from ..render.json import dumps

    orders = caring.orders(state)
    if token is not None:
        report = caring.run_timer(orders, token)
        if report and report.outcome != "confirmed":
            syslog.openlog("cibgit")
            line = f"{report.cluster}: push of {report.commit[:10]}: {report.sentence}"
            syslog.syslog(syslog.LOG_WARNING, line)
        return ExitCode.OK
    found = resume(orders, caring.timer_starter(orders))
    if json:
        typer.echo(dumps("timer", tokens=[order.token for order in found]))
    else:
        typer.echo(f"{len(found)} timers of confirmed pushes run on this node.")
    return ExitCode.OK


def known_good(
    action: Annotated[
        str, typer.Argument(metavar="[list|set|remove]", help="What to do.")
    ] = "list",
    what: Annotated[
        str | None,
        typer.Argument(metavar="[WHAT]", help="set: a revision [HEAD]; remove: a tag."),
    ] = None,
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """List, set or remove known-good states: tags known-good/CLUSTER/TIME.

    A push that settles in good health sets one.

    \b
    Examples:
      cibgit known-good
      cibgit known-good set HEAD~2
      cibgit known-good remove 20261124T054444Z
    """
    from dataclasses import asdict

    from ..errors import UsageError
    from ..flow import known_good as flow
    from ..render import outcome as text
    from ..render.json import dumps

    site = gather.site(directory, cluster, at)
    match action, what:
        case "list", None:
            found = flow.known_good(site)
        case "set", _:
            reason = f"Set by {caring.user()}"
            found = [flow.set_known_good(site, what or "HEAD", reason)]
        case "remove", str(name):
            flow.remove_known_good(site, name)
            found = flow.known_good(site)
        case _:
            raise UsageError("known-good takes: list, set [REV] or remove NAME")
    if json:
        typer.echo(dumps("known-good", states=[asdict(each) for each in found]))
    else:
        typer.echo(text.known_goods(found, site.name))
    return ExitCode.OK
