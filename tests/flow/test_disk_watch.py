"""The agent asks the doctor: a damaged disk is told once, and so is its end."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cibgit.cib.document import parse
from cibgit.errors import CibgitError
from cibgit.flow import disk_watch
from cibgit.flow.disk_watch import DiskState, DiskWatch
from cibgit.flow.doctor import Diagnosis, Patient, doctor
from cibgit.flow.export import export
from cibgit.policy.finding import Finding, Severity
from cibgit.render import watch as render

from .embedded import Embedded
from .watching import Bench

SIGNATURE = "cib.xml.sig"


def bench_of(embedded: Embedded, node: str = "alice") -> Bench:
    """Return an agent that has just been started on a node."""
    bench = Bench(embedded)
    patient = Patient(embedded.node, "2.1.5")
    bench.agent.beside = [DiskWatch(bench.agent.site, patient, node)]
    bench.agent.slow = 0  # so each look is a slow poll
    return bench


def look(bench: Bench) -> bool:
    """Look once; a directory that is nothing but files cannot be read when damaged."""
    try:
        return bench.agent.once()
    except CibgitError:
        return True


def hooked(bench: Bench) -> list[str]:
    return [render.word(each) for each in bench.hooked]


@pytest.fixture
def signed(embedded: Embedded) -> Embedded:
    """A cluster in git whose cib.xml is signed."""
    export(embedded.site())
    embedded.change_live("loc@score", "1")
    export(embedded.site())
    assert (embedded.node / SIGNATURE).exists()
    return embedded


def damage(embedded: Embedded, digits: str = "0" * 32) -> bytes:
    file = embedded.node / SIGNATURE
    before = file.read_bytes()
    file.write_text(digits)
    return before


def test_damage_is_told_once_everywhere_and_so_is_its_end(signed: Embedded) -> None:
    bench = bench_of(signed)
    assert not look(bench)
    assert (bench.of(DiskState), bench.hooked) == ([], [])
    assert bench.agent.tally.right == {"disk": True}
    damage(signed)
    assert look(bench) and look(bench)
    assert hooked(bench) == ["disk-damaged"]
    assert bench.agent.tally.right == {"disk": False}
    damage(signed, "no digits")
    assert look(bench) and look(bench)
    assert hooked(bench) == ["disk-damaged"], "its signature is wrong, as it was"
    (signed.node / "cib.xml").write_text("<cib")
    assert look(bench) and look(bench)
    assert hooked(bench) == ["disk-damaged", "disk-damaged"]


def test_its_end_is_told_once(signed: Embedded) -> None:
    bench = bench_of(signed)
    right = damage(signed)
    look(bench)
    (signed.node / SIGNATURE).write_bytes(right)
    assert not look(bench) and not look(bench)
    assert hooked(bench) == ["disk-damaged", "disk-sound"]
    lines = [render.line(each, "prod") for each in bench.of(DiskState)]
    place = f"prod: {signed.node} on alice"
    assert lines[0].startswith(f"{place} is damaged: ")
    assert lines[0].endswith(" (Look there with: cibgit doctor)")
    assert lines[1] == f"{place} is sound"
    assert "told" not in signed.git("for-each-ref")


def test_a_restart_tells_nothing_again_and_each_node_counts_for_itself(
    signed: Embedded,
) -> None:
    damage(signed)
    look(bench_of(signed))
    again, elsewhere = bench_of(signed), bench_of(signed, "bob.example")
    look(again)
    assert (again.of(DiskState), again.hooked) == ([], [])
    look(elsewhere)
    assert hooked(elsewhere) == ["disk-damaged"]
    ref = "refs/cibgit/prod/told-disk-bob-example-hook"
    assert "cib.xml: digest-mismatch\n" in signed.git("show", f"{ref}:disk-damaged")


def test_nothing_is_asked_as_long_as_nothing_moves(
    signed: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Patient] = []

    def counted(patient: Patient) -> Diagnosis:
        asked.append(patient)
        return doctor(patient)

    monkeypatch.setattr(disk_watch, "doctor", counted)
    bench = bench_of(signed)
    look(bench)
    look(bench)
    assert len(asked) == 1
    signed.change_live("loc@score", "2")
    look(bench)
    look(bench)
    assert len(asked) == 2
    right = damage(signed)
    look(bench)
    look(bench)
    assert len(asked) == 4, "as long as it is damaged, it is asked again"
    (signed.node / SIGNATURE).write_bytes(right)
    look(bench)
    assert len(asked) == 5


def test_a_disk_that_is_behind_counts_when_it_stays_behind(
    signed: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CIB manager that does not follow is needed for a real one: see tests/live."""
    behind = Finding(Severity.ERROR, "disk-behind", "cib.xml", "it is behind")
    patient = Patient(signed.node, "2.1.5")
    healthy = doctor(patient)
    found = replace(healthy, findings=[behind])
    monkeypatch.setattr(disk_watch, "doctor", lambda _: found)
    disk = DiskWatch(signed.site(), patient, "alice")
    live = parse((signed.node / "cib.xml").read_bytes(), "live")
    disk.look(live)
    assert disk.found is None, "nobody knows yet"
    disk.look(live)
    assert disk.found and disk.found.told.errors == [behind]
    found = healthy
    disk.look(live)
    assert disk.found and not disk.found.is_wrong
    found = replace(healthy, findings=[behind])
    once = DiskWatch(signed.site(), patient, "alice", looks_once=True)
    once.look(live)
    assert once.found and once.found.is_wrong, "there is no second look"


def test_warnings_are_for_the_doctor(signed: Embedded) -> None:
    (signed.node / SIGNATURE).unlink()
    bench = bench_of(signed)
    assert not look(bench)
    assert [each.rule for each in doctor(Patient(signed.node, "2.1.5")).findings][
        :1
    ] == ["unsigned"]
    assert bench.hooked == []


def test_a_directory_that_is_gone_is_a_trouble_and_no_damage(
    signed: Embedded, tmp_path: Path
) -> None:
    patient = Patient(tmp_path / "gone", "2.1.5")
    bench = bench_of(signed)
    bench.agent.beside = [DiskWatch(bench.agent.site, patient, "alice")]
    with pytest.raises(CibgitError, match="gone"):
        bench.agent.once()
    assert bench.hooked == []
    assert bench.agent.tally.right == {}


def test_what_people_and_programs_are_told() -> None:
    errors = [
        Finding(Severity.ERROR, "digest-mismatch", "cib.xml", "it was edited", "mend"),
        Finding(Severity.ERROR, "writes-off", "cib.xml", "nothing is written", "mend"),
    ]
    state = DiskState("alice", Path("/var/lib/pacemaker/cib"), errors)
    line = render.line(state, "prod")
    assert line == (
        "prod: /var/lib/pacemaker/cib on alice is damaged: cib.xml: it was edited; 1 more"
        " error (Look there with: cibgit doctor)"
    )
    assert render.subject(state, "prod") == "[cibgit] prod: disk-damaged"
    told = json.loads(render.notice(state, "prod"))
    assert (told["event"], told["node"]) == ("disk-damaged", "alice")
    assert [each["rule"] for each in told["findings"]] == [
        "digest-mismatch",
        "writes-off",
    ]
    assert json.loads(render.json_line(state, "prod"))["event"] == "disk-damaged"
    mail = render.body(state)
    assert "error writes-off: cib.xml: nothing is written.\n    mend\n" in mail
