"""The clusters for tests are what they promise to be, and leave nothing behind."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .cluster import LiveCluster
from .node import LiveClusterError, wait_until
from .watcher import Process

REPOSITORY = Path(__file__).parents[2]
DUMMY = (
    '<primitive id="dummy" class="ocf" provider="pacemaker" type="Dummy">'
    '<operations><op id="dummy-monitor" name="monitor" interval="10s"/></operations>'
    "</primitive>"
)


def add_dummy(cluster: LiveCluster, node: str = "node1") -> None:
    cluster.cibadmin(node, "--create", "--scope", "resources", "--xml-text", DUMMY)


def configuration(cluster: LiveCluster, node: str) -> bytes:
    return cluster.cibadmin(node, "--query", "--local", "--scope", "configuration")


def quorum(cluster: LiveCluster, node: str) -> bytes:
    return cluster.run(node, ["crm_node", "-q"]).stdout.strip()


# A job in the background of a script inherits that Ctrl-C is ignored.
BOOT = """import signal
import time
from tests.live.cluster import LiveCluster
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
BOOTED = f"""{BOOT}
with LiveCluster(1) as cluster:
    print(cluster.directory, flush=True)
    time.sleep(600)
"""
BOOTING = f"""{BOOT}
import threading
cluster = LiveCluster(3)
threading.Thread(target=cluster.up, daemon=True).start()
while not cluster.running:
    time.sleep(0.001)
print(cluster.directory, flush=True)
time.sleep(600)
"""


class TestOneNode:
    """What holds for any cluster."""

    def test_one_node_runs_a_cluster(self, cluster1: LiveCluster) -> None:
        assert cluster1.wait() == "node1"
        assert quorum(cluster1, "node1") == b"1"
        assert b"dc-deadtime" in configuration(cluster1, "node1")
        assert b'value="live"' in configuration(cluster1, "node1")

    def test_a_command_has_input_output_status_and_environment(
        self, cluster1: LiveCluster, tmp_path: Path
    ) -> None:
        script = 'cat; echo "$HOME $NAME $GIT_AUTHOR_NAME $PWD" >&2; hostname; exit 37'
        done = cluster1.run(
            "node1", ["sh", "-c", script], input=b"in", env={"NAME": "x"}, cwd=tmp_path
        )
        home = cluster1.directory / "node1/home"
        assert done.returncode == 37
        assert done.stdout == b"innode1\n"
        assert done.stderr.decode() == f"{home} x An Author {tmp_path}\n"

    def test_a_node_runs_this_python(self, cluster1: LiveCluster) -> None:
        done = cluster1.run("node1", [sys.executable, "-c", "import cibgit"])
        assert (done.returncode, done.stderr) == (0, b"")

    def test_a_command_that_takes_too_long_is_gone(self, cluster1: LiveCluster) -> None:
        with pytest.raises(subprocess.TimeoutExpired):
            cluster1.run("node1", ["sh", "-c", "tail -f /dev/null; true"], timeout=0.3)
        wait_until(lambda: not cluster1.pids_of("node1", "tail"), "its end")

    def test_the_disk_is_seen_from_outside(self, cluster1: LiveCluster) -> None:
        add_dummy(cluster1)
        disk = cluster1.cib_dir("node1")
        wait_until(lambda: b"dummy" in (disk / "cib.xml").read_bytes(), "the disk")
        assert (disk / "cib.xml").owner() == "hacluster"

    def test_daemons_are_found_by_name(self, cluster1: LiveCluster) -> None:
        (based,) = cluster1.pids_of("node1", "pacemaker-based")
        (controld,) = cluster1.pids_of("node1", "pacemaker-controld")
        assert Process.of(based).alive
        assert Process.of(controld).alive
        assert cluster1.pids_of("node1", "pacemaker") == []

    def test_reset_restores_the_first_configuration(
        self, cluster1: LiveCluster
    ) -> None:
        add_dummy(cluster1)
        cluster1.cibadmin("node1", "--upgrade", "--force")
        cluster1.wait(settle=True)
        cluster1.reset()
        assert configuration(cluster1, "node1") == cluster1.base
        assert b'validate-with="pacemaker-3.0"' in cluster1.cibadmin("node1", "--query")
        cluster1.reset(cluster1.base.replace(b"200ms", b"300ms"))
        assert b"300ms" in configuration(cluster1, "node1")

    def test_a_cluster_that_cannot_be_reset_is_renewed(
        self, cluster1: LiveCluster
    ) -> None:
        """Pacemaker stops writing to a disk that was edited behind its back."""
        disk = cluster1.cib_dir("node1") / "cib.xml"
        disk.write_bytes(disk.read_bytes().replace(b"200ms", b"201ms"))
        add_dummy(cluster1)
        broken = cluster1.directory
        cluster1.renew()
        assert cluster1.directory != broken
        assert configuration(cluster1, "node1") == cluster1.base

    def test_two_clusters_do_not_know_of_each_other(
        self, cluster1: LiveCluster
    ) -> None:
        environment = {"node1": {"PCMK_ipc_buffer": "262144"}}
        with LiveCluster(1, cluster_name="other", environment=environment) as other:
            assert other.directory != cluster1.directory
            assert b'value="other"' in configuration(other, "node1")
            (based,) = other.pids_of("node1", "pacemaker-based")
            variables = Path(f"/proc/{based}/environ").read_bytes().split(b"\0")
            assert b"PCMK_ipc_buffer=262144" in variables
            add_dummy(other)
            assert b"dummy" not in configuration(cluster1, "node1")
            directory = other.directory
        assert not directory.exists()
        assert not is_mounted(directory)
        other.down()


