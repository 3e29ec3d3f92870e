"""What a partition without quorum left in a CIB directory: found, told, taken, discarded.

Here the files are made up; tests/live/test_partition.py splits real networks.
"""

import json
from typing import NamedTuple

import pytest

from cibgit.cli.app import run
from cibgit.cluster.minority import overruled
from cibgit.flow.drift import Standing, drift
from cibgit.flow.export import export
from cibgit.flow.lost import Lost, lost

from .embedded import Embedded

Output = pytest.CaptureFixture[str]
ONE = ('interval="30s"', 'interval="5s"')
TWO = ('score="100"', 'score="55"')
STANDBY = (
    '<node id="2" uname="bob"/>',
    '<node id="2" uname="bob"><instance_attributes id="bob-a">'
    '<nvpair id="bob-standby" name="standby" value="on"/></instance_attributes></node>',
)


class State(NamedTuple):
    """One state that was written: its epoch, ``have-quorum`` and what was edited."""

    epoch: int
    quorum: str
    edits: tuple[tuple[str, str], ...] = ()


BASE, HEALED = State(5, "1"), State(9, "1")
ALONE = State(6, "0", (ONE,)), State(7, "0", (ONE, TWO))


@pytest.fixture
def exported(embedded: Embedded) -> Embedded:
    export(embedded.site())
    return embedded


def past(embedded: Embedded, *states: State) -> None:
    """Let the directory have kept these states, the last of which took live's place."""
    text = embedded.live_text()
    for number, (epoch, quorum, edits) in enumerate(states):
        known = f' have-quorum="{quorum}"' if quorum else ""
        kept = text.replace('epoch="5"', f'epoch="{epoch}"{known}', 1)
        for old, new in edits:
            assert old in kept
            kept = kept.replace(old, new)
        (embedded.node / f"cib-{number}.raw").write_text(kept)
    (embedded.node / "cib.last").write_text(str(len(states)))


def found(embedded: Embedded) -> list[Lost]:
    site = embedded.site()
    return lost(site, site.live())


def sentences(embedded: Embedded) -> list[list[str]]:
    return [[each.sentence for each in one.missing] for one in found(embedded)]


def cibgit(embedded: Embedded, *arguments: str) -> int:
    return run([*arguments, "-C", str(embedded.root)])


LOST = ["op monitor 5s: interval 30s -> 5s", "score 100 -> 55"]


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ((BASE, *ALONE, HEALED), [LOST]),
        ((BASE, State(5, "0"), *ALONE, HEALED), [LOST]),
        ((BASE, *ALONE, State(7, "", (ONE, TWO)), HEALED), [LOST]),
        ((BASE, *ALONE, State(7, "1", (ONE, TWO)), HEALED), []),
        ((BASE, *ALONE), []),
        ((*ALONE, HEALED), []),
        ((BASE, State(6, "1", (ONE,)), HEALED), []),
        ((State(4, "1"), State(5, "0", (ONE,)), State(5, "1")), []),
        (
            (BASE, ALONE[0], HEALED, State(10, "0", (TWO,)), State(12, "1")),
            [LOST[:1], LOST[1:]],
        ),
    ],
    ids=[
        "it lost",
        "it was written when it was cut off",
        "its daemon was started anew",
        "it won, and was changed back later",
        "it is cut off still",
        "nobody knows from where it went",
        "it had quorum",
        "git was not there yet",
        "it lost twice",
    ],
)
def test_what_counts_as_lost(
    exported: Embedded, states: tuple[State, ...], told: list[list[str]]
) -> None:
    past(exported, *states)
    assert sentences(exported) == told


def test_what_live_has_all_the_same_is_not_lost(exported: Embedded) -> None:
    past(exported, BASE, *ALONE, HEALED)
    exported.change_live("loc@score", "55")
    assert sentences(exported) == [LOST[:1]]
    exported.change_live("vip-monitor@interval", "5s")
    assert found(exported) == []


def test_what_is_ignored_is_not_lost(exported: Embedded, capsys: Output) -> None:
    past(exported, BASE, *ALONE, HEALED)
    config = exported.root / "cibgit.toml"
    rule = '[[ignore]]\nreason = "x"\nelement = "{}"\n'
    config.write_text(config.read_text() + rule.format("vip"))
    assert cibgit(exported, "drift", "--json") == 1
    [one] = json.loads(capsys.readouterr().out)["lost"]
    assert [each["sentence"] for each in one["changes"]] == LOST[1:]
    config.write_text(config.read_text() + rule.format("loc"))
    assert cibgit(exported, "drift") == 0


def test_it_is_told_with_both_sides(exported: Embedded, capsys: Output) -> None:
    past(exported, BASE, *ALONE, HEALED)
    assert cibgit(exported, "drift") == 1
    out = capsys.readouterr().out
    head = "Lost: written without quorum at 0.7.0 by root via crmsh on alice, until the"
    assert head in out.replace("\n", " ")
    assert "~ op monitor 5s: interval 30s -> 5s" in out
    assert "cibgit adopt --lost" in out
    assert out.endswith("No drift. Lost: 2.\n")
    assert cibgit(exported, "drift", "--format", "markdown") == 1
    assert "op monitor 5s: interval 30s -> 5s" in capsys.readouterr().out


