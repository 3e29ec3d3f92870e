"""Saved plans: carried out as they were made, or refused as stale."""

import json
import re
from pathlib import Path

import pytest

from cibgit.cli.app import run
from cibgit.flow import saved
from cibgit.flow.export import export

from .embedded import CIB, Embedded

SECRET = "s3cret&word"
WITH_SECRET = CIB.replace(
    "<operations>",
    '<instance_attributes id="vip-p"><nvpair id="vip-a" name="passwd" value="old-word"/>'
    '<nvpair id="vip-n" name="nic" value="eth0"/></instance_attributes><operations>',
)
RELAXED = "[policy]\nagents = false\nagent-parameters = false\nverify = false\n"


class Place:
    """A cluster whose edited state is committed and planned for."""

    def __init__(self, folder: Path) -> None:
        self.embedded = Embedded.create(folder, WITH_SECRET)
        config = self.embedded.root / "cibgit.toml"
        config.write_text(config.read_text() + RELAXED)
        self.embedded.git("commit", "-q", "-a", "-m", "policy")
        export(self.embedded.site())
        [hidden] = re.findall("secret:v1:[0-9a-f]+", self.embedded.file.read_text())
        self.embedded.edit(hidden, SECRET.replace("&", "&amp;"))
        self.embedded.edit('interval="30s"', 'interval="10s"')
        self.embedded.commit("planned")
        self.file = folder / "plan.json"

    def run(self, *arguments: str) -> int:
        return run([*arguments, "-C", str(self.embedded.root)])

    def change(self, **values: object) -> None:
        found = json.loads(self.file.read_text())
        self.file.write_text(json.dumps({**found, **values}))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place(tmp_path)
    monkeypatch.setenv("CIBGIT_IDENTITY", str(place.embedded.identity))
    assert place.run("plan", "--out", str(place.file)) == 1
    return place


def test_a_saved_plan_is_private_and_holds_no_secret(place: Place) -> None:
    assert place.file.stat().st_mode & 0o777 == 0o600
    text = place.file.read_text()
    for word in (SECRET, "s3cret", "old-word"):
        assert word not in text
    found = json.loads(text)
    assert found["cibgit-plan"] == 1
    [hidden], [interval] = (one["attributes"] for one in found["changes"])
    assert {hidden["old"][:10], hidden["new"][:10]} == {"secret:v1:"}
    assert interval == {"name": "interval", "old": "30s", "new": "10s", "secret": False}
    assert found["live_version"] == "0.5.0"
    # saved again over itself it stays private
    assert place.run("plan", "--out", str(place.file)) == 1
    assert place.file.stat().st_mode & 0o777 == 0o600


def test_where_a_plan_cannot_be_kept(place: Place, tmp_path: Path) -> None:
    for bad in (tmp_path, tmp_path / "no/where"):
        assert place.run("plan", "--out", str(bad)) == 77
    assert not (tmp_path / "no").exists()
    victim, link = tmp_path / "victim", tmp_path / "link"
    victim.write_text("mine")
    link.symlink_to(victim)
    assert place.run("plan", "--out", str(link)) == 1
    assert victim.read_text() == "mine"
    assert link.stat().st_mode & 0o777 == 0o600
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("tmp")]


def test_it_is_carried_out(place: Place) -> None:
    assert place.run("push", str(place.file), "--yes") == 0
    assert 'interval="10s"' in place.embedded.live_text()
    assert place.run("status") == 0
    assert place.run("push", str(place.file), "--yes") == 103  # it is done


def test_it_is_stale_when_live_moved(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.embedded.change_live("db@type", "Delay")
    before = place.embedded.live_text()
    assert place.run("push", str(place.file), "--yes") == 103
    assert (
        "replaced: ocf:heartbeat:Dummy -> ocf:heartbeat:Delay"
        in capsys.readouterr().err
    )
    # the same when that was exported meanwhile
    place.embedded.git("reset", "-q", "--hard", "HEAD~1")
    assert place.run("export") == 0
    place.embedded.git("merge", "-q", "ORIG_HEAD", "-m", "both")
    assert place.run("push", str(place.file), "--yes") == 103
    told = capsys.readouterr().err
    assert "stale" in told
    assert place.embedded.live_text() == before


def test_it_is_stale_when_desired_moved(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.embedded.edit('interval="10s"', 'interval="11s"')
    place.embedded.commit()
    assert place.run("push", str(place.file), "--yes") == 103
    told = capsys.readouterr().err
    assert "the plan is stale: HEAD was" in told
    assert "interval 10s -> 11s" in told
    # a commit that leaves the file alone makes nothing stale
    place.embedded.git("reset", "-q", "--hard", "HEAD~1")
    place.embedded.git("commit", "-q", "--allow-empty", "-m", "other")
    assert place.run("push", str(place.file), "--yes") == 0


def test_it_is_stale_when_its_effects_moved(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    site = place.embedded.site()
    found = saved.load(place.file)
    assert found is not None
    planned = saved.planned_again(site, found)
    with pytest.raises(saved.StalePlanError, match="not: vip stops on alice"):
        saved.check_effects(planned, ["vip stops on alice"])
    saved.check_effects(planned, [])


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"cibgit-plan": 2}, 65),
        ({"commit": 7}, 65),
        ({"effects": None}, 65),
        ({"cluster": "other"}, 64),
        ({"commit": "1" * 40}, 103),
        ({"live_digest": "0" * 32}, 103),
        ({"target_digest": "0" * 32}, 103),
        ({"revision": "--output=/tmp/x"}, 66),
    ],
)
def test_an_edited_plan_is_refused(
    place: Place, values: dict[str, object], code: int
) -> None:
    before = place.embedded.live_text()
    place.change(**values)
    assert place.run("push", str(place.file), "--yes") == code
    assert place.embedded.live_text() == before


def test_what_a_saved_plan_does_not_take(place: Place) -> None:
    for more in (["-m", "x"], ["--force", "keep"]):
        assert place.run("push", str(place.file), "--yes", *more) == 64
    place.embedded.edit('interval="10s"', 'interval="11s"')
    assert place.run("plan", "--out", str(place.file)) == 107  # not committed


def test_forced_when_planned_means_forced_when_pushed(place: Place) -> None:
    config = place.embedded.root / "cibgit.toml"
    config.write_text(config.read_text() + 'protected = ["vip"]\n')
    assert place.run("push", str(place.file), "--yes") == 107
    arguments = ("plan", "--out", str(place.file), "--force", "protected")
    assert place.run(*arguments) == 1
    assert place.run("push", str(place.file), "--yes") == 0


def test_a_file_that_is_no_plan_is_a_revision(place: Place) -> None:
    (place.embedded.root / "HEAD~1").write_text("{}")
    assert place.run("push", "HEAD~1", "--yes") == 0
