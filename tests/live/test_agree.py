"""Three agents that tell each other what they see: who is not of one mind is named."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .cluster import LiveCluster
from .test_watch import by_cibadmin, wait_for
from .workplace import Workplace


class Agents:
    """An agent on each node, each with a clone of its own."""

    def __init__(self, place: Workplace, folder: Path) -> None:
        self.cluster = place.cluster
        self._files = {node: folder / f"{node}.log" for node in self.cluster.nodes}
        for node in self._files:
            place.git("clone", "-q", str(place.root), str(folder / node))
        script = 'exec "$0" -m cibgit watch --agree --json -C "$1" > "$2" 2>&1'
        self._running = [
            self.cluster.start_process(
                node, ["sh", "-c", script, sys.executable, folder / node, file]
            )
            for node, file in self._files.items()
        ]

    def told(self, node: str, event: str) -> list[str]:
        """Return what an agent told of one kind, as far as it is written."""
        text = self._files[node].read_text() if self._files[node].exists() else ""
        entries = [
            json.loads(x) for x in text.splitlines(keepends=True) if x[-1] == "\n"
        ]
        return [e["sentence"] for e in entries if e["event"] == event]

    def all_tell(self, event: str, *sentences: str) -> None:
        """Wait until every agent has told exactly this, each once, of one kind."""
        for node in self.cluster.nodes:
            wait_for(lambda: len(self.told(node, event)) >= len(sentences))  # noqa: B023
            assert self.told(node, event) == list(sentences)

    def stop(self) -> None:
        for process in self._running:
            Workplace.kill(process)


@pytest.fixture
def agents(cluster3: LiveCluster, tmp_path: Path) -> Iterator[Agents]:
    found = Agents(Workplace.create(cluster3, tmp_path / "repo"), tmp_path)
    yield found
    found.stop()


def test_all_agents_tell_what_differs_once_and_when_it_is_over(agents: Agents) -> None:
    cluster = agents.cluster
    file = cluster.cib_dir("node2") / "cib.xml"
    conf = cluster.directory / "node3/etc/corosync/corosync.conf"
    for value in (2, 3):
        assert cluster.run("node1", by_cibadmin(value)).returncode == 0
    # somebody edits a file by hand
    wait_for(lambda: 'value="3"' in file.read_text())
    right = file.read_bytes()
    file.write_bytes(right.replace(b'value="3"', b'value="4"'))
    edited = "cib.xml on node2 does not match its signature"
    agents.all_tell("disagreement", edited)
    file.write_bytes(right)
    agents.all_tell("agreement", edited)
    # a change of corosync.conf did not arrive everywhere
    text = conf.read_text()
    conf.write_text(text.replace("totem {", "totem {\n  config_version: 7"))
    parted = "corosync.conf is not the same on all nodes: node1 and node2; node3"
    agents.all_tell("disagreement", edited, parted)
    conf.write_text(f"# only a comment\n{text}")
    agents.all_tell("agreement", edited, parted)
