"""Where the nodes of a cluster meet: its processes, its network and its directory."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from .node import LiveClusterError, Node, read_line
from .watcher import Process


class Hub:
    """The namespaces around all nodes, kept by a watcher (see there).

    There are as many bridges as nodes, so that each node can be alone on one.
    ``place`` says on which bridge a node is where that is not the first.
    """

    def __init__(self, size: int) -> None:
        self.place: Mapping[str, str] = {}
        self._watcher = _start_watcher()
        try:
            line = read_line(self._watcher, timeout=30)
            pid, _, directory = line.strip().partition(" ")
            if not directory:
                raise LiveClusterError("the watcher does not start")
            self._process = Process.of(int(pid))
            self.directory = Path(directory)
            for name in (f"br{number}" for number in range(size)):
                self._ip(f"link add {name} type bridge", f"link set {name} up")
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        """The host's id of the first process in the hub."""
        if not self._process.alive:
            raise LiveClusterError("the cluster is down")
        return self._process.pid

    def end(self) -> None:
        """End everything in the hub and remove the directory."""
        # Its standard input ends here; from now on nothing keeps it from its work.
        _, errors = self._watcher.communicate(timeout=60)
        if self._watcher.returncode:
            raise LiveClusterError(f"the watcher failed: {errors.decode()}")

    def connect(self, node: Node, address: str) -> None:
        """Give a node that was just powered on its network card and its address."""
        # The kernel takes its time to remove the one that a killed node had.
        with contextlib.suppress(LiveClusterError):
            self._ip(f"link delete {node.name}")
        self._ip(
            f"link add {node.name} type veth peer name eth0 netns {node.pid}",
            f"link set {node.name} master {self._bridge(node.name)} up",
        )
        script = f"ip addr add {address}/24 dev eth0 && ip link set eth0 up"
        node.run(["sh", "-c", script]).check_returncode()

    def move(self, place: Mapping[str, str], powered: list[str]) -> None:
        """Plug the nodes into other bridges; those that are off get there when on."""
        self.place = place
        self._ip(*(f"link set {name} master {self._bridge(name)}" for name in powered))

    def _bridge(self, name: str) -> str:
        return self.place.get(name, "br0")

    def _ip(self, *commands: str) -> None:
        """Let ip(8) work on the bridges."""
        done = subprocess.run(
            ["nsenter", "--target", str(self.pid), "--net", "ip", "-batch", "-"],
            input="".join(f"{command}\n" for command in commands),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LiveClusterError(f"ip {commands}: {done.stderr}")


def _start_watcher() -> subprocess.Popen[bytes]:
    """Start the process that owns all this and ends it when this one is gone."""
    script = Path(__file__).with_name("watcher.py")
    return subprocess.Popen(
        [sys.executable, "-IS", script, *map(str, Process.of(os.getpid()))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        start_new_session=True,
    )
