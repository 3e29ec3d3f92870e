"""What lies around ``cib.xml``: backups, owners, links, what was left over. Rules."""

import re
from collections.abc import Iterator
from itertools import pairwise

from ..policy.finding import Finding, Severity
from .case import Case, Rule, named
from .cibfiles import CIB, SIGNATURE
from .cibwriter import LAST, NEW_CIB, NEW_LAST, NEW_SIGNATURE
from .inventory import Kind
from .judgement import Cause, Verdict, owner
from .startup import ONE_BACKUP, is_system

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

_BACKUP = re.compile(r"cib-\d{1,10}\.raw")
_MANY = 3
_TEMPORARY = re.compile(r"cib\.[A-Za-z0-9]{6}")


def _no_backup(case: Case) -> Iterator[Finding]:
    """Nothing to go back to, should ``cib.xml`` be lost."""
    backups = case.start.files[1:]
    good = [
        each for each in backups if each.is_good and each.verdict is not Verdict.SKIPPED
    ]
    if good or not case.is_used:
        return
    skipped = [each for each in backups if each.is_good]
    # a copy of the present file alone is meant to be one
    severity = WARNING if case.daemon else NOTE
    if skipped:
        yield Finding(
            severity,
            "single-backup",
            skipped[0].name,
            f"Pacemaker {case.start.release} never tries the oldest backup, and this is"
            " the only good one: should cib.xml be lost, the node would start empty",
            "Any change of the configuration makes a second one."
            " Pacemaker 3.0.2 tries all.",
        )
    elif case.first.cause is not Cause.UNSIGNED or backups:
        # a cib.xml that was just put there has none yet
        yield Finding(
            severity,
            "no-backup",
            str(case.path),
            "there is no backup that would be used, should cib.xml be lost",
            "Any change of the configuration makes one.",
        )


def _bad_backups(case: Case) -> Iterator[Finding]:
    """Backups that would be passed over."""
    bad = [
        each
        for each in case.start.files[1:]
        if not each.is_good and each.verdict is not Verdict.UNKNOWN
    ]
    if bad:
        yield Finding(
            WARNING,
            "bad-backup",
            named([each.name for each in bad]),
            f"it {bad[0].cause.value}: it would be passed over",
            "No harm while others are good; the oldest are overwritten in turn.",
        )
    unread = [each for each in case.start.files[1:] if each.cause is Cause.UNKNOWN]
    if unread:
        yield Finding(
            NOTE,
            "unread-backup",
            named([each.name for each in unread]),
            f"it was not judged: {unread[0].detail}",
        )


def _strays(case: Case) -> Iterator[Finding]:
    """Files that somebody put there, and that count as backups."""
    for each in case.start.files[1:]:
        if each.name != ONE_BACKUP and not _BACKUP.fullmatch(each.name):
            unsigned = (
                ", and having no signature it would be believed"
                if each.cause is Cause.UNSIGNED
                else ""
            )
            yield Finding(
                WARNING,
                "stray-backup",
                each.name,
                "Pacemaker takes every file cib-* for a backup, this one"
                f" ({each.version or each.cause.value}) too{unsigned}",
                f"Move it out of {case.path}.",
            )


def _order(case: Case) -> Iterator[Finding]:
    """Backups that would be tried in another order than they were written in.

    On a node that nobody touched both times grow together, but for writes within one
    second, whose order is the file system's.
    """
    tried = [
        entry for each in case.start.files[1:] if (entry := case.files.found(each.name))
    ]
    wrong = [
        (first, second)
        for first, second in pairwise(tried)
        if first.modified < second.modified - 1
    ]
    if not wrong:
        return
    first, second = wrong[0]
    copied = len(wrong) >= _MANY or any(a.changed != b.changed for a, b in wrong)
    yield Finding(
        WARNING if copied and case.daemon else NOTE,
        "backup-order",
        first.name,
        f"it is older than {second.name}, and yet would be tried before it: what counts is"
        " when the inode changed (ctime), by the second"
        + ("; a copy, a chown or a restore renews that" if copied else ""),
        "Nothing can set that time back; mind which one is used." if copied else "",
    )


