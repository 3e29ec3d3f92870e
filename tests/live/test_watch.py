"""The agent on a live cluster: every hand edit is a commit, by any tool from any node."""

import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .cluster import LiveCluster
from .workplace import Workplace

LIVE = "refs/cibgit/prod/live"
EDITS = 100
PASSWORD = "tr0ub4dor"


@pytest.fixture
def place(cluster3: LiveCluster, tmp_path: Path) -> Workplace:
    return Workplace.create(cluster3, tmp_path / "repo")


@contextmanager
def watching(place: Workplace, node: str, *options: str) -> Iterator[None]:
    """Run the agent on a node, and end it as systemd does."""
    pid, ready = place.root.parent / "pid", place.root.parent / "metrics"
    ready.unlink(missing_ok=True)
    script = 'echo $$ > "$1"; shift; exec "$@"'
    argv = [sys.executable, "-m", "cibgit", "watch", "-C", str(place.root)]
    argv = ["sh", "-c", script, "sh", str(pid), *argv, "--metrics", str(ready)]
    argv += options
    codes: list[int] = []

    def work() -> None:
        codes.append(place.cluster.run(node, argv, timeout=7200).returncode)

    agent = threading.Thread(target=work, daemon=True)
    agent.start()
    wait_for(ready.exists)
    yield
    place.cluster.run(node, ["kill", "-TERM", pid.read_text().strip()])
    agent.join(30)
    assert codes == [0]


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def chain(place: Workplace, key: str) -> list[str]:
    form = f"--format=%(trailers:key={key},valueonly,separator=)"
    log = place.git("log", "--reverse", form, f"HEAD..{LIVE}")
    return [line.strip() for line in log.splitlines()]


def by_cibadmin(value: int) -> list[str]:
    xml = f'<nvpair id="vip-fake" name="fake" value="{value}"/>'
    return ["cibadmin", "--modify", "--xml-text", xml]


def by_pcs(value: int) -> list[str]:
    return ["pcs", "resource", "update", "vip", f"fake={value}", "--force"]


def by_crm(value: int) -> list[str]:
    return ["crm", "resource", "param", "vip", "set", "fake", str(value)]


def test_each_hand_edit_is_a_commit_even_one_that_is_undone_at_once(
    place: Workplace,
) -> None:
    dice = random.Random(7)
    tools = [by_cibadmin] * 7 + [by_pcs] * 2 + [by_crm]
    pair = f'<nvpair id="db-passwd" name="passwd" value="{PASSWORD}"/>'
    params = f'<instance_attributes id="db-params">{pair}</instance_attributes>'
    primitive = f'<primitive id="db">{params}</primitive>'
    place.cluster.cibadmin("node1", "--modify", "-c", "--xml-text", primitive)
    assert place.cibgit("node1", "export").code == 0
    epoch = place.epochs()
    with watching(place, "node2"):
        for value in range(1000, 1000 + EDITS):
            node = dice.choice(place.cluster.nodes)
            done = place.cluster.run(node, dice.choice(tools)(value))
            assert done.returncode == 0, done.stderr.decode()
            time.sleep(dice.choice((0, 0, 0, 0.1, 0.5)))
        undone = '<nvpair id="vip-fake" name="fake" value="{}"/>'
        both = "cibadmin -M -X '{}' && cibadmin -M -X '{}'".format(
            undone.format("wrong"), undone.format("right")
        )
        place.cluster.run("node3", ["sh", "-c", both])
        assert f"{place.epoch()}.0" == epoch(EDITS + 2)
        wait_for(lambda: chain(place, "CIB-Version")[-1:] == [epoch(EDITS + 2)])
    assert chain(place, "CIB-Version") == [epoch(n) for n in range(1, EDITS + 3)]
    values = [
        place.git("show", f"{LIVE}~{back}:clusters/prod/cib.xml").partition(
            'name="fake" value="'
        )[2].partition('"')[0]
        for back in (2, 1, 0)
    ]  # fmt: skip
    assert values == [str(1000 + EDITS - 1), "wrong", "right"]
    who = chain(place, "CIB-Changed-By")
    assert {each.rpartition(" on ")[2] for each in who} == set(place.cluster.nodes)
    assert {each.split()[0] for each in who} == {"root"}
    assert {each.split()[2] for each in who} >= {"cibadmin", "crm_resource"}
    assert place.git("status", "--porcelain") == ""
    assert PASSWORD not in place.git("log", "-p", "-m", "--all")
    found = place.cibgit("node2", "drift", "--json").json
    assert {each["change"]["owner"]["name"] for each in found["entries"]} == {"vip"}


