"""Start-up counts: what the hot commands must not import."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "git",
    "xmldiff",
    "pyrage",
    "rich",
    "pydantic",
    "asyncio",
    "importlib.metadata",
    "logging.config",
}

# what reading and comparing two files needs no part of
LIGHT = {
    "cibgit.cluster",
    "cibgit.config",
    "hashlib",
    "http.client",
    "socket",
    "subprocess",
    "tempfile",
    "tomllib",
    "urllib.request",
}

HOT = {
    "version": (["--version"], HEAVY | {"typer", "lxml", "subprocess", "json"}),
    "help": (["--help"], HEAVY | {"lxml", "json", "cibgit.flow", "cibgit.cib"}),
    "diff": (
        ["diff", "{a}", "{b}"],
        HEAVY | LIGHT | {"typer", "json", "cibgit.providers", "cibgit.age"},
    ),
    "diff --json": (["diff", "--json", "{a}", "{b}"], HEAVY | {"cibgit.cluster"}),
    "digest": (["digest", "{a}"], HEAVY),
    "fmt": (["fmt", "--check", "{a}"], HEAVY),
}


# Two that differ: what tells the difference is imported too.
CIB = (
    "<cib><configuration><resources>"
    '<primitive id="vip" class="ocf" type="T" description="{}"/>'
    "</resources></configuration></cib>"
)


def imported(arguments: list[str]) -> set[str]:
    code = (
        f"import sys; sys.argv[1:] = {arguments!r}\n"
        "from cibgit.__main__ import main\n"
        "from cibgit.cli import ending\n"
        "ending.os._exit = lambda code: None\n"
        "main()\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(done.stderr.splitlines())


@pytest.mark.parametrize("command", HOT)
def test_hot_commands_import_little(command: str, tmp_path: Path) -> None:
    files = {}
    for name in ("a", "b"):
        files[name] = tmp_path / f"{name}.xml"
        files[name].write_text(CIB.format(name))
    arguments, banned = HOT[command]
    found = imported([argument.format(**files) for argument in arguments])
    assert sorted(banned & found) == []
