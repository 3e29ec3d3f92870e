"""Corosync watch: the agent looks at ``corosync.conf`` of its node, where that is tracked.

Nothing tells of a change of the file, or of what Corosync runs with: so both are read at
each slow poll, and not more often. No other node is asked.
"""

import time
from dataclasses import dataclass
from functools import cached_property

from ..cib.document import Cib
from ..cluster.ring import Ring
from ..corosync.secrets import is_of_file
from ..errors import UnreachableError
from ..policy.finding import Severity
from .corosync_drift import CorosyncDrift, drift
from .layer import Layer
from .site import Site

_UNREAD = ("corosync-unread", "corosync-down")
"""What says that nothing is known: a trouble of the agent, and no drift."""

_PATH = "corosync-drift"
"""The file in the commit that a channel's ref names: what was told, in words."""


class CorosyncFound:
    """How the file of this node stands to git, for people to hear of it once."""

    def __init__(self, site: Site, drift: CorosyncDrift) -> None:
        self.site = site
        self.told = drift

    def ref(self, channel: str) -> str:
        """Return the ref that names what a channel was told last."""
        return self.site.ref(f"told-corosync-{channel}")

    def is_known(self, told: str) -> bool:
        """Say whether a commit that was told holds this very drift."""
        repository = self.site.repository
        known = repository.blob_at(told, _PATH)
        return self.is_wrong and known == repository.blob_id(self._content)

    @property
    def is_wrong(self) -> bool:
        """Whether there is something to tell, or only its end."""
        return self.told.is_drift

    @cached_property
    def state(self) -> str | None:
        """A commit off all branches that holds what is told; None where there is no drift.

        A reflog could not remember it: git lets its entries expire.
        """
        if not self.is_wrong:
            return None
        files = {_PATH: self._content}
        return self.site.repository.commit_tree_files(
            None, files, "corosync.conf: drift"
        )

    @cached_property
    def _content(self) -> bytes:
        """What makes this drift the same as another one, in words; no secret is in it."""
        found = self.told
        lines = [
            *(f"{', '.join(m.nodes)}: {m.difference.sentence}" for m in found.moved),
            *(e.sentence for e in found.findings if e.severity is not Severity.NOTE),
        ]
        return "".join(f"{line}\n" for line in sorted(lines)).encode()


@dataclass
class CorosyncWatch:
    """Compares the file of this node now and then; ``found`` is what came of it last.

    ``found`` is None where the file is not tracked, or could not be read.
    """

    site: Site
    ring: Ring
    found: CorosyncFound | None = None
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
        for each in found.findings:
            if each.rule in _UNREAD:
                raise UnreachableError(each.sentence, each.hint)
        self.found = CorosyncFound(self.site, found)

    def _let_states_be_recorded(self) -> None:
        """Forget which secrets of the file could not be compared.

        The keeper is that of the CIB, too, which is not recorded while one is uncertain.
        """
        uncertain = self.site.keeper.uncertain
        for slot in [*filter(is_of_file, uncertain)]:
            del uncertain[slot]
