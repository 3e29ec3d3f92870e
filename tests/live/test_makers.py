"""Who made which change past git, on a live cluster that no agent watches."""

from pathlib import Path

import pytest

from .cluster import LiveCluster
from .test_watch import by_cibadmin, by_pcs
from .workplace import Workplace

SECRET = "s3cr3t-of-nobody"
LOCATION = '<rsc_location id="loc" rsc="vip" node="node1" score="5"/>'
INTERVAL = '<op id="vip-monitor" interval="20s"/>'
PASSWORD = f"""\
<instance_attributes id="db-params"><nvpair id="db-pw" name="passwd" value="{SECRET}"/>
</instance_attributes>
"""


@pytest.fixture
def place(cluster3: LiveCluster, tmp_path: Path) -> Workplace:
    return Workplace.create(cluster3, tmp_path / "repo")


def makers(place: Workplace, node: str) -> dict[str, tuple[str, str, str, str]]:
    """Return who made each change that matters, with the epoch, as ``drift`` says it."""
    found = place.cibgit(node, "drift", "--json")
    assert found.code == 1, found
    assert SECRET not in found.out + found.err
    told = {}
    for entry in found.json["entries"]:
        change, maker = entry["change"], entry["maker"] or {}
        who = (maker.get("user"), maker.get("client"), maker.get("origin"))
        if change["weight"] != "none":
            told[change["subject"] or change["owner"]["name"]] = (
                *who,
                entry["version"],
            )
    return told


def edit(place: Workplace, node: str, *argv: str, user: str = "root") -> None:
    """Change the cluster past git, as some user of a node."""
    become = ["setpriv", "--reuid", user, "--regid", "haclient", "--clear-groups"]
    done = place.cluster.run(node, [*become, *argv])
    assert done.returncode == 0, done.stderr.decode()


def test_each_change_is_traced_to_its_maker_by_what_pacemaker_logged(
    place: Workplace,
) -> None:
    place.edit('type="Dummy"', 'type="Dummy" description="pushed"')
    pushed = place.cibgit("node1", "push", "-m", "first", "-y")
    assert pushed.code == 0, pushed
    epoch = place.epochs()
    edit(place, "node2", *by_pcs(7))
    modify, create = ("cibadmin", "--modify", "-X"), ("cibadmin", "--create", "-X")
    edit(place, "node1", *modify, INTERVAL, user="hacluster")
    edit(place, "node3", *create, LOCATION, "-o", "constraints")
    edit(place, "node2", "crm_attribute", "-N", "node2", "-n", "standby", "-v", "off")
    edit(place, "node1", *modify, f'<primitive id="db">{PASSWORD}</primitive>')
    # the last writer leaves nothing behind
    edit(place, "node3", "crm_attribute", "-n", "maintenance-mode", "-v", "true")
    edit(place, "node3", "crm_attribute", "-n", "maintenance-mode", "-D")

    expected = {
        "params.fake": ("root", "cibadmin", "node2", epoch(1)),
        "op monitor 20s": ("hacluster", "cibadmin", "node1", epoch(2)),
        "loc": ("root", "cibadmin", "node3", epoch(3)),
        "standby": ("root", "crm_attribute", "node2", epoch(4)),
        "params.passwd": ("root", "cibadmin", "node1", epoch(5)),
    }
    for node in place.cluster.nodes:
        assert makers(place, node) == expected
    told = place.cibgit("node2", "drift").out
    assert "  hacluster via cibadmin on node1, " in told
    assert f", {epoch(2)}: resource vip op monitor 20s\n" in told
    # whoever made what is adopted is the author, not the last writer
    assert place.cibgit("node3", "adopt", "loc").code == 0
    assert place.git("log", "-1", "--format=%ae") == "root@node3"
    assert place.cibgit("node3", "adopt", "vip").code == 0
    assert place.git("log", "-1", "--format=%ae") == "hacluster@node1"
    # what nobody may read is not known, nor missed
    log = place.cluster.directory / "node1/var/log/pacemaker/pacemaker.log"
    log.rename(log.with_name("elsewhere"))
    assert set(makers(place, "node1").values()) == {(None, None, None, None)}
    log.with_name("elsewhere").rename(log)


def test_what_a_node_took_over_after_a_split_was_made_elsewhere(
    place: Workplace,
) -> None:
    cluster = place.cluster
    cluster.partition(["node3"])
    cluster.wait(["node1", "node2"])
    for value in (2, 3):
        edit(place, "node3", *by_cibadmin(value))
    last = place.epoch("node3")
    cluster.heal()
    cluster.wait(settle=True)
    for node in ("node1", "node2"):
        [(*who, version)] = makers(place, node).values()
        assert who == [None, None, None]
        assert version.startswith(f"{last}.")
    made = ("root", "cibadmin", "node3", f"{last}.0")
    assert makers(place, "node3") == {"params.fake": made}


def test_a_part_that_was_reverted_makes_nobody_else_the_author(
    place: Workplace,
) -> None:
    place.edit('type="Dummy"', 'type="Dummy" description="pushed"')
    assert place.cibgit("node1", "push", "-m", "first", "-y").code == 0
    edit(place, "node3", "crm_attribute", "-n", "cluster-delay", "-v", "70s")
    edit(place, "node2", *by_pcs(8))
    assert place.cibgit("node1", "revert", "vip", "-y").code == 0
    # one change, and not by the last writer: who it was is told
    assert "  root via crm_attribute on node3, " in place.cibgit("node1", "drift").out
    assert place.cibgit("node1", "adopt").code == 0
    assert place.git("log", "-1", "--format=%ae") == "root@node3"
