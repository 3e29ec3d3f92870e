"""What ``check`` found, for people and for the machines that run it."""

import html
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..compare.text import counted
from ..policy.finding import Located, Severity
from ..policy.lint import REASONS
from .difference import printable
from .json import dumps

if TYPE_CHECKING:
    from ..flow.check import Report

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_COMMANDS = {**_LEVELS, Severity.NOTE: "notice"}


def text(report: "Report") -> str:
    """Render one finding a line, as compilers do, its hint below; a count at the end."""
    lines = [f"{name}: brought into canonical form" for name in report.fixed]
    for each in report.findings:
        one = each.finding
        lines.append(
            f"{_place(each)}: {one.severity.value}: {one.sentence} [{one.rule}]"
        )
        lines += [f"    {one.hint}"] if one.hint else []
    lines += [f"left out: {rule} ({why})" for rule, why in report.left_out.items()]
    return printable("\n".join([*lines, count(report)]))


def count(report: "Report") -> str:
    """Render the last line: ``3 files: 1 error, 2 warnings.``"""
    numbers = Counter(each.finding.severity for each in report.findings)
    parts = [
        counted(numbers[severity], severity.value)
        for severity in Severity
        if numbers[severity]
    ]
    more = f" {report.suppressed} suppressed." if report.suppressed else ""
    more += f" {report.old} were there before." if report.old else ""
    found = ", ".join(parts) or "nothing found"
    return f"{counted(len(report.files), 'file')}: {found}.{more}"


def as_json(report: "Report") -> str:
    """Render one JSON object."""
    return dumps(
        "check",
        files=report.files,
        findings=[each.to_dict() for each in report.findings],
        left_out=report.left_out,
        suppressed=report.suppressed,
        old=report.old,
        fixed=report.fixed,
    )


def sarif(report: "Report") -> str:
    """Render SARIF 2.1.0, which code scanning of forges reads."""
    rules = sorted({each.finding.rule for each in report.findings})
    driver = {
        "name": "cibgit",
        "version": __version__,
        "rules": [
            {
                "id": rule,
                "shortDescription": {"text": rule.replace("-", " ")},
                "fullDescription": {"text": REASONS[rule]},
                "help": {"text": f"{REASONS[rule]} See docs/check.md#{rule}"},
            }
            for rule in rules
        ],
    }
    run = {"tool": {"driver": driver}, "results": [_result(x) for x in report.findings]}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(each: Located) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": each.file}}
    if each.line:
        place["region"] = {"startLine": each.line}
    return {
        "ruleId": each.finding.rule,
        "level": _LEVELS[each.finding.severity],
        "message": {"text": f"{each.finding.sentence}. {each.finding.hint}".strip()},
        "locations": [{"physicalLocation": place}],
    }


def github(report: "Report") -> str:
    """Render workflow commands, which become annotations of a pull request."""
    lines = []
    for each in report.findings:
        one = each.finding
        place = f"file={_property(each.file)}"
        place += f",line={each.line}" if each.line else ""
        message = _data(f"{one.sentence}. {one.hint}".strip())
        title = _property(f"cibgit {one.rule}")
        lines.append(f"::{_COMMANDS[one.severity]} {place},title={title}::{message}")
    return "\n".join([*lines, count(report)])


def junit(report: "Report") -> str:
    """Render JUnit XML: a case for each file, a failure for each finding but notes."""
    failures = sum(x.finding.severity is not Severity.NOTE for x in report.findings)
    files = [*report.files, *(x.file for x in report.findings)]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    names = list(dict.fromkeys(files))
    lines.append(
        f'<testsuite name="cibgit check" tests="{len(names)}" failures="{failures}">'
    )
    for name in names:
        lines.append(f'  <testcase classname="cibgit.check" name="{_xml(name)}">')
        for each in report.findings:
            if each.file == name and each.finding.severity is not Severity.NOTE:
                one = each.finding
                lines.append(
                    f'    <failure type="{_xml(one.rule)}" message="{_xml(one.sentence)}">'
                    f"{_xml(_place(each))}: {_xml(one.hint)}</failure>"
                )
        lines.append("  </testcase>")
    return "\n".join([*lines, "</testsuite>"])


def _place(each: Located) -> str:
    return f"{each.file}:{each.line}" if each.line else each.file


def _data(text: str) -> str:
    """Escape a message as ``@actions/core`` does."""
    return printable(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _xml(text: str) -> str:
    return html.escape(printable(text))
