"""Commands that only look: they answer 0 (same) or 1 (differs)."""

from pathlib import Path
from typing import Annotated

import typer

from ..exitcodes import ExitCode
from . import gather
from .options import HERE, AtOption, ClusterOption, DirectoryOption, JsonOption


def status(
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Show how git and the live cluster stand to each other.

    Exit 0: in sync; 1: they differ, or a push that was not confirmed is overdue.

    \b
    Example:
      cibgit status --cluster prod
    """
    import time

    from ..flow.status import status as run
    from ..render import json as as_json
    from ..render import text
    from ..render.care import waiting

    site = gather.site(directory, cluster, at)
    found = run(site, gather.orders())
    if json:
        typer.echo(as_json.status(found, site.name))
    else:
        ids = {found.head, found.applied.commit if found.applied else None} - {None}
        short = {str(commit): site.repository.short(str(commit)) for commit in ids}
        typer.echo(text.status(found, site.name, short))
        if more := waiting(found, time.time()):
            typer.echo(more)
    is_well = found.in_sync and not found.is_overdue(time.time())
    return ExitCode.OK if is_well else ExitCode.DIFFERS


def diff(
    sides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[OLD] [NEW]",
            help="live, a git revision, a file, or - (standard input).",
        ),
    ] = None,
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Show what differs between two CIBs, by identity.

    Without arguments: from live to cib.xml in the work tree, which is what a push would
    change. With one: from live to that. Exit 0: no difference; 1: there is one.

    \b
    Examples:
      cibgit diff
      cibgit diff HEAD~3 live
      cibadmin -Q | cibgit diff clusters/prod/cib.xml -
    """
    from ..compare.diff import compare
    from ..errors import UsageError
    from ..render import json as as_json
    from ..render import text

    if (sides or []).count(gather.STDIN) > 1:
        raise UsageError("standard input can be one side only")
    match sides or []:
        case []:
            old, old_label = gather.live(directory, cluster, at)
            new, new_label = gather.edited(directory, cluster)
        case [only]:
            old, old_label = gather.live(directory, cluster, at)
            new, new_label = gather.side(only, directory, cluster, at)
        case [first, second]:
            old, old_label = gather.side(first, directory, cluster, at)
            new, new_label = gather.side(second, directory, cluster, at)
        case _:
            raise UsageError("diff takes two sides at most")
    changes = compare(old, new)
    if json:
        found = as_json.changes(changes)
        typer.echo(as_json.dumps("diff", old=old_label, new=new_label, changes=found))
    else:
        colour = gather.colour()
        typer.echo(text.difference(changes, old_label, new_label, colour=colour))
    return ExitCode.DIFFERS if changes else ExitCode.OK


def digest(
    what: Annotated[
        str, typer.Argument(metavar="FILE|live", help="A CIB file, - or live.")
    ] = gather.LIVE,
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Show the digests of a CIB, and check its signature.

    They are computed as the installed Pacemaker does.

    A FILE.sig beside FILE is checked too. Exit 1: it does not match.

    \b
    Example:
      cibgit digest /var/lib/pacemaker/cib/cib.xml
    """
    import os

    from ..cib.digest import dialect_of
    from ..cib.document import parse
    from ..cluster.commands import installed_version
    from ..errors import NoInputError
    from ..flow.digest import digests
    from ..render import json as as_json
    from ..render import text

    file = directory / what
    signature = None
    if what == gather.LIVE:
        cib, _ = gather.live(directory, cluster, at)
    elif what == gather.STDIN:
        import sys

        cib = parse(sys.stdin.buffer.read(), "standard input")
    elif file.is_file():
        cib = parse(file.read_bytes(), what)
        signature = _signature(file)
    else:
        raise NoInputError(f"{what} is not a file")
    found = digests(cib, dialect_of(installed_version(os.environ)), signature)
    typer.echo(as_json.digests(found) if json else text.digests(found))
    return ExitCode.OK if found.matches else ExitCode.DIFFERS


def _signature(file: Path) -> str | None:
    beside = file.with_name(f"{file.name}.sig")
    return beside.read_text(errors="replace") if beside.is_file() else None
