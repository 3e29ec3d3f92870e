"""The command that brings the past into git."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..exitcodes import ExitCode
from . import gather
from .options import HERE, ClusterOption, DirectoryOption, DryRunOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..flow.import_ import Tick


def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            help="CIB directories, folders of scheduler inputs, archives, CIB files.",
        ),
    ],
    branch: Annotated[
        str | None,
        typer.Option(
            "--branch", metavar="NAME", help="Import into this branch, new or not."
        ),
    ] = None,
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Bring history into git, from what a cluster keeps of its past.

    From a CIB directory, pe-input files, a crm_report or pcs config backup archive: one
    commit for each configuration, oldest first, by whoever made it. What git has already
    is left out. Nothing is unpacked to disk, and the cluster is not touched.

    \b
    Examples:
      cibgit import /var/lib/pacemaker/cib /var/lib/pacemaker/pengine
      cibgit import --dry-run report.tar.bz2
    """
    from ..flow.import_ import import_ as run
    from ..render import history as text
    from ..render import json as as_json

    site = gather.site(directory, cluster, None)
    places = [directory / path for path in paths]
    with _progress() as tick:
        result = run(site, places, branch=branch, dry_run=dry_run, tick=tick)
    if json:
        typer.echo(as_json.imported(result))
    else:
        short = site.repository.short(result.commit) if result.commit else ""
        typer.echo(text.imported(result, site.name, short))
    return ExitCode.OK if result.files else ExitCode.NO_INPUT


@contextmanager
def _progress() -> "Iterator[Tick | None]":
    """Show a bar while files are read, where standard error is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with typer.progressbar(length=1, label="Reading", file=sys.stderr) as bar:

        def tick(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield tick
