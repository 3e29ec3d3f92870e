"""The documentation says what the program does."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cibgit.cli.app import app
from cibgit.compare.weights import RULES
from cibgit.exitcodes import ExitCode

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


def names(group: Any, before: str = "") -> Iterator[str]:
    """Yield what to type for each command, those of groups included."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from names(command, f"{before}{name} ")
        else:
            yield f"{before}{name}"


COMMANDS = list(names(typer.main.get_command(app)))


def help_of(command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cibgit", *command.split(), "--help"],
        env={"COLUMNS": "88", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_of_commands_shows_their_help(command: str) -> None:
    page = (ROOT / "docs/commands.md").read_text()
    assert f"## {command}\n\n```text\n{help_of(command)}\n```" in page
    top = command.partition(" ")[0]
    assert f"`cibgit {top}" in (ROOT / "README.md").read_text()


def test_every_weight_is_explained() -> None:
    page = (ROOT / "docs/diff.md").read_text()
    for weight, rules in RULES:
        for rule in rules:
            told = (rule.__doc__ or "").replace("``", "`")
            assert f"| {weight.name.lower()} | {told} |" in page


def test_the_example_of_a_diff_is_a_golden_case() -> None:
    page = (ROOT / "docs/diff.md").read_text()
    case = (ROOT / "tests/cases/diff/a-bad-night.xml").read_text()
    assert case.partition("<!-- output -->\n")[2] in page


def test_every_exit_code_is_explained() -> None:
    page = (ROOT / "docs/exit-codes.md").read_text()
    for code in ExitCode:
        assert f"| {int(code)} | {code.name} |" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_tells_to_type_exists(page: Path) -> None:
    lines = re.findall(
        r"(?:^\$ |^    |`)cibgit ([a-z][^`\n#|]*)", page.read_text(), re.M
    )
    for line in lines:
        words = line.split()
        command = next(
            (c for c in (" ".join(words[:2]), words[0]) if c in COMMANDS), None
        )
        assert command, line
        rest = line.removeprefix(command or "")
        known = help_of(command)
        for option in re.findall(r"(?<!\S)\[?(--?[a-zA-Z-]+)", rest):
            assert re.search(rf"(?<!\S){option}\b", known), (command, option)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in PAGES:
        named = set(
            re.findall(r"(?:^\$ |^    |`)make ([a-z]+)", page.read_text(), re.M)
        )
        assert named <= targets, page
