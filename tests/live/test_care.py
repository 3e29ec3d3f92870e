"""Pushes that are watched: what the cluster does, whether it is well, and the way back."""

import re
from pathlib import Path

import pytest

from .cluster import LiveCluster
from .node import wait_until
from .workplace import Workplace

SLOW = (
    '<primitive id="slow" class="ocf" provider="pacemaker" type="Dummy">'
    '<instance_attributes id="s"><nvpair id="s-sleep" name="op_sleep" value="3"/>'
    "</instance_attributes></primitive>"
)
BAD = ("push", "-m", "bad", "--yes", "--force", "agents")
TYPO = '<primitive id="typo" class="ocf" provider="pacemaker" type="Dumy"/>'
DB = 'id="db" class="ocf" provider="pacemaker" type="Dummy"'


@pytest.fixture
def place(cluster1: LiveCluster, tmp_path: Path) -> Workplace:
    return Workplace.create(cluster1, tmp_path / "repo")


def running(place: Workplace) -> bytes:
    return place.cluster.run("node1", ["crm_mon", "-1"]).stdout


def test_a_resource_that_cannot_start_is_told_and_taken_back(place: Workplace) -> None:
    """A healthy push is tagged; a bad one says what failed; the tag leads back."""
    place.edit('interval="30s"', 'interval="20s"')
    good = place.cibgit("node1", "push", "-m", "good", "--yes", "--json")
    assert (good.code, good.json["settled"]["healthy"]) == (0, True)
    tag = good.json["known_good"]
    assert place.git("rev-parse", f"{tag}^{{commit}}") == good.json["commit"]
    message = place.git("tag", "-l", "--format=%(contents)", tag)
    digest = place.cluster.cibadmin("node1", "--md5-sum", "-x", str(place.file))
    assert f"CIB-Digest: {digest.decode().strip()}" in message
    assert re.search(r"^CIB-Version: \d+\.\d+\.\d+$", message, re.M)

    # an agent with a misspelt name: Pacemaker accepts that, and lists no failed action
    place.edit("</resources>", TYPO + "</resources>")
    bad = place.cibgit("node1", *BAD)
    assert bad.code == 113, bad
    assert "cannot run: probe of typo on node1: not installed" in bad.out
    assert "cibgit rollback --last-known-good" in bad.out

    back = place.cibgit("node1", "rollback", "--last-known-good", "--yes")
    assert back.code == 0, back
    assert re.search(r"undoes:\n  - \w{10} .*: bad\n", back.out)
    known = place.cibgit("node1", "known-good", "--json").json["states"]
    assert [state["subject"][:9] for state in known] == ["Roll prod", "good"]


def test_a_stop_that_fails_is_forgotten_on_the_way_back(place: Workplace) -> None:
    """The new agent cannot stop what the old one started: the resource is blocked."""
    place.edit(DB, DB.replace("Dummy", "Dumy"))
    answer = place.cibgit("node1", *BAD, "--rollback-on-failure", "--json")
    assert answer.code == 110, answer
    problems = answer.json["settled"]["problems"]
    assert any("failed: stop of db on node1" in each for each in problems)
    assert "db ran before and runs nowhere now" in problems
    assert b"* db\t(ocf:pacemaker:Dummy):\t Started node1\n" in running(place)


def test_a_bad_push_goes_back_by_itself(place: Workplace) -> None:
    before = place.git("rev-parse", "HEAD")
    place.edit('name="fake" value="1"', 'name="fail_start_on" value="node1"')
    answer = place.cibgit("node1", *BAD, "--rollback-on-failure", "--json")
    assert answer.code == 110, answer
    result = answer.json
    assert any(
        "start of vip on node1" in each for each in result["settled"]["problems"]
    )
    assert result["rolled_back"]["settled"]["healthy"]
    # both states are in history, and what ran before runs again
    log = place.git("log", "--format=%H %s").splitlines()
    assert log[0].split(" ")[0] == result["rolled_back"]["commit"]
    assert log[0].endswith("is not healthy")
    assert log[1] == f"{result['commit']} bad"
    assert log[2].startswith(before)
    assert b"vip\t(ocf:pacemaker:Dummy):\t Started" in running(place)
    assert place.cibgit("node1", "status").code == 0
    assert "start of vip on node1" in place.git("log", "-1", "--format=%b")


