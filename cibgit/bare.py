"""A bare repository, as a server has it: read what is pushed, keep a clone to work from.

In a ``pre-receive`` hook the new objects lie in a quarantine that only git's environment
tells of (``GIT_QUARANTINE_PATH``, ``GIT_OBJECT_DIRECTORY``), so that is left as it is for
reading. What works on the clone must see none of it.
"""

import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import BadConfigError, BusyError, NoInputError
from .gitcall import Answer, branch_ref, file_name
from .repository import run_git

HOOKS = ("pre-receive", "post-receive")

LOCK_SECONDS = 600.0
"""How long one push waits for another one that is being carried out."""

_HEX = re.compile(r"[0-9a-f]{40,64}")
_SIGNATURE = "# installed by: cibgit hook install"


class BareRepository:
    """A bare repository; ``root`` is its directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def open(cls, path: Path) -> "BareRepository":
        """Open a bare repository.

        Raises :class:`~cibgit.errors.NoInputError` where there is none, and
        :class:`~cibgit.errors.BadConfigError` for one with a work tree.
        """
        words = ("rev-parse", "--is-bare-repository", "--absolute-git-dir")
        answer = run_git(path.absolute(), True, words)
        if answer.code:  # safe.bareRepository may want it named
            named = f"--git-dir={path.absolute()}"
            answer = run_git(path.absolute(), True, (named, *words))
        if answer.code:
            raise NoInputError(
                f"there is no git repository at {path}: {answer.words()}",
                "Make one with: git init --bare",
            )
        is_bare, _, folder = answer.text.partition("\n")
        if is_bare != "true":
            raise BadConfigError(
                f"{path} has a work tree; hooks belong into a bare repository",
                "Make one with: git clone --bare",
            )
        return cls(Path(folder))

    def read(self, commit: str, path: str) -> bytes | None:
        """Return a file of a commit, quarantined or not; None where it has none."""
        name = f"{commit}:{file_name(path)}"
        listed = self._run("cat-file", "--batch-check", stdin=f"{name}\n".encode())
        if " blob " not in listed.text:
            if not _HEX.fullmatch(commit) or self._run("cat-file", "-e", commit).code:
                raise NoInputError(f"{commit!r} names no commit in {self.root}")
            return None
        answer = self._run("cat-file", "blob", name)
        if answer.code:
            raise answer.failure()
        return answer.out

    def tip(self, branch: str) -> str | None:
        """Return the commit that a branch names, None where there is no such branch."""
        answer = self._run("rev-parse", "--verify", "--quiet", branch_ref(branch))
        return answer.text if answer.code == 0 else None

    def branch(self) -> str:
        """Return the branch that is the desired state: ``cibgit.branch``, or HEAD's."""
        found = self._run("config", "--get", "cibgit.branch")
        if found.code == 0 and found.text:
            return found.text
        return self._run("symbolic-ref", "--short", "HEAD").text

    def configure(self, name: str, value: str) -> None:
        """Set a value of the repository's own configuration."""
        answer = run_git(self.root, True, ["config", "--replace-all", name, value])
        if answer.code:
            raise answer.failure()

    def install(self, hook: str, program: str) -> Path:
        """Write one hook that runs ``program``; one of somebody else is never replaced."""
        file = self.root / "hooks" / hook
        if file.exists() and _SIGNATURE not in file.read_text(errors="replace"):
            raise BadConfigError(
                f"{file} is there already",
                f"Call from it, with the same standard input: cibgit hook {hook}",
            )
        quoted = "'" + program.replace("'", "'\\''") + "'"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{_SIGNATURE}\nexec {quoted} hook {hook}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return file

    @contextmanager
    def work_tree(self, branch: str) -> Iterator[Path]:
        """Yield a private clone at the newest commit of a branch, held by one process.

        It lies in ``cibgit/work`` below the repository and keeps what cibgit remembers
        (``refs/cibgit/``). Raises :class:`~cibgit.errors.BusyError` when another process
        holds it for :data:`LOCK_SECONDS`.
        """
        home = self.root / "cibgit"
        home.mkdir(mode=0o700, exist_ok=True)
        with (home / "lock").open("w") as lock:
            _acquire(lock.fileno(), home)
            work = home / "work"
            if not (work / ".git").exists():
                form = self._run("rev-parse", "--show-object-format").text
                init = ["init", "--quiet", f"--object-format={form}", str(work)]
                _done(run_git(home, True, init))
            refs = f"+{branch_ref(branch)}:refs/remotes/origin/{branch}"
            fetch = ["fetch", "--quiet", "--no-tags", str(self.root), refs]
            _done(run_git(work, True, fetch))
            tip = f"refs/remotes/origin/{branch}"
            checkout = ["checkout", "--quiet", "--force", "--detach", tip]
            _done(run_git(work, True, checkout))
            yield work

    def _run(self, *arguments: str, stdin: bytes = b"") -> Answer:
        return run_git(self.root, False, [f"--git-dir={self.root}", *arguments], stdin)


def _acquire(descriptor: int, home: Path) -> None:
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise BusyError(
                    f"another push has been at work in {home} for {LOCK_SECONDS:.0f} s",
                    "Nothing is lost: run cibgit hook post-receive later.",
                ) from None
            time.sleep(0.2)
        else:
            os.ftruncate(descriptor, 0)
            return


def _done(answer: Answer) -> None:
    if answer.code:
        raise answer.failure()
