"""A bare repository with both hooks, run by real git; the live side is a folder."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from cibgit.cli.app import run
from cibgit.flow.export import export

from .embedded import Embedded


@dataclass
class Server:
    """The bare repository ``root``, and the environment in which git finds cibgit."""

    embedded: Embedded
    root: Path
    environment: dict[str, str]

    def git(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def clone(self, name: str) -> Path:
        folder = self.root.parent / name
        assert (
            self.git(self.root, "clone", "-q", str(self.root), str(folder)).returncode
            == 0
        )
        return folder

    def edit(self, clone: Path, old: str, new: str) -> None:
        file = clone / "clusters/prod/cib.xml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        assert run(["fmt", str(file)]) in (0, 65)
        assert self.git(clone, "commit", "-qam", "edit").returncode == 0

    def push(self, clone: Path, *arguments: str) -> tuple[int, str]:
        done = self.git(clone, "push", "origin", "HEAD", *arguments)
        return done.returncode, done.stderr

    def tip(self) -> str:
        return self.git(self.root, "rev-parse", "main").stdout.strip()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    embedded = Embedded.create(tmp_path)
    export(embedded.site())
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "cibgit"
    package = Path(__file__).parents[2]
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={package} exec {sys.executable} -m cibgit "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "a")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "a@example.org")
    monkeypatch.setenv("GIT_COMMITTER_NAME", "a")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "a@example.org")
    root = tmp_path / "clusters.git"
    embedded.git("branch", "-M", "main")
    embedded.git("clone", "-q", "--bare", str(embedded.root), str(root))
    assert run(["hook", "install", str(root), "--branch", "main"]) == 0
    return Server(embedded, root, dict(os.environ))


def test_a_good_push_reaches_the_cluster(server: Server) -> None:
    clone = server.clone("a")
    server.edit(clone, 'interval="30s"', 'interval="17s"')
    code, told = server.push(clone)
    assert code == 0, told
    assert "cibgit: Pushed" in told
    assert 'interval="17s"' in server.embedded.live_text()
    assert server.tip() in server.embedded.live_text()


def test_a_bad_push_is_refused_with_the_finding(server: Server) -> None:
    before, live = server.tip(), server.embedded.live_text()
    clone = server.clone("a")
    server.edit(clone, 'rsc="vip"', 'rsc="nothing"')
    code, told = server.push(clone)
    assert code != 0
    assert "clusters/prod/cib.xml:" in told
    assert "rsc names 'nothing'" in told
    assert "[references]" in told
    assert (server.tip(), server.embedded.live_text()) == (before, live)
    # nothing of it is left behind the quarantine
    bad = server.git(clone, "rev-parse", "HEAD").stdout.strip()
    assert server.git(server.root, "cat-file", "-e", bad).returncode != 0


def test_the_policy_counts_as_it_was_before_and_can_be_forced(server: Server) -> None:
    clone = server.clone("a")
    config = clone / "cibgit.toml"
    config.write_text(config.read_text() + '[policy]\nkeep = ["db"]\nagents = false\n')
    server.git(clone, "commit", "-qam", "keep db")
    assert server.push(clone)[0] == 0
    config.write_text(config.read_text().replace('keep = ["db"]\n', ""))
    text = (clone / "clusters/prod/cib.xml").read_text()
    line = next(each for each in text.splitlines() if 'id="db"' in each)
    server.edit(clone, f"{line}\n", "")
    code, told = server.push(clone)
    assert code != 0
    assert "[keep]" in told
    code, told = server.push(clone, "-o", "force=keep")
    assert code == 0, told
    assert "forced: keep" in told
    assert 'id="db"' not in server.embedded.live_text()


def test_other_branches_are_checked_and_not_pushed_to_the_cluster(
    server: Server,
) -> None:
    live = server.embedded.live_text()
    clone = server.clone("a")
    server.git(clone, "switch", "-qc", "topic")
    server.edit(clone, 'interval="30s"', 'interval="17s"')
    assert server.push(clone)[0] == 0
    server.edit(clone, 'rsc="vip"', 'rsc="nothing"')
    assert server.push(clone)[0] != 0
    assert server.embedded.live_text() == live
    # tags and notes are nobody's desired state
    server.git(clone, "tag", "v1")
    assert server.git(clone, "push", "origin", "v1").returncode == 0


def test_the_desired_state_cannot_vanish(server: Server) -> None:
    clone = server.clone("a")
    server.git(server.root, "config", "receive.denyDeleteCurrent", "ignore")
    done = server.git(clone, "push", "origin", ":main")
    assert done.returncode != 0
    assert "cannot be deleted" in done.stderr
    server.git(clone, "rm", "-q", "clusters/prod/cib.xml")
    server.git(clone, "commit", "-qm", "away")
    assert "would be removed" in server.push(clone)[1]
    (clone / "cibgit.toml").write_text("nonsense")
    server.git(clone, "commit", "-qam", "nonsense")
    code, told = server.push(clone)
    assert code != 0
    assert "[configuration]" in told


def test_two_push_at_once_and_nothing_is_lost(server: Server) -> None:
    one, two = server.clone("a"), server.clone("b")
    server.edit(one, 'interval="30s"', 'interval="17s"')
    server.edit(two, 'score="100"', 'score="7"')
    with ThreadPoolExecutor() as pool:
        codes = [code for code, _ in pool.map(server.push, (one, two))]
    assert sorted(bool(code) for code in codes) == [False, True]
    loser = two if codes[1] else one
    assert server.git(loser, "pull", "-q", "--rebase").returncode == 0
    code, told = server.push(loser)
    assert code == 0, told
    live = server.embedded.live_text()
    assert 'interval="17s"' in live
    assert 'score="7"' in live


def test_a_cluster_that_is_down_is_caught_up_with(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    live, away = server.embedded.node, server.embedded.node.with_name("away")
    clone = server.clone("a")
    live.rename(away)
    for interval in ("17s", "18s"):
        old = "30s" if interval == "17s" else "17s"
        server.edit(clone, f'interval="{old}"', f'interval="{interval}"')
        code, told = server.push(clone)
        assert code == 0
        assert "not lost" in told
    away.rename(live)
    done = subprocess.run(
        ["cibgit", "hook", "post-receive", "-C", str(server.root)],
        env=server.environment, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    assert 'interval="18s"' in server.embedded.live_text()


def test_drift_stops_it_and_is_shown(server: Server) -> None:
    server.embedded.change_live("loc@score", "5")
    clone = server.clone("a")
    server.edit(clone, 'interval="30s"', 'interval="17s"')
    code, told = server.push(clone)
    assert code == 0
    assert "is not what git knew" in told
    assert 'score="5"' in server.embedded.live_text()
    assert 'interval="17s"' not in server.embedded.live_text()


def test_hooks_of_others_stay(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = server.root / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\nexit 0\n")
    assert run(["hook", "install", str(server.root)]) == 78
    assert "cibgit hook pre-receive" in capsys.readouterr().err
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"
    assert run(["hook", "install", str(server.embedded.root)]) == 78
    assert run(["hook", "install", str(server.root.parent / "bin")]) == 66
