"""The agent under Corosync's supervision: whatever happens to it, it goes on."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .cluster import LiveCluster
from .test_agent import values
from .test_watch import by_cibadmin, wait_for
from .workplace import Workplace


class Agent:
    """A supervised agent: its supervisor, which others know, and the child that works."""

    def __init__(self, place: Workplace) -> None:
        self.place = place
        argv = [sys.executable, "-m", "cibgit", "watch", "-C", place.root]
        self.process = place.cluster.start_process(
            "node1", [*argv, "--supervised", "2"]
        )
        wait_for(lambda: children(self.process.pid) and self.child())
        [self.supervisor] = children(self.process.pid)

    def child(self) -> int | None:
        found = [pid for each in children(self.process.pid) for pid in children(each)]
        return found[0] if found else None

    def other_child(self, than: int | None) -> None:
        wait_for(lambda: self.child() not in (None, than))

    def states(self) -> str:
        argv = ["corosync-cmapctl", "resources.process."]
        return self.place.cluster.run("node1", argv).stdout.decode()

    def edit(self, value: int) -> None:
        """Change the cluster, and wait until the agent has recorded it."""
        assert self.place.cluster.run("node1", by_cibadmin(value)).returncode == 0
        wait_for(lambda: values(self.place)[-1:] == [str(value)])


def children(pid: int) -> list[int]:
    """Return the children of a process, by the host's numbers."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in text.split()]


@pytest.fixture
def agent(cluster1: LiveCluster, tmp_path: Path) -> Iterator[Agent]:
    found = Agent(Workplace.create(cluster1, tmp_path / "repo"))
    yield found
    if found.process.poll() is None:
        os.kill(found.supervisor, signal.SIGKILL)
    found.process.communicate(timeout=30)


def test_it_goes_on_when_it_is_killed_or_hangs_and_ends_in_good_order(
    agent: Agent,
) -> None:
    agent.edit(11)
    assert "state (str) = running" in agent.states()
    first = agent.child()
    assert first
    os.kill(first, signal.SIGKILL)
    agent.edit(12)
    second = agent.child()
    assert second and second != first
    os.kill(second, signal.SIGSTOP)
    agent.other_child(second)
    agent.edit(13)
    assert values(agent.place) == ["11", "12", "13"]
    # a service manager knows the supervisor: it ends with the child, and as the child
    third = agent.child()
    os.kill(agent.supervisor, signal.SIGTERM)
    assert agent.process.wait(30) == 0
    assert not Path(f"/proc/{third}").exists()
    assert agent.states() == ""


def test_without_its_supervisor_the_agent_ends(agent: Agent) -> None:
    child = agent.child()
    agent.edit(11)
    os.kill(agent.supervisor, signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{child}").exists())


def test_what_is_wrong_from_the_beginning_is_not_tried_again(
    cluster1: LiveCluster, tmp_path: Path
) -> None:
    place = Workplace(cluster1, tmp_path)
    answer = place.cibgit("node1", "watch", "--supervised", "2")
    assert answer.code == 66
    assert "there is no cibgit.toml" in answer.err
