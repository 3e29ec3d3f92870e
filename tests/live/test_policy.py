"""What the policy keeps away from a real cluster."""

from pathlib import Path

from .cluster import LiveCluster
from .workplace import Workplace


def test_a_split_of_two_nodes_and_an_agent_that_is_not_there(tmp_path: Path) -> None:
    """Each half of two nodes has quorum, and the CIB manager of each accepts writes."""
    with LiveCluster(2) as cluster:
        place = Workplace.create(cluster, tmp_path / "repo")
        before = place.epoch()
        good = place.file.read_text()
        place.edit(
            'provider="pacemaker" type="Dummy"', 'provider="pacemaker" type="Dumy"'
        )
        answer = place.cibgit("node1", "push", "-m", "typo", "--yes")
        assert answer.code == 107
        assert "Did you mean ocf:pacemaker:Dummy?" in answer.err

        place.file.write_text(good)
        place.edit('interval="30s"', 'interval="20s"')
        cluster.partition(["node1"], ["node2"])
        for node, other in (("node1", "node2"), ("node2", "node1")):
            cluster.wait([node])
            assert cluster.run(node, ["crm_node", "--quorum"]).stdout.strip() == b"1"
            answer = place.cibgit(node, "push", "-m", "split", "--yes")
            assert answer.code == 107, answer
            assert f"not all nodes are here: {other}." in answer.err
            assert "--force all-nodes" in answer.err
            assert place.epoch(node) == before
        answer = place.cibgit(
            "node2", "push", "-m", "x", "--yes", "--force", "all-nodes"
        )
        assert answer.code == 0, answer
        assert "CIB-Forced: all-nodes" in place.git("log", "-1", "--format=%B")
        cluster.heal()
        cluster.wait()
        assert place.cibgit("node1", "status").code == 0
