"""How every run ends: with an exit code, and a failure told in a sentence or two."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from ..errors import CibgitError
from ..exitcodes import ExitCode
from . import gather


def ended(action: Callable[[], int], *, as_json: bool) -> int:
    """Run an action and return the exit code; every failure is told, not thrown."""
    try:
        result = action()
        sys.stdout.flush()
        return result
    except CibgitError as error:
        tell(error, as_json=as_json)
        return error.code
    except KeyboardInterrupt:
        return interrupted()
    except BrokenPipeError:
        # whoever read our output has enough; do not complain at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        tell(CibgitError(f"{name}{error.strerror or error}"), as_json=as_json)
        return ExitCode.BUG if error.errno is None else ExitCode.NO_INPUT
    except Exception as error:
        tell(_bug(error), as_json=as_json)
        return ExitCode.BUG


def leave(code: int) -> NoReturn:
    """End the process at once.

    Everything is told, and what was opened is closed: to take down the interpreter module
    by module would only take time.
    """
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(code)


def interrupted() -> int:
    """Say so, and return the exit code of it."""
    print("cibgit: interrupted", file=sys.stderr)
    return ExitCode.INTERRUPTED


def tell(error: CibgitError, *, as_json: bool) -> None:
    """Print an error: what, and what to do next; drift with its changes."""
    from ..render.difference import grouped, printable

    if as_json:
        from ..render import json

        print(gather.censored(json.error(error)))
    message = gather.censored(error.message)
    print(f"cibgit: {printable(message)}", file=sys.stderr)
    changes = getattr(error, "changes", [])
    if changes and not as_json:
        from ..compare.summary import visible

        told = grouped(visible(changes) or changes, everything=True)
        print(f"\n{told}\n", file=sys.stderr)
    if error.hint:
        print(printable(gather.censored(error.hint)), file=sys.stderr)


def _bug(error: Exception) -> CibgitError:
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    if os.environ.get("CIBGIT_TRACEBACK"):
        lines = "".join(traceback.format_exception(error))
        print(gather.censored(lines), file=sys.stderr)
    return CibgitError(
        f"this is a bug in cibgit: {type(error).__name__} in {frame.name}"
        f" ({frame.filename.rpartition('/')[2]}:{frame.lineno})",
        "Please report it with the output of the same command under CIBGIT_TRACEBACK=1.",
    )
