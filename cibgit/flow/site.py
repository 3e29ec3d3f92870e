"""One cluster as its repository knows it and as it lives: what every flow starts from."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ..cib.document import Cib, parse
from ..cib.identity import check_ids
from ..cluster.protocol import Cluster
from ..cluster.tools import Tools
from ..compare.ignore import Carried, carried
from ..config import ClusterConfig
from ..errors import CibgitError, NoInputError
from ..repository import Repository
from .files import authored, read_file


@dataclass(frozen=True)
class Site:
    """A cluster of ``cibgit.toml`` with both its sides.

    ``file`` is its ``cib.xml`` in the work tree, ``path`` the same file as git names it.
    ``tools`` are those of Pacemaker on this machine.
    """

    config: ClusterConfig
    repository: Repository
    cluster: Cluster
    file: Path
    path: str
    tools: Tools = field(default_factory=lambda: Tools({}), compare=False)
    _committed: dict[str, Cib | None] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def name(self) -> str:
        """The cluster's name in ``cibgit.toml``."""
        return self.config.name

    def ref(self, which: str) -> str:
        """Return the ref for ``live`` or ``applied``."""
        return f"refs/cibgit/{self.name}/{which}"

    def refs(self) -> list[str]:
        """Return both refs: what one commit is once git and live are the same."""
        return [self.ref("live"), self.ref("applied")]

    def live(self) -> Cib:
        """Read the live CIB; it must be one in which every element has an identity."""
        cib = self.cluster.read()
        cib.source = f"live {self.name}"
        check_ids(cib)
        return cib

    def desired(self, revision: str = "HEAD") -> Cib:
        """Read the desired CIB of a revision, as strictly as anything people write."""
        commit = self.repository.resolve(revision)
        try:
            data = self.repository.read(commit, self.path)
        except NoInputError:
            raise NoInputError(
                f"{self.path} is not in commit {commit[:10]}",
                "Take the live configuration into git with: cibgit export",
            ) from None
        found = authored(data, f"{commit[:10]}:{self.path}")
        self._committed[commit] = found
        return found

    def ignoring(self, cib: Cib, live: Cib) -> Carried:
        """Return a CIB with what ``cibgit.toml`` ignores as it is in another one."""
        return carried(cib, live, self.config.ignore, datetime.now(UTC))

    def edited(self) -> Cib:
        """Read the desired CIB of the work tree."""
        return read_file(self.file)

    def forget(self) -> None:
        """Let go of the CIBs of commits that were read."""
        self._committed.clear()

    def blob(self, commit: str) -> str | None:
        """Return the id of the bytes that a commit has, None where it has no file."""
        return self.repository.blob_at(commit, self.path)

    def committed(self, commit: str) -> Cib | None:
        """Return the CIB of a commit, None where it has none or not a readable one."""
        if commit not in self._committed:
            try:
                found = parse(self.repository.read(commit, self.path), commit[:10])
            except CibgitError:
                found = None
            self._committed[commit] = found
        return self._committed[commit]
