"""The agent: it runs until it is told to stop."""

import os
from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from ..exitcodes import ExitCode
from . import care, caring, corosync, gather
from .agreeing import AgreeOption, agreement
from .options import (
    HERE,
    LONGEST,
    AtOption,
    ClusterOption,
    DirectoryOption,
    JsonOption,
    a_number,
)
from .supervising import SupervisedOption, begin, end, supervision

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from ..cluster.exporter import Exporter
    from ..flow.agree import Agreement
    from ..flow.answer import Answering
    from ..flow.mirror import Mirror
    from ..flow.notify import Beside, Channel
    from ..flow.site import Site
    from ..flow.tally import Event
    from ..flow.watch import Watch as Agent


class Auto(Enum):
    """How drift may be answered without anybody being asked."""

    REVERT = "revert"
    ADOPT = "adopt"


def _a_branch(name: str | None) -> str | None:
    """Refuse what would become a branch of a strange name, or none."""
    if name is not None and (not name or name.startswith("refs/")):
        raise typer.BadParameter("a branch has a plain name: live, say.")
    return name


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
WebhookOption = Annotated[
    Path | None,
    typer.Option(
        "--webhook", metavar="FILE", help="POST the same to the address in FILE."
    ),
]
MailOption = Annotated[
    list[str] | None,
    typer.Option("--mail", metavar="ADDRESS", help="Mail it, by sendmail; repeatable."),
]
MetricsOption = Annotated[
    Path | None,
    typer.Option("--metrics", metavar="FILE", help="Write Prometheus' text format."),
]
HttpOption = Annotated[
    str | None,
    typer.Option(
        "--http", metavar="[ADDRESS:]PORT", help="Serve /metrics and /healthz there."
    ),
]
PollOption = Annotated[
    float,
    typer.Option(
        "--poll",
        metavar="SECONDS",
        min=0.1,
        max=LONGEST,
        callback=a_number,
        help="Longest pause between two polls.",
    ),
]
BranchOption = Annotated[
    str | None,
    typer.Option(
        "--branch",
        metavar="NAME",
        callback=_a_branch,
        help="Show what is recorded on that branch too.",
    ),
]
RemoteOption = Annotated[
    str | None,
    typer.Option(
        "--remote", metavar="NAME", help="Push what is recorded to that git remote."
    ),
]
AutoOption = Annotated[
    Auto | None,
    typer.Option("--auto", help="Answer drift, without anybody being asked."),
]
AttemptsOption = Annotated[
    int,
    typer.Option(
        "--attempts", metavar="N", min=1, help="Give --auto up after N in an hour."
    ),
]


