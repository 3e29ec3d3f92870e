"""What doctor and repair say, as text and as JSON."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..compare.text import counted
from ..policy.finding import Finding, Severity, count
from . import json as as_json
from .difference import SYMBOLS, printable
from .difference import count as told

if TYPE_CHECKING:
    from ..flow.doctor import Diagnosis
    from ..flow.prescribe import Treatment
    from ..flow.repair import Repaired

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}
_SHOWN = 6
"""Backups and changes that are shown; JSON has all."""


def diagnosis(found: "Diagnosis", *, colour: bool = False) -> str:
    """Render what the doctor says: the order of files, the answer, the findings."""
    start = found.start
    head = [
        f"{found.patient.directory}, as Pacemaker {start.release} ({found.why_release})"
        " would start from it:",
        "",
        *_files(found),
        "",
        answer(found),
    ]
    lines = [printable(line) for line in head]
    for each in found.findings:
        lines += ["", *_finding(each, colour)]
    if found.changes is not None and not found.is_healthy:
        lines += ["", *(printable(line) for line in _changes(found))]
    return "\n".join([*lines, "", _last_line(found)])


def answer(found: "Diagnosis") -> str:
    """Answer the question: which configuration would the node start with?"""
    start = found.start
    used = f"{start.used.name} ({start.used.version})" if start.used else ""
    match start.outcome.name:
        case "LOADED":
            line = f"The node would start with {used}."
        case "EMPTY":
            line = "The node would start with an EMPTY configuration (0.0.0)."
        case "INVALID":
            line = f"The node would NOT start: {used} is invalid, and Pacemaker shuts down."
        case "REFUSED":
            line = "The node would NOT start: its files are not the CIB manager's."
        case _:
            line = "How the node would start cannot be told."
    if not start.writes and start.outcome.name in ("LOADED", "EMPTY"):
        line += " It could not write to disk."
    return line


def diagnosis_json(found: "Diagnosis") -> str:
    """Return what the doctor says."""
    return as_json.dumps("doctor", **_values(found))


def treatment(planned: "Treatment") -> str:
    """Render what a repair would do."""
    if not planned.is_needed:
        return printable(f"There is nothing to repair in {planned.patient.directory}.")
    lines = [f"Repair of {planned.patient.directory} ({planned.kind.value}):", ""]
    lines += [f"  {number}. {step}" for number, step in enumerate(planned.steps, 1)]
    if planned.choices:
        lines += ["", "Other choices:"]
        lines += [f"  {choice}" for choice in planned.choices]
    return printable("\n".join(lines))


def repaired(done: "Repaired", *, colour: bool = False) -> str:
    """Render what a repair did, and what the doctor says afterwards."""
    lines = [f"Repaired. What was touched is kept in {done.kept}."]
    if done.proof:
        lines.append(done.proof)
    return printable("\n".join(lines)) + "\n\n" + diagnosis(done.after, colour=colour)


def repaired_json(planned: "Treatment", done: "Repaired | None") -> str:
    """Return what a repair would do or did."""
    return as_json.dumps(
        "repair",
        kind=planned.kind.name.lower(),
        file=planned.file,
        steps=planned.steps,
        choices=planned.choices,
        done=done is not None,
        kept=str(done.kept) if done else None,
        proof=done.proof if done else None,
        after=_values(done.after) if done else None,
    )


def _files(found: "Diagnosis") -> Iterator[str]:
    files = found.start.files
    number = 0
    width = max([14, *(len(each.name) for each in files[: _SHOWN + 1])])
    is_over = False
    for each in files[: _SHOWN + 1]:
        turn = "-"
        if not is_over and each.verdict.name not in ("SPARE", "SKIPPED"):
            number += 1
            turn = str(number)
        is_over = is_over or each.verdict.name == "USED"
        version = str(each.version) if each.version else ""
        yield (
            f"  {turn:>2}  {_line(each.name):<{width}}  {version:<9}  {each.verdict.value:<11}"
            f"  {each.cause.value}"
        )
    if len(files) > _SHOWN + 1:
        yield f"      and {len(files) - _SHOWN - 1} more backups"


def findings(found: Iterable[Finding]) -> list[str]:
    """Render each of some findings, its remedy below it."""
    return ["\n".join(_finding(each, False)) for each in found]


def _finding(each: Finding, colour: bool) -> Iterator[str]:
    head = _line(f"{each.severity.value} {each.rule}: {each.element}: {each.sentence}.")
    yield f"\033[{_COLOURS[each.severity]}m{head}\033[0m" if colour else head
    if each.hint:
        yield printable(f"    {each.hint}")


def _line(words: str) -> str:
    """Return what fits on one line, whatever a file is called."""
    return printable(words).replace("\n", "\\n")


def _changes(found: "Diagnosis") -> Iterator[str]:
    changes = found.changes or []
    yield f"From {found.reference} to cib.xml: {told(changes, planned=False)}"
    for each in changes[:_SHOWN]:
        yield _line(f"{SYMBOLS[each.kind]} {each.owner}: {each.sentence}")
    if not changes:
        yield "Only what has no meaning differs: order, counters, who and when."
    if len(changes) > _SHOWN:
        yield f"and {len(changes) - _SHOWN} more: cibgit diff"


def _last_line(found: "Diagnosis") -> str:
    number = count(found.findings)
    if not number:
        return "Healthy."
    return f"{counted(number, 'finding')}."


def _values(found: "Diagnosis") -> dict[str, object]:
    start = found.start
    return {
        "directory": str(found.patient.directory),
        "release": str(start.release),
        "why_release": found.why_release,
        "healthy": found.is_healthy,
        "outcome": start.outcome.name.lower(),
        "used": start.used.name if start.used else None,
        "reason": start.reason,
        "exit_code": start.exit_code,
        "writes": start.writes,
        "running": found.running,
        "files": [
            {
                "name": each.name,
                "version": str(each.version) if each.version else None,
                "written": each.written,
                "verdict": each.verdict.name.lower(),
                "cause": each.cause.name.lower(),
                "detail": each.detail,
            }
            for each in start.files
        ],
        "findings": [each.to_dict() for each in found.findings],
        "reference": found.reference,
        "changes": found.changes and as_json.changes(found.changes),
    }
