"""One file of a CIB directory, judged as a starting CIB manager judges it.

It must be a regular file that is not empty and that libxml2 can read, and its ``.sig``,
where there is one, must hold the digest of the tree that was read
(``cib_file_read_and_verify`` and ``cib_file_verify_digest``, ``lib/cib/cib_file.c``).
"""

from dataclasses import dataclass, replace
from enum import Enum

from ..cib.digest import on_disk
from ..cib.document import MAX_BYTES, Cib, Element, Version, parse_tree
from ..cib.recovery import recover
from ..errors import BadDataError
from .cibfiles import CIB
from .inventory import Entry, Inventory, Kind
from .release import Release

_USER_IN, _GROUP_IN, _OTHER_IN = 0o300, 0o030, 0o003


class Verdict(Enum):
    """What becomes of one file."""

    USED = "used"
    REJECTED = "rejected"
    SPARE = "spare"
    SKIPPED = "never tried"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Cause(Enum):
    """Why: one word for each way in which a file is good or not."""

    MATCHES = "matches its signature"
    UNSIGNED = "has no signature, which is accepted"
    MISMATCH = "does not match its signature"
    NO_DIGITS = "has an empty signature"
    NO_SIGNATURE_READ = "has a signature that cannot be read"
    EMPTY = "is empty"
    NOT_XML = "is not XML"
    MISSING = "is not there"
    UNREADABLE = "cannot be read by the daemon"
    UNKNOWN = "was not judged"


GOOD = (Cause.MATCHES, Cause.UNSIGNED)


@dataclass(frozen=True)
class Daemon:
    """The user and group that the CIB manager runs as."""

    uid: int
    gid: int

    def owns(self, entry: Entry) -> bool:
        """Say whether it takes a file for its own (``pcmk__daemon_can_write``).

        One bit is enough there: with mode 0400, or 0040 for the group, it goes on.
        """
        as_user = entry.uid == self.uid and entry.mode & 0o600
        return bool(as_user or (entry.gid == self.gid and entry.mode & 0o060))

    def can_read(self, entry: Entry) -> bool:
        """Say whether the system lets it read a file."""
        if entry.uid == self.uid:
            return bool(entry.mode & 0o400)
        if entry.gid == self.gid:
            return bool(entry.mode & 0o040)
        return bool(entry.mode & 0o004)

    def can_write_in(self, directory: Entry) -> bool:
        """Say whether it could make and replace files in a directory."""
        if directory.uid == self.uid:
            return directory.mode & _USER_IN == _USER_IN
        if directory.gid == self.gid:
            return directory.mode & _GROUP_IN == _GROUP_IN
        return directory.mode & _OTHER_IN == _OTHER_IN


