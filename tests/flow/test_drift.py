"""Drift: who changed the cluster past git, and how that stands to git."""

import json
import re
import shutil
from pathlib import Path

import pytest
from lxml import etree

from cibgit.cib import patchset
from cibgit.cli.app import run
from cibgit.cluster.directory import Directory
from cibgit.compare.change import Weight
from cibgit.errors import StaleError
from cibgit.flow.adopt import adopt
from cibgit.flow.drift import Drift, Standing, drift
from cibgit.flow.export import export
from cibgit.flow.plan import DriftError, plan
from cibgit.flow.push import push
from cibgit.flow.revert import revert

from .drifting import PLAIN, SITUATIONS, Situation
from .embedded import CIB, Embedded


def standings(found: Drift) -> list[tuple[Standing, Weight]]:
    return [(one.standing, one.change.weight) for one in found.entries]


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_each_situation_has_its_class_and_exit_code(
    situation: Situation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    embedded = situation.created(tmp_path)
    found = drift(embedded.site())
    expected = [(situation.standing, situation.edit.weight)]
    if situation.standing is Standing.EQUAL:
        expected.append((Standing.NOT_PUSHED, Weight.CONFIGURATION))
    assert standings(found) == expected
    moved = situation.standing is not Standing.NOT_PUSHED
    assert run(["drift", "-C", str(embedded.root)]) == int(moved)
    told = capsys.readouterr().out
    word = situation.edit.weight.name.lower()
    assert (f"Drift: 1 {word}." in told) == moved
    assert ("last changed by root via cibgit" in told) == moved
    both = f"desired: {situation.desired}\n    live:    {situation.live}"
    assert (both in told) == (situation.standing is Standing.CONFLICT)
    assert run(["drift", "--json", "-C", str(embedded.root)]) == int(moved)
    answer = json.loads(capsys.readouterr().out)
    assert answer["drift"] is moved
    assert answer["entries"][0]["standing"] == situation.standing.value


def test_in_sync(embedded: Embedded, capsys: pytest.CaptureFixture[str]) -> None:
    export(embedded.site())
    assert run(["drift", "-C", str(embedded.root)]) == 0
    assert capsys.readouterr().out.endswith("\n\nNo drift.\n")


def test_without_a_base_there_is_no_answer(embedded: Embedded) -> None:
    embedded.file.parent.mkdir(parents=True, exist_ok=True)
    embedded.file.write_text(CIB)
    embedded.edit('interval="30s"', 'interval="10s"')
    embedded.commit()
    with pytest.raises(DriftError, match="no commit is known to have been live"):
        drift(embedded.site())
    assert run(["drift", "-C", str(embedded.root)]) == 103


def test_the_same_resource_on_both_sides_is_equal_wherever_it_stands(
    tmp_path: Path,
) -> None:
    """Each side adds something of its own after it: that is no conflict about it."""
    both = '<primitive id="both" class="ocf" provider="heartbeat" type="Dummy"/>'
    last = '<primitive id="db" class="ocf" provider="heartbeat" type="Dummy"/>'
    embedded = Embedded.create(tmp_path)
    export(embedded.site())
    embedded.edit(last, last + both + both.replace('"both"', '"ours"'))
    embedded.commit()
    theirs = both + both.replace('"both"', '"theirs"')
    for old in embedded.node.iterdir():
        old.unlink()
    embedded.node.rmdir()
    changed = CIB.replace(last, last + theirs).replace('epoch="5"', 'epoch="6"')
    again = Embedded.create(tmp_path / "again", changed)
    again.node.rename(embedded.node)
    assert standings(drift(embedded.site())) == [
        (Standing.EQUAL, Weight.CONFIGURATION),
        (Standing.LIVE_MOVED, Weight.CONFIGURATION),
        (Standing.NOT_PUSHED, Weight.CONFIGURATION),
    ]


def test_markdown_is_a_table_that_nobody_can_break_out_of(
    embedded: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    export(embedded.site())
    embedded.change_live("vip-monitor@interval", "1|2<b>`")
    assert run(["drift", "--format", "markdown", "-C", str(embedded.root)]) == 1
    told = capsys.readouterr().out
    assert told.startswith("**Drift: 1 configuration.**\n")
    row = "| live moved | configuration | resource vip |"
    assert row in told
    assert "1\\|2\\<b\\>\\`" in told


def test_secrets_are_never_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = "c4n4ry"
    params = (
        '<instance_attributes id="vip-p"><nvpair id="vip-pw" name="passwd" value="x"/>'
        "</instance_attributes><operations>"
    )
    embedded = Embedded.create(tmp_path, CIB.replace("<operations>", params))
    export(embedded.site())
    [hidden] = re.findall("secret:v1:[0-9a-f]+", embedded.file.read_text())
    embedded.edit(hidden, "y")
    embedded.commit()
    embedded.change_live("vip-pw@value", canary)
    for form in ("text", "json", "markdown"):
        assert run(["drift", "--format", form, "-C", str(embedded.root)]) == 1
        told = capsys.readouterr()
        assert canary not in told.out + told.err
        assert "passwd" in told.out


def change_by(embedded: Embedded, user: str, element: str, value: str) -> None:
    """Change live as somebody else, and have the state recorded."""
    embedded.change_live(element, value)
    file = embedded.node / "cib.xml"
    text = file.read_text().replace('update-user="root"', f'update-user="{user}"')
    (embedded.node / "cib.xml.sig").unlink()
    file.write_text(text)
    assert run(["watch", "--once", "-C", str(embedded.root)]) == 1


def test_recorded_states_tell_who_made_which_change(
    embedded: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    export(embedded.site())
    change_by(embedded, "ann", "vip-monitor@interval", "10s")
    change_by(embedded, "ben", "loc@score", "1")
    change_by(embedded, "cleo", "db@type", "Delay")
    capsys.readouterr()
    assert run(["drift", "-C", str(embedded.root)]) == 1
    told = capsys.readouterr().out
    assert "  ann via cibgit on " in told
    assert ": resource vip op monitor 10s\n" in told
    assert run(["adopt", "vip", "-C", str(embedded.root)]) == 0
    assert embedded.git("log", "-1", "--format=%an").strip() == "ann"
    assert "CIB-Changed-By: ann via" in embedded.git("log", "-1")
    assert run(["adopt", "-C", str(embedded.root)]) == 0
    assert embedded.git("log", "-1", "--format=%an").strip() == "cleo"
    assert run(["drift", "-C", str(embedded.root)]) == 0


def test_of_several_epochs_the_last_writer_is_not_the_maker(
    embedded: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    export(embedded.site())
    embedded.change_live("vip-monitor@interval", "10s")
    assert makers(embedded, capsys) == ["root"]
    embedded.change_live("loc@score", "1")
    assert makers(embedded, capsys) == [None, None]


def makers(embedded: Embedded, capsys: pytest.CaptureFixture[str]) -> list[str | None]:
    assert run(["drift", "--json", "-C", str(embedded.root)]) == 1
    entries = json.loads(capsys.readouterr().out)["entries"]
    return [entry["maker"] and entry["maker"]["user"] for entry in entries]


def test_a_push_that_vanished_is_named_and_brought_back(
    embedded: Embedded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other side of a partition went on from before the push, and won."""
    arguments = ["-y", "--force", "agents", "-C", str(embedded.root)]
    assert run(["export", "-C", str(embedded.root)]) == 0
    embedded.edit('score="100"', 'score="200"')
    assert run(["push", "-m", "first", *arguments]) == 0
    saved = tmp_path / "other-side"
    shutil.copytree(embedded.node, saved)
    embedded.edit('interval="30s"', 'interval="10s"')
    assert run(["push", "-m", "second", *arguments]) == 0
    lost = embedded.git("rev-parse", "HEAD").strip()
    embedded.node.rename(tmp_path / "this-side")
    saved.rename(embedded.node)
    embedded.change_live("db@type", "Delay")
    embedded.change_live("db@type", "Stateful")
    capsys.readouterr()
    assert run(["drift", "-C", str(embedded.root)]) == 1
    told = capsys.readouterr().out
    assert f"commit {lost[:10]} was pushed and is gone" in told
    assert run(["push", *arguments]) == 103
    assert run(["adopt", "-C", str(embedded.root)]) == 0
    capsys.readouterr()
    assert run(["drift", "-C", str(embedded.root)]) == 0
    told = capsys.readouterr().out
    assert "Merged, not pushed:\nresource vip\n  ~ op monitor 10s" in told
    assert run(["push", *arguments]) == 0
    for kept in ('interval="10s"', 'score="200"', 'type="Stateful"'):
        assert kept in embedded.live_text()
    capsys.readouterr()
    assert run(["drift", "-C", str(embedded.root)]) == 0
    assert "is gone" not in capsys.readouterr().out


def test_a_push_from_another_clone_is_no_drift_to_be_answered(
    embedded: Embedded, tmp_path: Path
) -> None:
    export(embedded.site())
    embedded.git("clone", "--quiet", str(embedded.root), str(tmp_path / "other"))
    embedded.edit('score="100"', 'score="200"')
    site = embedded.site()
    pushed = push(plan(site, site.edited(), embedded.commit())).commit
    other = embedded.site(tmp_path / "other")
    [told] = [each for each in drift(other).findings if each.rule == "push-unknown"]
    assert pushed[:10] in told.sentence
    assert told.hint.endswith("git fetch --all")
    for answer in (adopt, revert):
        with pytest.raises(StaleError, match="may be somebody's push"):
            answer(other)
    assert embedded.live_text().count('score="200"') == 1
    embedded.git("-C", str(tmp_path / "other"), "fetch", "--all", "--quiet")
    assert drift(embedded.site(tmp_path / "other")).findings == []


def test_a_revert_leaves_no_empty_section_behind(embedded: Embedded) -> None:
    export(embedded.site())
    directory = Directory(embedded.node)
    live = directory.read()
    changed = live.copy()
    section = etree.SubElement(changed.configuration, "rsc_defaults")
    block = etree.SubElement(section, "meta_attributes", id="rsc-options")
    pair = {"id": "rsc-sticky", "name": "resource-stickiness", "value": "100"}
    etree.SubElement(block, "nvpair", pair)
    directory.apply(patchset.build(live, changed, directory.dialect()))
    assert drift(embedded.site()).is_drift
    words = ["revert", "-y", "--operational", "-C", str(embedded.root)]
    assert run([*words, "--force", "agents"]) == 0
    assert drift(embedded.site()).entries == []
    assert "rsc_defaults" not in embedded.live_text()


def test_what_refuses_a_push_is_taken_as_its_hint_says(tmp_path: Path) -> None:
    """Of operational changes alone, the answers would leave all as it is."""
    embedded = Embedded.create(tmp_path, PLAIN)
    export(embedded.site())
    embedded.change_live("bob-standby@value", "on")
    embedded.edit('score="100"', 'score="200"')
    site, commit = embedded.site(), embedded.commit()
    with pytest.raises(DriftError) as caught:
        plan(site, site.desired(), commit)
    assert "cibgit adopt --operational," in caught.value.hint
    embedded.change_live("loc@score", "1")
    with pytest.raises(DriftError) as caught:
        plan(site, site.desired(), commit)
    assert "cibgit adopt," in caught.value.hint
