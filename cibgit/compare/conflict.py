"""What a merge could not decide, as data."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why both sides cannot be had."""

    VALUE = "value"
    """Both sides gave one attribute another value."""

    DELETED = "deleted"
    """One side deleted what the other changed."""

    MOVED = "moved"
    """Both sides moved one element, to different places."""

    ORDER = "order"
    """Both sides changed one order that means something."""

    DUPLICATE = "duplicate"
    """Each side added something of one id, or of one name where the first counts."""

    DANGLING = "dangling"
    """One side refers to what the other deleted."""


@dataclass(frozen=True)
class Conflict:
    """One conflict: the element, why, and in one sentence what each side did.

    ``name`` is the attribute of a ``VALUE``, whose three versions are ``base``, ``ours``
    and ``theirs``; None where a version has none. Of other conflicts these are empty.
    ``secret``: no rendering may show the values.
    """

    reason: Reason
    address: str
    sentence: str
    name: str = ""
    base: str | None = None
    ours: str | None = None
    theirs: str | None = None
    secret: bool = False

    @property
    def told(self) -> str:
        """The conflict in one sentence, with what it is about."""
        return f"{self.address}: {self.sentence}"
