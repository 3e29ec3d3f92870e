"""``diff --format``: each form, its exit code, and what excludes what."""

import json
from pathlib import Path

import pytest

from cibgit.cib import patchset
from cibgit.cib.canonical import pretty
from cibgit.cli.app import run
from cibgit.cli.options import DiffFormat

from ..render.recipes import base, edited, value

Output = pytest.CaptureFixture[str]


@pytest.fixture
def sides(tmp_path: Path) -> list[str]:
    old, new = tmp_path / "old.xml", tmp_path / "new.xml"
    old.write_bytes(pretty(base()))
    new.write_bytes(pretty(edited(value("vip-ip", "10.0.0.9"))))
    return [str(old), str(new)]


@pytest.mark.parametrize("form", [form.value for form in DiffFormat])
def test_the_exit_code_is_that_of_diff(
    form: str, sides: list[str], capsys: Output
) -> None:
    assert run(["diff", "--format", form, *sides]) == 1
    assert "10.0.0.9" in capsys.readouterr().out
    assert run(["diff", "--format", form, sides[0], sides[0]]) == 0


@pytest.mark.parametrize("form", ["patch", "pcs", "crmsh"])
def test_nothing_to_do_prints_nothing(
    form: str, sides: list[str], capsys: Output
) -> None:
    run(["diff", "--format", form, sides[0], sides[0]])
    assert capsys.readouterr().out == ""


def test_a_patch_is_a_patchset(sides: list[str], capsysbinary: Output) -> None:
    run(["diff", "--format=patch", *sides])
    found = patchset.parse(capsysbinary.readouterr().out)  # type: ignore[arg-type]
    assert str(found.source) == "0.5.0"
    assert found.digest


def test_json_is_json_either_way(sides: list[str], capsys: Output) -> None:
    run(["diff", "--json", *sides])
    short = capsys.readouterr().out
    run(["diff", "--format", "json", *sides])
    assert capsys.readouterr().out == short
    assert json.loads(short)["changes"]


@pytest.mark.parametrize("words", [["--format", "json"], ["--format=json"]])
def test_an_error_is_json_where_the_answer_would_be(
    words: list[str], capsys: Output
) -> None:
    assert run(["diff", *words, "no", "where"]) == 66
    assert json.loads(capsys.readouterr().out)["code"] == 66


def test_two_formats_at_once_are_refused(sides: list[str], capsys: Output) -> None:
    assert run(["diff", "--json", "--format", "pcs", *sides]) == 64
    assert run(["diff", "--format", "yaml", *sides]) == 64
    assert (
        "'text', 'json', 'markdown', 'patch', 'pcs', 'crmsh'" in capsys.readouterr().err
    )
