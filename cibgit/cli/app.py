"""The command line as a whole: its commands, and how every run of it ends."""

from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer

from ..errors import CibgitError
from ..exitcodes import ExitCode
from . import (
    actions,
    beginning,
    care,
    checking,
    confirmation,
    corosync,
    drifting,
    elements,
    gather,
    history,
    hooks,
    keys,
    merging,
    planning,
    questions,
    secret,
    suspending,
    watching,
)
from .ending import ended, interrupted

# Typer brings its own click or depends on it, as its release decides: this is its base
# class of everything that is wrong with a command line
_CommandLineError: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="cibgit",
    help="Git as the source of truth for the configuration of Pacemaker clusters.",
    epilog="Start with: cibgit demo. Exit codes and concepts: docs/ and README.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        from .. import __version__

        typer.echo(f"cibgit {__version__}")
        raise typer.Exit


def demo(
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Leave the folder of the demonstration there."),
    ] = False,
) -> int:
    """Play the whole story on a made-up cluster.

    \b
    Example:
      cibgit demo
    """
    from .demo import play

    return play(run, keep=keep)


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
    identity: Annotated[
        Path | None,
        typer.Option(
            "--identity",
            metavar="FILE",
            help="The key that opens the vault of secrets.",
        ),
    ] = None,
) -> None:
    if not version:
        keys.chosen[:] = [identity] if identity else []


for command in (
    beginning.init,
    actions.export,
    questions.status,
    questions.diff,
    elements.log,
    elements.blame,
    planning.plan,
    checking.check,
    actions.push,
    actions.rollback,
    confirmation.confirm,
    confirmation.cancel,
    confirmation.known_good,
    confirmation.timer,
    questions.digest,
    actions.fmt,
    drifting.drift,
    drifting.adopt,
    drifting.revert,
    suspending.suspend,
    suspending.resume,
    watching.watch,
    care.doctor,
    care.repair,
    merging.merge,
    demo,
):
    app.command()(command)
app.command("import")(history.import_)  # a word of Python
app.add_typer(merging.git, name="git")

app.add_typer(secret.app, name="secret")
app.add_typer(hooks.hook, name="hook")
app.add_typer(corosync.app, name="corosync")


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; every failure is told, not thrown."""
    as_json = bool({"--json", "--format=json"} & set(arguments)) or (
        ("--format", "json") in pairwise(arguments)
    )
    gather.forget()
    return ended(lambda: _run(arguments), as_json=as_json)


def _run(arguments: list[str]) -> int:
    try:
        result = app(arguments or ["--help"], prog_name="cibgit", standalone_mode=False)
        return int(result or 0)
    except typer.Exit as error:
        return int(error.exit_code)
    except typer.Abort:
        return interrupted()
    except CibgitError:
        raise
    except _CommandLineError as error:
        typer.echo(f"cibgit: {_message(error)}", err=True)
        return ExitCode.USAGE


def _message(error: BaseException) -> str:
    text = getattr(error, "format_message", lambda: str(error))()
    return f"{text} See: cibgit --help" if text else "See: cibgit --help"
