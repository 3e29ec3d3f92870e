"""What differs between Pacemaker releases when they start from their files."""

import re
from dataclasses import dataclass

from ..cib import eras
from ..cib.eras import Signer
from ..errors import UsageError

NEWEST = "3.0.3"
"""The newest release whose start was read in source and tried."""

_SCHEMAS = (
    # the first release that has it, and the newest schema that it came with (xml/*.rng)
    ((3, 0, 0), (4, 0)),
    ((2, 1, 8), (3, 10)),
    ((2, 1, 5), (3, 9)),
    ((2, 1, 3), (3, 8)),
    ((2, 1, 0), (3, 7)),
    ((2, 0, 5), (3, 5)),
    ((2, 0, 4), (3, 3)),
    ((2, 0, 1), (3, 2)),
    ((2, 0, 0), (3, 1)),
    ((1, 1, 18), (2, 10)),
    ((1, 1, 17), (2, 9)),
    ((1, 1, 16), (2, 6)),
    ((1, 1, 15), (2, 5)),
    ((1, 1, 14), (2, 4)),
    ((1, 1, 13), (2, 3)),
    ((1, 1, 12), (2, 0)),
    ((1, 1, 1), (1, 2)),
    ((1, 0, 0), (1, 0)),
)
_SCHEMA = re.compile(r"pacemaker-(\d+)\.(\d+)")


@dataclass(frozen=True)
class Release:
    """A Pacemaker release that reads a CIB directory, such as ``2.1.5``.

    Sources: ``daemons/based/based_io.c``, ``lib/common/xml.c``, ``lib/common/io.c`` of
    the releases named below, and their daemons (2.0.5, 2.1.5, 3.0.0, 3.0.3).
    """

    number: tuple[int, int, int]

    @classmethod
    def of(cls, version: str) -> "Release":
        """Return a release by its number; raises ``UsageError`` for anything else."""
        found = re.fullmatch(
            r"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[-+~].*)?", version
        )
        if not found:
            raise UsageError(
                f"{version!r} is no Pacemaker release", "Write it as 2.1.5."
            )
        major, minor, patch = (int(part or 0) for part in found.groups())
        return cls((major, minor, patch))

    def __str__(self) -> str:
        return ".".join(map(str, self.number))

    @property
    def signer(self) -> Signer:
        """How it signs."""
        return eras.signer_of(str(self))

    @property
    def keeps_one_backup(self) -> bool:
        """Whether the only backup is ``cib.xml.last``, as before ``cib-N.raw`` (1.0.3)."""
        return self.number < (1, 0, 3)

    @property
    def skips_oldest_backup(self) -> bool:
        """Whether the backup that is last in line is never tried.

        ``while (root == NULL && lpc > 1)``: with a single backup, none is (experiment,
        2.0.5, 2.1.5, 3.0.0). 3.0.2 tries them all.
        """
        return self.number < (3, 0, 2)

    @property
    def recovers(self) -> bool:
        """Whether a file that is not well formed is read for what is left of it."""
        return self.number < (3, 0, 0)

    @property
    def checks_signature_owner(self) -> bool:
        """Whether a foreign owner of ``cib.xml.sig`` stops it, too."""
        return self.number >= (2, 0, 3)

    @property
    def ends_on_foreign_owner(self) -> bool:
        """Whether it exits (66); since 3.0.2 it runs on and refuses every request."""
        return self.number < (3, 0, 2)

    @property
    def needs_schema(self) -> bool:
        """Whether a CIB without ``validate-with`` is invalid, and not just unchecked."""
        return self.number >= (3, 0, 0)

    def knows_schema(self, name: str) -> bool:
        """Say whether a value of ``validate-with`` is one that it knows."""
        if name == "none" or (name == "pacemaker-next" and self.number < (3, 0, 0)):
            return True
        found = _SCHEMA.fullmatch(name)
        newest = next((s for since, s in _SCHEMAS if self.number >= since), (0, 6))
        return found is not None and (int(found[1]), int(found[2])) <= newest
