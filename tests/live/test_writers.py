"""cibgit beside other writers on a live cluster: nothing is ever lost."""

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from .cluster import LiveCluster
from .workplace import Workplace

ROUNDS = 100
PROJECT = Path(__file__).parents[2]


@pytest.fixture
def place(cluster3: LiveCluster, tmp_path: Path) -> Workplace:
    return Workplace.create(cluster3, tmp_path / "repo")


def count_up(place: Workplace, node: str, times: int) -> list[dict[str, Any]]:
    """Let cibgit push ``times`` edits from a node; return what each attempt answered."""
    argv = [sys.executable, "-m", "tests.live.increment", str(place.root), str(times)]
    done = place.cluster.run(node, argv, timeout=800, cwd=PROJECT)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


class Other(threading.Thread):
    """Another administrator, who adds one option after the other with other tools."""

    def __init__(self, place: Workplace, node: str) -> None:
        super().__init__(daemon=True)
        self.place, self.node = place, node
        self.written: list[str] = []
        self.problem = ""
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            name = f"other-{len(self.written)}"
            if len(self.written) % 10 == 9:
                argv = ["pcs", "property", "set", "--force", f"{name}=1"]
            else:
                pair = f'<nvpair id="{name}" name="{name}" value="1"/>'
                section = f'<cluster_property_set id="cib-bootstrap-options">{pair}'
                xml = f"<crm_config>{section}</cluster_property_set></crm_config>"
                argv = ["cibadmin", "--modify", "-c", "-o", "crm_config", "-X", xml]
            done = self.place.cluster.run(self.node, argv)
            if done.returncode:
                self.problem = f"{name}: {done.stderr.decode()}"
                return
            self.written.append(name)
            self.stop.wait(2)


def test_no_update_is_lost_between_two_writers(place: Workplace) -> None:
    other = Other(place, "node3")
    other.start()
    attempts = count_up(place, "node2", ROUNDS)
    other.stop.set()
    other.join(30)
    assert not other.problem

    pushed = [attempt for attempt in attempts if attempt["code"] == 0]
    refused = [attempt for attempt in attempts if attempt["code"] != 0]
    assert len(pushed) == ROUNDS
    # each acknowledged push built on the one before, none was given out twice
    assert [attempt["number"] for attempt in pushed] == list(range(2, ROUNDS + 2))
    # every refusal is 103 and shows what the other one did
    assert refused
    assert {attempt["code"] for attempt in refused} == {103}
    assert all(
        "other-" in json.dumps(attempt["answer"]["changes"]) for attempt in refused
    )
    # and all that the other one wrote is there
    live = place.cluster.cibadmin("node1", "-Q", "-o", "configuration").decode()
    assert len(other.written) > 5
    assert [name for name in other.written if f'name="{name}"' not in live] == []
    assert f'name="fake" value="{ROUNDS + 1}"' in live


def test_status_churn_only_costs_retries(place: Workplace) -> None:
    loop = (
        "i=0; while :; do i=$((i+1));"
        " attrd_updater -n churn -U $i -d 0 >/dev/null; sleep 0.05; done"
    )
    churn = threading.Thread(
        target=lambda: place.cluster.run("node3", ["timeout", "40", "sh", "-c", loop]),
        daemon=True,
    )
    churn.start()
    attempts = count_up(place, "node1", 20)
    place.cluster.run("node3", ["pkill", "-f", "attrd_updater -n churn"])
    churn.join(60)
    assert {attempt["code"] for attempt in attempts} == {0}
    assert len(attempts) == 20
    assert max(attempt["answer"]["attempts"] for attempt in attempts) > 1
