"""Commands about the cluster layer: ``corosync.conf`` of all nodes."""

import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..exitcodes import ExitCode
from . import caring, gather
from .options import (
    HERE,
    ClusterOption,
    DirectoryOption,
    DriftFormat,
    DryRunOption,
    JsonOption,
    MessageOption,
    YesOption,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..cib.document import Cib
    from ..cluster.ring import Ring
    from ..flow.corosync_drift import CorosyncDrift
    from ..flow.corosync_plan import CorosyncPlan
    from ..flow.layer import Layer
    from ..flow.site import Site

app = typer.Typer(
    help="Keep corosync.conf of all nodes in git, compare it and push it.",
    rich_markup_mode=None,
)

ForceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--force",
        metavar="RULE",
        help="Relax restart, online-node or suspended; repeatable.",
    ),
]


def layer_of(directory: Path, cluster: str | None) -> "Layer":
    """Return the cluster layer of one cluster."""
    from ..flow.layer import layer

    site = gather.site(directory, cluster, None)
    return layer(site, _ring(site))


def tracked(site: "Site") -> "Layer | None":
    """Return the cluster layer of a site that tracks it, and is on a node of it."""
    from ..flow.layer import Layer

    ring = near(site)
    found = Layer(site, ring) if ring else None
    return found if found and found.is_tracked else None


def near(site: "Site") -> "Ring | None":
    """Return the ring of a site that is on a node of it, whether tracked or not."""
    return _ring(site) if site.cluster.address.startswith("local:") else None


def beside(site: "Site", cib: "Cib") -> "CorosyncDrift | None":
    """Return how the file of this node stands to git, where it is tracked."""
    from ..flow.corosync_drift import drift as run

    found = tracked(site)
    return run(found, cib, everywhere=False) if found else None


def _ring(site: "Site") -> "Ring":
    from ..cluster.ring import Ring

    settings = site.config.corosync
    return Ring.connect(settings.reach, settings.file, os.environ)


@app.command()
def export(
    message: MessageOption = "",
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Take corosync.conf of this node into git, as one commit.

    The first one begins the tracking. The key of the cluster (totem.key), where it stands
    in the file, goes into the vault. What waits in git is not overwritten (exit 107).

    \b
    Example:
      cibgit corosync export
    """
    from ..flow.corosync_export import export as run
    from ..render import corosync as render
    from ..render import json as as_json

    layer = layer_of(directory, cluster)
    done = run(layer, message)
    if json:
        changes = [render.change_values(each) for each in done.changes]
        values = {"outcome": done.outcome, "commit": done.commit, "first": done.first}
        sealed = [str(slot) for slot in done.sealed]
        told = as_json.dumps(
            "corosync export", **values, changes=changes, sealed=sealed
        )
        typer.echo(told)
    else:
        typer.echo(render.exported(done, layer.site.repository.short(done.commit)))
    return ExitCode.OK


@app.command()
def drift(
    form: Annotated[DriftFormat, typer.Option("--format", help="How to answer.")] = (
        DriftFormat.TEXT
    ),
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Compare corosync.conf of every node with git, with the others, and with what runs.

    Exit 0: all are as git knows them, and loaded; 1: something is not.

    \b
    Examples:
      cibgit corosync drift
      cibgit corosync drift --format markdown
    """
    from ..flow.corosync_drift import drift as run
    from ..render import corosync as render
    from ..render import json as as_json

    layer = layer_of(directory, cluster)
    found = run(layer)
    if json or form is DriftFormat.JSON:
        values = render.drift_values(found)
        typer.echo(as_json.dumps("corosync drift", cluster=layer.site.name, **values))
    elif form is DriftFormat.MARKDOWN:
        typer.echo(render.markdown(found))
    else:
        typer.echo(render.drift(found))
        gather.note_uncertain()
    return ExitCode.DIFFERS if found.is_drift else ExitCode.OK


@app.command()
def push(
    revision: Annotated[
        str, typer.Argument(metavar="[REV]", help="The commit to push.")
    ] = "HEAD",
    message: Annotated[
        str | None,
        typer.Option(
            "--message",
            "-m",
            metavar="TEXT",
            help="Commit the edited corosync.conf first.",
        ),
    ] = None,
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
    force: ForceOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Give every node the corosync.conf of git, reload it, and prove that it is loaded.

    Shows the plan and asks. Nothing is written when a node has a file that git does not
    know (exit 103), cannot be reached or is no member, or when only a restart would
    bring a change into effect (107; --force restart). A node that does not load the
    file has all of them put back (110).

    \b
    Examples:
      cibgit corosync push
      cibgit corosync push -m "token: 3 s" --yes
      cibgit corosync push --force restart
    """
    from ..errors import UnsafeError, UsageError
    from ..flow.corosync_plan import plan

    layer = layer_of(directory, cluster)
    repository = layer.site.repository
    if message is not None and revision != "HEAD":
        raise UsageError("--message commits the work tree; it takes no revision")
    if message is None and revision == "HEAD" and layer.is_dirty:
        raise UnsafeError(
            f"{layer.path} has changes that are not committed",
            "Commit them, or at once with: cibgit corosync push -m MESSAGE",
        )
    commit = None if message is not None else repository.resolve(revision)
    desired = layer.desired(commit) if commit else layer.edited()
    made = plan(layer, desired, commit, layer.site.live(), force or ())
    return _carry_out(made, message, yes, dry_run, json)


@contextmanager
def _staying() -> "Iterator[None]":
    """Let nothing but SIGKILL end this process, nor what it starts, for a while.

    Between the first file that is put in place and the proof each step is bounded; who
    left there would leave nodes with different files.
    """
    import signal

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.signal(each, signal.SIG_IGN) for each in numbers}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _carry_out(
    made: "CorosyncPlan", message: str | None, yes: bool, dry_run: bool, as_json: bool
) -> int:
    """Show a plan, ask, commit where that is still to be done, and push."""
    from ..flow.corosync_push import push as run
    from ..render import corosync as render
    from ..render import json

    layer, repository = made.layer, made.layer.site.repository
    if not as_json:
        typer.echo(render.plan(made, layer.site.name))
    if dry_run:
        if as_json:
            values = render.plan_values(made)
            typer.echo(json.dumps("corosync push", dry_run=True, **values))
        return ExitCode.OK
    if made.is_needed:
        gather.confirm(f"Push corosync.conf to {layer.site.name}?", yes=yes)

    def make() -> str:
        if made.commit:
            return made.commit
        return repository.commit_files(
            layer.site.conf_files(made.desired), message or ""
        )

    if not made.is_needed:
        commit = make()
        repository.set_ref(layer.ref, commit, "corosync push: nothing to do")
        told = json.dumps("corosync push", **render.nothing_values(made, commit))
        typer.echo(told if as_json else render.nothing(made, repository.short(commit)))
        return ExitCode.OK
    with layer.site.cluster.hold(caring.user()), ExitStack() as stack:

        def commit_and_stay() -> str:
            commit = make()
            stack.enter_context(_staying())
            return commit

        done = run(made, commit_and_stay)
    if as_json:
        typer.echo(json.dumps("corosync push", **render.pushed_values(done)))
    else:
        typer.echo("\n" + render.pushed(done, repository.short(done.commit)))
    return ExitCode.DIGEST if done.wrong else ExitCode.OK
