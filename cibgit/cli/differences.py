"""What ``cibgit diff`` does, however its command line was read."""

import sys
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
    form: str = "text",
    *,
    everything: bool = False,
) -> int:
    """Print what differs between two sides, and return the exit code."""
    from ..compare.diff import compare
    from . import formats

    (old, old_label), (new, new_label) = gather.sides(sides, directory, cluster, at)
    _held.extend((old, new))
    old, new, ignored = gather.unignored(sides, old, new, directory, cluster)
    changes = compare(old, new)
    gather.note_uncertain()
    found = formats.Difference(
        *(old, new, (old_label, new_label), changes),
        lambda: gather.dialect(directory, cluster, at),
        everything,
    )
    answer = formats.render(found, form)
    if isinstance(answer, bytes):
        sys.stdout.buffer.write(answer)
    elif answer:
        print(answer)
    if ignored and form == "text":
        print(f"Ignored, as cibgit.toml says: {ignored}.", file=sys.stderr)
    return ExitCode.DIFFERS if changes else ExitCode.OK
