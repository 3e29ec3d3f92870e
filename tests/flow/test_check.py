"""Checks of files, folders, work trees and commits, in every format."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from lxml import etree

from cibgit.cli.app import run

from .embedded import Embedded

Output = pytest.CaptureFixture[str]

BAD = """\
<cib admin_epoch="0" epoch="0" num_updates="0" validate-with="pacemaker-0.0">
  <configuration>
    <crm_config/>
    <nodes/>
    <resources>
      <primitive id="db" class="systemd" type="db">
        <operations>
          <op id="m" interval="10s" name="monitor" on-fail="ignore"/>
        </operations>
      </primitive>
      <primitive id="fence" class="stonith" type="fence_none">
        <instance_attributes id="p">
          <nvpair id="p-p" name="passwd" value="hunter2, 100%"/>
        </instance_attributes>
        <operations>
          <op id="f" interval="1h" name="monitor"/>
        </operations>
      </primitive>
    </resources>
    <constraints/>
  </configuration>
</cib>
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "bad.xml"
    file.write_text(BAD)
    return file


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no tool of Pacemaker be found."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("cibgit.cluster.commands.SEARCH_PATH", "/nowhere")


def check(capsys: Output, *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run(["check", *arguments])
    return code, capsys.readouterr().out


@pytest.mark.usefixtures("bare")
def test_it_works_without_pacemaker_and_says_what_it_left_out(
    file: Path, capsys: Output
) -> None:
    code, out = check(capsys, str(file), "--json")
    found = json.loads(out)
    assert code == 1
    assert [(each["rule"], each["line"]) for each in found["findings"]] == [
        ("failure-ignored", 8),
        ("secrets", 13),
    ]
    assert set(found["left_out"]) == {
        *("schema", "agents", "agent-parameters", "short-timeout")
    }
    assert "hunter2" not in out


@pytest.mark.usefixtures("bare")
def test_sarif_is_a_log_of_one_run(file: Path, capsys: Output) -> None:
    code, out = check(capsys, str(file), "--format", "sarif")
    log = json.loads(out)
    jsonschema.validate(log, SARIF)
    rules = [rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]]
    results = log["runs"][0]["results"]
    assert code == 1
    assert rules == ["failure-ignored", "secrets"]
    assert [each["ruleId"] for each in results] == rules
    place = results[1]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 13}
    assert "hunter2" not in out


@pytest.mark.usefixtures("bare")
def test_annotations_escape_what_would_end_them(tmp_path: Path, capsys: Output) -> None:
    file = tmp_path / "a,b:c%.xml"
    file.write_text("<cib>\n<x>\n</cib>")
    code, out = check(capsys, file.name, "--format", "github", "-C", str(tmp_path))
    assert code == 1
    assert out.startswith("::error file=a%2Cb%3Ac%25.xml,line=3,title=cibgit parse::")
    assert out.splitlines()[-1] == "1 file: 1 error."


@pytest.mark.usefixtures("bare")
def test_junit_has_a_case_for_each_file(file: Path, capsys: Output) -> None:
    good = file.with_name("good & well.xml")
    good.write_text(BAD.replace("passwd", "user").replace("ignore", "restart"))
    code, out = check(capsys, str(file), str(good), "--format", "junit")
    suite = etree.fromstring(out.encode())
    assert code == 1
    assert suite.get("failures") == "2"
    cases = suite.findall("testcase")
    assert [len(case) for case in cases] == [2, 0]
    assert cases[1].get("name") == str(good)


@pytest.mark.usefixtures("bare")
def test_fix_brings_into_canonical_form_what_can_be_read(
    file: Path, tmp_path: Path, capsys: Output
) -> None:
    file.write_text(
        BAD.replace("passwd", "user").replace("ignore", "restart").replace("  ", " ")
    )
    broken = tmp_path / "broken.xml"
    broken.write_text("<cib")
    code, out = check(capsys, str(file))
    assert code == 1
    assert f"{file}:2: warning: the file is not in canonical form" in out
    code, out = check(capsys, str(tmp_path), "--fix")
    assert code == 1
    assert "bad.xml: brought into canonical form" in out
    assert "broken.xml:1: error: not well-formed XML" in out
    assert broken.read_text() == "<cib"
    assert check(capsys, str(file))[0] == 0


