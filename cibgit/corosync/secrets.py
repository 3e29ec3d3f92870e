"""The secrets of ``corosync.conf``: ``totem.key``, and what people call one."""

import re
from dataclasses import dataclass, replace

from ..cib.secrets import PREFIX, Rules, Slot
from .document import Conf, Entry, Section
from .keys import is_secret

OWNER = "corosync:"
"""How the owner of a slot begins: no element of a CIB can have such an id."""

_COMMENTED = re.compile(r"#+\s*(?:\w+\.)*(\w+)\s*:\s*(?:\S+|\S{16,}\s.*)")
"""A key and a value; where more words follow, only a long one is no prose."""


@dataclass
class Found:
    """One secret of a file; as its like in a CIB, it can be replaced in place."""

    slot: Slot
    entry: Entry
    value: str

    def replace(self, value: str) -> None:
        """Put another value there."""
        self.entry.value = value

    def current(self) -> str:
        """Return what stands there now."""
        return self.entry.value


def find(conf: Conf, rules: Rules) -> list[Found]:
    """Return every secret of a file, in its order; placeholders too.

    Of the patterns that hide more only those count that begin with ``corosync:``: the
    others are about parameters of resources, and ``token`` is a time here.
    """
    hide = tuple(pattern for pattern in rules.hide if pattern.startswith(OWNER))
    rules = replace(rules, hide=hide)
    counts: dict[Slot, int] = {}
    found = []
    for around, entry in conf.walk():
        slot = _slot(around, entry)
        counts[slot] = number = counts.get(slot, 0) + 1
        if number > 1:
            slot = slot._replace(parameter=f"{slot.parameter} {number}")
        if _is_secret(around, entry, slot, rules):
            found.append(Found(slot, entry, entry.value))
    return found


def is_of_file(slot: Slot) -> bool:
    """Say whether a slot of a vault is one of ``corosync.conf``."""
    return slot.owner.startswith(OWNER)


def _slot(around: tuple[Section, ...], entry: Entry) -> Slot:
    path = ".".join(section.name for section in around)
    own = next((section.get("nodeid") for section in around[::-1]), "")
    return Slot(f"{OWNER}{path}", own or "corosync.conf", entry.key)


def _is_secret(
    around: tuple[Section, ...], entry: Entry, slot: Slot, rules: Rules
) -> bool:
    if entry.value.startswith(PREFIX):
        return True
    if not entry.value or str(slot) in rules.allow:
        return False
    address = ".".join([*(section.name for section in around), entry.key])
    return is_secret(address) or rules.hides(slot)


def in_comments(conf: Conf) -> list[str]:
    """Return the names of what looks like a secret that was only commented out."""
    names = (
        match[1] for text in conf.comments if (match := _COMMENTED.fullmatch(text))
    )
    return [name for name in names if is_secret(f"totem.{name}")]
