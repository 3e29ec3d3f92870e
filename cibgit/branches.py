"""Branches as a whole: the history of one file, and many commits made in one go.

The part of a :class:`~cibgit.repository.Repository` that an import needs.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from . import gitcall, replay
from .commit import Author, one_line
from .gitcall import Answer, branch_ref, file_name, own_ref, pathspec, revision


class Branches(ABC):
    """Runs git by what its subclass provides."""

    def history(self, path: str, start: str) -> list[replay.PastCommit]:
        """Return the commits on the first line up to ``start`` that changed ``path``.

        The oldest is the first.
        """
        revs = (revision(start), "--", pathspec(path))
        return replay.read_history(self._run(*gitcall.LOG, *replay.HISTORY, *revs).out)

    def tip(self, branch: str) -> str | None:
        """Return the commit that a branch names, None where there is no such branch."""
        return self._objects(f"{branch_ref(branch)}^{{commit}}")[0]

    def is_signing(self) -> bool:
        """Say whether people want their commits signed."""
        words = ("config", "--type=bool", "--get", "commit.gpgSign")
        return self._run(*words, ok=None).text == "true"

    def replay(
        self,
        ref: str,
        path: str,
        parent: str | None,
        commits: Iterable[replay.NewCommit],
    ) -> str:
        """Make a chain of commits to one file in one stream; return the last one's id.

        ``ref``, one of cibgit's, comes to name it. Each commit has the files of
        ``parent``, and this one. No hook runs and nothing is signed.
        """
        name = self._sign("var", "GIT_COMMITTER_IDENT", text=b"", author=None).text
        given = replay.stream(own_ref(ref), parent, file_name(path), name, commits)
        self._run(*replay.FAST_IMPORT, stdin=given)
        return str(self._objects(f"{ref}^{{commit}}")[0])

    def reason(self, name: str) -> str:
        """Return why a ref of cibgit names what it names, as its reflog says."""
        words = ("log", "--walk-reflogs", "--max-count=1", "--format=%gs")
        return self._run(*words, own_ref(name), "--", ok=None).text

    def drop_ref(self, name: str) -> None:
        """Remove a ref of cibgit, if it is there."""
        self._run("update-ref", "--no-deref", "-d", own_ref(name))

    def tidy(self) -> None:
        """Let git pack what has become too many loose objects."""
        self._run("gc", "--auto", "--quiet", ok=None)

    def advance(self, branch: str, old: str | None, new: str, reason: str) -> None:
        """Move a branch from ``old``, None where there is none yet, forward to ``new``.

        Where it is checked out git itself brings index and work tree along, and refuses
        where an edit would be lost. Raises :class:`~cibgit.errors.BusyError` when the
        branch is not at ``old``, or checked out in another work tree.
        """
        if branch == self.branch():
            self._run(*gitcall.FORWARD, new)
            return
        ref = branch_ref(branch)
        place = self._run("for-each-ref", "--format=%(worktreepath)", ref).text
        if place:
            raise gitcall.checked_out(branch, place)
        words = ("update-ref", "--create-reflog", "-m", one_line(reason))
        self._run(*words, ref, new, old or "0" * len(new))

    @abstractmethod
    def branch(self) -> str | None:
        """Return the branch that is checked out, or None when HEAD is detached."""

    @abstractmethod
    def _run(
        self,
        *arguments: str,
        ok: Sequence[int] | None = (0,),
        stdin: bytes | Iterable[bytes] = b"",
        env: Mapping[str, str] | None = None,
    ) -> Answer:
        """Run git at the top level; ``ok=None`` leaves the exit code to the caller."""

    @abstractmethod
    def _objects(self, *names: str) -> list[str | None]:
        """Return the full id of each name in git's syntax, None where there is none."""

    @abstractmethod
    def _sign(self, *arguments: str, text: bytes, author: Author | None) -> Answer:
        """Run a command that makes a commit; somebody stands in where nobody is set up."""