def test_a_restart_of_the_cluster_is_survived(
    cluster1: LiveCluster, tmp_path: Path
) -> None:
    place = Workplace.create(cluster1, tmp_path / "repo")
    epoch, metrics = place.epochs(), tmp_path / "metrics"
    with watching(place, "node1", "--poll", "0.5"):
        assert cluster1.run("node1", by_cibadmin(7)).returncode == 0
        wait_for(lambda: chain(place, "CIB-Version") == [epoch(1)])
        cluster1.stop("node1")
        wait_for(lambda: 'troubles_total{cluster="prod"} 0' not in metrics.read_text())
        cluster1.start("node1")
        cluster1.wait(settle=True)
        epoch = place.epochs()
        assert cluster1.run("node1", by_cibadmin(8)).returncode == 0
        wait_for(lambda: chain(place, "CIB-Version")[-1:] == [epoch(1)])
    found = chain(place, "CIB-Version")
    assert len(found) == len(set(found))
    log = place.git("log", "-p", "--reverse", "--format=", f"HEAD..{LIVE}")
    assert re.findall(r'^\+.*name="fake" value="(\d+)"', log, re.MULTILINE) == [
        "7",
        "8",
    ]


def test_a_cib_that_was_edited_on_the_disk_is_told_at_once_and_so_is_its_repair(
    cluster1: LiveCluster, tmp_path: Path
) -> None:
    """The cluster runs on, and nobody else would notice before the next start."""
    place = Workplace.create(cluster1, tmp_path / "repo")
    events, metrics = tmp_path / "events", tmp_path / "metrics"
    hook = tmp_path / "hook"
    hook.write_text(
        f'#!/bin/sh\necho "$CIBGIT_EVENT" >> {events}\ncat >> {events}.all\n'
    )
    hook.chmod(0o755)

    def told() -> list[str]:
        return events.read_text().split() if events.exists() else []

    edit = r"sed -i 's/name=\"fake\" value=\"/&9/' /var/lib/pacemaker/cib/cib.xml"
    with watching(place, "node1", "--hook", str(hook), "--metrics", str(metrics)):
        wait_for(lambda: 'disk_sound{cluster="prod"} 1' in metrics.read_text())
        assert cluster1.run("node1", ["sh", "-c", edit]).returncode == 0
        wait_for(lambda: told() == ["disk-damaged"])
        assert "digest-mismatch" in (tmp_path / "events.all").read_text()
        wait_for(lambda: 'disk_sound{cluster="prod"} 0' in metrics.read_text())
        # 1: no error is left, but maybe what another test left about
        assert place.cibgit("node1", "repair", "--yes").code in (0, 1)
        wait_for(lambda: told() == ["disk-damaged", "disk-sound"])
        # without a signature it looks like a state that was written
        unsigned = f"{edit} && rm /var/lib/pacemaker/cib/cib.xml.sig"
        assert cluster1.run("node1", ["sh", "-c", unsigned]).returncode == 0
        wait_for(lambda: told()[2:] == ["disk-damaged"])
        assert "disk-differs" in (tmp_path / "events.all").read_text()
        assert place.cibgit("node1", "repair", "--yes").code in (0, 1)
        wait_for(lambda: told()[2:] == ["disk-damaged", "disk-sound"])
        assert cluster1.run("node1", by_cibadmin(3)).returncode == 0
        wait_for(lambda: told()[4:] == ["drift"])
    history = place.git("log", "-p", "--format=", f"HEAD..{LIVE}")
    values = re.findall(r'^\+.*name="fake" value="(\d+)"', history, re.MULTILINE)
    assert values == ["3"], "what was edited on the disk never was live"
    assert place.git("status", "--porcelain") == ""
