"""The command that looks ahead: what a push would do, before anybody pushes."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..exitcodes import ExitCode
from . import gather
from .options import (
    HERE,
    AtOption,
    ClusterOption,
    DirectoryOption,
    ForceOption,
    JsonOption,
)

if TYPE_CHECKING:
    from ..flow.divergence import Divergence
    from ..flow.plan import Plan


class Format(Enum):
    """How an answer is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def plan(
    revision: Annotated[
        str | None, typer.Argument(metavar="[REV]", help="The commit to push.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Save the plan, for cibgit push FILE."
        ),
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="How to answer.", show_default=True)
    ] = Format.TEXT,
    force: ForceOption = None,
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Show what a push would do: changes, effects, and what the policy says.

    Without REV it is cib.xml in the work tree if that is edited, else HEAD. Nothing is
    written to the cluster. Exit 0: nothing to do; 1: there is something to do; 103: live
    moved past git; 107: the policy refuses.

    \b
    Examples:
      cibgit plan
      cibgit plan HEAD --out tonight.json
      cibgit plan --format markdown > comment.md
    """
    from ..flow.divergence import Divergence
    from ..flow.plan import survey

    site = gather.site(directory, cluster, at)
    desired, commit, label = gather.wanted(site, revision)
    found = survey(site, desired, commit, force or ())
    form = Format.JSON if json else form
    if isinstance(found, Divergence):
        return _diverged(found, label, form)
    if out:
        from ..flow.saved import save

        save(found, revision or "HEAD", directory / out)
    return _planned(found, label, form)


def _planned(found: "Plan", label: str, form: Format) -> int:
    from ..flow.plan import refusal
    from ..render import json, markdown
    from ..render.plan import plan as as_text

    refused = refusal(found)
    if form is Format.JSON:
        typer.echo(json.planned("plan", found))
        return _code(found) if refused is None else refused.code
    if form is Format.MARKDOWN:
        typer.echo(markdown.plan(found, label))
    else:
        typer.echo(as_text(found, label, **gather.terminal()))
    if refused is not None:
        raise refused
    return _code(found)


def _code(found: "Plan") -> int:
    return ExitCode.DIFFERS if found.changes else ExitCode.OK


def _diverged(found: "Divergence", label: str, form: Format) -> int:
    from ..render import json, markdown
    from ..render.plan import divergence

    if form is Format.JSON:
        typer.echo(json.diverged(found))
    elif form is Format.MARKDOWN:
        typer.echo(markdown.divergence(found, label))
    else:
        typer.echo(divergence(found, label, **gather.terminal()))
    return ExitCode.STALE
