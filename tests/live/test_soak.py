"""A long life in fast motion: neither memory nor descriptors grow, and nothing is lost.

``make soak`` has as many status updates and changes as a busy day; by default it is a
short one. One change of the configuration comes with 25 updates of node attributes, which
is what ping agents, fail counts and the like do all the time.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from .cluster import LiveCluster
from .test_watch import LIVE, by_cibadmin, chain, wait_for, watching
from .workplace import Workplace

UPDATES = int(os.environ.get("SOAK", "500"))
PER_CHANGE = 25
CHANGES = UPDATES // PER_CHANGE
AGENT = "node2"
GROWTH = 4 * 1024
"""KiB by which the agent may grow after the first tenth: less than 3 KiB a change."""

STATUS = """\
i=0
while [ $i -lt {count} ]; do
    i=$((i + 1))
    attrd_updater --name ping --update "$1$i" --delay 0 || exit 1
done
"""


class Sample(NamedTuple):
    """What the agent uses: KiB of memory, open files; KiB of the repository."""

    memory: int
    files: int
    disk: int


def sample(pid: int, repository: Path) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    memory = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    assert memory
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    used = subprocess.run(
        ["du", "-sk", str(repository)], capture_output=True, text=True, check=False
    )
    return Sample(int(memory[1]), files, int(used.stdout.split()[0]))


def epoch_on_disk(cluster: LiveCluster, node: str) -> int:
    head = (cluster.cib_dir(node) / "cib.xml").read_bytes()[:400]
    found = re.search(rb' epoch="(\d+)"', head)
    return int(found[1]) if found else -1


def live_a_while(place: Workplace, value: int) -> None:
    """Update the status from all nodes, and change the configuration meanwhile."""
    cluster, nodes = place.cluster, place.cluster.nodes
    shares = [PER_CHANGE * (n + 1) // 3 - PER_CHANGE * n // 3 for n in range(3)]
    updates = [
        cluster.start_process(
            node, ["sh", "-c", STATUS.format(count=count), "sh", f"{value}0"]
        )
        for node, count in zip(nodes, shares, strict=True)
    ]
    before = epoch_on_disk(cluster, AGENT)
    done = cluster.run(nodes[value % 3], by_cibadmin(value))
    assert done.returncode == 0, done.stderr.decode()
    # Pacemaker writes one file at a time: a change that comes meanwhile is never on disk
    wait_for(lambda: epoch_on_disk(cluster, AGENT) > before)
    for each in updates:
        _, said = each.communicate(timeout=60)
        assert each.returncode == 0, said


def values(place: Workplace) -> list[int]:
    """Return what ``fake`` was in each commit of the chain, oldest first."""
    patch = place.git("log", "--reverse", "-p", "-U0", "--format=", f"HEAD..{LIVE}")
    found = re.findall(r'^\+.*name="fake" value="(\d+)"', patch, re.MULTILINE)
    return [int(each) for each in found]


def test_a_life_in_fast_motion(cluster3: LiveCluster, tmp_path: Path) -> None:
    place = Workplace.create(cluster3, tmp_path / "repo")
    began, samples = time.monotonic(), []
    with watching(place, AGENT):
        [pid] = cluster3.pids_of(AGENT, Path(sys.executable).name)
        for value in range(1000, 1000 + CHANGES):
            live_a_while(place, value)
            samples.append(sample(pid, place.root / ".git"))
        wait_for(lambda: values(place)[-1:] == [1000 + CHANGES - 1])
        samples.append(sample(pid, place.root / ".git"))
        metrics = (place.root.parent / "metrics").read_text()
    seconds = time.monotonic() - began
    # an epoch of the cluster's own, without a change, may come between
    epochs = [int(each.split(".")[1]) for each in chain(place, "CIB-Version")]
    assert epochs == sorted(set(epochs))
    assert len(epochs) == CHANGES
    assert values(place) == list(range(1000, 1000 + CHANGES))
    assert 'cibgit_watch_missed_total{cluster="prod"} 0' in metrics
    assert 'cibgit_watch_troubles_total{cluster="prod"} 0' in metrics
    tenth = samples[CHANGES // 10]
    for name, each in (
        ("10 %", tenth),
        ("50 %", samples[CHANGES // 2]),
        ("100 %", samples[-1]),
    ):
        print(f"{name}: {each.memory} KiB, {each.files} files, {each.disk} KiB of .git")
    print(
        f"{UPDATES} updates, {CHANGES} changes, {seconds:.0f} s, most: {max(samples)}"
    )
    assert samples[-1].memory - tenth.memory < GROWTH
    # git's pipes come and go while a commit is made; none of them stays
    assert min(each.files for each in samples[-20:]) <= tenth.files
    place.git("fsck", "--no-dangling")
