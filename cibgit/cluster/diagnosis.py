"""How would the node start, and what is wrong with its ``cib.xml``? Rules over a case.

Each rule is a small function that returns findings; those on what lies around it are in
``surroundings``.
"""

from collections.abc import Iterable, Iterator

from ..cib.digest import mangled_attributes
from ..cib.document import attributes
from ..cib.identity import address
from ..policy.finding import Finding, Severity
from .case import Case, Rule, named
from .cibfiles import CIB, SIGNATURE
from .explanation import explain
from .judgement import Cause, Judged
from .startup import Outcome, Prediction

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


def _start(case: Case) -> Iterator[Finding]:
    """How the start ends, if not well."""
    start, release = case.start, case.start.release
    if start.outcome is Outcome.REFUSED:
        after = (
            f"exits {start.exit_code}" if start.exit_code else "refuses all requests"
        )
        yield Finding(
            ERROR,
            "permissions",
            str(case.path),
            f"{start.reason}; the CIB manager {after} and the node does not start",
            "cibgit repair gives them back, or by hand:"
            f" chown hacluster:haclient {case.path} {case.path}/cib*;"
            f" chmod u+rw {case.path}/cib*",
        )
    elif start.outcome is Outcome.INVALID and start.used:
        yield Finding(
            ERROR,
            "invalid",
            start.used.name,
            f"Pacemaker {release} would take it and find it invalid: {start.reason};"
            " then it shuts down and stays down (exit 100), for no backup replaces an"
            " invalid file",
            f"crm_verify -V -x {case.path / start.used.name} tells more. Correct it, or go"
            " back to a backup: cibgit repair --use FILE",
        )
    elif start.outcome is Outcome.EMPTY and case.is_used:
        yield Finding(
            ERROR,
            "empty-start",
            str(case.path),
            "no file here is usable: the node would start with an EMPTY configuration,"
            " unless another node of the cluster has it",
            "cibgit repair signs cib.xml as it is, or goes back to a backup that reads well",
        )
    elif start.outcome is Outcome.LOADED and start.used and start.used.name != CIB:
        yield Finding(
            ERROR,
            "older-start",
            start.used.name,
            f"the node would start with this backup ({_of(start.used)}), not with cib.xml"
            f" ({_of(case.first)})",
            "cibgit repair puts cib.xml in order, or this backup in its place for good",
        )
    elif start.outcome is Outcome.UNKNOWN:
        yield Finding(
            WARNING,
            "unknown-start",
            str(case.path),
            f"how the node would start cannot be told: {start.reason}",
        )


def _cib(case: Case) -> Iterator[Finding]:
    """What is wrong with ``cib.xml`` and its signature."""
    first, release = case.first, case.start.release
    if first.cause is Cause.MISMATCH:
        reason = explain(case.files, first, release)
        yield Finding(
            ERROR,
            "digest-mismatch",
            CIB,
            f"its signature is not the one that Pacemaker {release} computes: {reason}",
            "cibgit repair",
        )
    elif first.cause in (Cause.NO_DIGITS, Cause.NO_SIGNATURE_READ):
        yield Finding(
            ERROR,
            "digest-mismatch",
            CIB,
            f"it {first.cause.value}, which counts as a wrong one",
            "cibgit repair",
        )
    elif first.cause is Cause.UNSIGNED:
        yield Finding(
            WARNING,
            "unsigned",
            CIB,
            "it has no signature: Pacemaker accepts that, but nobody can tell whether it"
            " is what was written",
            "cibgit repair has the CIB manager write it again"
            if case.running
            else "cibgit repair signs it",
        )
    elif case.start.outcome is Outcome.REFUSED:
        return
    elif first.cause in (Cause.EMPTY, Cause.NOT_XML, Cause.UNREADABLE):
        detail = f" ({first.detail})" if first.detail else ""
        yield Finding(
            ERROR,
            "unusable",
            CIB,
            f"it {first.cause.value}{detail}; it stays there and keeps Pacemaker from"
            " writing to disk after the start",
            "cibgit repair puts a backup in its place",
        )
    elif first.cause is Cause.MISSING and case.is_used:
        yield Finding(
            ERROR, "missing", CIB, "there is no cib.xml", "cibgit repair --use BACKUP"
        )
    if first.root is not None and not first.is_whole:
        yield Finding(
            ERROR,
            "broken-xml",
            CIB,
            f"it is not well-formed ({first.detail}); Pacemaker {release} would take what"
            " is left of it",
            "cibgit repair --use BACKUP",
        )


def _signature_case(case: Case) -> Iterator[Finding]:
    if case.first.signature and case.first.signature != case.first.signature.lower():
        yield Finding(
            NOTE, "upper-case", SIGNATURE, "its digits are in upper case: accepted"
        )


