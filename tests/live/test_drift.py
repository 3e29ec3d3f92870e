"""The twelve situations of drift on three live nodes: each standing, in each weight.

Right class, right exit code, right answer of adopt and of revert; and what is ignored is
as it was.
"""

import shutil
from pathlib import Path

import pytest

from cibgit.flow.drift import Standing

from .cluster import LiveCluster
from .workplace import RESOURCES, Workplace

STANDBY = (
    '<instance_attributes id="nodes-2"><nvpair id="nodes-2-standby" name="standby"'
    ' value="off"/></instance_attributes>'
)
QUORUM = '<nvpair id="quorum-policy" name="no-quorum-policy" value="stop"/>'
IGNORE = '\n[[ignore]]\nelement = "vip"\nattribute = "fake"\nreason = "tuned by hand"\n'

# what is edited, by weight: as applied, as one side has it, as another
EDITS = {
    "OPERATIONAL": ('name="standby" value="{}"', "off", "on", "true"),
    "CONFIGURATION": ('interval="{}"', "30s", "20s", "10s"),
    "DANGEROUS": ('name="no-quorum-policy" value="{}"', "stop", "freeze", "demote"),
}
APPLIED, ONE, OTHER = 1, 2, 3
SIDES = {
    Standing.LIVE_MOVED: (ONE, APPLIED),
    Standing.NOT_PUSHED: (APPLIED, ONE),
    Standing.EQUAL: (ONE, ONE),
    Standing.CONFLICT: (ONE, OTHER),
}


@pytest.fixture
def place(cluster3: LiveCluster, tmp_path: Path) -> Workplace:
    """Return a cluster in which all that is edited stands, and an ignore rule."""
    base = cluster3.base.decode()
    base = base.replace(
        "</cluster_property_set>", f"{QUORUM}</cluster_property_set>", 1
    )
    node = '<node id="2" uname="node2"'
    assert f"{node}/>" in base
    base = base.replace(f"{node}/>", f"{node}>{STANDBY}</node>")
    base = base.replace("<resources/>", RESOURCES.decode())
    place = Workplace.create(cluster3, tmp_path / "repo", base.encode())
    config = place.root / "cibgit.toml"
    config.write_text(config.read_text() + IGNORE)
    place.git("commit", "-qam", "What is tuned by hand is ignored")
    return place


def of_side(text: str, side: int) -> str:
    for edit in EDITS.values():
        old, new = (edit[0].format(edit[each]) for each in (APPLIED, side))
        assert old in text
        text = text.replace(old, new)
    return text


def sides(text: str) -> dict[str, int]:
    """Return which value each weight's edit has."""
    return {
        weight: next(
            n for n in (APPLIED, ONE, OTHER) if edit[0].format(edit[n]) in text
        )
        for weight, edit in EDITS.items()
    }


def configuration(place: Workplace) -> str:
    return place.cluster.cibadmin("node3", "-Q", "-o", "configuration").decode()


def situation(place: Workplace, standing: Standing) -> None:
    """Let live and git become what makes all three changes stand in one way.

    Where both sides did the same, something else waits in git: else it is no drift.
    """
    live, desired = SIDES[standing]
    if desired != APPLIED:
        text = of_side(place.file.read_text(), desired)
        if standing is Standing.EQUAL:
            text = text.replace('id="db"', 'id="db" description="waits"')
        place.file.write_text(text)
        place.git("commit", "-qam", "git moved")
    text = of_side(configuration(place), live)
    text = text.replace('name="fake" value="1"', 'name="fake" value="99"')
    replace = ("--replace", "--scope", "configuration", "--xml-pipe")
    place.cluster.cibadmin("node2", *replace, input=text.encode())
    place.cluster.wait(settle=True)


@pytest.mark.parametrize("standing", Standing, ids=lambda each: each.value)
def test_class_exit_code_and_both_answers(standing: Standing, place: Workplace) -> None:
    situation(place, standing)
    live, desired = SIDES[standing]
    moved = live != APPLIED

    found = place.cibgit("node1", "drift", "--json")
    assert found.code == int(moved), found
    stands = {
        each["change"]["weight"]: each["standing"]
        for each in found.json["entries"]
        if "waits" not in each["change"]["sentence"]
    }
    assert stands == {weight.lower(): standing.value for weight in EDITS}
    assert len(found.json["ignored"]) == 1

    copy = Workplace(place.cluster, place.root.with_name("copy"))
    shutil.copytree(place.root, copy.root)
    adopted = copy.cibgit("node2", "adopt")
    in_git = sides(copy.git("show", "HEAD:clusters/prod/cib.xml"))
    assert adopted.code == (107 if standing is Standing.CONFLICT else 0), adopted
    taken = ONE if standing is Standing.LIVE_MOVED else desired
    assert in_git == dict.fromkeys(EDITS, taken) | {"OPERATIONAL": desired}
    assert 'name="fake" value="1"' in copy.git("show", "HEAD:clusters/prod/cib.xml")
    left = copy.cibgit("node2", "drift", "--json")
    weights = {
        each["change"]["weight"]
        for each in left.json["entries"]
        if each["standing"] != Standing.NOT_PUSHED.value
    }
    if standing is Standing.LIVE_MOVED:
        assert (left.code, weights) == (1, {"operational"})
    assert sides(configuration(place)) == dict.fromkeys(EDITS, live), "adopt only looks"

    reverted = place.cibgit("node3", "revert", "-y")
    assert reverted.code == 0, reverted
    now = configuration(place)
    assert sides(now) == dict.fromkeys(EDITS, APPLIED) | {"OPERATIONAL": live}
    assert 'name="fake" value="99"' in now, "ignored, so untouched"
    assert place.cibgit("node3", "revert", "-y", "--operational").code == 0
    assert sides(configuration(place)) == dict.fromkeys(EDITS, APPLIED)
    assert place.cibgit("node1", "drift").code == 0
    if desired != APPLIED:  # what waited in git waited on
        assert place.cibgit("node1", "push", "-y").code == 0
        now = configuration(place)
        assert sides(now) == dict.fromkeys(EDITS, desired)
        assert 'name="fake" value="99"' in now
