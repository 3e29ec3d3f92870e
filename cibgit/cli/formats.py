"""What ``diff --format`` prints, one function a format."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from . import gather

if TYPE_CHECKING:
    from ..cib.digest import Dialect
    from ..cib.document import Cib
    from ..compare.change import Change


class Difference(NamedTuple):
    """Both sides of a diff, what to call them, and what differs.

    ``dialect`` asks how the Pacemaker that a patch is for escapes values; ``everything``
    wants to see what has no meaning, too.
    """

    old: "Cib"
    new: "Cib"
    labels: tuple[str, str]
    changes: "list[Change]"
    dialect: "Callable[[], Dialect]"
    everything: bool


def render(found: Difference, chosen: str) -> str | bytes:
    """Return the difference in one of the formats; empty for a recipe that is empty."""
    return _FORMATS[chosen](found)


def _text(found: Difference) -> str:
    from ..render.difference import difference

    look = gather.terminal()
    return difference(found.changes, found.labels, everything=found.everything, **look)


def _json(found: Difference) -> str:
    from ..render import json

    old, new = found.labels
    changes = json.changes(found.changes)
    return json.dumps("diff", old=old, new=new, changes=changes)


def _markdown(found: Difference) -> str:
    from ..render.markdown import difference

    return difference(found.changes, found.labels)


def _patch(found: Difference) -> bytes:
    from ..flow.patch import patch

    made = patch(found.old, found.new, found.dialect())
    return b"" if made is None else made.to_bytes()


def _pcs(found: Difference) -> str:
    from ..render.pcs import pcs

    return pcs(found.old, found.new)


def _crmsh(found: Difference) -> str:
    from ..render.crmsh import crmsh

    return crmsh(found.old, found.new)


_FORMATS: dict[str, Callable[[Difference], str | bytes]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "patch": _patch,
    "pcs": _pcs,
    "crmsh": _crmsh,
}
