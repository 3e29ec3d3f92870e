"""A diff without options starts without Typer, and answers the same."""

import subprocess
import sys
from pathlib import Path

import pytest

from cibgit.cli import direct
from cibgit.exitcodes import ExitCode

CIB = "<cib><configuration><resources>{}</resources></configuration></cib>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a").write_text(CIB.format(""))
    (tmp_path / "b").write_text(CIB.format('<primitive id="p"/>'))
    (tmp_path / "broken").write_text("<cib>")
    return tmp_path


def cibgit(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "cibgit", *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("sides", "code"),
    [
        (["a", "a"], ExitCode.OK),
        (["a", "b"], ExitCode.DIFFERS),
        (["a", "broken"], ExitCode.BAD_DATA),
        (["a", "none"], ExitCode.NO_INPUT),
        (["a"], ExitCode.NO_INPUT),
        ([], ExitCode.NO_INPUT),
        (["", "a"], ExitCode.NO_INPUT),
        (["a", "a", "a"], ExitCode.USAGE),
    ],
)
def test_with_and_without_typer(folder: Path, sides: list[str], code: int) -> None:
    directly = cibgit(folder, "diff", *sides)
    assert directly == cibgit(folder, "diff", "-C", ".", *sides)
    assert directly[0] == code


@pytest.mark.parametrize(
    "line",
    [[], ["--help"], ["status"], ["diff", "--json", "a", "b"], ["diff", "-", "a"]],
)
def test_whatever_else_is_typers(line: list[str]) -> None:
    assert direct.run(line) is None


def test_a_reader_that_had_enough_is_no_error(folder: Path) -> None:
    many = "".join(f'<primitive id="p{number}"/>' for number in range(5000))
    (folder / "many").write_text(CIB.format(many))
    command = (
        f"{sys.executable} -m cibgit diff a many | head -1; exit ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "--- a\n", "")
