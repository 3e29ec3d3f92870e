"""What cibgit.toml ignores: hidden from questions, untouched by a push."""

import json
from pathlib import Path

import pytest

from cibgit.cli.app import run
from cibgit.flow.drift import Standing

from .drifting import SITUATIONS, Situation, value
from .embedded import Embedded

Output = pytest.CaptureFixture[str]


def ignore(embedded: Embedded, **options: str) -> None:
    lines = [f"{name} = {value}" for name, value in options.items()]
    config = embedded.root / "cibgit.toml"
    text = config.read_text().partition("[[ignore]]")[0]
    config.write_text("\n".join([text, "[[ignore]]", 'reason = "on purpose"', *lines]))


def cibgit(embedded: Embedded, *arguments: str) -> int:
    return run([*arguments, "-C", str(embedded.root)])


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_what_is_ignored_is_no_drift_and_a_push_leaves_it(
    situation: Situation, tmp_path: Path, capsys: Output
) -> None:
    embedded = situation.created(tmp_path)
    edit = situation.edit
    ignore(embedded, element=f'"{edit.element}"', attribute=f'"{edit.attribute}"')
    assert cibgit(embedded, "drift") == 0
    out = capsys.readouterr().out
    assert "No drift." in out
    assert "Ignored: 1." in out or situation.live == situation.desired
    waits = situation.standing is Standing.EQUAL  # then something else waits, too
    assert cibgit(embedded, "diff") == int(waits)
    before = embedded.file.read_text()
    embedded.edit('id="loc" node="alice"', 'id="loc" node="bob"')
    assert cibgit(embedded, "push", "-m", "move", "-y", "--force", "agents") == 0
    assert 'node="bob"' in embedded.live_text()
    assert value(embedded.live_text(), edit) == situation.live
    assert value(embedded.file.read_text(), edit) == value(before, edit)
    # and it is in sync: the next questions and the next export find nothing
    capsys.readouterr()
    head = embedded.git("rev-parse", "HEAD")
    for question in ("status", "drift", "diff", "export"):
        assert cibgit(embedded, question) == 0, (question, capsys.readouterr().out)
    assert embedded.git("rev-parse", "HEAD") == head


def test_what_is_ignored_is_not_taken_into_git(tmp_path: Path) -> None:
    embedded = SITUATIONS[1].created(tmp_path)  # vip's interval moved
    ignore(embedded, attribute='"interval"')
    embedded.change_live("db@type", "Delay")
    assert cibgit(embedded, "adopt") == 0
    text = embedded.git("show", "HEAD:clusters/prod/cib.xml")
    assert 'type="Delay"' in text
    assert 'interval="30s"' in text
    embedded.change_live("db@type", "Stateful")
    assert cibgit(embedded, "export") == 0
    text = embedded.git("show", "HEAD:clusters/prod/cib.xml")
    assert 'type="Stateful"' in text
    assert 'interval="30s"' in text
    embedded.change_live("db@type", "Dummy")
    assert cibgit(embedded, "revert", "-y", "--force", "agents") == 0
    assert 'type="Stateful"' in embedded.live_text()
    assert 'interval="10s"' in embedded.live_text()


def test_an_expired_rule_hides_nothing_and_is_a_finding(
    tmp_path: Path, capsys: Output
) -> None:
    embedded = SITUATIONS[1].created(tmp_path)
    ignore(embedded, attribute='"interval"', until="2020-01-01")
    assert cibgit(embedded, "drift") == 1
    assert "the ignore rule for interval ended 2020-01-02" in capsys.readouterr().out
    assert cibgit(embedded, "drift", "--json") == 1
    [finding] = json.loads(capsys.readouterr().out)["findings"]
    assert finding["rule"] == "ignore-expired"
    assert cibgit(embedded, "adopt") == 0
    embedded.edit('score="100"', 'score="200"')
    capsys.readouterr()
    assert cibgit(embedded, "plan") == 1
    assert "[ignore-expired]" in capsys.readouterr().out


def test_a_rule_that_is_a_slip_is_78(tmp_path: Path, capsys: Output) -> None:
    embedded = Embedded.create(tmp_path)
    ignore(embedded, elemnt='"vip"')
    assert cibgit(embedded, "drift") == 78
    assert "unknown option 'elemnt'" in capsys.readouterr().err
