"""Suspending and resuming on the embedded cluster: what is refused, told, and left alone."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from cibgit.cib.digest import Dialect
from cibgit.cib.suspension import Suspension, suspension
from cibgit.cli import caring
from cibgit.cli.app import run
from cibgit.cluster.directory import Directory
from cibgit.errors import StaleError, UsageError
from cibgit.flow.export import export
from cibgit.flow.resume import resume
from cibgit.flow.suspend import suspend

from .embedded import Embedded

Output = pytest.CaptureFixture[str]


def wanted(seconds: float = 3600, reason: str = "by hand") -> Suspension:
    return Suspension(int(time.time() + seconds), "alice", reason)


def found(embedded: Embedded) -> Suspension | None:
    return suspension(embedded.site().live(), datetime.now(UTC))


@pytest.fixture
def exported(embedded: Embedded) -> Embedded:
    export(embedded.site())
    return embedded


def cibgit(embedded: Embedded, *arguments: str) -> int:
    return run([*arguments, "-C", str(embedded.root)])


def test_the_story_at_the_command_line(exported: Embedded, capsys: Output) -> None:
    reason = "storage is migrated"
    assert cibgit(exported, "suspend", "--until", "4h", "--reason", reason) == 0
    held = found(exported)
    assert held and held.reason == reason and held.by == caring.user()
    assert f"prod is suspended {held}" in capsys.readouterr().out
    assert cibgit(exported, "status") == 0, "nothing drifted"
    assert f"Suspended {held}" in capsys.readouterr().out

    exported.change_live("vip-monitor@interval", "20s")
    assert cibgit(exported, "drift") == 1, "a question is answered all the same"
    assert f"* suspended {held}\n    Talk to whoever did it" in capsys.readouterr().out
    before = exported.live_text()
    assert cibgit(exported, "revert", "--yes") == 107
    assert "refused by policy, rule suspended" in capsys.readouterr().err
    assert exported.live_text() == before
    assert cibgit(exported, "revert", "--yes", "--force", "suspended") == 0
    assert found(exported) == held, "a forced push ends nothing"

    capsys.readouterr()
    assert cibgit(exported, "resume", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["ended"] == vars(held)
    assert cibgit(exported, "resume", "prod") == 0
    assert capsys.readouterr().out == "prod is not suspended.\n"
    assert "suspended" not in exported.live_text()
    exported.change_live("vip-monitor@interval", "20s")
    assert cibgit(exported, "revert", "--yes") == 0


def test_only_the_marker_changes(exported: Embedded) -> None:
    before, head = exported.site().read(), exported.git("rev-parse", "HEAD")
    suspend(exported.site(), wanted())
    during = exported.site().read()
    assert during.version.epoch == before.version.epoch + 1
    assert resume(exported.site())
    assert exported.git("rev-parse", "HEAD") == head
    again = exported.site().read()
    assert [each.attrib for each in again.configuration.iter()] == [
        each.attrib for each in before.configuration.iter()
    ]


def test_saying_it_twice_writes_once(exported: Embedded) -> None:
    once = wanted()
    suspend(exported.site(), once)
    text = exported.live_text()
    assert suspend(exported.site(), once) == once
    assert exported.live_text() == text
    longer = suspend(exported.site(), wanted(7200, "it takes longer"))
    assert found(exported) == longer


def test_one_whose_time_is_over_holds_nothing_and_is_swept(exported: Embedded) -> None:
    suspend(exported.site(), wanted(1.5))
    while found(exported):
        time.sleep(0.05)
    exported.change_live("vip-monitor@interval", "20s")
    assert cibgit(exported, "revert", "--yes") == 0
    assert "cibgit-suspended" in exported.live_text()
    assert resume(exported.site()) is None
    assert "cibgit-suspended" not in exported.live_text()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (wanted(-5), "the time is over already"),
        (wanted(reason=" \n "), "needs a reason"),
        (wanted(reason="x" * 201), "200 characters at most"),
    ],
)
def test_what_makes_no_sense_is_refused(
    exported: Embedded, asked: Suspension, told: str
) -> None:
    before = exported.live_text()
    with pytest.raises(UsageError, match=told):
        suspend(exported.site(), asked)
    assert exported.live_text() == before


def test_a_reason_becomes_one_line(exported: Embedded) -> None:
    assert suspend(exported.site(), wanted(reason="a\n\tb \x1b[31m c")).reason == (
        "a b [31m c"
    )


def test_a_reason_that_pacemaker_would_not_keep_is_named(
    exported: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Directory, "dialect", lambda _: Dialect.MID)
    before = exported.live_text()
    with pytest.raises(UsageError, match="would not keep that reason"):
        suspend(exported.site(), wanted(reason='Störung "x"'))
    assert exported.live_text() == before
    assert suspend(exported.site(), wanted(reason="Störung")).reason == "Störung"


def test_without_a_marker_there_is_no_place_for_it(exported: Embedded) -> None:
    with pytest.raises(UsageError, match="marker = false"):
        suspend(exported.site(marker=False), wanted())


def test_a_change_at_the_same_time_is_not_lost(
    exported: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply, met = Directory.apply, []

    def raced(self: Directory, patch: object) -> object:
        if not met:
            met.append(True)
            monkeypatch.setattr(Directory, "apply", apply)
            exported.change_live("loc@score", "300")
            raise StaleError("somebody was first")
        return apply(self, patch)  # type: ignore[arg-type]

    monkeypatch.setattr(Directory, "apply", raced)
    held = suspend(exported.site(), wanted())
    assert found(exported) == held
    assert 'score="300"' in exported.live_text()


def test_times_are_written_as_people_do() -> None:
    now = datetime.now(UTC)
    near = caring.moment("4h") - now
    assert timedelta(hours=3, minutes=59) < near <= timedelta(hours=4, minutes=1)
    day = caring.moment("2027-01-31")
    assert (day.astimezone().day, day.astimezone().hour) == (1, 0), "the day is over"
    assert caring.moment("2027-01-31T18:00Z") == datetime(2027, 1, 31, 18, tzinfo=UTC)
    assert caring.moment("2027-01-31T18:00").tzinfo, "local time"
    outside = ("9999-12-31", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00")
    for wrong in ("", "soon", "4x", "0h", "2027-02-30", "-4h", "2027", "14d", *outside):
        with pytest.raises(UsageError, match="is not a time"):
            caring.moment(wrong)
