"""The documentation says what the program does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cibgit.cli.app import app
from cibgit.exitcodes import ExitCode

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
COMMANDS = [
    command.callback.__name__.replace("_", "-")
    for command in app.registered_commands
    if command.callback
]


def help_of(command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cibgit", command, "--help"],
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
    assert f"`cibgit {command}" in (ROOT / "README.md").read_text()


def test_every_exit_code_is_explained() -> None:
    page = (ROOT / "docs/exit-codes.md").read_text()
    for code in ExitCode:
        assert f"| {int(code)} | {code.name} |" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_tells_to_type_exists(page: Path) -> None:
    lines = re.findall(
        r"(?:^\$ |^    |`)cibgit ([a-z-]+)([^`\n#|]*)", page.read_text(), re.M
    )
    for command, rest in lines:
        assert command in COMMANDS, command
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