class TestThreeNodes:
    """What takes more than one node."""

    def test_three_nodes_replicate(self, cluster3: LiveCluster) -> None:
        dc = cluster3.wait()
        assert dc in cluster3.nodes
        add_dummy(cluster3, next(name for name in cluster3.nodes if name != dc))
        wait_until(
            lambda: all(b"dummy" in configuration(cluster3, n) for n in cluster3.nodes),
            "all nodes to have it",
        )

    def test_all_nodes_share_a_folder_with_the_host(
        self, cluster3: LiveCluster
    ) -> None:
        note = cluster3.shared / "note"
        cluster3.run("node1", ["sh", "-c", f"echo hello > {note}"])
        assert cluster3.run("node3", ["cat", note]).stdout == b"hello\n"
        assert note.read_text() == "hello\n"

    def test_a_minority_has_no_quorum_until_the_network_heals(
        self,
        cluster3: LiveCluster,
    ) -> None:
        majority, minority = ["node1", "node2"], ["node3"]
        cluster3.partition(majority, minority)
        assert cluster3.wait(majority) in majority
        assert cluster3.wait(minority) == "node3"
        assert [quorum(cluster3, name) for name in cluster3.nodes] == [b"1", b"1", b"0"]
        cluster3.heal()
        assert cluster3.wait(settle=True) in cluster3.nodes
        assert quorum(cluster3, "node3") == b"1"

    def test_a_node_named_in_no_group_is_in_the_rest(
        self, cluster3: LiveCluster
    ) -> None:
        cluster3.partition(["node1"])
        assert cluster3.wait(["node2", "node3"]) in {"node2", "node3"}
        assert cluster3.wait(["node1"]) == "node1"

    def test_a_killed_node_boots_again(self, cluster3: LiveCluster) -> None:
        cluster3.kill("node2")
        with pytest.raises(LiveClusterError, match="node2 is powered off"):
            cluster3.run("node2", ["true"])
        assert cluster3.wait() in {"node1", "node3"}
        add_dummy(cluster3)
        cluster3.boot("node2")
        cluster3.wait(settle=True)
        assert b"dummy" in configuration(cluster3, "node2")

    def test_a_stopped_node_starts_again(self, cluster3: LiveCluster) -> None:
        cluster3.stop("node3")
        assert cluster3.pids_of("node3", "corosync") == []
        assert cluster3.pids_of("node3", "pacemaker-based") == []
        assert cluster3.wait() in {"node1", "node2"}
        cluster3.start("node3")
        assert cluster3.wait() in cluster3.nodes

    def test_reset_brings_all_nodes_back(self, cluster3: LiveCluster) -> None:
        add_dummy(cluster3)
        cluster3.partition(["node1"])
        cluster3.stop("node2")
        cluster3.kill("node3")
        cluster3.reset()
        assert cluster3.running == ["node1", "node2", "node3"]
        for name in cluster3.nodes:
            assert configuration(cluster3, name) == cluster3.base


class TestEndOfTheRunner:
    """Nothing is left over, however the process of the tests ends."""

    @pytest.mark.parametrize(
        ("script", "number"),
        [
            pytest.param(BOOTED, signal.SIGKILL, id="killed"),
            pytest.param(BOOTED, signal.SIGINT, id="ctrl-c"),
            pytest.param(BOOTING, signal.SIGKILL, id="killed while booting"),
        ],
    )
    def test_nothing_outlives_the_runner(
        self, script: str, number: signal.Signals
    ) -> None:
        with started(script) as (runner, directory):
            family = descendants(runner.pid)
            assert len(family) > 3
            runner.send_signal(number)
            runner.wait(timeout=30)
            wait_until(
                lambda: not any(p.alive for p in family), "all processes to end", 30
            )
        assert not directory.exists()
        assert not is_mounted(directory)


@contextlib.contextmanager
def started(script: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run a script that boots a cluster and prints its directory."""
    runner = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with runner:
        assert runner.stdout
        try:
            yield runner, Path(runner.stdout.readline().decode().strip())
        finally:
            runner.kill()


def descendants(pid: int) -> set[Process]:
    """Find the processes that a process started, and those started by them."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(
                stat.read_text().split(") ")[1].split()[1]
            )
    found = {pid}
    while (
        more := {child for child, parent in parents.items() if parent in found} - found
    ):
        found |= more
    return {Process.of(child) for child in found - {pid}}


def is_mounted(directory: Path) -> bool:
    """Say whether any process sees a mount of something in the directory."""
    for mounts in Path("/proc").glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):
            if str(directory) in mounts.read_text():
                return True
    return False
