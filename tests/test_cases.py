"""Golden cases: one file each below ``tests/cases/<function>/``, no Python needed.

A case is an optional line ``<!-- flags: word word -->``, the input, and after a line
``<!-- output -->`` what is expected; without that line the input must come out
unchanged. More inputs are split by ``<!-- base -->``, ``<!-- ours -->`` and so on. An
input of ``diff/`` may be a section, or a ``<configuration>``, alone. The parts of
``corosync-*/`` are files of Corosync.
"""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

import pytest
from lxml import etree

from cibgit.cib import schema
from cibgit.cib.canonical import canonical, compact, pretty
from cibgit.cib.document import parse, parse_authored
from cibgit.cluster.tools import Tools
from cibgit.compare.apply import apply
from cibgit.compare.diff import compare
from cibgit.compare.markers import marked
from cibgit.compare.merge import merge
from cibgit.config import CheckConfig
from cibgit.corosync.canonical import canonical as canonical_conf
from cibgit.corosync.document import parse as parse_conf
from cibgit.corosync.document import write as write_conf
from cibgit.corosync.meaning import differences, settings
from cibgit.flow.check import Source, check
from cibgit.policy.agent import Agent, Missing, NotAsked, Parameter
from cibgit.policy.finding import Located
from cibgit.policy.lint import REASONS
from cibgit.render.difference import difference

CASES = Path(__file__).with_name("cases")
SPLIT = re.compile(
    r"^<!-- (output|new|base|ours|theirs|live|desired) -->\n", re.MULTILINE
)
FLAGS = re.compile(r"\A<!-- flags: ([\w -]+) -->\n")


@dataclass(frozen=True)
class Case:
    """One case: the words of its flags line and its parts by name."""

    name: str
    flags: frozenset[str]
    parts: dict[str, bytes]

    @property
    def expected(self) -> bytes:
        return self.parts.get("output", self.parts["input"])


def read(path: Path) -> Case:
    text = path.read_text(encoding="utf-8")
    flags = FLAGS.match(text)
    names, texts = ["input"], []
    position = flags.end() if flags else 0
    for found in SPLIT.finditer(text):
        names.append(found[1])
        texts.append(text[position : found.start()])
        position = found.end()
    texts.append(text[position:])
    return Case(
        os.fspath(path.relative_to(CASES)),
        frozenset(flags[1].split()) if flags else frozenset(),
        {name: part.encode() for name, part in zip(names, texts, strict=True)},
    )


def run_canonical(case: Case) -> None:
    """Flags: ``authored`` (the rules for files apply), ``invalid`` (for the schema)."""
    assert case.flags <= {"authored", "invalid"}
    read_input = parse_authored if "authored" in case.flags else parse
    result = canonical(read_input(case.parts["input"], case.name))
    assert pretty(result).decode() == case.expected.decode()
    assert pretty(canonical(parse(case.expected, case.name))) == case.expected
    if schema.is_installed(result.schema):
        valid = not schema.validate(result)
        assert valid == ("invalid" not in case.flags)


def run_diff(case: Case) -> None:
    """Flags: ``all`` (what has no meaning is shown too)."""
    assert case.flags <= {"all"}
    old, new = (parse(whole(case.parts[name]), name) for name in ("input", "new"))
    changes = compare(old, new)
    everything = "all" in case.flags
    said = difference(changes, ("old", "new"), everything=everything)
    assert said.removeprefix("--- old\n+++ new\n\n") + "\n" == case.expected.decode()
    assert compact(apply(changes, old)) == compact(canonical(new))


def whole(part: bytes) -> bytes:
    """Return a CIB of what may be only a section."""
    if part.startswith(b"<cib"):
        return part
    inside = (
        part
        if part.startswith(b"<configuration")
        else b"<configuration>%s</configuration>" % part
    )
    return b"<cib>%s</cib>" % inside


def run_merge(case: Case) -> None:
    """Flags: the reasons of the conflicts."""
    versions = (parse(case.parts[name], name) for name in ("input", "ours", "theirs"))
    result = merge(*versions)
    assert {conflict.reason.value for conflict in result.conflicts} == case.flags
    assert marked(result).decode() == case.expected.decode()


