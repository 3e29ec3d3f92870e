"""What ``init`` lays down: valid workflows, whose steps do what they say.

The steps are run as a forge runs them, by ``bash -e``. The forge itself is not there: in
its place ``gh`` and ``curl`` are scripts that write down what they are asked.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cibgit import config
from cibgit.cli.app import run
from cibgit.flow.init import FORGES, TEAM

from .flow.embedded import CIB, Embedded

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "repo-template"

GH = """\
#!/bin/bash
echo "gh $*" >> "$FORGE/asked"
for word in "$@"; do
  case $word in
    body=@*) cp "${word#body=@}" "$FORGE/body" ;;
    *.md) cp "$word" "$FORGE/body" ;;
  esac
done
case "$*" in
  *--paginate*) cat "$FORGE/comment" ;;
  "issue list"*) cat "$FORGE/issue" ;;
esac
"""
CURL = """\
#!/bin/bash
cat > "$FORGE/header"
echo "curl $*" >> "$FORGE/asked"
for word in "$@"; do
  case $word in body@*|description@*) cp "${word#*@}" "$FORGE/body" ;; esac
done
case "$*" in
  *--request*) ;;
  *notes*) cat "$FORGE/notes" ;;
  *) cat "$FORGE/issues" ;;
esac
"""


@dataclass
class Runner:
    """A checkout with an origin, its cluster, and a forge that writes down."""

    embedded: Embedded
    forge: Path
    environment: dict[str, str]

    def steps(self, workflow: str, job: str, **env: str) -> tuple[int, str]:
        """Run the ``run:`` steps of a job; stop at the first that fails."""
        data = yaml.safe_load((self.embedded.root / workflow).read_text())
        output = self.forge / "output"
        said = ""
        for step in data["jobs"][job]["steps"]:
            if "run" not in step:
                assert step["uses"].startswith("actions/checkout@")
                continue
            output.touch()
            known = dict(
                line.split("=") for line in output.read_text().splitlines() if line
            )
            own = {
                name: re.sub(
                    r"\$\{\{ (?:steps\.plan\.outputs\.(\w+)|[\w.]+) \}\}",
                    lambda found, known=known: known[found[1]] if found[1] else "7",
                    value,
                )
                for name, value in step.get("env", {}).items()
            }
            code, out = self.shell(step["run"], GITHUB_OUTPUT=str(output), **own, **env)
            said += out
            if code:
                return code, said
        return 0, said

    def script(self, job: str, **env: str) -> tuple[int, str]:
        """Run the script of a job of GitLab."""
        data = yaml.safe_load((self.embedded.root / ".gitlab-ci.yml").read_text())
        return self.shell("\n".join(data[job]["script"]), **env)

    def shell(self, text: str, **env: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-e", "-c", text],
            cwd=self.embedded.root,
            env={**self.environment, **env},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def asked(self) -> str:
        file = self.forge / "asked"
        text = file.read_text() if file.exists() else ""
        file.write_text("")
        return text

    def put(self, name: str, text: str) -> None:
        (self.forge / name).write_text(text)

    @property
    def body(self) -> str:
        return (self.forge / "body").read_text()


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    from cibgit.cluster.directory import Directory

    programs, forge = tmp_path / "bin", tmp_path / "forge"
    programs.mkdir()
    forge.mkdir()
    package = f'PYTHONPATH={ROOT} exec {sys.executable} -m cibgit "$@"\n'
    for name, text in (("cibgit", f"#!/bin/sh\n{package}"), ("gh", GH), ("curl", CURL)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    embedded = Embedded(tmp_path / "node", tmp_path / "repo")
    Directory.create(embedded.node, CIB.encode())
    words = ["init", str(embedded.root), "--cluster", "prod"]
    assert run([*words, "--at", f"dir:{embedded.node}", "--from-live"]) == 0
    embedded.git("branch", "-M", "main")
    bare = tmp_path / "origin.git"
    embedded.git("clone", "-q", "--bare", str(embedded.root), str(bare))
    embedded.git("remote", "add", "origin", str(bare))
    for name in ("comment", "issue"):
        (forge / name).touch()
    for name in ("notes", "issues"):
        (forge / name).write_text("[]")
    path = f"{programs}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "FORGE": str(forge)}
    environment |= {"GITHUB_REPOSITORY": "our/clusters", "CIBGIT_TOKEN": "glpat-secret"}
    environment |= {"CI_API_V4_URL": "https://forge/api/v4", "CI_PROJECT_ID": "5"}
    environment |= {"CI_MERGE_REQUEST_IID": "9", "CI_DEFAULT_BRANCH": "main"}
    environment |= {"GITHUB_BASE_REF": "main"}
    environment |= {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    return Runner(embedded, forge, environment)


CHECK, PUSH, DRIFT = FORGES["github"]


def test_the_example_of_check_in_the_configuration_is_read(tmp_path: Path) -> None:
    lines = (TEMPLATE / "cibgit.toml").read_text().partition("# [check]\n")[2]
    example = "[check]\n" + re.sub(r"(?m)^# ?", "", lines.partition("# What a push")[0])
    found = config.loads(f"[clusters.a]\n{example}".encode(), tmp_path).check
    assert found.pacemaker == "2.1.5"
    assert [each.rule for each in found.ignore] == ["fencing-off"]
    assert found.ignore[0].until is not None


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", FORGES["github"]),
        ("vendor.gitlab-ci", FORGES["gitlab"]),
    ],
)
def test_the_workflows_are_valid(schema: str, files: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema,
         *(TEMPLATE / name for name in files)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_every_file_of_the_template_is_laid_down_once(runner: Runner) -> None:
    files = {
        str(file.relative_to(TEMPLATE))
        for file in TEMPLATE.rglob("*")
        if file.is_file()
    }
    forges = {name for names in FORGES.values() for name in names}
    assert files == {"cibgit.toml", ".gitattributes", *TEAM, *forges}
    tracked = set(runner.embedded.git("ls-files").split("\n")) - {""}
    assert tracked == files | {"clusters/prod/cib.xml"}
    assert runner.embedded.git("status", "--porcelain") == ""
    # what is there is somebody's own, also when it is gone
    readme = runner.embedded.root / "README.md"
    readme.write_text("ours")
    (runner.embedded.root / ".gitlab-ci.yml").unlink()
    words = ["init", str(runner.embedded.root), "--cluster", "test"]
    assert run([*words, "--at", f"dir:{runner.embedded.node}"]) == 0
    assert readme.read_text() == "ours"
    assert not (runner.embedded.root / ".gitlab-ci.yml").exists()


def test_init_lays_nothing_down_where_nobody_answers(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    words = ["init", str(root), "--cluster", "prod", "--from-live"]
    assert run([*words, "--at", f"dir:{tmp_path}/nothing"]) >= 64
    assert not root.exists()


def test_what_is_there_before_init_stays(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    readme = tmp_path / "repo/README.md"
    readme.write_text("ours")
    words = ["init", str(tmp_path / "repo"), "--at", f"dir:{tmp_path}", "--forge"]
    assert run([*words, "gitlab"]) == 0
    assert readme.read_text() == "ours"
    assert not (tmp_path / "repo/.github").exists()
    assert (tmp_path / "repo/.gitlab-ci.yml").exists()


def test_a_pull_request_is_checked_and_planned_in_one_comment(runner: Runner) -> None:
    runner.embedded.git("fetch", "-q", "origin")
    runner.embedded.edit('interval="30s"', 'interval="10s"')
    runner.embedded.commit()
    code, out = runner.steps(CHECK, "check")
    assert code == 0, out
    assert " were there before." in out  # the embedded cluster has no fencing device
    code, out = runner.steps(CHECK, "plan")
    assert code == 0, out
    assert "--method POST" in runner.asked()
    assert runner.body.startswith("<!-- cibgit plan -->\n### cibgit plan:")
    assert "30s -&gt; 10s" in runner.body or "30s -> 10s" in runner.body

    runner.put("comment", "4711\n")
    assert runner.steps(CHECK, "plan")[0] == 0
    asked = runner.asked()
    assert "--method PATCH" in asked
    assert "issues/comments/4711" in asked

    off = '<nvpair id="off" name="stonith-enabled" value="no"/>'
    runner.embedded.edit(
        '<nvpair id="o-cluster-name"', f'{off}<nvpair id="o-cluster-name"'
    )
    runner.embedded.commit()
    code, out = runner.steps(CHECK, "check")
    assert code == 1
    assert "::warning file=clusters/prod/cib.xml,line=" in out
    assert "fencing is off" in out
    code, out = runner.steps(CHECK, "plan")
    assert code == 107
    assert "guard-fencing" in out
    assert "**refused**" in runner.body


def test_what_is_merged_is_pushed(runner: Runner) -> None:
    runner.embedded.edit('interval="30s"', 'interval="10s"')
    runner.embedded.commit()
    code, out = runner.steps(PUSH, "push")
    assert code == 0, out
    assert 'interval="10s"' in runner.embedded.live_text()


def test_drift_opens_keeps_and_closes_one_issue(runner: Runner) -> None:
    assert runner.steps(DRIFT, "drift")[0] == 0
    assert "issue create" not in runner.asked()
    runner.embedded.change_live("loc@score", "5")
    assert runner.steps(DRIFT, "drift")[0] == 0
    assert "issue create" in runner.asked()
    assert "100 -> 5" in runner.body
    runner.put("issue", "12")
    assert runner.steps(DRIFT, "drift")[0] == 0
    assert "issue edit 12" in runner.asked()
    assert run(["export", "-C", str(runner.embedded.root)]) == 0
    assert runner.steps(DRIFT, "drift")[0] == 0
    assert "issue close 12" in runner.asked()


def test_a_merge_request_of_gitlab(runner: Runner) -> None:
    runner.embedded.edit('interval="30s"', 'interval="10s"')
    runner.embedded.commit()
    code, out = runner.script("plan")
    assert code == 0, out
    asked = runner.asked()
    assert "--request POST" in asked
    assert "merge_requests/9/notes" in asked
    # the token is in no argument, which everybody on the machine could see
    assert "glpat" not in asked
    assert (
        runner.forge / "header"
    ).read_text() == 'header = "PRIVATE-TOKEN: glpat-secret"\n'
    notes = [{"id": 3, "body": "hi"}, {"id": 4, "body": "<!-- cibgit plan -->\nold"}]
    runner.put("notes", json.dumps(notes))
    assert runner.script("plan")[0] == 0
    assert "notes/4" in runner.asked()

    runner.embedded.git("push", "-q", "origin", "main")
    code, out = runner.script("push")
    assert code == 0, out
    assert 'interval="10s"' in runner.embedded.live_text()

    runner.embedded.change_live("loc@score", "5")
    assert runner.script("drift")[0] == 0
    assert "--request POST" in runner.asked()
    runner.put("issues", json.dumps([{"iid": 2}]))
    assert runner.script("drift")[0] == 0
    assert "--request PUT" in runner.asked()
    off = '<nvpair id="off" name="stonith-enabled" value="no"/>'
    runner.embedded.edit(
        '<nvpair id="o-cluster-name"', f'{off}<nvpair id="o-cluster-name"'
    )
    code, out = runner.script("check")
    assert code == 1
    assert "fencing is off" in out
    assert "<testsuite" in (runner.embedded.root / "check.xml").read_text()


def test_the_hooks_of_pre_commit_are_those_of_the_template() -> None:
    ours: list[Any] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    theirs = yaml.safe_load((TEMPLATE / ".pre-commit-config.yaml").read_text())
    shared = {each["id"]: (each["entry"], each["files"]) for each in ours}
    local = {
        each["id"]: (each["entry"], each["files"])
        for each in theirs["repos"][0]["hooks"]
    }
    assert shared == local
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