def test_work_tree_and_commits_of_a_repository(tmp_path: Path, capsys: Output) -> None:
    embedded = Embedded.create(tmp_path)
    here = ("-C", str(embedded.root))
    assert run(["check", *here]) == 66
    assert run(["export", *here]) == 0
    first = embedded.git("rev-parse", "HEAD").strip()
    code, out = check(capsys, *here)
    assert code == 1
    assert "[no-monitor]" in out
    config = embedded.root / "cibgit.toml"
    config.write_text(
        config.read_text()
        + "".join(
            f'[[check.ignore]]\nrule = "{rule}"\nreason = "a test"\n'
            for rule in (
                "no-monitor",
                "no-fencing-device",
                "agents",
                "agent-parameters",
            )
        )
    )
    code, out = check(capsys, *here)
    assert code == 0, out
    assert "suppressed." in out
    embedded.edit('rsc="vip"', 'rsc="nothing"')
    code, out = check(capsys, *here)
    assert code == 1
    assert "[references]" in out
    assert "[schema]" not in out  # it says the same, without a line
    assert check(capsys, first, *here)[0] == 0
    embedded.commit()
    code, out = check(capsys, "--since", first, *here)
    assert code == 1
    assert "1 file: 1 error. " in out
    embedded.edit('<primitive id="db"', '<!-- lines move --><primitive id="db"')
    root = embedded.git("rev-list", "--max-parents=0", "HEAD").strip()
    assert check(capsys, "--since", root, *here)[0] == 1  # it has no CIB yet
    assert check(capsys, "--since", "nothing", *here)[0] == 66
    code, out = check(capsys, "--since", "HEAD", *here)
    assert code == 1
    assert "1 file: 1 warning. " in out
    assert "[canonical]" in out
    code, out = check(capsys, "HEAD", *here)
    assert code == 1
    assert "clusters/prod/cib.xml:" in out
    assert check(capsys, "HEAD~9", *here)[0] == 66
    assert check(capsys, "HEAD", "--fix", *here)[0] == 64


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ('rule = "no-such"\nreason = "x"', "there is no rule 'no-such'"),
        ('rule = "agents"', "without a reason"),
        ('rule = "agents"\nreason = "x"\nuntil = "soon"', "until must be a day"),
        ('rule = "agents"\nreason = "x"\nfor = "x"', "unknown option 'for'"),
        ('rule = "agents"\nreason = " "', "must be texts"),
    ],
)
def test_a_suppression_in_the_configuration_is_complete(
    entry: str, told: str, tmp_path: Path, capsys: Output
) -> None:
    (tmp_path / "cibgit.toml").write_text(f"[clusters.a]\n[[check.ignore]]\n{entry}\n")
    assert run(["check", "-C", str(tmp_path)]) == 78
    assert told in capsys.readouterr().err


def test_an_expired_suppression_of_the_configuration_is_told(
    file: Path, capsys: Output
) -> None:
    (file.parent / "cibgit.toml").write_text(
        '[clusters.a]\n[[check.ignore]]\nrule = "secrets"\nreason = "x"\nuntil = 2020-01-01\n'
    )
    code, out = check(capsys, "bad.xml", "-C", str(file.parent))
    assert code == 1
    assert (
        "cibgit.toml: warning: the suppression of secrets ended on 2020-01-01: x" in out
    )
    assert "[secrets]" in out


# the part of SARIF 2.1.0 that is written, as its specification demands it (3.13, 3.27)
SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {"required": ["driver"]},
                    "results": {
                        "type": "array",
                        "items": {
                            "required": ["ruleId", "message", "locations", "level"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                            },
                        },
                    },
                },
            },
        },
    },
}
