"""A repository that is worked on from the nodes of a live cluster."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cibgit.cib.document import Cib, parse

from .cluster import LiveCluster

RESOURCES = b"""\
<resources>
<primitive id="vip" class="ocf" provider="pacemaker" type="Dummy">
<instance_attributes id="vip-params"><nvpair id="vip-fake" name="fake" value="1"/>
</instance_attributes>
<operations><op id="vip-monitor" name="monitor" interval="30s"/></operations>
</primitive>
<primitive id="db" class="ocf" provider="pacemaker" type="Dummy"/>
</resources>
"""


@dataclass(frozen=True)
class Answer:
    """What a command in a node answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Workplace:
    """One repository for one live cluster; every node sees the same folder."""

    cluster: LiveCluster
    root: Path

    @classmethod
    def create(
        cls, cluster: LiveCluster, root: Path, configuration: bytes | None = None
    ) -> "Workplace":
        """Give the cluster two resources, or all that is given; export it from node1."""
        node, scope = (
            cluster.nodes[0],
            "configuration" if configuration else "resources",
        )
        data = configuration or RESOURCES
        cluster.cibadmin(node, "-R", "-o", scope, "-p", input=data)
        cluster.wait(settle=True)
        place = cls(cluster, root)
        arguments = ("init", str(root), "--cluster", "prod")
        assert place.in_node(node, *arguments).code == 0
        exported = place.cibgit(node, "export", "--json")
        assert exported.code == 0, exported
        assert exported.json["outcome"] == "committed"
        return place

    @property
    def file(self) -> Path:
        return self.root / "clusters/prod/cib.xml"

    def cibgit(
        self,
        node: str,
        *arguments: str,
        timeout: float = 60,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Answer:
        """Run cibgit on a node, for this repository."""
        there = ("-C", str(self.root))
        return self.in_node(
            node, *arguments, *there, timeout=timeout, stdin=stdin, env=env
        )

    def in_node(
        self,
        node: str,
        *arguments: str,
        timeout: float = 60,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Answer:
        argv = [sys.executable, "-m", "cibgit", *arguments]
        done = self.cluster.run(node, argv, timeout=timeout, input=stdin, env=env)
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def started(self, node: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start cibgit on a node, and return at once; its process group is its own."""
        argv = [sys.executable, "-m", "cibgit", *arguments, "-C", str(self.root)]
        return self.cluster.start_process(node, argv)

    @staticmethod
    def kill(process: subprocess.Popen[bytes], *, group: bool = False) -> None:
        """Kill cibgit alone, or everything that the operator had started with it."""
        if group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            # nsenter waits for it: its only child
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            for pid in children.read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        process.communicate(timeout=30)

    def live(self, node: str | None = None) -> Cib:
        """Return the CIB as a node has it."""
        data = self.cluster.cibadmin(node or self.cluster.nodes[0], "-Q")
        return parse(data, "live")

    def interval(self, node: str | None = None) -> str:
        """Return the interval of the one monitor, which tests change."""
        found = self.live(node).root.find(".//op[@id='vip-monitor']")
        assert found is not None
        return str(found.get("interval"))

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def epoch(self, node: str | None = None) -> str:
        """Return ``admin_epoch.epoch`` as a node has it."""
        return str(self.live(node).version).rpartition(".")[0]

    def epochs(self, node: str | None = None) -> Callable[[int], str]:
        """Return what names a version by the number of changes from now on.

        Another test may have raised the ``admin_epoch`` of this cluster for good.
        """
        start = self.live(node).version

        def after(changes: int) -> str:
            return f"{start.admin_epoch}.{start.epoch + changes}.0"

        return after

    def digest(self, node: str) -> str:
        """Return the digest of a node's configuration as Pacemaker's own tool tells it."""
        configuration = self.cluster.cibadmin(node, "-Q", "-o", "configuration")
        printed = self.cluster.cibadmin(node, "-5", "-p", input=configuration)
        return printed.decode().strip()
