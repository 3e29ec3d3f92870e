"""Branches as a whole: the history of one file, and many commits made in one go.

The part of a :class:`~cibgit.repository.Repository` that an import needs.
"""

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from . import gitcall, replay, revisions
from .commit import message_bytes, one_line
from .errors import NoInputError
from .gitcall import branch_ref, file_name, own_ref, pathspec
from .runner import Runner

_MOMENT = re.compile(r"@\{(\d+)\}$", re.MULTILINE)

_JUST_NOW = 2.0
"""Seconds within which a time is not past."""


class Branches(Runner):
    """Runs git by what its subclass provides."""

    def revisions(
        self, path: str, start: str, after: str | None = None, limit: int = -1
    ) -> list[revisions.Revision]:
        """Return the commits on the first line up to ``start`` that changed ``path``.

        The newest is the first. Those that ``after`` has in its history are left out.
        Both are what a user typed. ``limit`` is how many at most; -1: all.
        """
        revs = [self.resolve(start), *([f"^{self.resolve(after)}"] if after else [])]
        words = (*revisions.FORM, f"--max-count={limit}", *revs, "--", pathspec(path))
        answer = self._run(*gitcall.LOG, *words)
        return list(revisions.read(answer.out, self._cut()))

    @property
    def fetching(self) -> str:
        """The command that brings commits which this clone does not have."""
        return f"git fetch {'--unshallow' if self._cut() else '--all'}"

    def _cut(self) -> list[str]:
        """Return the commits at which a shallow clone ends."""
        words = ("rev-parse", "--path-format=absolute", "--git-path", "shallow")
        with suppress(FileNotFoundError):
            return Path(self._run(*words).text).read_text().split()
        return []

    def contents(self, blobs: Sequence[str]) -> Iterator[bytes | None]:
        """Yield what each id of a blob stands for, in that order; None where missing."""
        for place in range(0, len(blobs), revisions.BATCH):
            wanted = "".join(
                f"{x}\n" for x in blobs[place : place + revisions.BATCH]
            ).encode()
            answer = self._run("cat-file", "--batch", stdin=wanted)
            yield from revisions.contents(answer.out)

    def moment(self, text: str) -> datetime:
        """Return the time that git understands by a text: ``yesterday``, ``2 weeks ago``.

        Raises :class:`~cibgit.errors.NoInputError` for a text without a past time: git
        takes whatever it does not understand for now.
        """
        found = self._run("rev-parse", f"--since={one_line(text)}").text
        seconds = found.rpartition("=")[2]
        now = datetime.now(UTC)
        when = datetime.fromtimestamp(min(int(seconds), 2**37), UTC)
        if (now - when).total_seconds() <= _JUST_NOW:
            raise NoInputError(
                f"{text!r} is no time in the past that git knows",
                "Say for example: 2026-11-01, yesterday, '2 weeks ago'.",
            )
        return when

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

    def moments(self, name: str) -> list[int]:
        """Return when a ref of cibgit was set, newest first, in seconds since the epoch.

        Setting it to what it names already leaves no trace.
        """
        words = ("log", "--walk-reflogs", "--date=unix", "--format=%gd", own_ref(name))
        answer = self._run(*words, "--", ok=None)
        return [int(each) for each in _MOMENT.findall(answer.text)]

    def drop_ref(self, name: str) -> None:
        """Remove a ref of cibgit, if it is there."""
        self._run("update-ref", "--no-deref", "-d", own_ref(name))

    def locks(self, folder: str) -> list[Path]:
        """Return the locks that git has, or left, on the refs in a folder of cibgit's."""
        words = ("rev-parse", "--path-format=absolute", "--git-path", own_ref(folder))
        return sorted(Path(self._run(*words).text).glob("*.lock"))

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

    def commit_new(self, files: Mapping[str, bytes], message: str) -> None:
        """Commit files that are not there yet, together and nothing else.

        Hooks and signing run. When anything refuses, the files are gone again.
        """
        specs = [pathspec(path) for path in files]
        try:
            for path, data in files.items():
                file = self.root / path
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("xb") as stream:
                    stream.write(data)
            self._run("add", "--force", "--intent-to-add", "--", *specs)
            words = ("commit", "--only", "--quiet", "--file=-", "--", *specs)
            self._sign(*words, text=message_bytes(message, {}), author=None)
        except BaseException:
            self._run(
                "rm", "--cached", "--quiet", "--ignore-unmatch", "--", *specs, ok=None
            )
            for path in files:
                (self.root / path).unlink(missing_ok=True)
            raise

    @abstractmethod
    def branch(self) -> str | None:
        """Return the branch that is checked out, or None when HEAD is detached."""