def watch(
    once: OnceOption = False,
    hook: HookOption = None,
    webhook: WebhookOption = None,
    mail: MailOption = None,
    metrics: MetricsOption = None,
    http: HttpOption = None,
    poll: PollOption = 60.0,
    branch: BranchOption = None,
    remote: RemoteOption = None,
    auto: AutoOption = None,
    attempts: AttemptsOption = 3,
    agree: AgreeOption = False,
    supervised: SupervisedOption = None,
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Record every state that the cluster has as a commit, and tell of drift at once.

    Each state becomes a commit at refs/cibgit/NAME/live, by whoever changed the cluster,
    even one that is gone a moment later: on a node within a second, elsewhere the cluster
    is polled. Told, too, is a cib.xml that this node would not start with, and drift of a
    tracked corosync.conf. Nothing is changed in the cluster or on the branch that is
    checked out, unless --auto says so. Runs until SIGTERM or SIGINT.

    \b
    Examples:
      cibgit watch --hook /usr/local/bin/tell-the-team --http 9100
      cibgit watch --branch live --remote origin --mail ops@example.com
      cibgit watch --auto revert --attempts 2
      cibgit watch --agree --supervised 30
      cibgit watch --once --metrics /var/lib/node_exporter/cibgit.prom
    """
    if once and (http or agree or supervised):
        raise UsageError("--once looks once; --http, --agree and --supervised stay")
    supervisor = supervision(supervised)  # before anything is open
    site = gather.site(directory, cluster, at)
    others = agreement(site, json=json) if agree else None
    with ExitStack() as stack:
        stack.enter_context(_alone(site))
        agent = _agent(site, stack, poll, others, json)
        agent.beside = _beside(site, once=once)
        agent.channels = _channels(agent, hook, webhook, mail or ())
        agent.answering = _answering(site, auto, attempts)
        agent.branch = branch
        agent.mirror = _mirror(site, remote, branch)
        agent.check()
        numbers = _numbers(agent, others)
        agent.after = lambda _: _write(metrics, numbers())
        if once:
            return ExitCode.DIFFERS if agent.once() else ExitCode.OK
        if http:
            stack.enter_context(_exporter(http, agent, numbers))
        gather.until_stopped(agent.events.stop)
        begin(supervisor, agent.events)
        agent.run()
        end(supervisor)
    return ExitCode.OK


def _beside(site: "Site", *, once: bool) -> "list[Beside]":
    """Return what this node has to be looked at beside the CIB."""
    from ..flow.corosync_watch import CorosyncWatch
    from ..flow.disk_watch import DiskWatch

    beside: list[Beside] = []
    if ring := corosync.near(site):
        beside.append(CorosyncWatch(site, ring))
    if patient := care.patient_of(site):
        beside.append(DiskWatch(site, patient, os.uname().nodename, once))
    return beside


def _alone(site: "Site") -> "AbstractContextManager[None]":
    """Keep a second agent out of this clone: it would tell and record all twice."""
    said = f"another agent watches {site.name} from {site.repository.root}"
    return site.repository.alone(f"cibgit-watch-{site.name}", said)


def _agent(
    site: "Site",
    stack: ExitStack,
    poll: float,
    others: "Agreement | None",
    json: bool,
) -> "Agent":
    """Return an agent that tells what it sees on standard output, and to ``others``."""
    from ..cluster.events import Events
    from ..cluster.succession import directory as states
    from ..flow.watch import Watch
    from ..render import watch as render

    tell = render.json_line if json else render.line

    def told(event: "Event") -> None:
        typer.echo(tell(event, site.name))

    events = stack.enter_context(Events(states(site.cluster)))
    if others:
        events.listen(others)
    return Watch(site, events, told, slow=poll)


def _channels(
    agent: "Agent", hook: str | None, webhook: Path | None, mail: "Sequence[str]"
) -> "Sequence[Channel]":
    """Return who is told; a hook ends soon after the agent is told to."""
    from .notices import channels

    events = agent.events
    return channels(agent.site.name, hook, webhook, mail, lambda: events.stopped)


def _numbers(agent: "Agent", others: "Agreement | None") -> "Callable[[], str]":
    """Return what renders all metrics."""
    from ..render import agree, watch

    def render() -> str:
        more = agree.metrics(others, agent.site.name) if others else ""
        return watch.metrics(agent.tally, agent.site.name) + more

    return render


def _write(file: Path | None, text: str) -> None:
    from ..flow.replace import replaced

    if file is not None:
        replaced(file, text.encode())


def _answering(site: "Site", auto: Auto | None, attempts: int) -> "Answering | None":
    """Return how drift is answered; a push by itself does not wait for rest."""
    from ..flow.answer import Answering, Way

    if auto is None:
        return None
    care = caring.care("5m", True, False, None)
    return Answering(site, Way(auto.value), attempts, care)


def _mirror(site: "Site", remote: str | None, branch: str | None) -> "Mirror | None":
    """Return what pushes to a remote, with the ssh that the environment asks for."""
    import shlex

    from ..flow.mirror import Mirror

    if remote is None:
        return None
    ssh = os.environ.get("GIT_SSH_COMMAND") or shlex.quote(
        os.environ.get("GIT_SSH", "")
    )
    return Mirror(site, remote, branch, "" if ssh == "''" else ssh)


def _exporter(text: str, agent: "Agent", numbers: "Callable[[], str]") -> "Exporter":
    """Return what answers over HTTP."""
    from ..cluster.exporter import Exporter, place

    def health() -> tuple[int, str]:
        wrong = agent.tally.complaint(agent.slow)
        return (503, f"{wrong}\n") if wrong else (200, "ok\n")

    return Exporter(
        place(text), {"/metrics": lambda: (200, numbers()), "/healthz": health}
    )
