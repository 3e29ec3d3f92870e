"""corosync.conf of three live nodes: in git, compared, pushed by ssh, proven loaded."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import ssh
from .cluster import LiveCluster
from .test_watch import wait_for, watching
from .workplace import Answer, Workplace

NODES = ("node1", "node2", "node3")


class Ring(Workplace):
    """A repository that tracks ``corosync.conf`` of a live cluster."""

    @property
    def conf(self) -> Path:
        return self.root / "clusters/prod/corosync.conf"

    def change(self, old: str, new: str) -> None:
        """Edit the file in the work tree."""
        text = self.conf.read_text()
        assert old in text
        self.conf.write_text(text.replace(old, new))

    def push(self, *arguments: str) -> Answer:
        options = ("-m", "a change", "--yes", *arguments)
        return self.cibgit("node1", "corosync", "push", *options)

    def drift(self) -> Answer:
        return self.cibgit("node1", "corosync", "drift", "--json")

    def on(self, node: str) -> Path:
        """Return the file of a node, where the host finds it."""
        return self.cluster.directory / node / "etc/corosync/corosync.conf"

    def files(self) -> list[str]:
        return [self.on(node).read_text() for node in NODES]

    def cmap(self, node: str) -> dict[str, str]:
        """Return what Corosync itself says on a node."""
        printed = self.cluster.run(node, ["corosync-cmapctl"]).stdout.decode()
        return dict(re.findall(r"^(\S+) \(\w+\) = (.*)$", printed, re.MULTILINE))

    def loaded(self, node: str) -> list[str]:
        """Return the version that each member has loaded, as a node sees it."""
        found = self.cmap(node)
        return [found[f"runtime.members.{n}.config_version"] for n in (1, 2, 3)]

    def reload(self) -> int:
        return self.cluster.run("node1", ["corosync-cfgtool", "-R"]).returncode


@pytest.fixture(scope="module")
def ring_of_three() -> Iterator[tuple[LiveCluster, Path]]:
    """Boot a cluster of its own: what its nodes have loaded never gets older again."""
    with LiveCluster(3) as cluster:
        yield cluster, ssh.set_up(cluster)


@pytest.fixture
def ring(ring_of_three: tuple[LiveCluster, Path], tmp_path: Path) -> Ring:
    """Return a repository that has just begun to track the file of the nodes."""
    cluster, client = ring_of_three
    ring = Ring(cluster, tmp_path / "repo")
    put_back(ring)
    assert ring.in_node("node1", "init", str(ring.root), "--cluster", "prod").code == 0
    reach_by(ring, ["ssh", "-F", str(client), "{node}"])
    first = ring.cibgit("node1", "corosync", "export", "--json")
    assert (first.code, first.json["first"]) == (0, True), first
    return ring


def put_back(ring: Ring) -> None:
    """Give all nodes the file that they booted with, under a version of its own."""
    first = ring.cluster.directory / "first.conf"
    if not first.exists():
        first.write_text(ring.on("node1").read_text())
    version = 1 + max(map(int, ring.loaded("node1")))
    text = first.read_text().replace(
        "totem {", f"totem {{\n  config_version: {version}"
    )
    for node in NODES:
        ring.on(node).write_text(text)
        ring.on(node).with_name("corosync.conf.cibgit").unlink(missing_ok=True)
    assert ring.reload() == 0
    wait_for(lambda: ring.loaded("node1") == [str(version)] * 3)


def reach_by(ring: Ring, words: list[str]) -> None:
    settings = ring.root / "cibgit.toml"
    text = settings.read_text().partition("[clusters.prod.corosync]")[0]
    listed = ", ".join(f'"{word}"' for word in words)
    settings.write_text(f"{text}\n[clusters.prod.corosync]\nreach = [{listed}]\n")


def rules(answer: Answer) -> set[str]:
    return {each["rule"] for each in answer.json["findings"]}


def test_a_token_timeout_changed_in_git_is_proven_loaded(ring: Ring) -> None:
    before = int(ring.loaded("node1")[0])
    ring.change("token: 1000", "token: 2000")
    pushed = ring.push()
    assert pushed.code == 0, pushed
    assert "~ totem: token 1000 -> 2000" in pushed.out
    assert f"as version {before + 1}; loaded by: node1, node2, node3." in pushed.out
    for node in NODES:
        assert ring.cmap(node)["runtime.config.totem.token"] == "2000"
        assert ring.loaded(node) == [str(before + 1)] * 3
    assert len(set(ring.files())) == 1
    assert "config_version" not in ring.conf.read_text()
    assert ring.drift().code == 0
    assert ring.cibgit("node1", "export").code == 0
    below = ring.cibgit("node1", "drift")
    assert (below.code, "corosync.conf: no drift." in below.out) == (0, True), below
    again = ring.cibgit("node2", "corosync", "push", "--yes")
    assert (again.code, "Nothing to do" in again.out) == (0, True), again


def test_a_broken_file_is_found_although_the_reload_said_0(ring: Ring) -> None:
    broken = ring.on("node2").read_text().replace("totem {", "totem", 1)
    ring.on("node2").write_text(broken)
    assert ring.reload() == 0
    found = ring.drift()
    assert (found.code, rules(found)) == (1, {"corosync-broken"}), found
    [finding] = found.json["findings"]
    assert finding["element"] == "node2"
    assert "corosync.conf:1: the line is neither" in finding["sentence"]
    mended = ring.cibgit("node1", "corosync", "push", "--yes")
    assert (mended.code, "New file for: node2" in mended.out) == (0, True), mended
    assert ring.on("node2").with_name("corosync.conf.cibgit").read_text() == broken
    assert ring.drift().code == 0


def test_a_version_that_corosync_would_trip_over_is_found_and_mended(
    ring: Ring,
) -> None:
    """One is not loaded, the other would end the Corosync that reads it."""
    loaded = f"config_version: {ring.loaded('node1')[0]}"
    for node, wrong in (("node2", "77"), ("node3", "abc")):
        text = ring.on(node).read_text()
        assert loaded in text
        ring.on(node).write_text(text.replace(loaded, f"config_version: {wrong}"))
    found = ring.drift()
    assert (found.code, rules(found)) == (1, {"corosync-counted"}), found
    mended = ring.cibgit("node1", "corosync", "push", "--yes")
    assert (mended.code, "New file for: node2, node3" in mended.out) == (0, True), (
        mended
    )
    assert ring.drift().code == 0
    assert len(set(ring.files())) == 1


def test_a_change_by_hand_stops_the_push_and_can_be_taken(ring: Ring) -> None:
    text = ring.on("node3").read_text()
    ring.on("node3").write_text(text.replace("token: 1000", "token: 1234"))
    ring.change("token: 1000", "token: 2000")
    before = ring.files()
    pushed = ring.push()
    assert pushed.code == 103, pushed
    assert "node3" in pushed.err and "token 1000 -> 1234" in pushed.err
    assert ring.files() == before
    assert ring.git("log", "--format=%s", "-1") != "a change"
    found = ring.drift()
    assert [(each["nodes"], each["sentence"]) for each in found.json["moved"]] == [
        (["node3"], "totem: token 1000 -> 1234")
    ]
    assert rules(found) == {"corosync-unloaded"}
    ring.git("checkout", "--", "clusters")
    assert ring.cibgit("node3", "corosync", "export").code == 0
    assert "token: 1234" in ring.conf.read_text()
    pushed = ring.cibgit("node1", "corosync", "push", "--yes")
    assert pushed.code == 0, pushed
    assert ring.cmap("node1")["totem.token"] == "1234"


def test_the_agent_tells_of_a_change_by_hand_and_of_its_end(
    ring: Ring, tmp_path: Path
) -> None:
    assert ring.cibgit("node1", "export").code == 0
    log, hook = tmp_path / "log", tmp_path / "hook"
    log.touch()
    hook.write_text(f'#!/bin/sh\necho "$CIBGIT_EVENT" >> {log}\n')
    hook.chmod(0o755)
    file, new = ring.on("node1"), ring.on("node1").with_name("new")
    text = file.read_text()

    def has(edited: str, in_sync: int, *events: str) -> None:
        new.write_text(edited)
        new.rename(file)  # at once: half a file would be another drift
        number = f'cibgit_watch_corosync_in_sync{{cluster="prod"}} {in_sync}\n'
        wait_for(lambda: number in (tmp_path / "metrics").read_text())
        wait_for(lambda: len(log.read_text().split()) >= len(events))
        assert log.read_text().split() == list(events)

    with watching(ring, "node1", "--poll", "0.5", "--hook", str(hook)):
        has(text, 1)
        has(text.replace("token: 1000", "token: 1234"), 0, "corosync-drift")
        has(text, 1, "corosync-drift", "corosync-settled")


def test_what_needs_a_restart_is_said_before_and_after(ring: Ring) -> None:
    ring.change("move_to_root_cgroup: no", "move_to_root_cgroup: auto")
    before = ring.files()
    refused = ring.push()
    assert refused.code == 107, refused
    assert "move_to_root_cgroup no -> auto" in refused.err
    assert "--force restart" in refused.err
    assert ring.files() == before
    pushed = ring.push("--force", "restart", "--json")
    assert pushed.code == 0, pushed
    assert set(pushed.json["pending"]) == set(NODES)
    found = ring.drift()
    assert (found.code, rules(found)) == (1, {"corosync-restart"}), found


def test_a_file_that_corosync_refuses_leaves_everything_as_it_was(ring: Ring) -> None:
    ring.change("crypto_cipher: none", "crypto_cipher: rot13")
    before, loaded = ring.files(), ring.loaded("node1")
    pushed = ring.push()
    assert pushed.code == 65, pushed
    assert "Invalid cipher type" in pushed.err
    assert (ring.files(), ring.loaded("node1")) == (before, loaded)
    assert ring.git("log", "--format=%s", "-1") != "a change"
    for node in NODES:
        names = [path.name for path in ring.on(node).parent.iterdir()]
        assert names == ["corosync.conf"]


def reach_that_meddles(ring: Ring, folder: Path, command: str) -> None:
    """Let what reaches node3 run a command there once, when the new file is in place."""
    client = ring.cluster.shared / "ssh/client"
    script = folder / "reach"
    script.write_text(f"""\
