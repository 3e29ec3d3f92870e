"""A network that is split and heals: the higher version wins whole, without a word.

What the other side had acknowledged is gone from every node. cibgit names it, and brings
it back. (S1 to S4: which side wins, and why.)
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from .cluster import LiveCluster
from .workplace import Workplace

FORCE = ("-y", "--no-wait", "--force", "all-nodes")


class Split(NamedTuple):
    """How much each side changes, and whether the majority raises ``admin_epoch``."""

    majority: int
    minority: int
    raises: bool = False


LOSES = {
    "S2, the majority has more": Split(3, 1),
    "S3, a tie": Split(2, 2),
    "S4, a higher admin_epoch": Split(1, 4, raises=True),
}


@pytest.fixture
def place(cluster3: LiveCluster, tmp_path: Path) -> Workplace:
    place = Workplace.create(cluster3, tmp_path / "repo")
    place.edit('interval="30s"', 'interval="20s"')
    assert place.cibgit("node1", "push", "-m", "first", "-y").code == 0
    return place


def by_hand(place: Workplace, xml: str) -> None:
    place.cluster.cibadmin("node3", "--modify", "--xml-text", xml)


def fake(value: str) -> str:
    return f'<nvpair id="vip-fake" name="fake" value="{value}"/>'


def pushed(place: Workplace, number: int) -> str:
    """Push something in the majority; return the commit."""
    place.edit(place.interval("node1"), f"{10 + number}s")
    done = place.cibgit("node1", "push", "-m", f"push {number}", *FORCE)
    assert done.code == 0, done
    return place.git("rev-parse", "HEAD")


def split(place: Workplace) -> None:
    place.cluster.partition(["node3"])
    place.cluster.wait(["node1", "node2"])
    place.cluster.wait(["node3"])


def outnumber(place: Workplace) -> None:
    """Let the majority's status move further: of two equal epochs that wins."""
    node1, node3 = (
        lambda node=node: place.live(node).version for node in ("node1", "node3")
    )
    value = 0
    while node1().num_updates <= node3().num_updates + 10:
        value += 1
        attribute = ["attrd_updater", "-n", "moves", "-U", str(value), "-d", "0"]
        assert place.cluster.run("node1", attribute).returncode == 0
    assert node1()[:2] == node3()[:2]


def healed(place: Workplace) -> str:
    """Join the network; return what is live then."""
    place.cluster.heal()
    place.cluster.wait(settle=True)
    return place.cluster.cibadmin("node2", "-Q").decode()


def test_s1_a_push_that_a_minority_swallowed(place: Workplace) -> None:
    split(place)
    lost = pushed(place, 0)
    for value in range(3):
        by_hand(place, fake(f"hand{value}"))
    live = healed(place)
    assert 'value="hand2"' in live and 'interval="20s"' in live, "the minority won"
    found = place.cibgit("node1", "drift")
    assert found.code == 1
    assert f"commit {lost[:10]} was pushed and is gone" in found.out
    # by hand, or by the controller that brought it: from the other side
    assert re.search(r"was last changed by \w+ via \w+ on node3", found.out)
    assert "Lost:" not in found.out
    assert place.cibgit("node1", "push", "-y").code == 103
    assert place.cibgit("node1", "adopt").code == 0
    assert place.cibgit("node1", "push", "-y").code == 0
    live = place.cluster.cibadmin("node2", "-Q").decode()
    assert 'value="hand2"' in live and 'interval="10s"' in live
    assert place.cibgit("node1", "drift").code == 0


@pytest.mark.parametrize("how", LOSES)
def test_changes_that_a_majority_swallowed(how: str, place: Workplace) -> None:
    split(place)
    for number in range(LOSES[how].majority):
        commit = pushed(place, number)
    if LOSES[how].raises:
        root = f'<cib admin_epoch="{place.live().version.admin_epoch + 1}"/>'
        place.cluster.cibadmin("node1", "--modify", "--xml-text", root)
    for value in range(LOSES[how].minority):
        by_hand(place, fake(f"hand{value}"))
    if how.startswith("S3"):
        outnumber(place)
    version = place.epoch("node3")
    live = healed(place)
    last = f'value="hand{LOSES[how].minority - 1}"'
    assert last not in live and f'value="{commit}"' in live, "the majority won"

    assert place.cibgit("node1", "drift").code == 0, "only node3 has kept it"
    found = place.cibgit("node3", "drift", "--json")
    assert found.code == 1, found
    [one] = found.json["lost"]
    assert (one["version"], one["user"], one["client"], one["origin"]) == (
        f"{version}.0", "root", "cibadmin", "node3")  # fmt: skip
    assert [each["sentence"] for each in one["changes"]] == [
        f"params.fake: 1 -> hand{LOSES[how].minority - 1}"
    ]
    told = place.cibgit("node3", "drift").out
    assert f"Lost: written without quorum at {version}.0 by root via cibadmin" in told
    assert place.cibgit("node3", "adopt", "--lost").code == 0
    assert "CIB-Changed-By: root via cibadmin on node3" in place.git("log", "-2")
    assert place.cibgit("node1", "push", "-y").code == 0
    live = place.cluster.cibadmin("node2", "-Q").decode()
    assert last in live and f'interval="{10 + number}s"' in live
    for node in place.cluster.nodes:
        assert place.cibgit(node, "drift").code == 0


def test_what_is_in_conflict_is_refused_and_may_be_discarded(place: Workplace) -> None:
    split(place)
    for number in range(2):
        pushed(place, number)
    by_hand(place, '<op id="vip-monitor" name="monitor" interval="77s"/>')
    healed(place)
    head = place.git("rev-parse", "HEAD")
    refused = place.cibgit("node3", "adopt", "--lost")
    assert refused.code == 107
    assert "git and what was lost are in conflict" in refused.err
    assert place.git("rev-parse", "HEAD") == head
    assert place.cibgit("node3", "adopt", "--lost", "--discard").code == 0
    assert place.cibgit("node3", "drift").code == 0
    assert place.git("diff", "--stat", head, "HEAD") == ""
    assert place.git("status", "--porcelain") == ""
