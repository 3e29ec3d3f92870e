"""Corosync watch: the agent looks at ``corosync.conf`` of its node, where that is tracked.

Nothing tells of a change of the file, or of what Corosync runs with: so both are read at
each slow poll, and not more often. No other node is asked.
"""

import time
from dataclasses import dataclass

from ..cib.document import Cib
from ..cluster.ring import Ring
from ..corosync.secrets import is_of_file
from ..errors import UnreachableError
from ..policy.finding import Severity
from .corosync_drift import CorosyncDrift, drift
from .layer import Layer
from .members import require_readable
from .noted import Noted
from .site import Site

_UNREAD = ("corosync-unread", "corosync-down")
"""What says that nothing is known: a trouble of the agent, and no drift."""


@dataclass
class CorosyncWatch:
    """Compares the file of this node now and then; ``found`` is what came of it last.

    ``found`` is None where the file is not tracked, or could not be read.
    """

    site: Site
    ring: Ring
    found: Noted[CorosyncDrift] | None = None
    name = "corosync"
    _looked: float = float("-inf")

    def is_due(self, pause: float) -> bool:
        """Say whether the last look is ``pause`` seconds ago; the first one is due."""
        return time.monotonic() >= self._looked + pause

    def look(self, cib: Cib | None) -> None:
        """Compare what this node has with git; ``cib`` is the live one.

        Where nothing is tracked no process is started. Raises
        :class:`~cibgit.errors.CibgitError` where the file or the runtime cannot be read.
        """
        self._looked = time.monotonic()
        self.found = None
        layer, repository = Layer(self.site, self.ring), self.site.repository
        if not layer.is_tracked or not repository.blob_at("HEAD", layer.path):
            return
        try:
            found = drift(layer, cib, everywhere=False)
        finally:
            self._let_states_be_recorded()
        require_readable(found.nodes[0].copy)
        for each in found.findings:
            if each.rule in _UNREAD:
                raise UnreachableError(each.sentence, each.hint)
        words = _words(found)
        self.found = Noted(self.site, found, "corosync", "corosync-drift", words)

    def _let_states_be_recorded(self) -> None:
        """Forget which secrets of the file could not be compared.

        The keeper is that of the CIB, too, which is not recorded while one is uncertain.
        """
        uncertain = self.site.keeper.uncertain
        for slot in [*filter(is_of_file, uncertain)]:
            del uncertain[slot]


def _words(found: CorosyncDrift) -> list[str]:
    """Return what makes this drift the same as another one; no secret is in it."""
    return [
        *(f"{', '.join(m.nodes)}: {m.difference.sentence}" for m in found.moved),
        *(e.sentence for e in found.findings if e.severity is not Severity.NOTE),
    ]
