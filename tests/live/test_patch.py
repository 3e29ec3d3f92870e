"""``diff --format patch`` on a live node: what it prints is a compare-and-swap."""

from pathlib import Path

import pytest

from cibgit.cib import patchset
from cibgit.cib.document import parse
from cibgit.cib.owned import OWNED_OPTIONS

from .cluster import LiveCluster
from .workplace import Workplace

EXIT_STALE = 103


@pytest.fixture
def place(cluster1: LiveCluster, tmp_path: Path) -> Workplace:
    return Workplace.create(cluster1, tmp_path / "repo")


def printed(place: Workplace) -> bytes:
    shown = place.cibgit("node1", "diff", "--format", "patch")
    assert shown.code == 1, shown
    return shown.out.encode()


def apply(place: Workplace, patch: bytes) -> int:
    command = ["cibadmin", "--patch", "-p"]
    return place.cluster.run("node1", command, input=patch).returncode


def test_the_cluster_takes_it_once_and_is_as_git_says(place: Workplace) -> None:
    place.edit('interval="30s"', 'interval="20s"')
    before = parse(place.cluster.cibadmin("node1", "-Q"), "before")
    patch = printed(place)
    assert patchset.parse(patch).source[:2] == before.version[:2]
    assert apply(place, patch) == 0
    assert place.cibgit("node1", "diff").code == 0
    live = parse(place.cluster.cibadmin("node1", "-Q"), "live")
    for option in OWNED_OPTIONS - {"last-lrm-refresh"}:
        assert live.option(option) == before.option(option) != ""
    assert apply(place, patch) == EXIT_STALE
    same = place.cibgit("node1", "diff", "--format", "patch")
    assert (same.code, same.out) == (0, "")


def test_it_is_refused_after_anybody_changed_anything(place: Workplace) -> None:
    place.edit('interval="30s"', 'interval="20s"')
    patch = printed(place)
    place.cluster.cibadmin(
        "node1", "-M", "-o", "resources", "-X", '<nvpair id="vip-fake" value="2"/>'
    )
    changed = place.cluster.cibadmin("node1", "-Q", "-o", "configuration")
    assert apply(place, patch) == EXIT_STALE
    assert place.cluster.cibadmin("node1", "-Q", "-o", "configuration") == changed
