"""Markdown for a forge: it fits, it holds, it tells no secret."""

import re
from pathlib import Path

import pytest

from cibgit.cib.document import parse
from cibgit.cli.app import run
from cibgit.compare.diff import compare
from cibgit.flow.export import export
from cibgit.render.markdown import LIMIT, difference
from tests import generate

from ..flow.embedded import Embedded

Output = pytest.CaptureFixture[str]


@pytest.mark.parametrize("limit", [LIMIT, 9000])
def test_a_large_change_fits_and_says_how_much_was_cut(limit: int) -> None:
    old = parse(generate.cib(5, 1), "old")
    new = parse(generate.cib(900, 2), "new")
    changes = compare(old, new)
    shown = difference(changes, ("old", "new"), limit)
    assert limit // 2 < len(shown) <= limit
    cut = re.search(r"\((\d+) of (\d+) lines cut\)", shown)
    assert cut
    kept = re.search(r"```text\n(.*)\n```", shown, re.DOTALL)
    assert kept
    assert int(cut[2]) - int(cut[1]) == len(kept[1].split("\n"))
    assert re.search(r"\| … \d+ more \|", shown)


def test_what_users_wrote_ends_no_table_and_no_block() -> None:
    nasty = "x | y`` @all &lt;script> [a](b)"
    text = "<cib><configuration><resources>%s</resources></configuration></cib>"
    added = f'<primitive id="p" class="systemd" type="{nasty}"/>'
    note = f'<nvpair id="n" name="note" value="```&#10;@all {nasty}"/>'
    sets = f'<cluster_property_set id="c">{note}</cluster_property_set>'
    sets = f"<crm_config>{sets}</crm_config>"
    new = (text % added).replace("<resources>", f"{sets}<resources>")
    changes = compare(parse((text % "").encode(), "a"), parse(new.encode(), "b"))
    shown = difference(changes, ("old|side", "new`@all"))
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?\n\1$", "", shown)
    assert "@all" not in outside
    assert "<script" not in outside
    assert all(row.count("|") == 4 for row in outside.splitlines() if row[:1] == "|")
    assert shown.count("<details>") == shown.count("</details>") == 1


def test_plan_shows_findings_effects_and_drift_in_markdown(
    tmp_path: Path, capsys: Output
) -> None:
    embedded = Embedded.create(tmp_path)
    export(embedded.site())
    embedded.edit(
        '<primitive id="db" ',
        '<primitive class="stonith" id="f" type="fence_x"><instance_attributes id="fa">'
        '<nvpair id="fp" name="password" value="hunter2"/></instance_attributes></primitive>'
        '<primitive id="db" ',
    )
    off = '<nvpair id="off" name="stonith-enabled" value="no"/>'
    embedded.edit('<nvpair id="o-cluster-name"', f'{off}<nvpair id="o-cluster-name"')
    arguments = ["plan", "--format", "markdown", "-C", str(embedded.root)]
    assert run(arguments) == 107
    out = capsys.readouterr().out
    assert out.startswith("### cibgit plan: <code>prod</code>")
    assert "- **refused**, rule `guard-fencing`: " in out
    assert "Configuration digest after the push: `" in out
    assert "hunter2" not in out

    embedded.change_live("loc@score", "5")
    assert run(arguments) == 103
    out = capsys.readouterr().out
    assert out.startswith("### cibgit plan: live moved")
    assert "**Nothing can be pushed.**" in out
    assert "hunter2" not in out
