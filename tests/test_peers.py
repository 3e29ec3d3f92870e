"""Edits that other tools miss, and the page that shows them side by side."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cibgit.cib.document import parse
from cibgit.compare.change import Kind, Weight
from cibgit.compare.diff import compare

from . import peers

PAGE = (Path(__file__).parents[1] / "docs/what-peers-miss.md").read_text()
TOOLS = ("pcs", "crm", "cibadmin")
EXPECTED = {
    "order of attributes": [],
    "order of pairs": [],
    "order of constraints": [],
    "order of operations": [],
    "order of resources": [(Kind.MOVED, Weight.CONFIGURATION)],
    "a comment": [(Kind.CHANGED, Weight.NONE)],
    "a description": [(Kind.CHANGED, Weight.NONE)],
    "the id of a pair": [(Kind.RENAMED, Weight.NONE)],
    "an empty set": [(Kind.ADDED, Weight.NONE)],
    "`20s` to `20`": [(Kind.CHANGED, Weight.NONE)],
    "a fence password": [(Kind.CHANGED, Weight.CONFIGURATION)],
    "the epoch": [],
}


@pytest.mark.parametrize("edit", peers.EDITS, ids=lambda edit: edit.name)
def test_each_edit_has_its_weight_and_stands_on_the_page(edit: peers.Edit) -> None:
    new = edit.change(peers.BASE)
    assert f"| {edit.name} | {peers.cibgit(peers.BASE, new)} |" in PAGE
    if edit.name in EXPECTED:
        old, after = (parse(text.encode(), "x") for text in (peers.BASE, new))
        found = [(change.kind, change.weight) for change in compare(old, after)]
        assert found == EXPECTED[edit.name]
    else:
        assert peers.cibgit(peers.BASE, new).startswith("refused: ")


def versions() -> str:
    """Return the versions that the other tools' columns depend on."""
    asked = [(tool, "--version") for tool in TOOLS]
    texts = [
        subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        for argv in asked
    ]
    numbers = [m[0] if (m := re.search(r"[0-9][0-9.]*", t)) else "?" for t in texts]
    return "pcs {}, crmsh {} and Pacemaker {}".format(*numbers)


@pytest.mark.pacemaker
@pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)), reason="pcs and crmsh are the others"
)
def test_the_page_shows_what_the_other_tools_print(tmp_path: Path) -> None:
    installed = versions()
    if installed not in PAGE:
        pytest.skip(f"the page was made with other releases than {installed}")
    assert peers.page(list(peers.rows(tmp_path))) in PAGE