def test_what_an_agent_does_is_told_while_it_is_done(place: Workplace) -> None:
    place.edit("</resources>", SLOW + "</resources>")
    slow = place.cibgit("node1", "push", "-m", "slow", "--yes", "--no-wait", "--json")
    assert slow.code == 0, slow
    assert slow.json["settled"] is None
    # too slow for somebody's patience: applied, and not called good
    place.edit('interval="30s"', 'interval="20s"')
    impatient = ("--settle-timeout", "1s", "--json")
    answer = place.cibgit("node1", "push", "-m", "x", "--yes", *impatient)
    assert answer.code == 124, answer
    assert "not at rest after" in answer.json["settled"]["problems"][0]
    assert answer.json["known_good"] == ""
    assert place.interval() == "20s"
    place.edit('interval="20s"', 'interval="10s"')
    patient = place.cibgit("node1", "push", "-m", "y", "--yes")
    assert patient.code == 0, patient
    assert "start slow on node1" in patient.err


def test_stopped_and_deleted_on_purpose_is_healthy(place: Workplace) -> None:
    stop = '<meta_attributes id="m"><nvpair id="t" name="target-role" value="Stopped"/>'
    place.edit('type="Dummy"/>', f'type="Dummy">{stop}</meta_attributes></primitive>')
    stopped = place.cibgit("node1", "push", "-m", "stop db", "--yes", "--json")
    assert (stopped.code, stopped.json["settled"]["problems"]) == (0, [])
    text = place.file.read_text()
    place.file.write_text(
        re.sub(r'(?s) *<primitive id="vip".*?</primitive>\n', "", text)
    )
    gone = place.cibgit("node1", "push", "-m", "no vip", "--yes", "--json")
    assert (gone.code, gone.json["settled"]["problems"]) == (0, [])
    assert gone.json["known_good"]


def test_one_push_at_a_time_and_a_dead_one_does_not_block(place: Workplace) -> None:
    place.edit("</resources>", SLOW + "</resources>")
    first = place.started("node1", "push", "-m", "slow", "--yes")
    wait_until(
        lambda: "s-sleep" in place.cluster.cibadmin("node1", "-Q").decode(), "it"
    )
    place.edit('interval="30s"', 'interval="20s"')
    second = place.cibgit("node1", "push", "-m", "second", "--yes")
    assert second.code == 75, second
    assert re.search(
        r"another push of this cluster is under way: root on node1 since"
        r" \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", second.err
    )  # fmt: skip
    assert place.git("log", "-1", "--format=%s") == "slow"  # no commit for nothing
    place.kill(first)
    third = place.cibgit("node1", "push", "-m", "third", "--yes")
    assert third.code == 0, third


def test_a_holder_on_another_node(cluster3: LiveCluster, tmp_path: Path) -> None:
    place = Workplace.create(cluster3, tmp_path / "repo")
    place.edit("</resources>", SLOW + "</resources>")
    first = place.started("node1", "push", "-m", "slow", "--yes")
    wait_until(
        lambda: "s-sleep" in place.cluster.cibadmin("node1", "-Q").decode(), "it"
    )
    place.edit('interval="30s"', 'interval="20s"')
    second = place.cibgit("node2", "push", "-m", "second", "--yes")
    assert second.code == 75, second
    assert "under way: root on node1 since" in second.err
    place.kill(first)
    # node2 cannot see that the process is gone, only that it is silent

    def goes_through() -> bool:
        answer = place.cibgit("node2", "push", "-m", "second", "--yes", "--no-wait")
        assert answer.code in (0, 75), answer
        return answer.code == 0

    wait_until(goes_through, "the end of a dead lock", timeout=60)
    assert place.interval("node3") == "20s"
