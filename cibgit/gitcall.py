"""One call of git: what it may be told, how long it may take, what it answered.

Nothing here starts git; :mod:`cibgit.repository` does.
"""

import os
import re
import select
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from subprocess import Popen, TimeoutExpired
from typing import NamedTuple

from .errors import (
    MAKE_ROOM,
    BadConfigError,
    BusyError,
    CibgitError,
    NoInputError,
    PermissionDeniedError,
    TimedOutError,
    UnreachableError,
    UsageError,
)

READ_SECONDS = 60
"""Bound of a git call that reads, or writes objects."""

COMMIT_SECONDS = 600
"""Bound of ``git commit``, in which hooks run and people type passphrases."""

PUSH_SECONDS = 300
"""Bound of ``git push``, which may have a whole history to send."""

IsOver = Callable[[], bool]
"""Asked every second while git runs: whether nobody waits for it any more."""

WHERE = (
    *("rev-parse", "--path-format=absolute", "--is-bare-repository"),
    *("--show-object-format", "--git-path", "index"),
    *("--absolute-git-dir", "--show-toplevel"),
)
"""The command whose answer :func:`whereabouts` reads."""

LOG = (
    *("-c", "log.showRoot=true", "-c", "trailer.separators=:", "log", "--no-color"),
    *("--no-show-signature", "--encoding=UTF-8"),
)
"""``git log``, whatever people have configured for their own eyes."""

FORWARD = (
    *("merge", "--ff-only", "--quiet", "--no-stat", "--no-autostash"),
    "--no-verify-signatures",
)
"""The command that moves the branch that is checked out forward, or refuses."""

STOP_SECONDS = 5.0
"""How long git may take to clean up when it is stopped."""

LINGER_SECONDS = 10.0
"""How long a process that a hook left behind may go on writing, once git has ended."""

GLANCE_SECONDS = 1.0
"""How often it is looked whether git has ended."""

ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",  # English, and hooks still know what a letter is
}
_LOCAL = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_COMMON_DIR"),
    *("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    *("GIT_QUARANTINE_PATH", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_SHALLOW_FILE"),
    *("GIT_GRAFT_FILE", "GIT_REPLACE_REF_BASE", "GIT_NO_REPLACE_OBJECTS"),
)
_NOT_FOUND = 127
"""What ``env`` exits with when there is no git."""

_UNFINISHED = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply/applying": "am",
    "rebase-apply": "rebase",
}
_LOCKED = re.compile(
    r"\.lock': File exists|but expected|reference already exists|partial commit during"
)
_DENIED = re.compile(
    r"': (?:Permission denied|Read-only file system)|insufficient permission"
)
_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_UNTRUSTED = re.compile(r"(?:dubious ownership|unsafe repository)[^']*'([^']*)'")
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class RefusedError(BadConfigError):
    """Git, one of its hooks or signing refused; the message has their own words."""


class Answer(NamedTuple):
    """What a git command answered."""

    verb: str
    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """The output as text, without the last line break."""
        return self.out.decode("utf-8", "replace").removesuffix("\n")

    def failure(self) -> CibgitError:
        """Return the error that this answer means."""
        if self.code == _NOT_FOUND:
            return UnreachableError("git is not installed, or not on the PATH")
        said = self.words()
        if _LOCKED.search(self.err):
            return BusyError(
                f"git {self.verb} found the repository locked: {said}",
                "Another git is at work there, or one was killed and left its lock.",
            )
        if _FULL.search(self.err):
            return BusyError(f"git {self.verb} has no room: {said}", MAKE_ROOM)
        if _DENIED.search(self.err):
            return PermissionDeniedError(f"git {self.verb} lacks a permission: {said}")
        return RefusedError(f"git {self.verb} refused: {said}")

    def words(self) -> str:
        """Return the first lines of what git or its hooks said, fit for a terminal."""
        lines = (_ESCAPE.sub("", line) for line in self.err.splitlines())
        clean = ["".join(filter(str.isprintable, line)).strip() for line in lines]
        told = [line for line in clean if line and not line.startswith("hint:")]
        return "; ".join(told[:3])[:500] or f"nothing was said (exit code {self.code})"