class Known(Tools):
    """Metadata that does not depend on what this machine has installed."""

    AGENTS: ClassVar[dict[str, Agent | Missing | NotAsked]] = {
        "ocf:heartbeat:IPaddr2": Agent(
            "ocf:heartbeat:IPaddr2",
            {"ip": Parameter("ip", is_required=True)},
            {"monitor": 20_000},
        ),
        "ocf:heartbeat:pgsql": Agent(
            "ocf:heartbeat:pgsql",
            timeouts={"start": 120_000, "stop": 120_000, "monitor": 30_000},
        ),
        "ocf:heartbeat:IPadr2": Missing(("ocf:heartbeat:IPaddr2",)),
    }

    def __init__(self) -> None:
        super().__init__({})

    def agents(self, names: Iterable[str]) -> dict[str, Agent | Missing | NotAsked]:
        return {name: self.AGENTS.get(name, NotAsked("no Pacemaker")) for name in names}


TODAY = date(2026, 7, 1)


def run_check(case: Case) -> None:
    """Flags: the rules that find something; nothing is found in the part ``new``.

    Of a section alone form, schema and sections are not judged. The output has line,
    rule and sentence of each finding.
    """
    if "schema" in case.flags and not schema.is_installed("pacemaker-3.0"):
        pytest.skip("needs Pacemaker's schemas")
    found = findings(case.parts["input"])
    assert {each.finding.rule for each in found} == case.flags
    said = [
        f"{each.line} {each.finding.rule}: {each.finding.sentence}" for each in found
    ]
    assert "\n".join(said) + "\n" == case.expected.decode()
    assert findings(case.parts["new"]) == []


def run_corosync_canonical(case: Case) -> None:
    """The canonical form says what the file said, and is its own canonical form."""
    conf = parse_conf(case.parts["input"], case.name)
    form = canonical_conf(conf)
    assert write_conf(form).decode() == case.expected.decode()
    assert settings(form) == settings(conf)
    again = canonical_conf(parse_conf(case.expected, case.name))
    assert write_conf(again) == case.expected


def run_corosync_diff(case: Case) -> None:
    """What leads from the first file to the part ``new``."""
    parts = (parse_conf(case.parts[name], name) for name in ("input", "new"))
    found = differences(*map(settings, parts))
    said = "".join(f"{each.kind} {each.sentence}\n" for each in found)
    assert said == case.expected.decode()


def run_corosync_check(case: Case) -> None:
    """Flags: the rules that find something; nothing is found in the part ``new``."""
    found = conf_findings(case.parts["input"])
    assert {each.finding.rule for each in found} == case.flags
    said = [
        f"{each.line} {each.finding.rule}: {each.finding.sentence}" for each in found
    ]
    assert "\n".join(said) + "\n" == case.expected.decode()
    assert conf_findings(case.parts["new"]) == []


def conf_findings(data: bytes) -> list[Located]:
    source = Source("corosync.conf", data)
    return check([source], CheckConfig(), Known(), TODAY).findings


def findings(part: bytes) -> list[Located]:
    data = whole(part)
    report = check([Source("cib.xml", data)], CheckConfig(), Known(), TODAY)
    of_files = ("canonical", "schema", "sections") if data != part else ()
    return [each for each in report.findings if each.finding.rule not in of_files]


def test_every_rule_of_check_has_a_case_and_a_section() -> None:
    paths = [*CASES.glob("check/*.xml"), *CASES.glob("corosync-check/*.conf")]
    cases = {flag for path in paths for flag in read(path).flags}
    page = (CASES.parents[1] / "docs/check.md").read_text()
    assert cases == set(REASONS)
    assert set(re.findall(r"^### ([a-z0-9-]+)$", page, re.M)) == set(REASONS)
    told = " ".join(page.split())
    assert [name for name, reason in REASONS.items() if reason not in told] == []


RUNNERS: dict[str, Callable[[Case], None]] = {
    "canonical": run_canonical,
    "check": run_check,
    "corosync-canonical": run_corosync_canonical,
    "corosync-check": run_corosync_check,
    "corosync-diff": run_corosync_diff,
    "diff": run_diff,
    "merge": run_merge,
}
FILES = sorted(path for path in CASES.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "path", FILES, ids=lambda path: os.fspath(path.relative_to(CASES))
)
def test_case(path: Path) -> None:
    RUNNERS[path.relative_to(CASES).parts[0]](read(path))


def test_every_case_is_one_document_each_part() -> None:
    assert FILES
    for path in FILES:
        if path.suffix == ".conf":
            continue
        case = read(path)
        for name, part in case.parts.items():
            if name == "output" and path.parent.name in ("check", "diff", "merge"):
                continue  # text, or a file with conflict markers
            etree.fromstring(part)
