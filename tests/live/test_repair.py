"""A CIB file that no longer matches its digest, from the edit to the next start."""

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from .cluster import LiveCluster
from .workplace import RESOURCES, Answer, Workplace

DIRECTORY = "/var/lib/pacemaker/cib"


class Bedside:
    """One node whose CIB directory is broken and repaired."""

    def __init__(self, cluster: LiveCluster, root: Path) -> None:
        self.cluster = cluster
        self.node = cluster.nodes[0]
        self.place = Workplace(cluster, root)
        self.folder = cluster.cib_dir(self.node)

    def cibgit(self, *arguments: str) -> Answer:
        return self.place.in_node(self.node, *arguments)

    def doctor(self, *arguments: str) -> Any:
        answer = self.cibgit("doctor", "--json", *arguments)
        assert answer.err == "", answer.err
        found = json.loads(answer.out)
        assert answer.code == (0 if found["healthy"] else 1)
        return found

    def rules(self, found: Any) -> set[str]:
        return {
            each["rule"] for each in found["findings"] if each["severity"] != "note"
        }

    def edit(self, old: str, new: str) -> None:
        """Edit cib.xml in place, as an editor of root's would."""
        file = self.folder / "cib.xml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def running(self) -> tuple[str, str]:
        """Return the epoch and the configuration's digest as Pacemaker tells them."""
        return self.place.epoch(self.node), self.place.digest(self.node)

    def change(self, value: str) -> None:
        nvpair = f'<nvpair id="vip-fake" name="fake" value="{value}"/>'
        self.cluster.cibadmin(self.node, "--modify", "--xml-text", nvpair)

    def break_backups(self) -> None:
        for path in self.folder.glob("cib-*.raw.sig"):
            # not through the hard link, which is that of another file
            path.unlink()
            path.write_text("0" * 32)

    def restart(self) -> None:
        self.cluster.stop(self.node)
        self.cluster.start(self.node)
        self.cluster.wait(settle=True)

    def value(self) -> str:
        tree = ET.fromstring(self.cluster.cibadmin(self.node, "--query"))
        return str(tree.find(".//nvpair[@id='vip-fake']").get("value"))  # type: ignore[union-attr]

    def attributes(self) -> list[dict[str, str]]:
        """Return all elements of the resources, whatever the order of attributes."""
        tree = ET.fromstring(self.resources())
        return [dict(element.attrib) for element in tree.iter()]

    def resources(self) -> bytes:
        return self.cluster.cibadmin(self.node, "-Q", "-o", "resources")


@pytest.fixture
def bedside(cluster1: LiveCluster, tmp_path: Path) -> Bedside:
    beside = Bedside(cluster1, tmp_path)
    # what the test before has left
    for path in (*beside.folder.glob("cib-*"), *beside.folder.glob("cib.auto.*")):
        path.unlink()
    cluster1.cibadmin(beside.node, "-R", "-o", "resources", "-p", input=RESOURCES)
    for value in ("2", "3"):
        beside.change(value)
    cluster1.wait(settle=True)
    cluster1._wait_for_disks()
    return beside


@pytest.mark.parametrize("backups", ["good", "broken"])
def test_online(bedside: Bedside, backups: str) -> None:
    """The live configuration is right; the repair brings it to the disk, unchanged."""
    assert bedside.doctor()["healthy"]
    if backups == "broken":
        bedside.break_backups()
    bedside.edit('value="3"', 'value="by hand"')
    found = bedside.doctor()
    assert {"digest-mismatch", "writes-off"} <= bedside.rules(found)
    assert found["outcome"] == ("loaded" if backups == "good" else "empty")
    assert found["used"] != "cib.xml"
    [change] = found["changes"]
    assert change["attributes"] == [
        {"name": "value", "old": "3", "new": "by hand", "secret": False}
    ]
    # the cluster goes on, and its disk does not
    bedside.change("4")
    assert 'value="by hand"' in (bedside.folder / "cib.xml").read_text()
    before = bedside.running()
    dry = bedside.cibgit("repair", "--dry-run")
    assert dry.code == 0
    assert "kill -PIPE" in dry.out
    assert 'value="by hand"' in (bedside.folder / "cib.xml").read_text()

    done = bedside.cibgit("repair", "--yes", "--json")
    assert done.json["done"], done
    assert bedside.running() == before
    assert "by hand" not in (bedside.folder / "cib.xml").read_text()
    kept = bedside.folder.parent / Path(done.json["kept"]).name
    assert 'value="by hand"' in (kept / "cib.xml").read_text()
    assert kept.stat().st_mode & 0o077 == 0
    after = bedside.doctor()
    assert after["used"] == "cib.xml"
    assert not {"digest-mismatch", "writes-off", "disk-behind"} & bedside.rules(after)

    # the disk follows again, and the node finds what ran
    bedside.change("5")
    resources = bedside.resources()
    bedside.restart()
    assert bedside.value() == "5"
    assert bedside.resources() == resources


@pytest.mark.parametrize("backups", ["good", "broken"])
def test_offline_as_it_is(bedside: Bedside, backups: str) -> None:
    """A file with another order and a comment: nothing of meaning, and yet rejected."""
    resources = bedside.attributes()
    bedside.cluster.stop(bedside.node)
    if backups == "broken":
        bedside.break_backups()
    bedside.edit('name="fake" value="3"', 'value="3" name="fake"')
    found = bedside.doctor()
    assert "digest-mismatch" in bedside.rules(found)
    assert found["outcome"] == ("loaded" if backups == "good" else "empty")
    if backups == "broken":
        refused = bedside.cibgit("repair", "--yes")
        assert refused.code == 107
        assert "--use cib.xml" in refused.err
    done = bedside.cibgit("repair", "--use", "cib.xml", "--yes", "--json")
    assert done.json["after"]["outcome"] == "loaded", done
    assert done.json["after"]["used"] == "cib.xml"
    bedside.cluster.start(bedside.node)
    bedside.cluster.wait(settle=True)
    assert bedside.value() == "3"
    assert bedside.attributes() == resources


def test_offline_back_to_the_backup(bedside: Bedside) -> None:
    """An edit that nobody can vouch for: back to what was last verified."""
    bedside.cluster.stop(bedside.node)
    bedside.edit('value="3"', 'value="typo"')
    done = bedside.cibgit("repair", "--yes", "--json")
    assert done.code == 0, done
    # the newest by its version: the node itself might take another of the same second
    assert done.json["kind"] == "put"
    assert done.json["file"].startswith("cib-")
    bedside.cluster.start(bedside.node)
    bedside.cluster.wait(settle=True)
    assert bedside.value() == "2"


def test_unrepaired_it_is_as_foretold(bedside: Bedside) -> None:
    """What the doctor says of a whole node, and what the node does."""
    bedside.cluster.stop(bedside.node)
    bedside.edit('value="3"', 'value="typo"')
    foretold = bedside.doctor()
    assert foretold["used"].startswith("cib-")
    bedside.cluster.start(bedside.node)
    bedside.cluster.wait(settle=True)
    used = f"last valid configuration archive: {DIRECTORY}/{foretold['used']}"
    assert used in bedside.cluster.logs(bedside.node, 100_000)


def test_the_trap_of_an_upgrade(bedside: Bedside) -> None:
    """An apostrophe, written by an older release than 2.1.8."""
    bedside.change("it&apos;s")
    bedside.cluster.wait(settle=True)
    bedside.cluster._wait_for_disks()
    assert bedside.doctor()["healthy"]
    found = bedside.doctor("--before-upgrade", "2.1.9")
    assert "upgrade" in bedside.rules(found)
    assert any("vip-fake" in each["sentence"] for each in found["findings"])
    bedside.cluster.stop(bedside.node)
    done = bedside.cibgit("repair", "--as-version", "2.1.9", "--yes", "--json")
    assert done.json["after"]["healthy"], done
    newer = bedside.cibgit(
        "digest", "--verify", "--as-version", "2.1.9", f"{DIRECTORY}/cib.xml"
    )
    assert newer.code == 0
    assert "v1 (2.1.8 and later)" in newer.out
    # the old release would now be the one that rejects it
    assert "digest-mismatch" in bedside.rules(bedside.doctor())
    assert bedside.cibgit("repair", "--yes").code == 0
    bedside.cluster.start(bedside.node)
    bedside.cluster.wait(settle=True)
    assert bedside.value() == "it's"


def test_a_running_cluster_is_refused_a_choice(bedside: Bedside) -> None:
    bedside.edit('value="3"', 'value="typo"')
    before = bedside.running()
    refused = bedside.cibgit("repair", "--use", "cib.xml", "--yes")
    assert refused.code == 75
    assert bedside.running() == before
    assert 'value="typo"' in (bedside.folder / "cib.xml").read_text()
    assert bedside.cibgit("repair", "--yes").code == 0


def test_a_file_that_root_saved(bedside: Bedside) -> None:
    """An editor that replaces files makes them root's: the next start would fail."""
    before = bedside.running()
    for name in ("cib.xml", "cib.xml.sig"):
        os.chown(bedside.folder / name, 0, 0)
    found = bedside.doctor()
    assert found["outcome"] == "refused"
    assert found["exit_code"] == 66
    assert bedside.cibgit("repair", "--yes").code == 0
    assert bedside.running() == before
    bedside.restart()
    assert bedside.value() == "3"


def test_nothing_to_repair(bedside: Bedside) -> None:
    files = sorted(path.name for path in bedside.folder.parent.iterdir())
    answer = bedside.cibgit("repair", "--yes")
    assert answer.code == 0
    assert "nothing to repair" in answer.out
    assert sorted(path.name for path in bedside.folder.parent.iterdir()) == files
