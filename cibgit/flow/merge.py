"""Merge: three versions of a file into one, as git's merge driver and by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..cib import schema
from ..cib.document import Cib
from ..compare.conflict import Conflict
from ..compare.contents import emptied
from ..compare.markers import Labels, marked
from ..compare.merge import merge as merge_cibs
from .files import read_file

MARKER_SIZE = 7
"""How long git's conflict markers are unless it says otherwise."""


@dataclass(frozen=True)
class Merged:
    """The merged file, and what stands against using it as it is.

    ``data`` is in canonical form, with markers around conflicts. ``invalid`` says where a
    merge without conflicts breaks the schema that both sides keep.
    """

    data: bytes
    conflicts: Sequence[Conflict]
    invalid: Sequence[str]

    @property
    def is_clean(self) -> bool:
        """Whether nobody need look at it."""
        return not (self.conflicts or self.invalid)


def merge(
    base: Path,
    ours: Path,
    theirs: Path,
    labels: Labels = Labels(),  # noqa: B008
    size: int = MARKER_SIZE,
) -> Merged:
    """Merge three files; an empty base means that both sides added the file.

    Raises :class:`~cibgit.errors.BadDataError` for a file that is no CIB (it may hold
    conflict markers already), :class:`~cibgit.errors.NoInputError` for none.
    """
    mine, other = read_file(ours), read_file(theirs)
    old = read_file(base) if base.stat().st_size else emptied(mine)
    result = merge_cibs(old, mine, other)
    invalid = [] if result.conflicts else _invalid(result.cib, mine, other)
    return Merged(marked(result, labels, size), result.conflicts, invalid)


def _invalid(merged: Cib, *sides: Cib) -> list[str]:
    """Return what the schema, where it is installed, has against the result alone."""
    if not schema.is_installed(merged.schema) or any(
        schema.is_installed(side.schema) and schema.validate(side) for side in sides
    ):
        return []
    found = schema.validate(merged)
    return [f"line {each.line}: {each.message}" for each in found]
