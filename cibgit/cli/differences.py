"""What ``cibgit diff`` does, however its command line was read."""

from pathlib import Path

from ..exitcodes import ExitCode
from . import gather

_held: list[object] = []
"""What was compared, until the process ends: that is next, and to give back two trees
node by node before would take a tenth of its time."""


def show(
    sides: list[str],
    cluster: str | None = None,
    at: str | None = None,
    directory: Path = Path(),
    json: bool = False,
) -> int:
    """Print what differs between two sides, and return the exit code."""
    from ..compare.diff import compare

    (old, old_label), (new, new_label) = gather.sides(sides, directory, cluster, at)
    _held.extend((old, new))
    changes = compare(old, new)
    if json:
        from ..render import json as as_json

        found = as_json.changes(changes)
        print(as_json.dumps("diff", old=old_label, new=new_label, changes=found))
    else:
        from ..render import text

        colour = gather.colour()
        print(text.difference(changes, old_label, new_label, colour=colour))
    return ExitCode.DIFFERS if changes else ExitCode.OK