def verb(arguments: Sequence[str]) -> str:
    """Return the name of the git command in ``arguments``."""
    words = iter(arguments)
    for word in words:
        if word == "-c":
            next(words)
        elif not word.startswith("-"):
            return word
    return "git"


def environment_words(clean: bool, env: Mapping[str, str]) -> list[str]:
    """Return what stands before ``git`` where its own variables must not count.

    GitPython can add to the environment, but takes nothing away.
    """
    if not clean:
        return []
    removed = [word for name in _LOCAL for word in ("-u", name)]
    return ["env", *removed, *(f"{name}={value}" for name, value in env.items())]


def feed(process: Popen[bytes], chunks: Iterable[bytes], name: str) -> None:
    """Write to git as fast as it reads; it is stopped when it stops reading.

    When git ends early nothing is raised: its answer says why.
    """
    assert process.stdin is not None
    descriptor = process.stdin.fileno()
    os.set_blocking(descriptor, False)
    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    try:
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                if not ready.poll(READ_SECONDS * 1000):
                    raise TimedOutError(
                        f"git {name} did nothing for {READ_SECONDS} seconds and was stopped"
                    )
                rest = rest[os.write(descriptor, rest) :]
    except BrokenPipeError:
        return
    except BaseException:
        stop(process)
        raise


def forever() -> bool:
    """Wait as long as git may take."""
    return False


def wait(
    process: Popen[bytes],
    arguments: Sequence[str],
    stdin: bytes,
    is_over: IsOver = forever,
) -> Answer:
    """Wait for git, which is stopped when it takes too long or on any interruption.

    ``SIGTERM`` lets git remove its locks. A process that a hook leaves behind may keep
    the output open; git itself having ended is what counts.
    """
    name = verb(arguments)
    bounds = {"commit": COMMIT_SECONDS, "push": PUSH_SECONDS}
    seconds = bounds.get(name, READ_SECONDS)
    now = alive = time.monotonic()
    end = now + seconds
    given: bytes | None = stdin
    try:
        while True:
            try:
                out, err = process.communicate(given, timeout=GLANCE_SECONDS)
                break
            except TimeoutExpired as expired:
                given = None
                now = time.monotonic()
                if process.poll() is None:
                    alive = now
                    if is_over():
                        raise TimedOutError(f"git {name} was stopped") from None
                elif now - alive > LINGER_SECONDS:
                    out, err = expired.output or b"", expired.stderr or b""
                    break
                if alive > end:
                    raise TimedOutError(
                        f"git {name} took longer than {seconds} seconds and was stopped"
                    ) from None
    finally:
        stop(process)
    return Answer(name, process.returncode, out, err.decode("utf-8", "replace"))


