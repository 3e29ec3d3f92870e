"""Pushes that undo themselves unless confirmed, on real clusters.

However it goes, exactly one thing happens: confirmed, put back, or left alone and told.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cibgit.cib.pending import pending, reverted

from .cluster import LiveCluster
from .node import wait_until
from .workplace import Workplace

ROUNDS = 8
PROJECT = Path(__file__).parents[2]


@pytest.fixture
def place(cluster1: LiveCluster, tmp_path: Path) -> Workplace:
    return Workplace.create(cluster1, tmp_path / "repo")


@pytest.fixture
def three(cluster3: LiveCluster, tmp_path: Path) -> Workplace:
    return Workplace.create(cluster3, tmp_path / "repo")


def timers(place: Workplace, node: str = "node1") -> list[Path]:
    """Return the orders that still lie on a node."""
    return list((place.cluster.directory / node / "timers").glob("*/order.json"))


def until(condition: Callable[[], object], what: str) -> None:
    wait_until(condition, what, timeout=30)


def push(place: Workplace, node: str, seconds: int, *more: str) -> None:
    place.edit('interval="30s"', 'interval="20s"')
    options = ("--yes", "--no-wait", "--confirm-within", f"{seconds}s", *more)
    answer = place.cibgit(node, "push", "-m", "x", *options)
    assert answer.code == 0, answer
    assert "Waits for confirmation until" in answer.out
    assert place.interval(node) == "20s"


def test_unconfirmed_the_cluster_is_put_back(place: Workplace) -> None:
    before = place.digest("node1")
    push(place, "node1", 2)
    mode = {each.stat().st_mode & 0o777 for each in timers(place)}
    assert mode == {0o600}
    until(lambda: place.interval() == "30s", "the old state")
    status = place.cibgit("node1", "status")
    assert status.code == 1  # the commit is in git and not live
    assert "was not confirmed in time" in status.out
    assert "Not pushed: HEAD differs from applied" in status.out
    late = place.cibgit("node1", "confirm")
    assert late.code == 110, late
    assert "too late" in late.err
    assert timers(place) == []
    # save for cibgit's own marker the configuration is what it was
    live = place.live()
    undone = reverted(live)
    assert undone
    assert undone.commit == place.git("rev-parse", "HEAD")
    assert place.cibgit("node1", "diff", "HEAD~1", "live").code == 0
    # and it can be pushed again, and confirmed, and then it stays
    again = place.cibgit("node1", "push", "--yes", "--confirm-within", "60s")
    assert again.code == 0, again
    kept = place.cibgit("node1", "confirm", "--json")
    assert (kept.code, kept.json["waited"]["confirm_by"] > 0) == (0, True)
    assert kept.json["known_good"]
    assert timers(place) == []
    assert place.interval() == "20s"
    assert place.cibgit("node1", "cancel").code == 66
    assert before != place.digest("node1")


@pytest.mark.parametrize("group", [True, False], ids=["connection cut", "kill -9"])
def test_an_operator_who_is_gone(place: Workplace, group: bool) -> None:
    """The session with all its processes ends, or cibgit alone, right after the write."""
    place.edit('interval="30s"', 'interval="20s"')
    process = place.started(
        "node1", "push", "-m", "x", "--yes", "--confirm-within", "4s"
    )
    until(lambda: pending(place.live()), "the push")
    place.kill(process, group=group)
    assert place.interval() == "20s"
    until(lambda: place.interval() == "30s", "the old state")
    until(lambda: timers(place) == [], "the end of the timer")
    assert pending(place.live()) is None


def test_a_node_that_reboots(three: Workplace) -> None:
    """The timer dies with its node; the rest of the cluster goes on, and says so."""
    push(three, "node3", 2)
    three.cluster.kill("node3")
    three.cluster.wait(["node1", "node2"])
    until(
        lambda: (waits := pending(three.live())) and waits.confirm_by < time.time(), ""
    )
    status = three.cibgit("node1", "status")
    assert status.code == 1, status
    assert "Waits for confirmation, overdue" in status.out
    assert "timer on node3" in status.out
    assert three.interval("node1") == "20s"
    three.cluster.boot("node3")
    # what the boot of a node runs where there is no systemd; it may be early
    assert "1 timers" in three.in_node("node3", "timer").out
    until(lambda: three.interval("node1") == "30s", "the old state")
    assert three.cibgit("node2", "confirm").code == 110
    three.cluster.wait(settle=True)


def test_confirmed_or_cancelled_from_another_node(three: Workplace) -> None:
    push(three, "node2", 60)
    refused = three.cibgit("node1", "push", "HEAD~1", "--yes")
    assert refused.code == 75, refused
    assert "by root on node2 waits for confirmation until" in refused.err
    assert three.cibgit("node1", "confirm").code == 0
    assert three.interval("node3") == "20s"
    assert pending(three.live("node2")) is None

    three.edit('interval="20s"', 'interval="30s"')
    options = ("--yes", "--no-wait", "--confirm-within", "60s")
    assert three.cibgit("node2", "push", "-m", "y", *options).code == 0
    back = three.cibgit("node3", "cancel")
    assert back.code == 0, back
    assert three.interval("node1") == "20s"
    assert "was cancelled" in three.cibgit("node2", "status").out
    assert three.cibgit("node1", "confirm").code == 110


def test_what_somebody_changed_meanwhile_is_left_alone(place: Workplace) -> None:
    push(place, "node1", 2)
    change = '<nvpair id="vip-fake" value="2"/>'
    place.cluster.cibadmin("node1", "-M", "-o", "resources", "-X", change)
    epoch = place.epoch()
    until(lambda: timers(place) == [], "the end of the timer")
    assert place.epoch() == epoch
    assert place.interval() == "20s"
    status = place.cibgit("node1", "status")
    assert status.code == 1
    assert "overdue" in status.out
    assert "nothing was put back" in status.out
    # cancelling would lose the change: refused, and shown
    refused = place.cibgit("node1", "cancel")
    assert refused.code == 103, refused
    assert "params.fake: 1 -> 2" in refused.err
    assert place.cibgit("node1", "confirm").code == 0
    assert pending(place.live()) is None


def test_a_push_that_fails_leaves_no_timer(place: Workplace) -> None:
    place.edit('interval="30s"', 'interval="20s"')
    tools = place.root.parent / "bin"
    tools.mkdir()
    (tools / "cibadmin").write_text(
        '#!/bin/sh\ncase "$*" in *--patch*) exit 78;; esac\nexec /usr/sbin/cibadmin "$@"\n'
    )
    (tools / "cibadmin").chmod(0o755)
    argv = [sys.executable, "-m", "cibgit", "push", "-m", "x", "--yes", "--no-wait"]
    path = f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin"
    done = place.cluster.run(
        "node1",
        [*argv, "--confirm-within", "2s", "-C", place.root],
        env={"PATH": path},
    )
    assert done.returncode == 65, done
    assert timers(place) == []
    assert place.interval() == "30s"
    assert pending(place.live()) is None


def test_confirm_at_the_last_moment(place: Workplace) -> None:
    """Around the deadline either the confirmation wins or the timer, never both."""
    argv = [sys.executable, "-m", "tests.live.race", str(place.root), str(ROUNDS)]
    done = place.cluster.run("node1", argv, timeout=200, cwd=PROJECT)
    assert done.returncode == 0, done.stderr.decode()
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    rounds = list(zip(lines[::2], lines[1::2], strict=True))
    assert len(rounds) == ROUNDS
    raced = [each for each in rounds if each[0]["push"] == 0]
    # a machine that is too slow for two seconds pushes nothing
    assert {each[0]["push"] for each in rounds} <= {0, 124}
    assert len(raced) > ROUNDS / 2
    for answer, after in raced:
        assert answer["confirm"] in (0, 110), answer
        assert (answer["confirm"] == 110) is (after["undone"] is not None), answer
    last = raced[-1][0]
    assert (place.interval() == f"{last['interval']}s") is (last["confirm"] == 0)
