"""The main job on three real nodes."""

import json
from pathlib import Path

import pytest

from cibgit.cib import digest
from cibgit.cib.digest import Dialect, dialect_of
from cibgit.cib.document import parse
from cibgit.cib.owned import marker_commit
from cibgit.cluster.commands import installed_version

from .cluster import LiveCluster
from .workplace import Workplace


@pytest.fixture
def place(cluster3: LiveCluster, tmp_path: Path) -> Workplace:
    return Workplace.create(cluster3, tmp_path / "repo")


def installed_dialect() -> Dialect:
    import os

    return dialect_of(installed_version(os.environ))


def test_export_edit_push(place: Workplace, tmp_path: Path) -> None:
    place.edit('interval="30s"', 'interval="20s"')
    shown = place.cibgit("node2", "diff")
    assert shown.code == 1
    assert "interval 30s -> 20s" in shown.out
    assert "Plan: 1 to change." in shown.out

    pushed = place.cibgit("node2", "push", "-m", "monitor more", "--yes", "--json")
    assert pushed.code == 0, pushed
    announced = pushed.json["digest"]

    # every node, asked with Pacemaker's own tools, has what was announced
    assert [place.digest(node) for node in place.cluster.nodes] == [announced] * 3
    seen = {proof["place"]: proof["digest"] for proof in pushed.json["proofs"]}
    assert seen == dict.fromkeys(("live", "disk", "node1", "node3"), announced)

    # the disk of every node has it too, under a signature that matches
    for node in place.cluster.nodes:
        folder = place.cluster.cib_dir(node)
        cib = parse((folder / "cib.xml").read_bytes(), node)
        signature = (folder / "cib.xml.sig").read_text()
        assert signature == digest.on_disk(cib.root, installed_dialect())
        assert digest.on_disk(cib.configuration, installed_dialect()) == announced

    # the cluster itself names the commit
    live = parse(place.cluster.cibadmin("node3", "-Q"), "live")
    assert (
        marker_commit(live) == place.git("rev-parse", "HEAD") == pushed.json["commit"]
    )

    # a clone on another node, without refs of its own, knows what is applied
    place.cluster.run("node3", ["git", "clone", "-q", place.root, tmp_path / "clone"])
    status = place.in_node("node3", "status", "--json", "-C", str(tmp_path / "clone"))
    assert status.code == 0, status
    assert status.json["applied"]["commit"] == pushed.json["commit"]

    # and there is nothing left to do
    again = place.cibgit("node1", "push", "--yes")
    assert again.code == 0
    assert "Nothing to do" in again.out
    head = place.git("rev-parse", "HEAD")
    assert place.cibgit("node1", "export", "--json").json["outcome"] == "unchanged"
    assert place.git("rev-parse", "HEAD") == head


def test_signatures_of_every_file_that_the_nodes_wrote(place: Workplace) -> None:
    place.edit('interval="30s"', 'interval="20s"')
    assert place.cibgit("node1", "push", "-m", "x", "--yes").code == 0
    checked = 0
    for node in place.cluster.nodes:
        for signature in place.cluster.cib_dir(node).glob("cib*.sig"):
            file = signature.with_name(signature.name.removesuffix(".sig"))
            root = parse(file.read_bytes(), file.name).root
            assert digest.on_disk(root, installed_dialect()) == signature.read_text()
            checked += 1
    assert checked > 6


def test_drift_is_refused_and_shown(place: Workplace) -> None:
    place.edit('interval="30s"', 'interval="20s"')
    place.cluster.cibadmin(
        "node3", "-M", "-o", "resources", "-X", '<nvpair id="vip-fake" value="2"/>'
    )
    before = place.epoch()
    refused = place.cibgit("node2", "push", "-m", "x", "--yes")
    assert refused.code == 103
    assert "params.fake: 1 -> 2" in refused.err
    assert "root via cibadmin on node3" in refused.err
    assert place.epoch() == before
    assert place.cibgit("node2", "status").code == 1


def test_a_crowded_first_push_keeps_what_the_cluster_owns(place: Workplace) -> None:
    place.edit('interval="30s"', 'interval="20s"')
    assert place.cibgit("node1", "push", "-m", "x", "--yes").code == 0
    live = parse(place.cluster.cibadmin("node1", "-Q"), "live")
    for option in ("dc-version", "cluster-infrastructure", "have-watchdog"):
        assert live.option(option)
    assert live.nodes() == {"1": "node1", "2": "node2", "3": "node3"}
    assert len(live.root.findall("status/node_state")) == 3


def test_rollback(place: Workplace) -> None:
    place.edit('interval="30s"', 'interval="20s"')
    assert place.cibgit("node1", "push", "-m", "x", "--yes").code == 0
    back = place.cibgit("node3", "rollback", "HEAD~1", "--yes", "--json")
    assert back.code == 0, back
    assert b'interval="30s"' in place.cluster.cibadmin("node2", "-Q", "-o", "resources")
    assert place.git("log", "-1", "--format=%s").startswith("Roll prod back to ")
    assert json.loads(place.cibgit("node2", "status", "--json").out)["in_sync"]


def test_digest_of_live_is_what_cibadmin_says(place: Workplace) -> None:
    found = place.cibgit("node2", "digest", "live", "--json").json
    assert found["configuration"] == place.digest("node2")


def test_a_minority_is_refused(place: Workplace) -> None:
    place.edit('interval="30s"', 'interval="20s"')
    place.cluster.partition(["node3"])
    place.cluster.wait(["node1", "node2"])
    before = place.epoch("node3")
    refused = place.cibgit("node3", "push", "-m", "x", "--yes")
    assert refused.code == 106, refused
    assert place.epoch("node3") == before
    assert place.git("status", "--porcelain") == "M clusters/prod/cib.xml"
    # a minority that others change meanwhile wins the rejoin: the majority is refused, too
    push = ("push", "-m", "x", "--yes", "--json")
    careful = place.cibgit("node1", *push)
    assert careful.code == 107, careful
    assert [one["rule"] for one in careful.json["findings"]] == ["all-nodes"]
    accepted = place.cibgit("node1", *push, "--force", "all-nodes")
    assert accepted.code == 0, accepted
    assert "node3" not in {proof["place"] for proof in accepted.json["proofs"]}
