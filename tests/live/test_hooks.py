"""A bare repository with both hooks, and a real cluster behind it."""

import os
import sys
import threading
from pathlib import Path

import pytest

from .cluster import LiveCluster
from .workplace import RESOURCES, Workplace

PROJECT = Path(__file__).parents[2]


class Server:
    """The bare repository lies on the node, where its hooks run."""

    def __init__(self, place: Workplace, folder: Path) -> None:
        self.place, self.folder = place, folder
        self.root = folder / "clusters.git"
        self.node = place.cluster.nodes[0]
        (folder / "bin").mkdir()
        program = folder / "bin/cibgit"
        words = f'PYTHONPATH={PROJECT} exec {sys.executable} -m cibgit "$@"'
        program.write_text(f"#!/bin/sh\n{words}\n")
        program.chmod(0o755)
        place.git("branch", "-M", "main")
        place.git("clone", "-q", "--bare", str(place.root), str(self.root))
        code, told = self.run("cibgit", "hook", "install", str(self.root))
        assert code == 0, told

    def run(self, *argv: str) -> tuple[int, str]:
        path = f"PATH={self.folder / 'bin'}:{os.environ['PATH']}"
        who = ("GIT_AUTHOR_NAME=a", "GIT_COMMITTER_NAME=a")
        mail = ("GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_EMAIL=a@example.org")
        argv = ("env", path, *who, *mail, *argv)
        done = self.place.cluster.run(self.node, list(argv), timeout=120)
        return done.returncode, (done.stdout + done.stderr).decode()

    def clone(self, name: str) -> Path:
        assert (
            self.run("git", "clone", "-q", str(self.root), str(self.folder / name))[0]
            == 0
        )
        return self.folder / name

    def push(self, clone: Path, old: str, new: str) -> tuple[int, str]:
        file = clone / "clusters/prod/cib.xml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        assert self.run("git", "-C", str(clone), "commit", "-qam", new)[0] == 0
        return self.run("git", "-C", str(clone), "push", "origin", "HEAD")

    def live(self) -> str:
        return self.place.cluster.cibadmin(self.node, "-Q").decode()


@pytest.fixture
def server(cluster1: LiveCluster, tmp_path: Path) -> Server:
    return Server(Workplace.create(cluster1, tmp_path / "repo"), tmp_path)


def test_from_a_push_to_the_cluster(server: Server) -> None:
    one, two = server.clone("one"), server.clone("two")

    # a bad change is refused with the finding, and the cluster hears nothing
    epoch = server.place.epoch()
    code, told = server.push(one, 'id="vip-monitor"', 'id="vip-params"')
    assert code != 0
    assert "duplicate id 'vip-params'" in told
    assert server.place.epoch() == epoch
    server.run("git", "-C", str(one), "reset", "-q", "--hard", "origin/main")

    # a good one reaches it, with proof
    code, told = server.push(one, 'interval="30s"', 'interval="31s"')
    assert code == 0, told
    assert "cibgit: Pushed" in told
    assert 'interval="31s"' in server.live()

    # two people at once: one is told to pull, and both changes arrive
    server.run("git", "-C", str(two), "pull", "-q")
    edits = {one: ('interval="31s"', 'interval="32s"')}
    edits[two] = ('name="fake" value="1"', 'name="fake" value="2"')
    codes: dict[Path, int] = {}

    def push(clone: Path) -> None:
        codes[clone] = server.push(clone, *edits[clone])[0]

    threads = [threading.Thread(target=push, args=(clone,)) for clone in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(bool(code) for code in codes.values()) == [False, True]
    loser = next(clone for clone, code in codes.items() if code)
    assert server.run("git", "-C", str(loser), "pull", "-q", "--rebase")[0] == 0
    code, told = server.run("git", "-C", str(loser), "push", "origin", "HEAD")
    assert code == 0, told
    assert 'interval="32s"' in server.live()
    assert 'name="fake" value="2"' in server.live()
    winner = one if loser is two else two
    assert server.run("git", "-C", str(winner), "pull", "-q", "--rebase")[0] == 0

    # the cluster is down: the commit is accepted, and the next run catches up
    server.place.cluster.stop(server.node)
    code, told = server.push(one, 'interval="32s"', 'interval="33s"')
    assert code == 0, told
    assert "not lost" in told
    server.place.cluster.start(server.node)
    server.place.cluster.wait(settle=True)
    code, told = server.run(
        "sh", "-c", f"cibgit hook post-receive -C {server.root} < /dev/null"
    )
    assert code == 0, told
    assert 'interval="33s"' in server.live()


def test_the_seven_commands_of_the_readme(
    cluster1: LiveCluster, tmp_path: Path
) -> None:
    page = (PROJECT / "README.md").read_text()
    section = page.partition("the first change: seven commands")[2]
    block = section.partition("```console\n")[2].partition("```")[0]
    commands = [line.removeprefix("$ ") for line in block.splitlines()]
    assert len(commands) == 7
    assert commands[-1] == "cibgit push"
    node = cluster1.nodes[0]
    cluster1.cibadmin(node, "-R", "-o", "resources", "-p", input=RESOURCES)
    cluster1.wait(settle=True)
    words = f'PYTHONPATH={PROJECT} exec {sys.executable} -m cibgit "$@"'
    program = tmp_path / "cibgit"
    program.write_text(f"#!/bin/sh\n{words}\n")
    program.chmod(0o755)
    script = "\n".join([f"HOME={tmp_path} PATH={tmp_path}:$PATH", *commands])
    done = cluster1.run(node, ["bash", "-c", f"{script} --yes"], timeout=120)
    told = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, told
    assert "Pushed" in told
    assert 'interval="10s"' in cluster1.cibadmin(node, "-Q").decode()