def test_it_is_taken_by_whoever_made_it_beside_what_waits(
    exported: Embedded, capsys: Output
) -> None:
    past(exported, BASE, *ALONE, HEALED)
    exported.edit('type="Dummy"', 'type="Stateful"')
    waits = exported.commit()
    assert cibgit(exported, "adopt", "--lost") == 0
    assert "Adopted as" in capsys.readouterr().out
    text = exported.file.read_text()
    assert all(new in text for new in (ONE[1], TWO[1], 'type="Stateful"'))
    assert exported.git("status", "--porcelain") == ""
    ours, side = exported.git("log", "-1", "--format=%P").split()
    assert ours == waits
    said = exported.git("show", "-s", "--format=%an%n%B", side)
    assert said.startswith("root")
    assert "CIB-Lost: 0.7.0" in said and "CIB-Version" not in said
    assert "CIB-Changed-By: root via crmsh on alice" in said
    assert found(exported) == [], "answered"
    assert cibgit(exported, "push", "-y", "--force", "agents") == 0
    assert all(new in exported.live_text() for new in (ONE[1], TWO[1]))


def test_one_element_is_taken_and_the_rest_is_answered(exported: Embedded) -> None:
    past(exported, BASE, *ALONE, HEALED)
    assert cibgit(exported, "adopt", "--lost", "vip") == 0
    text = exported.file.read_text()
    assert ONE[1] in text
    assert TWO[0] in text
    assert found(exported) == []


def test_what_is_operational_is_taken_only_where_asked_for(exported: Embedded) -> None:
    past(exported, BASE, State(6, "0", (STANDBY, ONE)), HEALED)
    assert cibgit(exported, "adopt", "--lost", "--operational") == 0
    assert "bob-standby" in exported.file.read_text()
    exported.git("reset", "--hard", "HEAD^")
    assert cibgit(exported, "adopt", "--lost") == 0
    text = exported.file.read_text()
    assert ONE[1] in text
    assert "bob-standby" not in text


def test_discarded_it_is_history_and_no_more(exported: Embedded) -> None:
    past(exported, BASE, *ALONE, HEALED)
    before = exported.file.read_text()
    assert cibgit(exported, "adopt", "--lost", "--discard") == 0
    assert exported.file.read_text() == before
    assert "CIB-Lost: 0.7.0" in exported.git("log")
    assert cibgit(exported, "drift") == 0
    assert cibgit(exported, "adopt", "--lost") == 0, "nothing is left to take"


@pytest.mark.parametrize("how", [(), ("--discard",)])
def test_a_lost_state_is_answered_once_and_never_applied(
    exported: Embedded, how: tuple[str, ...], capsys: Output
) -> None:
    """Also where a watch saw it, and where the merge has just what was lost."""
    past(exported, BASE, *ALONE, HEALED)
    assert run(["watch", "--once", "-C", str(exported.root)]) == 1
    applied = exported.git("rev-parse", "HEAD").strip()
    assert cibgit(exported, "adopt", "--lost", *how) == 0
    capsys.readouterr()
    assert cibgit(exported, "adopt", "--lost", *how) == 0
    assert capsys.readouterr().out == "Nothing was lost.\n"
    exported.change_live("loc@score", "3")
    clone = exported.root.parent / "clone"
    exported.git("clone", "--quiet", str(exported.root), str(clone))
    for root in (exported.root, clone):
        found = drift(exported.site(root))
        assert found.applied.commit == applied
        assert found.lost == []
        moved = found.of(Standing.LIVE_MOVED, Standing.CONFLICT)
        assert [each.sentence for each in moved] == ["score 100 -> 3"]
    assert run(["revert", "-y", "-C", str(clone)]) == 0
    assert TWO[0] in exported.live_text() and ONE[0] in exported.live_text()


def test_a_conflict_is_refused_whole(exported: Embedded, capsys: Output) -> None:
    past(exported, BASE, *ALONE, HEALED)
    exported.edit('interval="30s"', 'interval="7s"')
    head = exported.commit()
    assert cibgit(exported, "adopt", "--lost") == 107
    said = "in conflict: resources / primitive vip / operations / op vip-monitor: both"
    assert f"git and what was lost are {said}" in capsys.readouterr().err
    assert exported.git("rev-parse", "HEAD").strip() == head
    assert cibgit(exported, "adopt", "--lost", "loc") == 0
    text = exported.file.read_text()
    assert 'interval="7s"' in text
    assert TWO[1] in text


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--discard"], 64, "--discard goes with --lost"),
        (["--lost", "--discard", "vip"], 64, "--discard goes with --lost"),
        (["--lost", "nobody"], 66, "nothing of 'nobody' is among the changes"),
    ],
)
def test_what_makes_no_sense_is_refused(
    exported: Embedded, arguments: list[str], code: int, told: str, capsys: Output
) -> None:
    past(exported, BASE, *ALONE, HEALED)
    assert cibgit(exported, "adopt", *arguments) == code
    assert told in capsys.readouterr().err


def test_files_that_are_no_cib_hide_nothing(exported: Embedded) -> None:
    past(exported, BASE, *ALONE, HEALED)
    (exported.node / "cib-4.raw").write_bytes(b'<cib have-quorum="0" <<<')
    (exported.node / "cib.last").write_text("5")
    assert sentences(exported) == [LOST]
    [one] = overruled(exported.node)
    assert [each.version.epoch for each in one] == [5, 7, 9]


def test_a_password_is_not_told(exported: Embedded, capsys: Output) -> None:
    secret = (
        "<operations>",
        '<instance_attributes id="p"><nvpair id="pw" name="password" value="S3cret!"/>'
        "</instance_attributes><operations>",
    )
    past(exported, BASE, State(6, "0", (secret,)), HEALED)
    for form in ("text", "json", "markdown"):
        assert cibgit(exported, "drift", "--format", form) == 1
        said = capsys.readouterr()
        assert "S3cret!" not in said.out + said.err
        assert "password" in said.out
