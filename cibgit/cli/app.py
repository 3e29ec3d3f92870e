"""The command line as a whole: its commands, and how every run of it ends."""

import os
import sys
import traceback
from typing import Annotated

import typer

from ..errors import CibgitError
from ..exitcodes import ExitCode
from . import actions, care, drifting, history, merging, planning, questions, watching

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
) -> None:
    pass


for command in (
    actions.init,
    actions.export,
    questions.status,
    questions.diff,
    planning.plan,
    actions.push,
    actions.rollback,
    questions.digest,
    actions.fmt,
    drifting.drift,
    drifting.adopt,
    drifting.revert,
    watching.watch,
    care.doctor,
    care.repair,
    merging.merge,
    demo,
):
    app.command()(command)
app.command("import")(history.import_)  # a word of Python
app.add_typer(merging.git)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; every failure is told, not thrown."""
    as_json = "--json" in arguments or "--format json" in " ".join(arguments)
    try:
        result = app(arguments or ["--help"], prog_name="cibgit", standalone_mode=False)
        sys.stdout.flush()
        return int(result or 0)
    except CibgitError as error:
        _tell(error, as_json=as_json)
        return error.code
    except typer.Exit as error:
        return int(error.exit_code)
    except _CommandLineError as error:
        typer.echo(f"cibgit: {_message(error)}", err=True)
        return ExitCode.USAGE
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("cibgit: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # whoever read our output has enough; do not complain at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        _tell(CibgitError(f"{name}{error.strerror or error}"), as_json=as_json)
        return ExitCode.BUG if error.errno is None else ExitCode.NO_INPUT
    except Exception as error:
        _tell(_bug(error), as_json=as_json)
        return ExitCode.BUG


def _message(error: BaseException) -> str:
    text = getattr(error, "format_message", lambda: str(error))()
    return f"{text} See: cibgit --help" if text else "See: cibgit --help"


def _tell(error: CibgitError, *, as_json: bool) -> None:
    from ..compare.summary import visible
    from ..render.difference import grouped, printable

    if as_json:
        from ..render import json

        typer.echo(json.error(error))
    typer.echo(f"cibgit: {printable(error.message)}", err=True)
    changes = getattr(error, "changes", [])
    if changes and not as_json:
        typer.echo(
            f"\n{grouped(visible(changes) or changes, everything=True)}\n", err=True
        )
    if error.hint:
        typer.echo(printable(error.hint), err=True)


def _bug(error: Exception) -> CibgitError:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    if os.environ.get("CIBGIT_TRACEBACK"):
        traceback.print_exception(error)
    return CibgitError(
        f"this is a bug in cibgit: {type(error).__name__} in {frame.name}"
        f" ({frame.filename.rpartition('/')[2]}:{frame.lineno})",
        "Please report it with the output of the same command under CIBGIT_TRACEBACK=1.",
    )
