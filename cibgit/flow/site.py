"""One cluster as its repository knows it and as it lives: what every flow starts from.

Secrets: all CIBs that a site hands out are in the hidden form, with placeholders, but for
:meth:`Site.read`. All that a site commits is hidden first, and its vault goes along.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from ..cib.document import Cib, parse
from ..cib.identity import check_ids
from ..cib.secrets import Slot
from ..cluster.protocol import Cluster
from ..cluster.tools import Tools
from ..compare.ignore import Carried, carried
from ..config import ClusterConfig
from ..corosync.document import Conf
from ..corosync.document import parse as parse_conf
from ..corosync.secrets import in_comments
from ..errors import BadDataError, CibgitError, NoInputError
from ..repository import Author, Repository
from .files import authored, read_file, written, written_conf
from .keeper import Keeper

_NO_TRAILERS: Mapping[str, str] = {}


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
    keeper: Keeper
    tools: Tools = field(default_factory=lambda: Tools({}), compare=False)
    _committed: dict[str, Cib | None] = field(
        default_factory=dict, compare=False, repr=False
    )
    _clear: dict[str, list[Slot]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def name(self) -> str:
        """The cluster's name in ``cibgit.toml``."""
        return self.config.name

    @property
    def vault_path(self) -> str:
        """The cluster's vault as git names it."""
        return (
            PurePosixPath(self.path).with_name(self.keeper.store.file.name).as_posix()
        )

    @property
    def conf_path(self) -> str:
        """The cluster's ``corosync.conf`` as git names it, if it is tracked."""
        return PurePosixPath(self.path).with_name("corosync.conf").as_posix()

    @property
    def conf_file(self) -> Path:
        """That file in the work tree; it is there where the file is tracked."""
        return self.file.with_name("corosync.conf")

    def ref(self, which: str) -> str:
        """Return the ref for ``live`` or ``applied``."""
        return f"refs/cibgit/{self.name}/{which}"

    def refs(self) -> list[str]:
        """Return both refs: what one commit is once git and live are the same."""
        return [self.ref("live"), self.ref("applied")]

    def read(self) -> Cib:
        """Read the live CIB with its real secrets: to be pushed over, never to be shown.

        It must be one in which every element has an identity.
        """
        cib = self.cluster.read()
        cib.source = f"live {self.name}"
        check_ids(cib)
        return cib

    def live(self) -> Cib:
        """Read the live CIB, in the hidden form."""
        return self.hidden(self.read())

    def hidden(self, real: Cib) -> Cib:
        """Return the hidden form of a real CIB, to be compared with what git has."""
        self._know_head()
        return self.keeper.hidden(real)

    def desired(self, revision: str = "HEAD") -> Cib:
        """Read the desired CIB of a revision, as strictly as anything people write."""
        self._know_head()
        commit = self.repository.resolve(revision)
        try:
            data = self.repository.read(commit, self.path)
        except NoInputError:
            raise NoInputError(
                f"{self.path} is not in commit {commit[:10]}",
                "Take the live configuration into git with: cibgit export",
            ) from None
        return self._adopted(commit, authored(data, f"{commit[:10]}:{self.path}"))

    def ignoring(self, cib: Cib, live: Cib) -> Carried:
        """Return a CIB with what ``cibgit.toml`` ignores as it is in another one."""
        return carried(cib, live, self.config.ignore, datetime.now(UTC))

    def edited(self) -> Cib:
        """Read the desired CIB of the work tree; a password typed there gets hidden."""
        self._know_head()
        return edited(self.file, self.keeper)

    def forget(self) -> None:
        """Let go of the CIBs of commits that were read, and of what is known of them."""
        self._committed.clear()
        self._clear.clear()

    def blob(self, commit: str) -> str | None:
        """Return the id of the bytes that a commit has, None where it has no file."""
        return self.repository.blob_at(commit, self.path)

    def committed(self, commit: str) -> Cib | None:
        """Return the CIB of a commit, None where it has none or not a readable one."""
        self._know_head()
        return self._read_commit(commit)

    def in_clear(self, commit: str) -> list[Slot]:
        """Return the secrets that stand in clear in the CIB of a commit."""
        self.committed(commit)
        return self._clear.get(commit, [])

    def conf(self, commit: str) -> tuple[Conf, list[Slot]]:
        """Return the ``corosync.conf`` of a commit, and the secrets in it in clear.

        Raises :class:`~cibgit.errors.NoInputError` where there is none, and
        :class:`~cibgit.errors.BadDataError` for one that is broken.
        """
        found = parse_conf(
            self.repository.read(commit, self.conf_path),
            f"{commit[:10]}:{self.conf_path}",
        )
        return self.keeper.adopted(found, lambda: self._vault(commit))

    def edited_conf(self) -> tuple[Conf, Conf]:
        """Return the ``corosync.conf`` of the work tree as it stands there, and hidden."""
        try:
            data = self.conf_file.read_bytes()
        except OSError as error:
            raise NoInputError(f"{self.conf_file}: {error.strerror}") from None
        conf = parse_conf(data, str(self.conf_file))
        return conf, self.keeper.adopted(conf, self.keeper.store.read)[0]

    def conf_files(self, conf: Conf) -> dict[str, bytes]:
        """Return all that git stores of a ``corosync.conf``: by path, its own file first.

        Raises :class:`~cibgit.errors.BadDataError` for what looks like a secret in a
        comment: no placeholder can stand there.
        """
        sealed = self.keeper.sealed(conf)
        for name in in_comments(sealed):
            raise BadDataError(
                f"{conf.source}: a comment holds what looks like a secret ({name}: ...)",
                "Take it out of the file: git would keep it for ever.",
            )
        found = {self.conf_path: written_conf(sealed)}
        folder = PurePosixPath(self.conf_path).parent
        if self.keeper.find(sealed):  # else no key of the vault is needed
            for file, data in self.keeper.files(sealed).items():
                found[(folder / file.name).as_posix()] = data
        return found

    def is_dirty(self) -> bool:
        """Say whether the CIB or the vault in the work tree are not what HEAD has."""
        if self.repository.is_dirty(self.path):
            return True
        return self.keeper.store.file.exists() and self.repository.is_dirty(
            self.vault_path
        )

    def files(self, cib: Cib, *, keep: bool = False) -> dict[str, bytes]:
        """Return all that git stores of a CIB: by path, its own file first.

        Whatever form it has: no secret is left in clear. ``keep`` the vault for its key.
        """
        cib = self.keeper.sealed(cib)
        folder = PurePosixPath(self.path).parent
        found = {self.path: written(cib)}
        for file, data in self.keeper.files(cib, keep=keep).items():
            found[(folder / file.name).as_posix()] = data
        return found

    def commit(
        self,
        cib: Cib,
        message: str,
        *,
        author: Author | None = None,
        trailers: Mapping[str, str] = _NO_TRAILERS,
    ) -> str:
        """Make a hidden CIB the state of HEAD, with its vault; return the commit."""
        return self.repository.commit_files(
            self.files(cib), message, author=author, trailers=trailers
        )

    def commit_beside(  # noqa: PLR0913
        self,
        parent: str | None,
        cib: Cib,
        message: str,
        *,
        author: Author | None = None,
        trailers: Mapping[str, str] = _NO_TRAILERS,
        merged: Sequence[str] = (),
    ) -> str:
        """Make a commit of a hidden CIB and its vault on top of ``parent``, off all refs.

        ``merged`` are further parents.
        """
        return self.repository.commit_tree_files(
            parent,
            self.files(cib),
            message,
            author=author,
            trailers=trailers,
            merged=merged,
        )

    def _know_head(self) -> None:
        """Read HEAD before all else: what it names is what a secret is compared with."""
        if "HEAD" not in self._committed:
            self._committed["HEAD"] = None
            head = self.repository.head()
            if head is not None:
                self._committed["HEAD"] = self._read_commit(head)

    def _read_commit(self, commit: str) -> Cib | None:
        if commit not in self._committed:
            try:
                found = parse(self.repository.read(commit, self.path), commit[:10])
            except CibgitError:
                self._committed[commit] = None
            else:
                self._adopted(commit, found)
        return self._committed[commit]

    def _adopted(self, commit: str, cib: Cib) -> Cib:
        hidden, self._clear[commit] = self.keeper.adopted(
            cib, lambda: self._vault(commit)
        )
        self._committed[commit] = hidden
        return hidden

    def _vault(self, commit: str) -> bytes | None:
        try:
            return self.repository.read(commit, self.vault_path)
        except NoInputError:
            return None


def edited(file: Path, keeper: Keeper) -> Cib:
    """Read a ``cib.xml`` of the work tree, in the hidden form."""

    def read_vault() -> bytes | None:
        return keeper.store.file.read_bytes() if keeper.store.file.exists() else None

    return keeper.adopted(read_file(file), read_vault)[0]
