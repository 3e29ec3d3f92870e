"""What a partition without quorum wrote, and what replaced it when the network healed.

Such a partition accepts changes (exit 0). When it joins again, the CIB with the highest
version wins whole, on all nodes and without a word; the other side's states are left in
its own nodes' ``cib-N.raw`` only (experiment, 2.1.5). Those say ``have-quorum="0"``.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..cib.document import Cib
from ..compare.unchanged import same
from .succession import Succession

_WITHOUT_QUORUM = re.compile(rb"<cib\s[^>]*\shave-quorum=[\"']0[\"']")
_HEAD = 4096


class Overruled(NamedTuple):
    """States of a directory: the last that both sides had, the last of its own, and
    the other side's that took its place."""

    base: Cib
    state: Cib
    winner: Cib


def overruled(directory: Path) -> list[Overruled]:
    """Return what a CIB directory kept of partitions that lost, the oldest first."""
    if not any(map(_is_without_quorum, directory.glob("cib-*.raw"))):
        return []
    return list(_overruled(Succession(directory)))


def _overruled(states: Succession) -> Iterator[Overruled]:
    """Find each run of states without quorum that ends with other content.

    A side that wins is written once more, with quorum, before anything else changes. A
    daemon that starts writes no ``have-quorum``: that says nothing.
    """
    before: Cib | None = None
    base: Cib | None = None
    had = True
    for glimpse in states.since(None):
        after = glimpse.found
        if not isinstance(after, Cib):
            continue
        has = {"1": True, "0": False}.get(after.root.get("have-quorum", ""), had)
        if had and not has:
            base = before
        elif has and not had:
            if base and before and not same(before, after):
                yield Overruled(base, before, after)
            base = None
        before, had = after, has


def _is_without_quorum(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return _WITHOUT_QUORUM.search(opened.read(_HEAD)) is not None
    except OSError:
        return False
