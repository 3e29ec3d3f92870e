"""Locks that nobody holds: what a machine that lost its power left of git's writing a ref.

Git creates ``NAME.lock`` beside a ref and renames it, within milliseconds; a lock that
stays is in the way of every later write. Clocks of machines differ, so its age is not read
but waited for.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

from .site import Site

STALE = 180.0
"""Seconds in which a lock does not change before it is taken for left behind.

No git that cibgit starts for a ref may run longer than a minute.
"""


@dataclass
class Locks:
    """Watches the locks of one cluster's refs under ``refs/cibgit/``."""

    site: Site
    stale: float = STALE
    _since: dict[tuple[Path, int, int], float] = field(default_factory=dict)

    def sweep(self) -> list[Path]:
        """Remove the locks that were there, unchanged, all the time; return them."""
        now, found = time.monotonic(), {}
        gone: list[Path] = []
        for file in self.site.repository.locks(self.site.ref("")):
            try:
                status = file.stat()
            except FileNotFoundError:  # somebody held it, and is done
                continue
            key = file, status.st_ino, status.st_mtime_ns
            found[key] = self._since.get(key, now)
            if now - found[key] >= self.stale:
                file.unlink()
                gone.append(file)
        self._since = found
        return gone
