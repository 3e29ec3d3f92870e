"""One CIB directory with everything that is known about it: what rules look at."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..cib.document import Cib
from ..compare.change import Change
from ..policy.finding import Finding
from .inventory import Inventory
from .judgement import Daemon, Judged
from .startup import Prediction


@dataclass(frozen=True)
class Case:
    """What the rules look at.

    ``daemon`` is None where owners are not judged. ``running`` is the process id of a
    CIB manager that uses the directory, ``live`` what it has in memory, where that could
    be read. ``upgrade`` foretells the start of another release. ``changes`` lead to
    ``cib.xml`` from the live CIB or the newest good backup; None where nothing was
    compared.
    """

    path: Path
    files: Inventory
    start: Prediction
    daemon: Daemon | None = None
    running: int | None = None
    live: Cib | None = None
    upgrade: Prediction | None = None
    changes: list[Change] | None = None

    @property
    def is_used(self) -> bool:
        """Whether a CIB was ever here: an empty directory is that of a new node."""
        return any(name.startswith("cib") for name in self.files.entries)

    @property
    def first(self) -> Judged:
        """``cib.xml`` as it is judged."""
        return self.start.files[0]


Rule = Callable[[Case], Iterable[Finding]]
"""One check of a directory."""

_SHOWN = 3


def named(names: list[str]) -> str:
    """Return the first few of some names, and how many more there are."""
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest
