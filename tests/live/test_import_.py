"""The past of a real node, as its own daemons and tools have written it."""

from pathlib import Path

import pytest

from cibgit.cib.document import parse

from ..flow.node import forms
from .cluster import LiveCluster
from .node import wait_until
from .workplace import RESOURCES, Workplace

CIB = "/var/lib/pacemaker/cib"
PENGINE = "/var/lib/pacemaker/pengine"
PATH = "clusters/prod/cib.xml"
CHANGES = (
    ("crm_resource", "-r", "vip", "-p", "fake", "-v", "2"),
    ("crm_attribute", "-n", "maintenance-mode", "-v", "false"),
    ("crm_resource", "--meta", "-r", "db", "-p", "priority", "-v", "5"),
    ("pcs", "constraint", "location", "vip", "prefers", "node1=100"),
    ("cibadmin", "-D", "-o", "resources", "-X", '<op id="vip-monitor"/>'),
    ("crm_resource", "--meta", "-r", "db", "-d", "priority"),
    ("crm", "configure", "property", "maintenance-mode=true"),
)


@pytest.fixture
def place(cluster1: LiveCluster, tmp_path: Path) -> Workplace:
    place = Workplace(cluster1, tmp_path / "repo")
    made = place.in_node("node1", "init", str(place.root), "--cluster", "prod")
    assert made.code == 0, made
    return place


def test_a_node_tells_its_past(place: Workplace, tmp_path: Path) -> None:
    cluster = place.cluster
    cluster.cibadmin("node1", "-R", "-o", "resources", "-p", input=RESOURCES)
    live = [cluster.cibadmin("node1", "-Q")]
    for command in CHANGES:
        done = cluster.run("node1", command)
        assert done.returncode == 0, done
        live.append(cluster.cibadmin("node1", "-Q"))
    cluster.wait(settle=True)
    wanted = parse(live[-1], "live").version[:2]
    disk = cluster.cib_dir("node1") / "cib.xml"
    wait_until(
        lambda: parse(disk.read_bytes(), "disk").version[:2] == wanted, "the disk"
    )

    done = place.cibgit("node1", "import", CIB, PENGINE, "--json")
    assert done.code == 0, done
    assert {each["rule"] for each in done.json["findings"]} <= {"one-epoch-twice"}
    assert _history(place, "HEAD")[-len(forms(live)) :] == forms(live)
    newest = done.json["states"][-1]
    assert newest["source"] == f"{CIB}/cib.xml"
    assert newest["changed"].startswith("root via ")
    signed = {e["signature"] for e in done.json["states"] if f"{CIB}/" in e["source"]}
    assert signed - {"none"}
    assert all(each.startswith("verified, v1") for each in signed - {"none"})
    assert place.cibgit("node1", "export", "--json").json["outcome"] == "unchanged"

    head = place.git("rev-parse", "HEAD")
    for command in (
        ("crm_report", "-S", "-f", "2020-1-1 0:0:0", str(tmp_path / "report")),
        ("crm", "report", "-S", str(tmp_path / "crmsh")),
        ("pcs", "config", "backup", str(tmp_path / "backup")),
    ):
        assert cluster.run("node1", command, timeout=120).returncode == 0, command
    archives = ("report.tar.bz2", "crmsh.tar.bz2", "backup.tar.bz2")
    for name in archives:
        again = place.cibgit("node1", "import", str(tmp_path / name), "--json")
        assert again.code == 0, again
        assert again.json["states"] == [], name
        assert place.git("rev-parse", "HEAD") == head
        alone = ("import", str(tmp_path / name), "--branch", name[:-8], "--json")
        told = place.cibgit("node1", *alone)
        assert told.code == 0, told
        assert _history(place, name[:-8])[-1] == forms(live)[-1]
    inputs = place.git("log", "--format=%(trailers:key=CIB-Source,valueonly)", "report")
    assert "/pengine/pe-input-" in inputs


def _history(place: Workplace, branch: str) -> list[bytes]:
    """Return the file of each commit, oldest first, with the line end that git() cuts."""
    commits = place.git("log", "--reverse", "--format=%H", branch, "--", PATH)
    texts = (place.git("show", f"{commit}:{PATH}") for commit in commits.split())
    return [f"{text}\n".encode() for text in texts]
