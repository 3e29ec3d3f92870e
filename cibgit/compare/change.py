"""One semantic difference between two CIBs, as a value."""

from dataclasses import asdict, dataclass
from enum import Enum


class Kind(Enum):
    """What happened to an element."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REPLACED = "replaced"
    MOVED = "moved"


@dataclass(frozen=True)
class AttributeChange:
    """One attribute with its old and new value; None where there was or is none."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Change:
    """One change, addressed by identity.

    ``address`` names the element (``resources / primitive vip``); ``attributes`` what
    changed on it, or all it has where it was added or removed; ``content`` the lines of
    XML that came or went with it, without the element itself; ``place`` where a moved
    element stands now (``before primitive db``).
    """

    kind: Kind
    address: str
    attributes: tuple[AttributeChange, ...] = ()
    content: tuple[str, ...] = ()
    place: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return the change as JSON shows it."""
        return {**asdict(self), "kind": self.kind.value}
