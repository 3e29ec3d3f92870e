"""Commands about changes that were made past git."""

from typing import Annotated

import typer

from ..exitcodes import ExitCode
from . import caring, corosync, gather
from .actions import carry_out, note_detached
from .options import (
    HERE,
    AtOption,
    ClusterOption,
    DirectoryOption,
    DriftFormat,
    DryRunOption,
    ForceOption,
    JsonOption,
    MessageOption,
    YesOption,
)

ElementsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ELEMENT...]",
        help="Only what belongs to it: vip, 'node node2', or a pattern.",
    ),
]
OperationalOption = Annotated[
    bool,
    typer.Option(
        "--operational", help="Operational changes too: standby, maintenance, moves."
    ),
]


LostOption = Annotated[
    bool, typer.Option("--lost", help="What a healed partition swallowed, see drift.")
]
DiscardOption = Annotated[
    bool,
    typer.Option("--discard", help="With --lost: take none of it, and say no more."),
]


def drift(
    revision: Annotated[
        str, typer.Argument(metavar="[REV]", help="The commit that is desired.")
    ] = "HEAD",
    everything: Annotated[
        bool, typer.Option("--all", help="Show changes without meaning too.")
    ] = False,
    form: Annotated[DriftFormat, typer.Option("--format", help="How to answer.")] = (
        DriftFormat.TEXT
    ),
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Show who changed the cluster past git, and how that stands to git.

    Each change is compared three ways (applied, desired, live): live moved; merged, not
    pushed; both, equal; both, in conflict. Where corosync.conf is tracked, that of this
    node is compared, too. Exit 0: live is what is applied; 1: it is not.

    \b
    Examples:
      cibgit drift
      cibgit drift --format markdown
    """
    from ..flow.drift import drift as run
    from ..flow.makers import attributed
    from ..render import corosync as layer
    from ..render import drift as render
    from ..render import json as as_json

    site = gather.site(directory, cluster, at)
    found = attributed(site, run(site, revision))
    below = corosync.beside(site, found.live)
    if json or form is DriftFormat.JSON:
        values = layer.drift_values(below) if below else None
        typer.echo(as_json.drifted(found, site.name, values))
    elif form is DriftFormat.MARKDOWN:
        typer.echo(render.markdown(found))
        if below:
            typer.echo("\n" + layer.markdown(below))
    else:
        look = gather.terminal()
        typer.echo(render.drift(found, everything=everything, **look))
        if below:
            typer.echo("\n" + layer.below(below))
    is_drift = found.is_drift or (below is not None and below.is_drift)
    return ExitCode.DIFFERS if is_drift else ExitCode.OK


def adopt(
    elements: ElementsArgument = None,
    operational: OperationalOption = False,
    message: MessageOption = "",
    lost: LostOption = False,
    discard: DiscardOption = False,
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Take what was changed past git into git, all of it or by element.

    The commit's author is whoever changed the cluster. What waits in git stays, and is
    merged. Operational changes are left where they are, unless asked for. With --lost it
    is what this node's partition changed, and what vanished when the network healed.

    \b
    Examples:
      cibgit adopt
      cibgit adopt vip 'fence-*' -m "as found on Monday"
      cibgit adopt --lost
    """
    from functools import partial

    from ..errors import UsageError
    from ..flow import adopt as flow
    from ..render import drift as render
    from ..render import json as as_json

    if discard and (not lost or elements):
        raise UsageError("--discard goes with --lost, and takes all of it")
    site = gather.site(directory, cluster, at)
    run = partial(flow.adopt_lost, discard=discard) if lost else flow.adopt
    done = run(site, elements or (), operational=operational, message=message)
    if json:
        typer.echo(as_json.adopted(done))
    else:
        typer.echo(render.adopted(done, lost=lost, discarded=discard))
        note_detached(site.repository.branch(), done.commit is not None)
    return ExitCode.OK


def revert(
    elements: ElementsArgument = None,
    operational: OperationalOption = False,
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    force: ForceOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Put back what was changed past git, all of it or by element.

    Planned, judged and pushed like any push. The state that it replaces is kept in git.
    What waits in git is not pushed with it. Operational changes are left where they are,
    unless asked for.

    \b
    Examples:
      cibgit revert
      cibgit revert vip --yes
    """
    from ..flow.revert import recorded
    from ..flow.revert import revert as run
    from ..render import drift as render
    from ..render import json as as_json

    site = gather.site(directory, cluster, at)
    found = run(site, elements or (), operational=operational, force=force or ())
    planned = found.plan
    if planned is None:
        typer.echo(as_json.nothing(found.left) if json else render.left(found.left))
        return ExitCode.OK
    care = caring.care("5m", False, False, None)
    code = carry_out(planned, lambda: recorded(planned), care, yes, dry_run, json)
    if found.left and not json:
        typer.echo(render.left(found.left))
    return code
