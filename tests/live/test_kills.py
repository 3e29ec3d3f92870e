"""``kill -9`` of cibgit at random moments of a push, on a real cluster.

``make kills`` does it a hundred times. Whatever is left, the next command says truthfully
what happened, the next push goes through, and nothing is lost.
"""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from .cluster import LiveCluster
from .node import wait_until
from .workplace import Workplace

KILLS = int(os.environ.get("KILLS", "12"))


@pytest.fixture
def place(cluster1: LiveCluster, tmp_path: Path) -> Workplace:
    return Workplace.create(cluster1, tmp_path / "repo")


def is_empty(group: int) -> bool:
    """Say whether nothing that cibgit started is left: git or cibadmin may go on a while."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def killed_push(place: Workplace, seconds: float, number: int) -> bool:
    """Start a push and kill it after some time; return whether it was still there."""
    process = place.started("node1", "push", "-m", f"round {number}", "--yes")
    time.sleep(seconds)
    alive = process.poll() is None
    if alive:
        place.kill(process)
    process.communicate(timeout=60)
    wait_until(lambda: is_empty(process.pid), "what cibgit started", timeout=30)
    return alive and process.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)


def seconds_of_push(place: Workplace, old: str, new: str) -> float:
    """Push a change, and return how long it takes."""
    place.edit(f'interval="{old}"', f'interval="{new}"')
    started = time.monotonic()
    assert place.cibgit("node1", "push", "-m", new, "--yes").code == 0
    return time.monotonic() - started


def test_a_push_that_is_killed(place: Workplace) -> None:
    # the machine may be busy with other tests at first: the quicker one counts
    whole = min(
        seconds_of_push(place, "30s", "98s"), seconds_of_push(place, "98s", "99s")
    )
    old = "99s"
    kills, states = 0, set()
    for number in range(KILLS):
        new = f"{number + 100}s"
        place.edit(f'interval="{old}"', f'interval="{new}"')
        # one in each part of the time that a push takes: before, amid and after the write
        part = (number + random.random()) / KILLS
        seconds = 0.1 + (whole - 0.1) * part
        if killed_push(place, seconds, number):
            kills += 1
        else:
            whole = min(whole, seconds)

        # the truth: live is the old state or the new one, and git knows which
        live = place.interval()
        assert live in (old, new)
        answer = place.cibgit("node1", "status", "--json")
        assert answer.code in (0, 1), answer
        said = answer.json
        assert (said["drift"], said["applied"]["found"]) == ([], "content")
        assert f'interval="{live}"' in place.git(
            "show", f"{said['applied']['commit']}:clusters/prod/cib.xml"
        )
        states.add((said["edited"], live == new))

        # nothing is lost, and nothing is in the way
        assert f'interval="{new}"' in place.file.read_text()
        again = place.cibgit(
            "node1", "push", "-m", f"again {number}", "--yes", "--no-wait"
        )
        assert again.code == 0, again
        assert place.interval() == new
        assert place.cibgit("node1", "status").code == 0
        old = new
    assert kills > KILLS / 2
    assert len(states) > 1, states
    place.git("fsck", "--strict")
