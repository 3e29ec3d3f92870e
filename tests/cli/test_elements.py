"""``log`` and ``blame`` as users meet them."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from cibgit.cli.app import run

from ..flow.past import CANARY, Past

Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    """Return a past that nobody changes."""
    past = Past.begin(tmp_path_factory.mktemp("past"))
    past.change(('value="10.0.0.1"', 'value="10.0.0.2"'), message="Move the address")
    past.change(
        ('interval="30s"', 'interval="30000ms"'), ('score="100"', 'score="200"'),
        message="Prefer alice",
    )  # fmt: skip
    return past


def answer(past: Past, capsys: Output, *arguments: str) -> tuple[int, str]:
    """Return the exit code and the output, ids of commits and today left out."""
    capsys.readouterr()
    code = run([*arguments, "-C", str(past.root)])
    out = re.sub(r"\b[0-9a-f]{10}\b", "commit", capsys.readouterr().out)
    return code, re.sub(r"(?!2026-11-23)20..-..-.. ..:.. [+]....", "today", out)


def test_log_tells_each_commit(past: Past, capsys: Output) -> None:
    assert answer(past, capsys, "log") == (0, """\
commit  today  An Author  Prefer alice

  constraint loc
    ~ score 100 -> 200
        now: vip prefers alice with 200
  (1 without meaning hidden: cibgit log --all)

commit  today  An Author  Move the address

  resource vip
    ~ params.ip: 10.0.0.1 -> 10.0.0.2

commit  2026-11-23 10:21 +0000  root  Export prod 0.5.0
  via crmsh on alice
  the file came into git
  Changes: 6 added.
""")  # fmt: skip


def test_log_of_one_parameter(past: Past, capsys: Output) -> None:
    assert answer(past, capsys, "log", "vip", "params.ip") == (0, """\
commit  today  An Author  Move the address

  resource vip
    ~ params.ip: 10.0.0.1 -> 10.0.0.2

commit  2026-11-23 10:21 +0000  root  Export prod 0.5.0
  via crmsh on alice
  the file came into git

  resource vip
    + added: ocf:heartbeat:IPaddr2
        params.ip = 10.0.0.1
""")  # fmt: skip


def test_blame_of_a_resource_and_of_one_parameter(past: Past, capsys: Output) -> None:
    assert answer(past, capsys, "blame", "vip") == (0, """\
resource vip
  commit  2026-11-23 10:21 +0000  root       agent ocf:heartbeat:IPaddr2
  commit  2026-11-23 10:21 +0000  root       id vip
  commit  today  An Author  params.ip = 10.0.0.2
  commit  2026-11-23 10:21 +0000  root       params.passwd = (secret)
  commit  today  An Author  op monitor every 30000ms
""")  # fmt: skip
    assert answer(past, capsys, "blame", "vip.params.ip") == (0, """\
resource vip
  commit  today  An Author  ~ params.ip: 10.0.0.1 -> 10.0.0.2
  commit  2026-11-23 10:21 +0000  root       + params.ip = 10.0.0.1
""")  # fmt: skip


def test_the_answers_as_json(past: Past, capsys: Output) -> None:
    def found(*arguments: str) -> Any:
        code, out = answer(past, capsys, *arguments, "--json")
        assert code == 0
        assert CANARY not in out
        return json.loads(out)

    log = found("log", "vip", "--limit", "1", "--all")
    assert (log["format"], log["command"], log["element"]) == (1, "log", "vip")
    [commit] = log["commits"]
    assert commit["subject"] == "Prefer alice"
    assert [each["weight"] for each in commit["changes"]] == ["none"]
    first = found("log")["commits"][-1]
    assert first["when"] == "2026-11-23T10:21:05+00:00"
    assert first["trailers"]["CIB-Version"] == "0.5.0"
    [element] = found("blame", "loc")["elements"]
    assert element["owner"] == {"kind": "constraint", "name": "loc"}
    by = {one["subject"]: one["commit"]["subject"] for one in element["facts"]}
    assert (by["score"], by["rsc"]) == ("Prefer alice", "Export prod 0.5.0")
    [value] = found("blame", "cluster-name")["values"]
    assert (value["kind"], value["commit"]["author"]) == ("added", "root")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["log", "nothing"], 66),
        (["blame", "nothing"], 66),
        (["blame"], 64),
        (["blame", "HEAD~1.."], 64),
        (["log", "nothing..HEAD"], 66),
        (["log", "A..B", "C..D"], 64),
        (["log", "--limit", "0"], 64),
        (["log", "--since", "banana"], 66),
        (["log", "--cluster", "test"], 64),
        (["log", ""], 0),
        (["log", "db", "HEAD~1.."], 0),
        (["log", " / "], 66),
    ],
)
def test_exit_codes(
    past: Past, arguments: list[str], code: int, capsys: Output
) -> None:
    assert run([*arguments, "-C", str(past.root)]) == code
    out, err = capsys.readouterr()
    assert (out == "") is (code != 0)
    assert err.startswith("cibgit: ") is (code != 0)


def test_terminals_are_not_told_what_to_do(tmp_path: Path, capsys: Output) -> None:
    past = Past.begin(tmp_path)
    past.change(('score="100"', 'score="\u009b31m"'), message="a \x1b[31m subject")
    for arguments in (
        ["log"],
        ["log", "loc"],
        ["blame", "loc"],
        ["blame", "loc score"],
    ):
        code, out = answer(past, capsys, *arguments)
        assert (code, "\u009b" in out, "\x1b" in out) == (0, False, False)


def test_colour_only_where_it_is_wanted(
    past: Past, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\033[33m" in answer(past, capsys, "log")[1]
    assert "\033[1m" in answer(past, capsys, "blame", "vip")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033[" not in answer(past, capsys, "log")[1]
