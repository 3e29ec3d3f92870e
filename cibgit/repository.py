"""The git side: read, search and commit files in the user's repository.

The only module that imports GitPython, and through it runs the git executable (2.31 or
newer), so that hooks, signing and people's configuration count as they do for git. The
path decides which repository is meant, never ``GIT_DIR`` and its like: cibgit may be
started by a hook of another repository. File names are relative to git's top level.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, cast

from . import gitcall
from .branches import Branches
from .commit import Author, LogEntry, SavedFile, one_line, stand_in
from .commits import Commits
from .errors import BusyError, NoInputError, PermissionDeniedError, UnreachableError
from .gitcall import Answer, RefusedError, file_name, own_ref, pathspec, revision
from .programs import found as program
from .remotes import Remotes
from .tags import Tag, Tags

try:
    from git import Git
    from git.exc import GitCommandNotFound
except ModuleNotFoundError:
    raise
except ImportError as _error:  # GitPython looks for git when it is imported
    raise UnreachableError("git is not installed, or not on the PATH") from _error

__all__ = ["Author", "LogEntry", "RefusedError", "Repository", "SavedFile", "Tag"]

_UNKNOWN: Mapping[str, str | None] = {}
_HEX = re.compile(r"[0-9a-f]{40,64}")


class Repository(Branches, Commits, Remotes):
    """A git repository with a work tree; ``root`` is git's top level."""

    def __init__(self, found: gitcall.Whereabouts, clean: bool) -> None:
        self.root = found.root
        self._git_dir = found.git_dir
        self._hash_name = found.hash_name
        self._clean = clean

    @classmethod
    def open(cls, path: Path) -> "Repository":
        """Open the repository whose work tree holds ``path``."""
        start = path.absolute()
        # cleaning the environment costs 1 ms a call: only where there may be need
        for clean in (False, True):
            answer = run_git(start, clean, gitcall.WHERE)
            found = gitcall.whereabouts(answer)
            if found and (clean or found.plain(start.resolve())):
                return cls(found, clean)
        raise gitcall.not_opened(path, answer)

    @classmethod
    def create(cls, path: Path) -> "Repository":
        """Open the repository that holds ``path``; where there is none, make one there."""
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PermissionDeniedError(f"{path}: {error.strerror}") from error
        try:
            return cls.open(path)
        except NoInputError:
            answer = run_git(path.absolute(), True, ["init", "--quiet"])
            if answer.code:
                raise answer.failure() from None
        return cls.open(path)

    @property
    def tags(self) -> Tags:
        """The annotated tags."""
        return Tags(self._run, self._sign)

    def head(self) -> str | None:
        """Return the full id of the commit that is checked out; None before the first."""
        return self._objects("HEAD^{commit}")[0]

    def branch(self) -> str | None:
        """Return the branch that is checked out, or None when HEAD is detached."""
        answer = self._run("symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1))
        return answer.text if answer.code == 0 else None

    @property
    def detached(self) -> bool:
        """Whether HEAD is detached, so that a commit would belong to no branch."""
        return self.branch() is None

    def resolve(self, rev: str) -> str:
        """Return the full commit id of what a user typed."""
        name = f"{revision(rev)}^{{commit}}"
        answer = self._run("rev-parse", "--verify", "--end-of-options", name, ok=None)
        if answer.code or not _HEX.fullmatch(answer.text):
            why = "is ambiguous" if "ambiguous" in answer.err else "names no commit"
            hint = "" if self.head() else "There is no commit yet: cibgit export"
            raise NoInputError(f"{rev!r} {why} in the repository {self.root}", hint)
        return answer.text

    def short(self, commit: str) -> str:
        """Return an abbreviated commit id, for messages."""
        return commit[:10] if _HEX.fullmatch(commit) else self.resolve(commit)[:10]

    def read(self, rev: str, path: str) -> bytes:
        """Return the bytes that ``rev`` has at ``path``, exactly as git stores them."""
        name = f"{revision(rev)}:{file_name(path)}"
        answer = self._run("cat-file", "blob", name, ok=None)
        if answer.code == 0:
            return answer.out
        self.resolve(rev)
        if self._objects(name) == [None]:
            raise NoInputError(f"{path} is not in {rev}")
        raise answer.failure()

    def blob_id(self, data: bytes) -> str:
        """Return the id that these bytes have in this repository; nothing is written."""
        digest = hashlib.new(self._hash_name, usedforsecurity=False)
        digest.update(b"blob %d\0" % len(data))
        digest.update(data)
        return digest.hexdigest()

    def blob_at(self, commit: str, path: str) -> str | None:
        """Return the id of the blob that a commit has at ``path``, None if none."""
        return self._objects(f"{revision(commit)}:{file_name(path)}")[0]

    def newest_commit_with(
        self, path: str, blob: str, start: str = "HEAD"
    ) -> str | None:
        """Return the newest commit up to ``start`` that has exactly this blob at ``path``.

        Later commits may have changed the file again. Every commit counts, those on
        merged branches too; a shallow history ends where it is cut.
        """
        tip, current = self._objects(
            f"{revision(start)}^{{commit}}", f"{start}:{file_name(path)}"
        )
        if tip is None and start != "HEAD":
            self.resolve(start)
        if tip is None or current == blob:
            return tip
        # every commit, oldest first, with what it changed against its first parent
        history = self._run(
            *gitcall.LOG, "--full-history", "--sparse", "--date-order", "--reverse", "--raw",
            "--diff-merges=first-parent", "--no-renames", "--no-abbrev",
            "--format=%H %P", tip, "--", pathspec(path),
        )  # fmt: skip
        found = gitcall.holders(history.text.splitlines(), blob)
        return found[-1] if found else None

    def newest_commit_with_trailer(
        self, path: str, trailer: str = "CIB-Version", start: str = "HEAD"
    ) -> str | None:
        """Return the newest commit up to ``start`` that changed ``path`` with a trailer."""
        for limit in (16, -1):  # it nearly always is among the first
            most = f"--max-count={limit}"
            for commit, _ in self._with_trailer(path, trailer, start, most):
                return commit
        return None

    def oldest_trailer(
        self, path: str, trailer: str = "CIB-Version", start: str = "HEAD"
    ) -> str | None:
        """Return the trailer of the oldest commit that changed ``path`` and has it."""
        for _, value in self._with_trailer(path, trailer, start, "--reverse"):
            return value
        return None

    def commits_with_trailer(
        self, path: str, trailer: str, start: str = "HEAD"
    ) -> list[tuple[str, str]]:
        """Return all commits with a trailer and its value, whatever they changed."""
        return list(self._with_trailer(path, trailer, start, "--sparse"))

    def _with_trailer(
        self, path: str, trailer: str, start: str, option: str
    ) -> Iterator[tuple[str, str]]:
        """Yield commits that changed ``path``, with their trailer of that name."""
        form = f"%H%x00%(trailers:key={trailer},unfold,valueonly,separator=%x20)"
        found = self._history(
            start, path, option, f"--format={form}", "--full-history",
            "--fixed-strings", "--regexp-ignore-case", f"--grep={trailer}:",
        )  # fmt: skip
        for commit, value in found:
            if value.strip():
                yield commit, value.strip()

    def log(self, path: str, limit: int = 10, start: str = "HEAD") -> list[LogEntry]:
        """Return the newest commits up to ``start`` that changed ``path``, newest first."""
        options = (f"--max-count={limit}", "--format=%H%x00%at%x00%an%x00%s")
        entries = []
        for commit, at, author, subject in self._history(start, path, *options):
            when = datetime.fromtimestamp(min(int(at), 2**37), UTC)
            entries.append(LogEntry(commit, when, author, subject))
        return entries

    def subject(self, commit: str) -> str:
        """Return the first line of a commit's message."""
        return self._show(commit, "%s")

    def trailers(self, commit: str) -> dict[str, str]:
        """Return the trailers of a commit; of several with one name, the last."""
        lines = self._show(commit, "%(trailers:only,unfold)").splitlines()
        pairs = (line.partition(":") for line in lines if line)
        return {key.strip(): value.strip() for key, _, value in pairs}

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Return whether ``newer`` is ``older`` or has it in its history."""
        revs = (revision(older), revision(newer))
        answer = self._run("merge-base", "--is-ancestor", *revs, ok=None)
        if answer.code > 1:
            for rev in revs:
                self.resolve(rev)
            raise answer.failure()
        return answer.code == 0

    def has_commit(self, commit: str) -> bool:
        """Return whether the commit with this full id is in this clone."""
        if not _HEX.fullmatch(commit) or len(commit) != len(self.blob_id(b"")):
            return False
        return self._objects(f"{commit}^{{commit}}") == [commit]

    def is_dirty(self, path: str) -> bool:
        """Return whether the work tree or the index differ from HEAD at ``path``.

        A file that git does not track, or ignores, differs.
        """
        answer = self._run(
            "--no-optional-locks", "status", "--porcelain", "-z", "--no-renames",
            "--untracked-files=all", "--ignored", "--", pathspec(path),
        )  # fmt: skip
        return bool(answer.out)

    def get_ref(self, name: str) -> str | None:
        """Return the commit that a ref of cibgit names, or None."""
        return self._objects(f"{own_ref(name)}^{{commit}}")[0]

    @contextmanager
    def alone(self, name: str, busy: str) -> Iterator[None]:
        """Be the only process of this clone that does something, as long as it lives.

        Raises :class:`~cibgit.errors.BusyError` with what ``busy`` says where another one
        does. Where nothing can be written, nobody is kept out.
        """
        try:
            file = (self._git_dir / name).open("a")
        except OSError:
            yield
            return
        with file:
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                raise BusyError(busy) from None
            except OSError:  # a file system without locks
                pass
            yield

    def set_ref(self, name: str, commit: str, reason: str) -> None:
        """Let a ref under ``refs/cibgit/`` name ``commit``; the reflog says why."""
        self.set_refs([name], commit, reason)

    def set_refs(
        self,
        names: Sequence[str],
        commit: str,
        reason: str,
        known: Mapping[str, str | None] = _UNKNOWN,
    ) -> None:
        """Let several refs name ``commit``, all or none of them.

        ``known`` is what some of them named (None: they were not there). Raises
        :class:`~cibgit.errors.BusyError` where somebody moved one of those meanwhile.
        """
        found = commit if _HEX.fullmatch(commit) else self.resolve(commit)
        nothing = "0" * len(found)
        lines = [
            f"option no-deref\nupdate {own_ref(name)} {found}"
            + (f" {known[name] or nothing}\n" if name in known else "\n")
            for name in names
        ]
        answer = self._run(
            "update-ref", "--create-reflog", "-m", one_line(reason), "--stdin",
            stdin=os.fsencode("".join(lines)), ok=None,
        )  # fmt: skip
        if answer.code:
            self.resolve(commit)
            raise answer.failure()

    def _run(
        self,
        *arguments: str,
        ok: Sequence[int] | None = (0,),
        stdin: bytes | Iterable[bytes] = b"",
        env: Mapping[str, str] | None = None,
        is_over: gitcall.IsOver = gitcall.forever,
    ) -> Answer:
        """Run git at the top level; ``ok=None`` leaves the exit code to the caller."""
        answer = run_git(self.root, self._clean, arguments, stdin, env, is_over=is_over)
        if ok is not None and answer.code not in ok:
            raise answer.failure()
        return answer

    def _objects(self, *names: str) -> list[str | None]:
        """Return the full id of each name in git's syntax, None where there is none."""
        lines = os.fsencode("".join(f"{name}\n" for name in names))
        found = self._run("cat-file", "--batch-check=%(objectname)", stdin=lines).text
        return [x if _HEX.fullmatch(x) else None for x in found.split("\n")]

    def _history(self, start: str, path: str, *options: str) -> list[list[str]]:
        """Return the fields of each commit that changed ``path``."""
        revs = (revision(start), "--", pathspec(path))
        answer = self._run(*gitcall.LOG, *options, *revs, ok=None)
        if answer.code:
            if start != "HEAD" or self.head() is not None:
                self.resolve(start)
                raise answer.failure()
            return []
        return [line.split("\0") for line in answer.text.split("\n") if line]

    def _show(self, commit: str, form: str) -> str:
        rev = self.resolve(commit)
        return self._run(
            *gitcall.LOG, "--max-count=1", f"--format={form}", rev, "--"
        ).text

    def _sign(self, *arguments: str, text: bytes, author: Author | None) -> Answer:
        """Run a command that makes a commit; somebody stands in where nobody is set up."""
        command = ("-c", "i18n.commitEncoding=UTF-8", *arguments)
        env = author.environment() if author else {}
        answer = self._run(*command, ok=None, stdin=text, env=env)
        if answer.code and "Please tell me who you are" in answer.err:
            for key, value in stand_in(answer.err).items():
                if not self._run("config", "--get", key, ok=(0, 1)).text:
                    command = ("-c", f"{key}={value}", *command)
            answer = self._run(*command, ok=None, stdin=text, env=env)
        if answer.code:
            raise answer.failure()
        return answer


def run_git(  # noqa: PLR0913
    directory: Path,
    clean: bool,
    arguments: Sequence[str],
    stdin: bytes | Iterable[bytes] = b"",
    env: Mapping[str, str] | None = None,
    *,
    is_over: gitcall.IsOver = gitcall.forever,
) -> Answer:
    """Run git in a directory, within bounds, never asking for a password."""
    env = {**gitcall.ENVIRONMENT, **(env or {})}
    words = gitcall.environment_words(clean, env)
    words += [str(Git.GIT_PYTHON_GIT_EXECUTABLE), "-C", str(directory), *arguments]
    words[0] = program(words[0])
    stream = cast("Any", PIPE)
    try:
        running = Git().execute(words, istream=stream, as_process=True, env=env)
    except (GitCommandNotFound, OSError) as error:
        raise UnreachableError(f"git cannot be started: {error}") from error
    # ``running`` closes the pipes when it goes, so it has to stay until then
    process = cast("Popen[bytes]", running.proc)
    if not isinstance(stdin, bytes):
        gitcall.feed(process, stdin, gitcall.verb(arguments))
        stdin = b""
    return gitcall.wait(process, arguments, stdin, is_over)
