"""The agent: it runs until it is told to stop."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from ..exitcodes import ExitCode
from . import gather
from .agreeing import AgreeOption, agreement
from .options import HERE, AtOption, ClusterOption, DirectoryOption, JsonOption
from .supervising import SupervisedOption, begin, end, supervision

if TYPE_CHECKING:
    from ..flow.site import Site
    from ..flow.watch import Event, Hook, Tally


OnceOption = Annotated[
    bool, typer.Option("--once", help="Look once; exit 1 if there is drift.")
]
HookOption = Annotated[
    str | None,
    typer.Option(
        "--hook",
        metavar="COMMAND",
        help="Run it once per drift, and once when it is over; JSON on its input.",
    ),
]
MetricsOption = Annotated[
    Path | None,
    typer.Option("--metrics", metavar="FILE", help="Write Prometheus' text format."),
]
PollOption = Annotated[
    float,
    typer.Option(
        "--poll", metavar="SECONDS", min=0.1, help="Longest pause between two polls."
    ),
]


def watch(
    once: OnceOption = False,
    hook: HookOption = None,
    metrics: MetricsOption = None,
    poll: PollOption = 60.0,
    agree: AgreeOption = False,
    supervised: SupervisedOption = None,
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Record every state that the cluster has as a commit, and tell of drift at once.

    Each state becomes a commit at refs/cibgit/NAME/live, by whoever changed the cluster;
    even one that is gone a moment later. On a node this follows within a second of the
    change, elsewhere the cluster is polled. Nothing is changed in the cluster or on a
    branch. Runs until SIGTERM or SIGINT.

    \b
    Examples:
      cibgit watch --hook /usr/local/bin/tell-the-team
      cibgit watch --agree
      cibgit watch --once --metrics /var/lib/node_exporter/cibgit.prom
    """
    from ..cluster.events import Events
    from ..cluster.succession import directory as states
    from ..flow.watch import Watch
    from ..render import agree as agreed
    from ..render import watch as render

    if once and (agree or supervised):
        raise UsageError("--once looks once; --agree and --supervised are to stay")
    supervisor = supervision(supervised)  # before anything is open
    site = gather.site(directory, cluster, at)
    tell = render.json_line if json else render.line

    def told(event: "Event") -> None:
        typer.echo(tell(event, site.name))

    def after(tally: "Tally") -> None:
        more = agreed.metrics(others, site.name) if others else ""
        _write(metrics, render.metrics(tally, site.name) + more)

    others = agreement(site, json=json) if agree else None
    with Events(states(site.cluster)) as events:
        if others:
            events.listen(others)
        agent = Watch(site, events, told, _hook(site, hook), poll, after)
        if once:
            return ExitCode.DIFFERS if agent.once().is_drift else ExitCode.OK
        gather.until_stopped(events.stop)
        begin(supervisor, events)
        agent.run()
        end(supervisor)
    return ExitCode.OK


def _write(file: Path | None, text: str) -> None:
    from ..flow.replace import replaced

    if file is not None:
        replaced(file, text.encode())


def _hook(site: "Site", command: str | None) -> "Hook | None":
    """Return what calls a command with the drift as JSON, None without one."""
    import os
    import shlex

    from ..cluster.hook import call
    from ..render.json import drifted

    if command is None:
        return None
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--hook: {error}") from None
    if not argv:
        raise UsageError("--hook names no command")
    return lambda found: call(
        argv,
        {
            **os.environ,
            "CIBGIT_CLUSTER": site.name,
            "CIBGIT_EVENT": "drift" if found.is_drift else "settled",
        },
        drifted(found, site.name).encode(),
    )
