"""The cluster layer of one cluster: ``corosync.conf`` in git, and the ring that runs it.

As with CIBs, everything that is handed out here is in the hidden form, but for what
:meth:`Layer.revealed` returns for the nodes.
"""

from dataclasses import dataclass, field
from pathlib import Path

from ..cluster.ring import Ring
from ..corosync.canonical import canonical
from ..corosync.document import Conf, has_other_bytes, parse
from ..corosync.meaning import settings
from ..errors import CibgitError, NoInputError, UsageError
from .files import written_conf
from .site import Site


@dataclass(frozen=True)
class Layer:
    """One cluster's ``corosync.conf``, with both its sides."""

    site: Site
    ring: Ring
    _committed: dict[str, Conf | None] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def path(self) -> str:
        """The file as git names it."""
        return self.site.conf_path

    @property
    def file(self) -> Path:
        """The file in the work tree."""
        return self.site.conf_file

    @property
    def ref(self) -> str:
        """What names the commit whose file git and the nodes last had in common."""
        return self.site.ref("corosync")

    @property
    def is_tracked(self) -> bool:
        """Whether the file is in the work tree: it is there since the first export."""
        return self.file.exists()

    @property
    def is_dirty(self) -> bool:
        """Whether the work tree is not what HEAD has."""
        return self.site.repository.is_dirty(self.path)

    @property
    def is_waiting(self) -> bool:
        """Whether HEAD has settings that no push brought to the nodes."""
        repository = self.site.repository
        head, named = repository.head(), repository.get_ref(self.ref)
        ours = self.committed(head) if head else None
        return bool(named and ours and not self.has(named, ours))

    def committed(self, commit: str) -> Conf | None:
        """Return the file of a commit, None where it has none or not a readable one."""
        if commit not in self._committed:
            try:
                self._committed[commit] = self.site.conf(commit)[0]
            except CibgitError:
                self._committed[commit] = None
        return self._committed[commit]

    def desired(self, revision: str = "HEAD") -> Conf:
        """Return the file of a revision; raises where there is none, or a broken one."""
        self.know_head()
        commit = self.site.repository.resolve(revision)
        try:
            return self.site.conf(commit)[0]
        except NoInputError:
            raise NoInputError(
                f"{self.path} is not in commit {commit[:10]}",
                "Take the file of this node into git with: cibgit corosync export",
            ) from None

    def edited(self) -> Conf:
        """Return the file of the work tree; a key that was typed there gets hidden."""
        self.know_head()
        return self.site.edited_conf()[1]

    def hidden(self, data: bytes, source: str) -> Conf:
        """Return what a node has, in the hidden form; raises where it is broken."""
        self.know_head()
        return self.site.keeper.hidden(parse(data, source, of_node=True))

    def revealed(self, conf: Conf) -> Conf:
        """Return the form that a node gets: to be written there, never to be shown."""
        return self.site.keeper.revealed(conf)

    def base(self, live: Conf | None) -> str | None:
        """Return the commit whose file git and the nodes last had in common.

        HEAD, where it has what this node has; else what the ref says; else the newest
        commit that has what this node has.
        """
        repository = self.site.repository
        head = repository.head()
        if head and live and self.has(head, live):
            return head
        named = repository.get_ref(self.ref)
        if named and self.committed(named):
            return named
        return self.commit_with(live) if live else None

    def has(self, commit: str, conf: Conf) -> bool:
        """Say whether a commit's file sets what another one sets."""
        theirs = self.committed(commit)
        return theirs is not None and settings(theirs) == settings(conf)

    def commit_with(self, conf: Conf) -> str | None:
        """Return the newest commit up to HEAD that has exactly this file."""
        repository = self.site.repository
        if repository.head() is None or any(map(has_other_bytes, conf.comments)):
            return None  # git has none with such a comment
        blob = repository.blob_id(written_conf(canonical(conf)))
        return repository.newest_commit_with(self.path, blob)

    def know_head(self) -> None:
        """Read HEAD before all else: what it names is what a secret is compared with."""
        head = self.site.repository.head()
        if head is not None:
            self.committed(head)


def layer(site: Site, ring: Ring) -> Layer:
    """Return the cluster layer; only a cluster that this node is a member of has one."""
    if site.cluster.address.partition(":")[0] != "local":
        raise UsageError(
            f"corosync.conf is read on a node of the cluster, not at {site.cluster.address}",
            'Run it on a node; in cibgit.toml its cluster needs at = "local:".',
        )
    return Layer(site, ring)
