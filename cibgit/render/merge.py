"""Conflicts of a merge as text and as JSON."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..cib.secrets import HIDDEN
from ..compare.conflict import Conflict
from .difference import printable
from .json import dumps

if TYPE_CHECKING:
    from ..flow.merge import Merged


def complaints(result: "Merged") -> Iterator[str]:
    """Yield a line for each thing that stands against the merged file."""
    for one in result.conflicts:
        yield printable(f"conflict ({one.reason}) in {one.address}: {one.sentence}")
    for problem in result.invalid:
        yield printable(f"the sides fit each other, but not the schema: {problem}")


def as_json(result: "Merged") -> str:
    """Return the outcome of a merge; the values of a conflict only if none is secret."""
    return dumps(
        "merge",
        clean=result.is_clean,
        conflicts=[_told(each) for each in result.conflicts],
        invalid=list(result.invalid),
    )


def _told(conflict: Conflict) -> dict[str, object]:
    found = asdict(conflict)
    for side in ("base", "ours", "theirs"):
        if conflict.secret and found[side] is not None:
            found[side] = HIDDEN
    return found
