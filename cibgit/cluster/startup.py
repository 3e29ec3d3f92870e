"""Which configuration would a node find at its next start? A model of that start.

Pacemaker reads ``cib.xml`` and, where that is not usable, its backups: every regular file
``cib-*`` but ``.sig``, the newest inode change first. What it uses must match its
signature, or have none; only then is it validated, and what is invalid is not replaced by
a backup: the cluster shuts down. Where nothing is usable it starts with an empty
configuration (``readCibXmlFile`` and ``cib_file_read_and_verify``, 1.1.24 to 3.0.0;
``based_read_cib``, 3.0.2; experiments with the daemons of 2.0.5, 2.1.5, 3.0.0 and 3.0.3).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from ..cib import schema
from ..cib.document import Cib, Element
from .cibfiles import CIB, SIGNATURE, SYSTEM
from .inventory import Entry, Inventory, Kind
from .judgement import GOOD, Cause, Daemon, Judged, Verdict, judge, owner
from .release import Release

BACKUP = "cib-"
ONE_BACKUP = "cib.xml.last"
ONE_BACKUP_SIGNATURE = "cib.xml.sig.last"

READ_AT_MOST = 512 * 1024 * 1024
"""Bytes of backups that are read; those after that are told to be unread."""


_SHARED = 0o060
_OUT_OF_THE_WAY = (
    *GOOD,
    Cause.MISSING,
    # these are moved aside
    Cause.MISMATCH,
    Cause.NO_DIGITS,
    Cause.NO_SIGNATURE_READ,
)


class Outcome(Enum):
    """How the start ends."""

    LOADED = "starts"
    EMPTY = "starts empty"
    INVALID = "does not start: invalid"
    REFUSED = "does not start: permissions"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Prediction:
    """How a release would start from a directory.

    ``files`` are in the order in which they are tried; ``used`` is the one whose
    configuration it takes. ``reason`` says why it does not start. ``writes`` is False
    when it could not write to disk afterwards, for ``cib.xml`` would still be in its way.
    """

    release: Release
    files: tuple[Judged, ...]
    outcome: Outcome
    used: Judged | None = None
    reason: str = ""
    exit_code: int = 0
    writes: bool = True


def predict(
    files: Inventory, release: Release, daemon: Daemon | None, *, is_installed: bool
) -> Prediction:
    """Foretell the start of a release in a directory.

    ``daemon`` is None where owners and modes are not to be judged. ``is_installed`` says
    that the release is the one on this machine, so that its schemas are, too.
    """
    judged = tuple(_in_turn(files, release, daemon))
    if daemon and not is_system(files) and not daemon.owns(files.itself):
        reason = f"the directory is not the daemon's: {owner(files.itself)}"
        return Prediction(release, judged, Outcome.REFUSED, None, reason, 100, False)
    if refusal := _refusal(files, release, daemon):
        code = 66 if release.ends_on_foreign_owner else 0
        return Prediction(release, judged, Outcome.REFUSED, None, refusal, code, False)
    unknown = next((each for each in judged if each.verdict is Verdict.UNKNOWN), None)
    used = next((each for each in judged if each.verdict is Verdict.USED), None)
    if used is None and unknown is not None:
        return Prediction(release, judged, Outcome.UNKNOWN, reason=unknown.detail)
    writes = judged[0].cause in _OUT_OF_THE_WAY and _is_writable(files, daemon)
    if used is None or used.root is None:
        return Prediction(release, judged, Outcome.EMPTY, writes=writes)
    if problem := invalid(used.root, release, is_installed):
        return Prediction(
            release, judged, Outcome.INVALID, used, problem, 100, writes=False
        )
    return Prediction(release, judged, Outcome.LOADED, used, writes=writes)


def is_system(files: Inventory) -> bool:
    """Say whether this is the node's own directory, which pacemakerd makes the daemon's."""
    try:
        return os.path.samestat(SYSTEM.stat(), files.status)
    except OSError:
        return False


def backups(files: Inventory, release: Release) -> list[str]:
    """Return the names that are taken for backups, in the order they are tried.

    By the second in which their inode changed, the newest first; within one second as
    the file system lists them (``scandir`` with a stable sort): the last first up to
    3.0.1, then the first. Up to 3.0.1 a socket
    counts as a file, for its bits include a file's.
    """
    if release.keeps_one_backup:
        return [ONE_BACKUP] if ONE_BACKUP in files.entries else []
    found = [
        (entry.changed, name)
        for name in files.entries
        if name.startswith(BACKUP)
        and not name.endswith(".sig")
        and (entry := files.found(name))
        and (entry.kind in (Kind.FILE, Kind.LINK) or _is_taken_for_file(entry, release))
    ]
    if release.skips_oldest_backup:
        found.reverse()
    return [name for _, name in sorted(found, key=lambda pair: -pair[0])]


def _is_taken_for_file(entry: Entry, release: Release) -> bool:
    return entry.kind is Kind.SOCKET and release.number < (3, 0, 2)


def _in_turn(
    files: Inventory, release: Release, daemon: Daemon | None
) -> Iterator[Judged]:
    """Judge ``cib.xml`` and the backups, and give each its verdict."""
    first = judge(files, CIB, release, daemon)
    if first.is_good:
        first = replace(first, verdict=Verdict.USED)
    yield first
    is_open = first.verdict is Verdict.REJECTED or first.verdict is Verdict.MISSING
    names = backups(files, release)
    read, is_first = 0, True
    for number, name in enumerate(names, 1):
        entry = files.found(name)
        read += entry.size if entry else 0
        if read > READ_AT_MOST:
            yield Judged(name, Verdict.UNKNOWN, Cause.UNKNOWN, detail="not read")
            continue
        signature = ONE_BACKUP_SIGNATURE if name == ONE_BACKUP else ""
        found = judge(files, name, release, daemon, signature)
        if not (found.is_good and is_first):
            found = replace(found, root=None)  # a hundred trees would fill the memory
        is_first = is_first and not found.is_good
        last = number == len(names) and not release.keeps_one_backup
        if last and release.skips_oldest_backup:
            yield replace(found, verdict=Verdict.SKIPPED)
        elif not found.is_good:
            is_open = is_open and found.verdict is not Verdict.UNKNOWN
            yield found
        else:
            yield replace(found, verdict=Verdict.USED if is_open else Verdict.SPARE)
            is_open = False


def _refusal(files: Inventory, release: Release, daemon: Daemon | None) -> str:
    """Say what owner or kind of file keeps the daemon from starting, '' for none."""
    if daemon is None:
        return ""
    names = (CIB, SIGNATURE) if release.checks_signature_owner else (CIB,)
    for name in names:
        entry = files.found(name)
        if entry is None or entry.kind is Kind.LINK:
            continue
        if entry.kind is not Kind.FILE:
            return f"{name} is a {entry.kind.value}"
        if not daemon.owns(entry):
            return f"{name} is not the daemon's: {owner(entry)}"
    return ""


def _is_writable(files: Inventory, daemon: Daemon | None) -> bool:
    """Say whether the daemon could make files, and link the present pair to a backup.

    Linux lets only the owner of a file, or who may read and write it, link it
    (``fs.protected_hardlinks``); a symbolic link only its owner.
    """
    if daemon is None:
        return True
    for name in (CIB, SIGNATURE):
        entry = files.entries.get(name)
        if entry and entry.uid != daemon.uid:
            shared = entry.gid == daemon.gid and entry.mode & 0o060 == _SHARED
            if entry.kind is not Kind.FILE or not shared:
                return False
    return is_system(files) or daemon.can_write_in(files.itself)


def invalid(root: Element, release: Release, is_installed: bool) -> str:
    """Say why the release refuses to work with a configuration, '' if it does not.

    A schema that is not on this machine is believed to be kept.
    """
    if root.tag != "cib":
        return f"it is no CIB, but <{root.tag}>"
    name = root.get("validate-with")
    if name is None:
        return "it names no schema (validate-with)" if release.needs_schema else ""
    known = schema.is_installed(name) if is_installed else release.knows_schema(name)
    if not known and name != "none":
        return f"its schema {name} is unknown to Pacemaker {release}"
    if not schema.is_installed(name):
        return ""
    return schema.first_violation(as_started(root), name)


def as_started(root: Element) -> Element:
    """Return the tree as it is validated at the start: with status and counters."""
    started = Cib(root, CIB).copy().root
    for counter in ("admin_epoch", "epoch", "num_updates"):
        if counter not in started.attrib:
            started.set(counter, "0")
    started.attrib.pop("dc-uuid", "")
    for status in started.findall("status"):
        started.remove(status)
    started.append(started.makeelement("status"))
    return started
