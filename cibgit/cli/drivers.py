"""What git starts for each file: ``cibgit driver merge|diff|textconv``.

Git may start it hundreds of times, so Typer and GitPython stay out. Any exit code but 0,
and 1 of a merge with conflicts, makes the registered shell line fall back to what git
does by itself (``flow/git.py``), so nothing is printed before all of it is known.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import CibgitError, UsageError
from ..exitcodes import ExitCode

SWITCH = "CIBGIT_DRIVER"
"""Set to 0 it leaves everything to git."""


def main(arguments: list[str]) -> int:
    """Run one driver and return its exit code; every failure is told in a line."""
    if os.environ.get(SWITCH) == "0":
        return ExitCode.BUSY
    try:
        name, *rest = arguments or [""]
        driver = _DRIVERS.get(name)
        if driver is None:
            raise UsageError(f"there is no driver {name!r}; git starts merge, diff"
                             " and textconv: cibgit git install")  # fmt: skip
        return driver(rest)
    except CibgitError as error:
        print(f"cibgit: {error.message}", file=sys.stderr)
        return error.code
    except ValueError:
        print(f"cibgit: driver {arguments[0]}: git gave it {arguments[1:]}",
              file=sys.stderr)  # fmt: skip
        return ExitCode.USAGE
    except OSError as error:
        print(f"cibgit: {error.filename}: {error.strerror}", file=sys.stderr)
        return ExitCode.NO_INPUT


def _merge(arguments: list[str]) -> int:
    """Merge into the file of ours: base, ours, theirs, size of markers, name."""
    from ..compare.markers import Labels
    from ..flow.merge import merge
    from ..flow.replace import replaced
    from ..render.merge import complaints

    base, ours, theirs, size, name = arguments
    result = merge(Path(base), Path(ours), Path(theirs), Labels(), int(size))
    replaced(Path(ours), result.data)
    for line in complaints(result):
        print(f"{name}: {line}", file=sys.stderr)
    return ExitCode.OK if result.is_clean else ExitCode.DIFFERS


def _diff(arguments: list[str]) -> int:
    """Show what changed: name, old file, its id and mode, new file, its id and mode."""
    from ..compare.contents import emptied
    from ..compare.diff import compare
    from ..flow.files import read_file
    from ..render.difference import difference

    name, old_name, _, _, new_name, *_ = arguments
    files = [Path(each) for each in (old_name, new_name)]
    old, new = (read_file(f) if f.stat().st_size else None for f in files)
    if old is None or new is None:
        whole = old or new
        if whole is None:
            return ExitCode.OK
        old, new = old or emptied(whole), new or emptied(whole)
    sides = (f"a/{name}", f"b/{name}")
    print(difference(compare(old, new), sides, colour=_colour()))
    return ExitCode.OK


def _textconv(arguments: list[str]) -> int:
    """Write a CIB in words, a fact a line, for git to compare."""
    from ..compare.contents import contents
    from ..flow.files import read_file
    from ..render.contents import described

    (file,) = arguments
    print(described(contents(read_file(Path(file)))))
    return ExitCode.OK


def _colour() -> bool:
    """Colour as git does: for a terminal, also through its pager."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb":
        return False
    return sys.stdout.isatty() or "GIT_PAGER_IN_USE" in os.environ


_DRIVERS: dict[str, Callable[[list[str]], int]] = {
    "merge": _merge,
    "diff": _diff,
    "textconv": _textconv,
}
