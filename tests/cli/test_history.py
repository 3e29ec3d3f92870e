"""``cibgit import`` as users meet it."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from cibgit.cli.app import run

from ..flow.embedded import Embedded
from ..flow.node import Node, states


@pytest.fixture
def embedded(tmp_path: Path) -> Embedded:
    return Embedded.create(tmp_path)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = Node(tmp_path / "old")
    for data in states(3):
        node.write(data)
    (node.cib / "cib-0.raw").write_bytes(b"")
    return node


Output = pytest.CaptureFixture[str]


def cibgit(embedded: Embedded, *arguments: object) -> int:
    return run(["import", *map(str, arguments), "-C", str(embedded.root)])


def test_what_is_told(embedded: Embedded, node: Node, capsys: Output) -> None:
    assert cibgit(embedded, node.cib) == 0
    first, *findings = capsys.readouterr().out.splitlines()
    head = embedded.git("log", "-1", "--format=%H")[:10]
    branch = embedded.git("branch", "--show-current").strip()
    assert first == (
        f"Imported 2 configurations of prod (0.2.0 to 0.3.0) into {branch} as {head},"
        " from 2 files with a CIB."
    )
    assert findings[0] == f"error: {node.cib}/cib-0.raw is empty"
    assert findings[-1].startswith("Findings: 1 error, ")
    assert cibgit(embedded, node.cib) == 0
    again = capsys.readouterr().out
    assert again.startswith(f"Nothing new for {branch} in 2 files with a CIB.\nerror: ")


def test_a_dry_run_lists(embedded: Embedded, node: Node, capsys: Output) -> None:
    before = embedded.git("for-each-ref")
    assert cibgit(embedded, "--dry-run", node.cib) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[0] == "0.2.0"
    assert lines[1].endswith(f"root via crmsh on node1  {node.cib}/cib.xml")
    assert lines[2].startswith("Would import 2 configurations of prod")
    assert embedded.git("for-each-ref") == before


def test_json(embedded: Embedded, node: Node, capsys: Output) -> None:
    assert cibgit(embedded, "--json", node.cib) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["command"] == "import"
    assert found["commit"] == embedded.git("rev-parse", "HEAD").strip()
    assert [each["version"] for each in found["states"]] == ["0.2.0", "0.3.0"]
    assert found["findings"][0]["rule"] == "unreadable"


@pytest.mark.parametrize("what", ["nothing", "bad", "missing"])
def test_no_cib_at_all_is_66(
    embedded: Embedded, tmp_path: Path, what: str, capsys: Output
) -> None:
    folder = tmp_path / "folder"
    if what != "missing":
        folder.mkdir()
    if what == "bad":
        (folder / "cib.xml").write_text("<cib>")
    assert cibgit(embedded, folder) == 66
    out, err = capsys.readouterr()
    assert ("There is no CIB to import." in out) is (what != "missing")
    assert ("no such file" in err) is (what == "missing")
    assert ("not well-formed" in out) is (what == "bad")


def test_names_cannot_command_the_terminal(
    embedded: Embedded, tmp_path: Path, capsys: Output
) -> None:
    folder = tmp_path / "x\x1b[31m\udcff"
    folder.mkdir()
    (folder / "cib.xml").write_text("<cib>")
    assert cibgit(embedded, folder) == 66
    assert "\x1b" not in capsys.readouterr().out


def test_a_bar_is_shown_on_a_terminal_only(embedded: Embedded, node: Node) -> None:
    command = [sys.executable, "-m", "cibgit", "import", "-n", str(node.cib)]
    command += ["-C", str(embedded.root)]
    done = subprocess.run(command, check=True, capture_output=True)
    assert done.stderr == b""
    primary, secondary = pty.openpty()
    shown = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=secondary,
        env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    assert b"Reading" in os.read(primary, 10_000)
    assert shown.stdout == done.stdout