@dataclass(frozen=True)
class Judged:
    """One file as the daemon judges it.

    ``root`` is the tree that it gets, None where it gets none, or where it is not
    needed any more; ``is_whole`` is False where that is what recovery left of a broken
    file. ``signature`` is the content of the ``.sig``, None without one; ``version`` and
    ``written`` are what the CIB says about itself.
    """

    name: str
    verdict: Verdict
    cause: Cause
    root: Element | None = None
    is_whole: bool = True
    signature: bytes | None = None
    detail: str = ""
    version: Version | None = None
    written: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the daemon would use it when its turn comes."""
        return self.cause in GOOD


def judge(
    files: Inventory,
    name: str,
    release: Release,
    daemon: Daemon | None = None,
    signature: str = "",
) -> Judged:
    """Judge one file as the daemon would, whatever its turn."""
    try:
        data, tree = _tree(files, name, release, daemon)
    except _UnusableError as error:
        verdict = _VERDICTS.get(error.cause, Verdict.REJECTED)
        return Judged(name, verdict, error.cause, detail=error.detail)
    signature = signature or f"{name}.sig"
    sig, entry = files.signature(signature), files.found(signature)
    read = Judged(
        name,
        Verdict.REJECTED,
        Cause.MISMATCH,
        tree.root,
        tree.is_whole,
        None if sig.is_missing else sig.data,
        tree.detail,
        _version(tree.root),
        tree.root.get("cib-last-written", ""),
    )
    if sig.is_missing:
        return replace(read, cause=Cause.UNSIGNED)
    if daemon and entry and entry.kind is Kind.FILE and not daemon.can_read(entry):
        return replace(read, cause=Cause.NO_SIGNATURE_READ, detail=owner(entry))
    if sig.problem:
        unknown = replace(read, verdict=Verdict.UNKNOWN, cause=Cause.UNKNOWN)
        failed = replace(read, cause=Cause.NO_SIGNATURE_READ)
        return replace(
            unknown if sig.is_foreign else failed, detail=f"{signature}: {sig.problem}"
        )
    if not sig.data:
        return replace(read, cause=Cause.NO_DIGITS)
    return replace(read, cause=Cause.MATCHES) if _matches(data, read, release) else read


_VERDICTS = {Cause.MISSING: Verdict.MISSING, Cause.UNKNOWN: Verdict.UNKNOWN}


@dataclass(frozen=True)
class _Tree:
    """What the daemon gets of a file; ``detail`` says what was wrong with the rest."""

    root: Element
    is_whole: bool = True
    detail: str = ""


class _UnusableError(Exception):
    """The daemon gets nothing, and why."""

    def __init__(self, cause: Cause, detail: str = "") -> None:
        self.cause = cause
        self.detail = detail


def _tree(
    files: Inventory, name: str, release: Release, daemon: Daemon | None
) -> tuple[bytes, _Tree]:
    """Read a file and return its bytes and the tree; raises :class:`_UnusableError`."""
    content, entry = files.content(name), files.found(name)
    if content.is_missing:
        raise _UnusableError(Cause.MISSING)
    if daemon and entry and entry.kind is Kind.FILE and not daemon.can_read(entry):
        raise _UnusableError(Cause.UNREADABLE, owner(entry))
    if content.problem:
        cause = Cause.UNKNOWN if content.is_foreign else Cause.UNREADABLE
        raise _UnusableError(cause, content.problem)
    if not content.data:
        raise _UnusableError(Cause.EMPTY)
    if len(content.data) > MAX_BYTES:
        raise _UnusableError(Cause.UNKNOWN, "it is larger than any CIB")
    try:
        return content.data, _Tree(parse_tree(content.data, CIB))
    except BadDataError as error:
        reason = error.message.replace(f"{CIB}:", "line ", 1).replace("line  ", "")
    if "document type" in reason or "nest deeper" in reason:
        raise _UnusableError(Cause.UNKNOWN, reason)
    return content.data, _rest(content.data, reason, release)


def _rest(data: bytes, reason: str, release: Release) -> _Tree:
    """Return what the release makes of a broken file."""
    if not release.recovers:
        raise _UnusableError(Cause.NOT_XML, reason)
    try:
        root = recover(data, CIB)
    except BadDataError as error:
        raise _UnusableError(Cause.UNKNOWN, error.message) from None
    if root is None:
        raise _UnusableError(Cause.NOT_XML, reason)
    return _Tree(root, False, reason)


def _version(root: Element) -> Version | None:
    try:
        return Cib(root, CIB).version
    except BadDataError:
        return None


def _matches(data: bytes, read: Judged, release: Release) -> bool:
    """Say whether the release computes what stands in the signature, in either case."""
    dialect = release.signer.dialect
    try:
        if dialect and read.root is not None:
            computed = on_disk(read.root, dialect)
        else:
            computed = release.signer.digest(data)
    except BadDataError:
        return False
    return (read.signature or b"").lower() == computed.encode()


def owner(entry: Entry) -> str:
    """Return who may do what with a file, for a message."""
    return f"owner {entry.uid}, group {entry.gid}, mode {entry.mode:04o}"