def _owners(case: Case) -> Iterator[Finding]:
    """Owners and modes, where the directory is a daemon's."""
    if case.daemon is None:
        yield Finding(
            NOTE,
            "owners-not-judged",
            str(case.path),
            "owners and modes are not judged, for this is no node's own directory",
        )
        return
    for name in (CIB, SIGNATURE):
        entry = case.files.found(name)
        if entry and entry.kind is Kind.FILE and entry.mode & 0o007:
            yield Finding(
                WARNING,
                "mode",
                name,
                f"everybody on this machine can read it, passwords included"
                f" (mode {entry.mode:04o})",
                f"chmod 0600 {case.path / name}",
            )
    foreign = [
        each.name
        for each in case.start.files[1:]
        if (entry := case.files.found(each.name))
        and entry.kind is Kind.FILE
        and not case.daemon.can_read(entry)
    ]
    if foreign:
        yield Finding(
            WARNING,
            "backup-owner",
            named(foreign),
            "the CIB manager cannot read it",
            f"chown hacluster:haclient {case.path}/cib-*",
        )


def _unwritable(case: Case) -> Iterator[Finding]:
    """A directory that the daemon could not write to."""
    directory = case.files.itself
    if case.daemon is None or case.daemon.can_write_in(directory):
        return
    if is_system(case.files):
        yield Finding(
            NOTE,
            "directory-owner",
            str(case.path),
            f"it is not the CIB manager's ({owner(directory)}); pacemakerd gives it back"
            " at every start",
        )
        return
    yield Finding(
        ERROR,
        "directory-owner",
        str(case.path),
        f"the CIB manager cannot write there ({owner(directory)})",
        f"chown hacluster:haclient {case.path}; chmod 0750 {case.path}",
    )


def _links(case: Case) -> Iterator[Finding]:
    """Symbolic links in place of files."""
    for name in (CIB, SIGNATURE):
        entry = case.files.entries.get(name)
        if entry and entry.kind is Kind.LINK:
            yield Finding(
                WARNING,
                "link",
                name,
                f"it is a symbolic link (to {entry.target}): Pacemaker reads it, but may"
                " fail to back it up, and replaces it by a file at its first write",
                "Put the file itself there.",
            )


def _left_over(case: Case) -> Iterator[Finding]:
    """What a write or a start left behind."""
    names = case.files.entries
    rejected = [name for name in names if name.startswith("cib.auto.")]
    if rejected:
        yield Finding(
            NOTE,
            "rejected-before",
            named(sorted(rejected)),
            "Pacemaker put a file aside at an earlier start, for its signature did not"
            " match; what is in it may have been lost then",
            "Compare it: cibgit diff FILE live. Then remove it.",
        )
    temporary = [name for name in names if _TEMPORARY.fullmatch(name)]
    if temporary and case.running is None:
        yield Finding(
            NOTE,
            "temporary",
            named(sorted(temporary)),
            "a write of Pacemaker was cut short (a crash, a power cut)",
            "Remove it once the node runs well.",
        )
    if own := [name for name in (NEW_CIB, NEW_SIGNATURE, NEW_LAST) if name in names]:
        yield Finding(
            NOTE,
            "temporary",
            ", ".join(own),
            "a write of cibgit was cut short",
            "The next one removes it.",
        )


def _counter(case: Case) -> Iterator[Finding]:
    """The number of the next backup."""
    content = case.files.content(LAST, 20)
    if content.is_missing or content.is_foreign:
        return
    if not re.match(rb"\s*\d{1,9}\s*\Z", content.data):
        yield Finding(
            NOTE,
            "counter",
            LAST,
            "it holds no number, so the next backup is cib-0.raw",
        )


RULES: tuple[Rule, ...] = (
    _no_backup,
    _bad_backups,
    _strays,
    _order,
    _owners,
    _unwritable,
    _links,
    _left_over,
    _counter,
)