def _schema(case: Case) -> Iterator[Finding]:
    """A configuration that nobody validates."""
    used = case.start.used
    if case.start.outcome is not Outcome.LOADED or used is None or used.root is None:
        return
    if case.start.release.keeps_one_backup:
        return  # those had a DTD, and no attribute for it
    if used.root.get("validate-with", "none") == "none":
        missing = "" if "validate-with" in used.root.attrib else " (it names no schema)"
        yield Finding(
            WARNING,
            "no-validation",
            used.name,
            f"Pacemaker {case.start.release} would use it without validation{missing}",
            "cibadmin --upgrade --force, once the cluster runs",
        )


def _values(case: Case) -> Iterator[Finding]:
    """Values that the release would not keep as they are."""
    used, dialect = case.start.used, case.start.release.signer.dialect
    if used is None or used.root is None or dialect is None:
        return
    names = [
        f"{address(element)} / @{name}"
        for element, name in mangled_attributes(used.root, dialect)
    ]
    if names:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield Finding(
            WARNING,
            "mangled-value",
            used.name,
            f"Pacemaker {case.start.release} would change the value of"
            f" {names[0]}{more}: it cannot keep control characters, or non-ASCII text"
            " with markup after it",
            "Replace it by a value in plain ASCII.",
        )


def _running(case: Case) -> Iterator[Finding]:
    """What the CIB manager has in memory, against what lies on disk."""
    if case.running is None:
        return
    if case.first.cause not in (Cause.MATCHES, Cause.UNSIGNED, Cause.MISSING):
        yield Finding(
            ERROR,
            "writes-off",
            CIB,
            f"it was changed under the running CIB manager (process {case.running}):"
            " the next change of the configuration is not written to this disk, nor any"
            " after it",
            "cibgit repair, while the cluster runs; the live configuration is right",
        )
    elif case.live is not None and case.first.version is not None:
        live, disk = case.live.version[:2], case.first.version[:2]
        if live == disk and any(each.weight for each in case.changes or ()):
            yield Finding(
                ERROR,
                "disk-differs",
                CIB,
                f"it has the version of the running CIB manager ({case.first.version}) and"
                " another configuration: it was edited under it, and the node would"
                " start with that",
                "cibgit repair, while the cluster runs; the live configuration is right",
            )
        elif live != disk and not case.changes:
            yield Finding(
                NOTE,
                "counters-behind",
                CIB,
                f"the disk has {case.first.version}, the running CIB manager"
                f" {case.live.version}; the configuration is the same. Where it stays"
                " behind after the next change, it is not written any more",
            )
        elif live != disk:
            yield Finding(
                ERROR,
                "disk-behind",
                CIB,
                f"the disk has {case.first.version}, the running CIB manager"
                f" {case.live.version}: it does not write to this disk any more",
                "cibgit repair, while the cluster runs",
            )


def _upgrade(case: Case) -> Iterator[Finding]:
    """What another release would not accept although this one does."""
    after, now = case.upgrade, case.start
    if after is None:
        return
    lost = [
        (here, there)
        for here, there in _both(now.files, after.files)
        if here.is_good and not there.is_good
    ]
    for here, there in lost:
        if here.name == CIB:
            yield Finding(
                ERROR,
                "upgrade",
                CIB,
                f"Pacemaker {now.release} accepts it, {after.release} would not: it"
                f" {there.cause.value}{_because(here, now, after)}",
                f"cibgit repair --as-version {after.release}, after {now.release} was"
                " stopped and before the new one starts",
            )
    if backups := [here.name for here, _ in lost if here.name != CIB]:
        yield Finding(
            WARNING,
            "upgrade",
            named(backups),
            f"Pacemaker {now.release} accepts it as a backup, {after.release} would not",
            "The repair of cib.xml for the new release signs backups, too.",
        )
    if after.outcome is Outcome.INVALID and now.outcome is Outcome.LOADED:
        yield Finding(
            ERROR,
            "upgrade",
            after.used.name if after.used else CIB,
            f"Pacemaker {after.release} would shut down over it: {after.reason}",
            "cibadmin --upgrade --force, while the old release runs",
        )


def _both(
    here: Iterable[Judged], there: Iterable[Judged]
) -> Iterator[tuple[Judged, Judged]]:
    other = {judged.name: judged for judged in there}
    return ((judged, other[judged.name]) for judged in here if judged.name in other)


def _because(judged: Judged, now: Prediction, after: Prediction) -> str:
    """Name a value that the two releases escape differently."""
    one, other = now.release.signer.dialect, after.release.signer.dialect
    if judged.root is None or one is other:
        return ""
    for element in judged.root.iter("*"):
        for name, value in attributes(element):
            if "'" in value or not value.isascii() or not value.isprintable():
                return f" ({address(element)} / @{name} is escaped differently)"
    return ""


def _of(judged: Judged) -> str:
    parts = [str(judged.version or judged.cause.value), judged.written]
    return ", ".join(part for part in parts if part)


RULES: tuple[Rule, ...] = (
    _start,
    _cib,
    _signature_case,
    _schema,
    _values,
    _running,
    _upgrade,
)
