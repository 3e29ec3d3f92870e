"""Golden cases: one file each below ``tests/cases/<function>/``, no Python needed.

A case is an optional line ``<!-- flags: word word -->``, the input, and after a line
``<!-- output -->`` what is expected; without that line the input must come out
unchanged. More inputs are split by ``<!-- base -->``, ``<!-- ours -->`` and so on.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree

from cibgit.cib import schema
from cibgit.cib.canonical import canonical, pretty
from cibgit.cib.document import parse, parse_authored
from cibgit.compare.markers import marked
from cibgit.compare.merge import merge

CASES = Path(__file__).with_name("cases")
SPLIT = re.compile(r"^<!-- (output|base|ours|theirs|live|desired) -->\n", re.MULTILINE)
FLAGS = re.compile(r"\A<!-- flags: ([\w ]+) -->\n")


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


def run_merge(case: Case) -> None:
    """Flags: the reasons of the conflicts."""
    versions = (parse(case.parts[name], name) for name in ("input", "ours", "theirs"))
    result = merge(*versions)
    assert {conflict.reason.value for conflict in result.conflicts} == case.flags
    assert marked(result).decode() == case.expected.decode()


RUNNERS: dict[str, Callable[[Case], None]] = {
    "canonical": run_canonical,
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
        for name, part in read(path).parts.items():
            if name == "output" and b"\n<<<<<<< ours\n" in part:
                continue  # conflicts stand between markers
            etree.fromstring(part)
