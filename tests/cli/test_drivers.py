"""Git itself, with the drivers: real repositories, real merges."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cibgit.cib.canonical import canonical, pretty
from cibgit.cib.document import parse
from cibgit.cli import drivers
from cibgit.flow.git import Machine, install, status, uninstall

from ..test_cases import CASES, read

NAME = "clusters/prod/cib.xml"
NOWHERE = Machine(None, Path("/nonexistent/attributes"))
CLEAN = sorted((CASES / "merge").glob("[!c]*.xml"))
CONFLICTS = sorted((CASES / "merge").glob("conflict-*.xml"))


class Repo:
    """A repository with two branches that changed one CIB, each in its own way."""

    def __init__(self, root: Path, programs: Path) -> None:
        self.root = root
        self.file = root / NAME
        self.env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        self.git("init", "--quiet", "--initial-branch=main")
        install(root, NOWHERE)

    def fill(self, case: Path) -> "Repo":
        found = read(case)
        self.commit(found.parts["input"], "base")
        self.git("switch", "--quiet", "-c", "topic")
        self.commit(found.parts["theirs"], "theirs")
        self.git("switch", "--quiet", "main")
        self.commit(found.parts["ours"], "ours")
        self.expected = found.expected
        return self

    def commit(self, data: bytes, subject: str) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(data)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", subject)

    def git(self, *arguments: str, ok: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=self.env, capture_output=True,
            text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode in ok, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with a cibgit in it that runs this source tree."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "cibgit"
    root = Path(__file__).parents[2]
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH="{root}" exec "{sys.executable}" -m cibgit "$@"\n'
    )
    script.chmod(0o755)
    return folder


@pytest.fixture
def repo(tmp_path: Path, programs: Path) -> Iterator[Repo]:
    return Repo(make(tmp_path / "repo"), programs)


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize("case", CLEAN, ids=lambda case: case.stem)
def test_branches_that_fit_are_merged(case: Path, repo: Repo) -> None:
    repo.fill(case).git("merge", "--quiet", "topic")
    assert repo.file.read_bytes() == repo.expected


@pytest.mark.parametrize("case", CONFLICTS, ids=lambda case: case.stem)
def test_conflicts_are_left_to_people(case: Path, repo: Repo) -> None:
    said = repo.fill(case).git("merge", "--quiet", "topic", ok=(1,))
    assert "conflict (" in said
    assert repo.file.read_bytes() == repo.expected
    assert repo.git("status", "--porcelain").startswith("UU")


def test_rebase_cherry_pick_revert_and_stash(repo: Repo) -> None:
    repo.fill(CASES / "merge/neighbouring-parameters.xml")
    repo.git("cherry-pick", "topic")
    assert repo.file.read_bytes() == repo.expected
    repo.git("revert", "--no-edit", "HEAD~1")
    assert b"192.0.2.10" in repo.file.read_bytes()
    assert b"bond0" in repo.file.read_bytes()
    repo.git("reset", "--quiet", "--hard", "HEAD~2")
    repo.git("rebase", "--quiet", "topic")
    assert repo.file.read_bytes() == repo.expected
    repo.git("switch", "--quiet", "--detach", "topic~1")
    repo.file.write_bytes(repo.file.read_bytes().replace(b"192.0.2.10", b"192.0.2.20"))
    repo.git("stash")
    repo.git("switch", "--quiet", "topic")
    repo.git("stash", "pop")
    assert repo.file.read_bytes() == repo.expected


def test_git_shows_changes_in_words(repo: Repo) -> None:
    repo.fill(CASES / "merge/neighbouring-parameters.xml")
    shown = repo.git("diff", "topic", "main")
    assert f"--- a/{NAME}\n+++ b/{NAME}\n" in shown
    assert "params.ip: 192.0.2.10 -> 192.0.2.20" in shown
    logged = repo.git("log", "-p", "-U0", "-1", "--format=%s")
    assert "-      params.ip = 192.0.2.10\n+      params.ip = 192.0.2.20\n" in logged
    assert "@@ resource web\n" in logged
    added = repo.git("show", "--ext-diff", "--format=", "main~1")
    assert "added: ocf:heartbeat:pgsql" in added


def test_mergetool_opens_an_editor_on_what_is_left(repo: Repo) -> None:
    repo.fill(CASES / "merge/conflict-one-value-twice.xml")
    repo.git("merge", "--quiet", "topic", ok=(1,))
    mergetool = ("mergetool", "--tool=cibgit", "--no-prompt", NAME)
    repo.env["GIT_EDITOR"] = "true"
    assert "merge of" in repo.git(*mergetool, ok=(1,))
    assert repo.git("status", "--porcelain").startswith("UU")
    repo.env["GIT_EDITOR"] = "sed -i -e '/^=======/,/^>>>>>>>/d' -e '/^<<<<<<</d'"
    repo.git(*mergetool)
    assert (
        repo.file.read_bytes()
        == read(CASES / "merge/conflict-one-value-twice.xml").parts["ours"]
    )
    assert not repo.git("status", "--porcelain", NAME)


@pytest.mark.parametrize("broken", ["missing", "off", "killed", "crashing"])
def test_without_the_driver_git_merges_text(
    broken: str, repo: Repo, programs: Path
) -> None:
    repo.fill(CASES / "merge/a-deletion-and-a-change-elsewhere.xml")
    script = programs / "cibgit"
    match broken:
        case "missing":
            script.unlink()
            assert shutil.which("cibgit", path=repo.env["PATH"]) is None
        case "off":
            repo.env["CIBGIT_DRIVER"] = "0"
        case "killed":
            script.write_text("#!/bin/sh\nkill -9 $$\n")
        case "crashing":
            script.write_text("#!/bin/sh\necho oops >&2\nexit 70\n")
    shown = repo.git("diff", "topic", "main")
    assert 'score="100"' in shown
    assert "@@" in repo.git("log", "-p", "-1")
    repo.git("merge", "topic", ok=(0, 1))
    merged = repo.file.read_bytes()
    assert merged == repo.expected or b"<<<<<<< ours" in merged


def test_a_file_that_is_no_cib_is_merged_as_text(repo: Repo) -> None:
    repo.commit(b"one\ntwo\nthree\nfour\n", "base")
    repo.git("switch", "--quiet", "-c", "topic")
    repo.commit(b"one\ntwo\nthree\n4\n", "theirs")
    repo.git("switch", "--quiet", "main")
    repo.commit(b"1\ntwo\nthree\nfour\n", "ours")
    repo.git("merge", "--quiet", "topic")
    assert repo.file.read_bytes() == b"1\ntwo\nthree\n4\n"


def test_both_branches_add_the_file(repo: Repo) -> None:
    found = read(CASES / "merge/neighbouring-parameters.xml")
    (repo.root / "README").write_text("x")
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "-m", "start")
    repo.git("switch", "--quiet", "-c", "topic")
    repo.commit(found.parts["input"], "theirs")
    repo.git("switch", "--quiet", "main")
    repo.commit(found.parts["ours"], "ours")
    repo.git("merge", "--quiet", "topic", ok=(1,))
    text = repo.file.read_text()
    assert text.count("<<<<<<<") == 1
    assert 'name="ip" value="192.0.2.10"' in text


def test_installed_and_gone_again(repo: Repo) -> None:
    machine = Machine("/usr/bin/cibgit", Path("/nonexistent/attributes"))
    assert status(repo.root, machine).is_complete
    rules = (repo.root / ".gitattributes").read_text()
    assert install(repo.root, machine).is_complete
    assert (repo.root / ".gitattributes").read_text() == rules
    gone = uninstall(repo.root, machine)
    assert set(gone.settings.values()) == {"missing"}
    assert not status(repo.root, machine).is_complete
    assert uninstall(repo.root, machine) == gone


def test_for_all_repositories_of_a_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    machine = Machine("/usr/bin/cibgit", tmp_path / "config/git/attributes")
    assert install(None, machine).is_complete
    assert "merge=cibgit" in machine.attributes.read_text()
    assert not uninstall(None, machine).is_complete


def test_merging_secrets_shows_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for value in ("old", "mine", "yours"):
        files.append(tmp_path / value)
        text = read(CLEAN[0]).parts["input"].replace(b'"ip"', b'"passwd"')
        text = text.replace(b"192.0.2.10", value.encode() + b"-secret")
        files[-1].write_bytes(pretty(canonical(parse(text, value))))
    names = [str(file) for file in files]
    order = [names[0], names[1], names[2], "7", NAME]
    assert drivers.main(["merge", *order]) == 1
    assert drivers.main(["diff", NAME, names[0], "0", "0", names[2], "0", "0"]) == 0
    assert drivers.main(["textconv", names[2]]) == 0
    said = capsys.readouterr()
    assert "passwd" in said.out
    assert "-secret" not in said.out + said.err