def stop(process: Popen[bytes]) -> None:
    """Stop git, and wait for its end."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except TimeoutExpired:
            process.kill()
            process.wait()


class Whereabouts(NamedTuple):
    """Where git finds the parts of a repository."""

    hash_name: str
    index_file: Path
    git_dir: Path
    root: Path

    def plain(self, start: Path) -> bool:
        """Whether the usual places are meant, whatever the environment says."""
        inside = self.git_dir == self.root / ".git" and start.is_relative_to(self.root)
        return inside and self.index_file == self.git_dir / "index"


def whereabouts(answer: Answer) -> Whereabouts | None:
    """Read the answer to :data:`WHERE`; None when there is no usable repository."""
    words = os.fsdecode(answer.out).split("\n")
    if answer.code or len(words) != len(("bare", *Whereabouts._fields, "")):
        return None
    _, hash_name, index, git_dir, root, _ = words
    return Whereabouts(hash_name, Path(index), Path(git_dir), Path(root))


def not_opened(path: Path, answer: Answer) -> CibgitError:
    """Return why there is no repository to work with at ``path``."""
    err = answer.err
    if untrusted := _UNTRUSTED.search(err):
        where = untrusted[1]
        return PermissionDeniedError(
            f"git does not trust the repository {where}: it belongs to another user",
            f"If you do: git config --global --add safe.directory '{where}'",
        )
    if "cannot change to" in err and not _DENIED.search(err):
        return NoInputError(f"{path}: there is no such directory")
    if "not a git repository (or any" in err:
        return NoInputError(
            f"there is no git repository at {path} or above it",
            "Make one with: cibgit init",
        )
    bare = answer.out.startswith(b"true") or "bare repository" in err
    for applies, message in (
        (bare, f"{path} is in a bare repository; clone it, and work in the clone"),
        ("run in a work tree" in err, f"{path} is inside git's own directory"),
        # an option that git does not know is echoed
        (answer.out.startswith(b"--"), "this git is too old: 2.31 or newer is needed"),
        (not answer.code, f"{path}: a line break in the path cannot be handled"),
    ):
        if applies:
            return BadConfigError(message)
    return answer.failure()


def checked_out(branch: str, place: str) -> CibgitError:
    """Return the error for a branch that another work tree is at."""
    return BusyError(
        f"the branch {branch} is checked out in {place}", "Run the command there."
    )


def filtered(path: str) -> CibgitError:
    """Return the error for a file that git stores in another form."""
    return BadConfigError(
        f"git would not store {path} as it is: a filter or an attribute changes it",
        f"Put '{path} -text -filter -ident -working-tree-encoding' into .gitattributes.",
    )


def rewritten(path: str, commit: str, first: bool) -> CibgitError:
    """Return the error for a commit that holds other bytes than it was made for."""
    undo = "update-ref -d HEAD" if first else "reset --soft HEAD~1"
    return RefusedError(
        f"a hook changed {path}: commit {commit} holds other bytes than were written",
        f"Leave the file out in the hook; undo the commit with: git {undo}",
    )


def refuse_unfinished(root: Path, git_dir: Path) -> None:
    """Raise when a merge or its like is under way, or when the index is locked."""
    for name, what in _UNFINISHED.items():
        if (git_dir / name).exists():
            raise BusyError(
                f"a git {what} is in progress in {root}",
                f"Finish it, or give it up with: git {what} --abort",
            )
    lock = git_dir / "index.lock"
    if lock.exists():
        raise BusyError(
            f"another git holds {lock}",
            "Wait for it; if none is running, remove that file.",
        )


def revision(rev: str) -> str:
    """Return what a user typed, if git can only take it for the name of an object."""
    if not rev or rev[0] in "-:^" or not rev.isprintable():
        raise NoInputError(f"{rev!r} cannot be the name of a commit")
    return rev


def file_name(path: str) -> str:
    """Return the name of a file in the repository, if it is a plain one."""
    pure = PurePosixPath(path)
    parts = [part.lower() for part in pure.parts]
    plain = str(pure) == path and not pure.is_absolute() and path != "."
    if not plain or ".." in parts or ".git" in parts or not path.isprintable():
        raise UsageError(f"{path!r} cannot be a file in a git repository")
    return path


def pathspec(path: str) -> str:
    """Return the pathspec that matches one file, whatever characters its name has."""
    special = path[:1] == ":" or set(path) & set("*?[\\")
    return (":(literal)" if special else "") + file_name(path)


def branch_ref(name: str) -> str:
    """Return the full name of a branch; git itself has the last word on what is valid.

    A branch that is called HEAD could be made, but makes every HEAD ambiguous.
    """
    if (
        not name
        or name == "HEAD"
        or name[0] in "-/"
        or name.endswith((".", "/", ".lock"))
        or any(each in name for each in ("..", "//", "@{"))
        or not name.isprintable()
        or set(name) & set(" ~^:?*[\\")
    ):
        raise UsageError(f"{name!r} cannot be the name of a branch")
    return f"refs/heads/{name}"


def own_ref(name: str) -> str:
    """Return the name of a ref, if it is one of cibgit's."""
    if not name.startswith("refs/cibgit/") or not name.isprintable() or " " in name:
        raise BadConfigError(f"{name!r} cannot be a ref of cibgit (refs/cibgit/...)")
    return name


def holders(history: Sequence[str], blob: str) -> list[str]:
    """Return the commits of a raw history, oldest first, that hold ``blob``.

    Each line is a commit with its parents, or what the commit before it changed against
    its first parent.
    """
    held: dict[str, str] = {}
    commit = ""
    for line in history:
        if line.startswith(":"):
            held[commit] = line.split(" ", 4)[3]
        elif line:
            commit, *parents = line.split()
            held[commit] = held.get(parents[0], "") if parents else ""
    return [each for each, content in held.items() if content == blob]
