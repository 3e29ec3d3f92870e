"""Commands about merging: by hand, and what git is told to do by itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..exitcodes import ExitCode
from . import gather
from .options import HERE, DirectoryOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..flow.git import Machine, Registration

FileArgument = Annotated[Path, typer.Argument(help="A CIB file.")]
GlobalOption = Annotated[
    bool, typer.Option("--global", help="For all repositories of this user.")
]

git = typer.Typer(
    name="git",
    help="Let git merge and show CIBs by meaning.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def merge(
    base: FileArgument,
    ours: FileArgument,
    theirs: FileArgument,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write, or -."),
    ] = "-",
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Merge three versions of a CIB by identity.

    Each element, attribute and order is merged alone. Conflicts stand between git's
    markers and are told on standard error. Exit 0: merged; 1: with conflicts.

    \b
    Example:
      cibgit merge base.xml ours.xml theirs.xml -o cib.xml
    """
    import sys

    from ..flow.merge import merge as run
    from ..flow.replace import replaced
    from ..render.merge import as_json, complaints

    result = run(directory / base, directory / ours, directory / theirs)
    if output != gather.STDIN:
        replaced(directory / output, result.data)
    elif not json:
        sys.stdout.buffer.write(result.data)
    if json:
        typer.echo(as_json(result))
    for line in complaints(result):
        typer.echo(line, err=True)
    return ExitCode.OK if result.is_clean else ExitCode.DIFFERS


@git.command()
def install(
    everywhere: GlobalOption = False,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Register the drivers for merge, diff and log, and the rule in .gitattributes.

    \b
    Examples:
      cibgit git install
      cibgit git install --global
    """
    from ..flow.git import install as run

    return _registered(run, everywhere, directory, json)


@git.command()
def uninstall(
    everywhere: GlobalOption = False,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Take the drivers out of git's configuration; git treats CIBs as text again.

    \b
    Example:
      cibgit git uninstall
    """
    from ..flow.git import uninstall as run

    _registered(run, everywhere, directory, json)
    return ExitCode.OK


@git.command()
def status(
    everywhere: GlobalOption = False,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Show what is registered. Exit 0: all of it; 1: something is missing.

    \b
    Example:
      cibgit git status
    """
    from ..flow.git import status as run

    return _registered(run, everywhere, directory, json)


def _registered(
    run: "Callable[[Path | None, Machine], Registration]",
    everywhere: bool,
    directory: Path,
    json: bool,
) -> int:
    import os
    import shutil

    from ..flow.git import Machine
    from ..render import git as render

    home = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    machine = Machine(shutil.which("cibgit"), home / "git/attributes")
    found = run(None if everywhere else directory, machine)
    typer.echo(render.as_json(found) if json else render.text(found))
    return ExitCode.OK if found.is_complete else ExitCode.DIFFERS