#!/bin/sh
program=$(cat)
printf '%s\\n' "$program" | ssh -F {client} "$1" sh -s
case $1,$program in node3,*'echo '"'= installed'"*)
    if mkdir {folder}/once 2> /dev/null; then
        ssh -F {client} node3 '{command}' < /dev/null
    fi ;;
esac
""")
    script.chmod(0o755)
    reach_by(ring, [str(script), "{node}"])


def test_a_node_that_does_not_load_the_file_has_all_put_back(
    ring: Ring, tmp_path: Path
) -> None:
    reach_that_meddles(ring, tmp_path, "echo broken > /etc/corosync/corosync.conf")
    before = int(ring.loaded("node1")[0])
    ring.change("token: 1000", "token: 2000")
    pushed = ring.push()
    assert pushed.code == 110, pushed
    assert "node3 did not load the file" in pushed.err
    for node in NODES:
        assert ring.cmap(node)["runtime.config.totem.token"] == "1000"
        assert ring.loaded(node) == [str(before + 2)] * 3
    found = ring.drift()
    assert (found.code, len(found.json["waiting"])) == (0, 1), found


def test_a_node_that_loads_another_file_of_that_version_is_named(
    ring: Ring, tmp_path: Path
) -> None:
    command = "sed -i s/2000/1234/ /etc/corosync/corosync.conf"
    reach_that_meddles(ring, tmp_path, command)
    ring.change("token: 1000", "token: 2000")
    pushed = ring.push()
    assert pushed.code == 104, pushed
    assert "on node3 (totem: token 2000 -> 1234)" in pushed.err
    assert ring.cmap("node3")["totem.token"] == "1234"
    moved = ring.drift().json["moved"]
    assert [each["nodes"] for each in moved] == [["node3"]]


def test_a_node_that_is_down_is_named_and_nothing_is_written(ring: Ring) -> None:
    before = ring.files()
    ring.cluster.kill("node3")
    ring.cluster.wait(["node1", "node2"])
    ring.change("token: 1000", "token: 2000")
    pushed = ring.push()
    assert (pushed.code, "node3 could not be asked" in pushed.err) == (107, True), (
        pushed
    )
    assert ring.files() == before
    found = ring.drift()
    assert (found.code, rules(found)) == (1, {"corosync-unread", "corosync-absent"})
    ring.cluster.boot("node3")
    ssh.start(ring.cluster, "node3")
    ring.cluster.wait()
    pushed = ring.push()
    assert pushed.code == 0, pushed
    assert ring.cmap("node3")["runtime.config.totem.token"] == "2000"
