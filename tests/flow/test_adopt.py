"""The two answers to drift: adopt (live into git) and revert (git back onto live)."""

from pathlib import Path

import pytest

from cibgit.cib.canonical import canonical, compact
from cibgit.cli.app import run
from cibgit.compare.change import Weight
from cibgit.errors import NoInputError, UnsafeError
from cibgit.flow.adopt import adopt
from cibgit.flow.drift import Standing, drift
from cibgit.flow.export import export
from cibgit.flow.plan import plan
from cibgit.flow.push import push
from cibgit.flow.record import record
from cibgit.flow.revert import recorded, revert

from .drifting import PLAIN, SITUATIONS, Situation, value
from .embedded import CIB, Embedded


def desired(embedded: Embedded, situation: Situation) -> str:
    return value(embedded.git("show", "HEAD:clusters/prod/cib.xml"), situation.edit)


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_adopting(situation: Situation, tmp_path: Path) -> None:
    embedded = situation.created(tmp_path)
    site, edit = embedded.site(), situation.edit
    head, live = site.repository.head(), site.live()
    if situation.standing is Standing.CONFLICT and edit.weight > Weight.OPERATIONAL:
        with pytest.raises(UnsafeError, match="in conflict"):
            adopt(site)
        assert site.repository.head() == head
        return
    done = adopt(site)
    left = edit.weight is Weight.OPERATIONAL
    if left or situation.standing is Standing.NOT_PUSHED:
        assert done.commit is None
        assert site.repository.head() == head
        assert bool(done.left) == (situation.standing is not Standing.NOT_PUSHED)
        if situation.standing is not Standing.LIVE_MOVED:
            return
        done = adopt(site, operational=True)
    assert done.commit == site.repository.head()
    assert desired(embedded, situation) == situation.edit.one
    assert not drift(site).is_drift
    assert compact(canonical(site.live())) == compact(canonical(live))
    assert embedded.git("status", "--porcelain") == ""
    assert embedded.git("log", "--format=%an", "--grep=Adopt").split() == ["root"]
    if situation.standing is Standing.EQUAL:  # what waited in git waits still
        push(plan(site, site.desired(), site.repository.head()))
        assert 'score="7"' in embedded.live_text()


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_reverting(situation: Situation, tmp_path: Path) -> None:
    embedded = situation.created(tmp_path)
    site, edit = embedded.site(), situation.edit
    head, before = site.repository.head(), site.live()
    found = revert(site)
    if situation.standing is Standing.NOT_PUSHED:
        assert found.plan is None
        assert found.left == []
        return
    if edit.weight is Weight.OPERATIONAL:
        assert found.plan is None
        assert [change.weight for change in found.left] == [edit.weight]
        found = revert(site, operational=True)
    assert found.plan is not None
    commit = recorded(found.plan)
    assert push(found.plan).commit == commit
    assert value(embedded.live_text(), edit) == edit.applied
    assert 'score="100"' in embedded.live_text()
    assert site.repository.head() == head
    assert not drift(site).is_drift
    # what was there is in git, by whoever made it
    seen = site.repository.get_ref("refs/cibgit/prod/seen")
    assert seen
    kept = site.committed(seen)
    assert kept is not None
    assert compact(canonical(kept)) == compact(canonical(before))


OTHER = '<primitive id="new" class="ocf" provider="heartbeat" type="Dummy"/>'
LAST = '<primitive id="db" class="ocf" provider="heartbeat" type="Dummy"/>'


def with_two(tmp_path: Path) -> Embedded:
    """Return a cluster where a node went on standby and two resources were added."""
    embedded = Embedded.create(tmp_path)
    export(embedded.site())
    more = OTHER + OTHER.replace('"new"', '"newer"')
    standby = (
        '<node id="2" uname="bob"><instance_attributes id="a"><nvpair id="b"'
        ' name="standby" value="on"/></instance_attributes></node>'
    )
    text = CIB.replace(LAST, LAST + more).replace('epoch="5"', 'epoch="6"')
    again = Embedded.create(
        tmp_path / "x", text.replace('<node id="2" uname="bob"/>', standby)
    )
    embedded.node.rename(tmp_path / "old")
    again.node.rename(embedded.node)
    return embedded


def test_adopting_by_element_and_then_the_rest(tmp_path: Path) -> None:
    embedded = with_two(tmp_path)
    site = embedded.site()
    # "new" stands before "newer", which is not taken
    done = adopt(site, ["new"])
    assert [change.owner.name for change in done.changes] == ["new"]
    text = embedded.file.read_text()
    assert 'id="new"' in text
    assert 'id="newer"' not in text
    assert "standby" not in text
    assert '"a"' not in text
    assert [str(c.owner) for c in drift(site).of(Standing.LIVE_MOVED) if c.weight] == [
        "node bob",
        "resource newer",
    ]
    assert [
        change.owner.name for change in adopt(site, ["node *"]).left if change.weight
    ]
    adopt(site)
    assert 'id="newer"' in embedded.file.read_text()
    adopt(site, ["bob"], operational=True)
    assert not drift(site).is_drift


def test_reverting_by_element_and_then_the_rest(tmp_path: Path) -> None:
    embedded = with_two(tmp_path)
    arguments = ["-y", "-C", str(embedded.root), "--force", "agents"]
    assert run(["revert", "newer", *arguments]) == 0
    assert 'id="new"' in embedded.live_text()
    assert 'id="newer"' not in embedded.live_text()
    assert run(["revert", *arguments]) == 0
    assert 'id="new"' not in embedded.live_text()
    assert 'name="standby" value="on"' in embedded.live_text()
    assert run(["revert", "--operational", *arguments]) == 0
    assert "standby" not in embedded.live_text()
    assert run(["drift", "-C", str(embedded.root)]) == 0


def test_an_element_that_did_not_drift_is_a_slip(tmp_path: Path) -> None:
    embedded = with_two(tmp_path)
    for flow in (adopt, revert):
        with pytest.raises(NoInputError, match="nothing of 'vipp' is among"):
            flow(embedded.site(), ["new", "vipp"])


def test_edits_are_not_overwritten(tmp_path: Path) -> None:
    embedded = with_two(tmp_path)
    embedded.edit('score="100"', 'score="200"')
    with pytest.raises(UnsafeError, match="not committed"):
        adopt(embedded.site())


def test_what_is_adopted_must_be_a_whole(tmp_path: Path) -> None:
    """A constraint alone would refer to a resource that git does not have."""
    embedded = Embedded.create(tmp_path)
    export(embedded.site())
    more = '<rsc_location id="where" rsc="new" node="bob" score="1"/></constraints>'
    text = CIB.replace(LAST, LAST + OTHER).replace("</constraints>", more)
    again = Embedded.create(tmp_path / "x", text.replace('epoch="5"', 'epoch="6"'))
    embedded.node.rename(tmp_path / "old")
    again.node.rename(embedded.node)
    assert run(["adopt", "where", "-C", str(embedded.root)]) >= 64
    assert run(["adopt", "where", "new", "-C", str(embedded.root)]) == 0
    assert run(["drift", "-C", str(embedded.root)]) == 0


def test_the_chain_goes_on_after_a_push(tmp_path: Path) -> None:
    """Each state is a commit once, whatever else lets the ref name its own."""
    embedded = Embedded.create(tmp_path, PLAIN)
    site = embedded.site()
    start = export(site).commit
    assert record(site, site.live()) is None
    embedded.change_live("vip-monitor@interval", "10s")
    first = record(site, site.live())
    assert first
    assert record(site, site.live()) is None
    site.repository.set_refs(site.refs(), start, "as a push does")
    embedded.change_live("vip-monitor@interval", "20s")
    second = record(site, site.live())
    parents = embedded.git("log", "-1", "--format=%P", str(second)).split()
    assert parents == [start, first]
    embedded.change_live("vip-monitor@interval", "10s")
    third = record(site, site.live())
    assert embedded.git("log", "-1", "--format=%P", str(third)).split() == [second]


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_a_push_that_takes_live_along(
    situation: Situation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What live moved is a commit of its own; a conflict is refused, nothing written."""
    embedded = situation.created(tmp_path)
    head, live = embedded.site().repository.head(), embedded.live_text()
    code = run(["push", "--merge", "--yes", "--no-wait", "-C", str(embedded.root)])
    if situation.standing is Standing.CONFLICT:
        assert (code, embedded.live_text()) == (107, live)
        assert embedded.site().repository.head() == head
        assert "git and live are in conflict" in capsys.readouterr().err
        return
    assert code == 0, capsys.readouterr().err
    assert value(embedded.live_text(), situation.edit) == situation.edit.one
    assert desired(embedded, situation) == situation.edit.one
    site = embedded.site()
    assert not drift(site).is_drift
    assert not plan(site, site.desired(), site.repository.head()).changes
    adopted = embedded.git("log", "--format=%an", "--grep=Adopt").split()
    assert adopted == ([] if situation.standing is Standing.NOT_PUSHED else ["root"])


@pytest.mark.parametrize(
    "more", [["HEAD~1"], ["-m", "more"], ["--dry-run"]], ids=" ".join
)
def test_a_push_takes_live_along_for_the_newest_commit_only(
    more: list[str], tmp_path: Path
) -> None:
    embedded = with_two(tmp_path)
    head = embedded.site().repository.head()
    assert run(["push", "--merge", *more, "-C", str(embedded.root)]) == 64
    assert embedded.site().repository.head() == head
