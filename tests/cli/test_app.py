"""The command line as users meet it, on the embedded directory back end."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cibgit import __version__
from cibgit.cli.app import run

from ..flow.embedded import CIB, Embedded


@pytest.fixture
def embedded(tmp_path: Path) -> Embedded:
    return Embedded.create(tmp_path)


Output = pytest.CaptureFixture[str]


def cibgit(embedded: Embedded, *arguments: str) -> int:
    return run([*arguments, "-C", str(embedded.root)])


def answer(embedded: Embedded, capsys: Output, *arguments: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = cibgit(embedded, *arguments, "--json")
    return code, json.loads(capsys.readouterr().out)


GROUPS = {"corosync", "git", "hook", "secret"}
COROSYNC = ("corosync export", "corosync drift", "corosync push")
COMMANDS = (
    *(
        "init",
        "export",
        "import",
        "status",
        "diff",
        "plan",
        "push",
        "rollback",
        "merge",
    ),
    *("digest", "fmt", "doctor", "repair", "demo"),
    *("drift", "adopt", "revert", "suspend", "resume", "watch"),
    *("check", "log", "blame", "confirm", "cancel", "known-good", "timer"),
)

SECRET = tuple(
    f"secret {name}"
    for name in ("list", "set", "show", "rotate", "recipients", "merge")
)


@pytest.mark.parametrize("command", [*COMMANDS, *SECRET, *COROSYNC])
def test_help_has_an_example(command: str, capsys: Output) -> None:
    assert run([*command.split(), "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example" in out
    assert f"cibgit {command}" in out


def test_every_command_is_known_to_this_test() -> None:
    from cibgit.cli.app import app

    names = {
        command.name or command.callback.__name__.replace("_", "-")  # type: ignore[union-attr]
        for command in app.registered_commands
    }
    assert names == set(COMMANDS)
    assert {group.name for group in app.registered_groups} == GROUPS


def test_version(capsys: Output) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"cibgit {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["push", "--nonsense"],
        ["rollback"],
        ["diff", "a", "b", "c"],
        ["diff", "-", "-"],
    ],
)
def test_a_wrong_command_line_is_64(arguments: list[str], capsys: Output) -> None:
    assert run(arguments) == 64
    assert capsys.readouterr().err.startswith("cibgit: ")


def test_the_story(embedded: Embedded, capsys: Output) -> None:
    assert cibgit(embedded, "export") == 0
    assert cibgit(embedded, "status") == 0
    embedded.edit('score="100"', 'score="200"')
    assert cibgit(embedded, "status") == 1
    assert cibgit(embedded, "diff") == 1
    out = capsys.readouterr().out
    assert "--- live prod (0.5.0)\n+++ clusters/prod/cib.xml\n" in out
    assert "constraint loc\n  ~ score 100 -> 200\n" in out
    assert out.endswith("Plan: 1 to change.\n")
    assert cibgit(embedded, "push", "-m", "prefer alice", "--yes") == 0
    assert "0.5.0 -> 0.6.0" in capsys.readouterr().out
    assert cibgit(embedded, "diff") == 0
    assert capsys.readouterr().out == "No changes.\n"
    assert cibgit(embedded, "rollback", "HEAD~1", "--yes") == 0
    assert 'score="100"' in embedded.live_text()
    assert cibgit(embedded, "status") == 0


def test_uncommitted_edits_are_not_pushed(embedded: Embedded, capsys: Output) -> None:
    cibgit(embedded, "export")
    embedded.edit('score="100"', 'score="200"')
    assert cibgit(embedded, "push", "--yes") == 107
    assert "cibgit push -m MESSAGE" in capsys.readouterr().err
    assert cibgit(embedded, "rollback", "HEAD", "--yes") == 107
    assert 'score="100"' in embedded.live_text()


def test_dry_run_writes_nothing(embedded: Embedded, capsys: Output) -> None:
    cibgit(embedded, "export")
    head = embedded.git("rev-parse", "HEAD")
    embedded.edit('score="100"', 'score="200"')
    assert cibgit(embedded, "push", "-m", "x", "--dry-run") == 0
    assert "Plan: 1 to change." in capsys.readouterr().out
    assert embedded.git("rev-parse", "HEAD") == head
    assert 'score="100"' in embedded.live_text()


def test_without_a_terminal_it_does_not_ask(embedded: Embedded) -> None:
    cibgit(embedded, "export")
    embedded.edit('score="100"', 'score="200"')
    argv = [sys.executable, "-m", "cibgit", "push", "-m", "x", "-C", str(embedded.root)]
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert done.returncode == 64
    assert b"--yes" in done.stderr
    assert 'score="100"' in embedded.live_text()


def test_saying_no_leaves_everything(
    embedded: Embedded, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    import typer

    cibgit(embedded, "export")
    embedded.edit('score="100"', 'score="200"')
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "confirm", lambda _: False)
    assert cibgit(embedded, "push", "-m", "x") == 130
    assert 'score="100"' in embedded.live_text()


def test_drift_is_shown_with_103(embedded: Embedded, capsys: Output) -> None:
    cibgit(embedded, "export")
    embedded.edit('score="100"', 'score="200"')
    embedded.change_live("vip-monitor@interval", "10s")
    capsys.readouterr()
    assert cibgit(embedded, "push", "-m", "x", "--yes") == 103
    err = capsys.readouterr().err
    assert "interval 30s -> 10s" in err
    assert "cibgit export" in err
    code, found = answer(embedded, capsys, "push", "-m", "x", "--yes")
    assert (code, found["code"], found["name"]) == (103, 103, "STALE")
    assert found["changes"][0]["attributes"] == [
        {"name": "interval", "old": "30s", "new": "10s", "secret": False}
    ]


def test_json_of_each_command(embedded: Embedded, capsys: Output) -> None:
    code, found = answer(embedded, capsys, "export")
    assert (code, found["outcome"], found["version"]) == (0, "committed", "0.5.0")
    code, found = answer(embedded, capsys, "status")
    assert (code, found["in_sync"], found["applied"]["found"]) == (0, True, "content")
    embedded.edit('score="100"', 'score="200"')
    code, found = answer(embedded, capsys, "diff")
    assert (code, [change["kind"] for change in found["changes"]]) == (1, ["changed"])
    code, found = answer(embedded, capsys, "push", "-m", "x", "--yes")
    assert (code, found["before"], found["after"]) == (0, "0.5.0", "0.6.0")
    assert {proof["digest"] for proof in found["proofs"]} == {found["digest"]}
    code, digests = answer(embedded, capsys, "digest", "live")
    assert (code, digests["configuration"]) == (0, found["digest"])
    code, found = answer(embedded, capsys, "fmt", "--check")
    assert (code, found["changed"]) == (0, [])
    code, found = answer(embedded, capsys, "rollback", "HEAD~1", "--yes")
    assert (code, found["after"]) == (0, "0.7.0")
    code, found = answer(embedded, capsys, "push", "no-such-revision")
    assert (code, found["command"], found["name"]) == (66, "error", "NO_INPUT")


def test_diff_of_any_two(embedded: Embedded, capsys: Output, tmp_path: Path) -> None:
    cibgit(embedded, "export")
    other = tmp_path / "other.xml"
    other.write_text(CIB.replace('interval="30s"', 'interval="10s"'))
    assert cibgit(embedded, "diff", str(other), "live") == 1
    assert "interval 10s -> 30s" in capsys.readouterr().out
    assert cibgit(embedded, "diff", "HEAD", str(other)) == 1
    assert "interval 30s -> 10s" in capsys.readouterr().out
    assert cibgit(embedded, "diff", "HEAD", "live") == 0
    assert cibgit(embedded, "diff", "HEAD") == 0
    assert cibgit(embedded, "diff", "no-such-thing") == 66
    assert cibgit(embedded, "diff", "--output=/tmp/x") == 64
    argv = [
        sys.executable,
        "-m",
        "cibgit",
        "diff",
        "-C",
        str(embedded.root),
        "HEAD",
        "-",
    ]
    done = subprocess.run(
        argv, input=other.read_bytes(), capture_output=True, check=False
    )
    assert done.returncode == 1, done.stderr


def test_a_difference_without_meaning_is_one(tmp_path: Path, capsys: Output) -> None:
    one, other = tmp_path / "one.xml", tmp_path / "other.xml"
    one.write_text(CIB)
    other.write_text(CIB.replace('interval="30s"', 'interval="30000ms"'))
    assert run(["diff", str(one), str(other)]) == 1
    out = capsys.readouterr().out
    assert "interval" not in out
    assert "(1 without meaning hidden: cibgit diff --all)" in out
    assert run(["diff", "--all", str(one), str(other)]) == 1
    out = capsys.readouterr().out
    assert "interval 30s -> 30000ms\n      (another way to write the same value)" in out
    assert run(["diff", "--json", str(one), str(other)]) == 1
    [change] = json.loads(capsys.readouterr().out)["changes"]
    assert (change["weight"], change["owner"]["name"]) == ("none", "vip")


def test_diff_of_two_files_needs_no_repository(tmp_path: Path, capsys: Output) -> None:
    one, other = tmp_path / "one.xml", tmp_path / "other.xml"
    one.write_text(CIB)
    other.write_text(CIB.replace('id="db"', 'id="base"'))
    assert run(["diff", str(one), str(other)]) == 1
    out = capsys.readouterr().out
    assert "! ~ id renamed from db to base" in out
    assert run(["diff", str(one), "nothing"]) == 66


def test_live_at_an_address_needs_no_repository(
    embedded: Embedded, capsys: Output
) -> None:
    away = embedded.root.parent
    assert run(["digest", "live", "--at", f"dir:{embedded.node}", "-C", str(away)]) == 0
    assert run(["status", "-C", str(away)]) == 66
    assert "cibgit init" in capsys.readouterr().err


def test_fmt(tmp_path: Path, capsys: Output) -> None:
    file = tmp_path / "cib.xml"
    file.write_text(CIB)
    file.chmod(0o640)
    assert run(["fmt", "--check", str(file)]) == 1
    assert file.read_text() == CIB
    assert run(["fmt", str(file)]) == 0
    once = file.read_text()
    assert once != CIB
    assert run(["fmt", str(file)]) == 0
    assert run(["fmt", "--check", str(file)]) == 0
    assert file.read_text() == once
    assert file.stat().st_mode & 0o777 == 0o640
    file.write_text("<cib><configuration>text</configuration></cib>")
    assert run(["fmt", str(file)]) == 65
    assert file.read_text() == "<cib><configuration>text</configuration></cib>"


def test_digest_checks_a_signature(embedded: Embedded, capsys: Output) -> None:
    file = embedded.node / "cib.xml"
    assert run(["digest", str(file)]) == 0
    assert "matches" in capsys.readouterr().out
    file.write_text(file.read_text().replace('score="100"', 'score="200"'))
    assert run(["digest", str(file)]) == 1
    assert "does NOT match" in capsys.readouterr().out
    assert cibgit(embedded, "export") == 104


def test_several_clusters_must_be_named(embedded: Embedded, capsys: Output) -> None:
    assert (
        run(["init", str(embedded.root), "--cluster", "test", "--at", "dir:/nowhere"])
        == 0
    )
    assert cibgit(embedded, "export") == 64
    assert "--cluster" in capsys.readouterr().err
    assert cibgit(embedded, "export", "--cluster", "prod") == 0
    assert cibgit(embedded, "export", "--cluster", "dev") == 64
    assert cibgit(embedded, "export", "--cluster", "test") == 66


def test_init_refuses_what_is_there(embedded: Embedded, capsys: Output) -> None:
    assert run(["init", str(embedded.root), "--cluster", "prod"]) == 64
    assert run(["init", str(embedded.root), "--cluster", "../evil"]) == 64
    assert run(["init", str(embedded.root), "--cluster", "x", "--at", "ftp://x"]) == 64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[clusters.prod]\nat = 1\n", "must be a text"),
        ("[clusters.prod]\nmarkr = true\n", "unknown option 'markr'"),
        ("[clusters.prod\n", "cibgit.toml"),
        ("", "no cluster is defined"),
        ("[cluster.prod]\n", "unknown option 'cluster'"),
        ('[clusters.prod]\npacemaker = "new"\n', "must be a release"),
        ('[clusters."a/b"]\n', "cannot be the name"),
    ],
)
def test_bad_configuration_is_78(
    embedded: Embedded, text: str, message: str, capsys: Output
) -> None:
    (embedded.root / "cibgit.toml").write_text(text)
    assert cibgit(embedded, "status") == 78
    assert message in capsys.readouterr().err


def test_terminals_are_not_told_what_to_do(embedded: Embedded, capsys: Output) -> None:
    cibgit(embedded, "export")
    embedded.edit('score="100"', 'score="\u009b31m\u202e"')
    assert cibgit(embedded, "diff") == 1
    out = capsys.readouterr().out
    assert "\u009b" not in out
    assert "\u202e" not in out
    assert "\\x9b31m" in out


def test_colour_only_where_it_is_wanted(
    embedded: Embedded, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    cibgit(embedded, "export")
    embedded.edit('score="100"', 'score="200"')
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    cibgit(embedded, "diff")
    assert "\033[33m" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    cibgit(embedded, "diff")
    assert "\033[" not in capsys.readouterr().out


def test_a_closed_pipe_is_no_error(embedded: Embedded) -> None:
    cibgit(embedded, "export")
    script = f"{sys.executable} -m cibgit diff HEAD HEAD~1 -C {embedded.root} | true"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=False)
    assert b"Traceback" not in done.stderr


def test_the_demo_runs_without_cluster_and_root(tmp_path: Path) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "cibgit", "demo"],
        env=environment, capture_output=True, text=True, check=False, cwd=Path.cwd(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "In sync." in done.stdout
    assert "[exit 103]" in done.stdout
    assert "[exit 104]" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_known_good_and_back(embedded: Embedded, capsys: Output) -> None:
    assert cibgit(embedded, "export") == 0
    assert cibgit(embedded, "known-good", "set") == 0
    embedded.edit('score="100"', 'score="200"')
    assert cibgit(embedded, "push", "-m", "prefer alice", "--yes") == 0
    capsys.readouterr()
    assert cibgit(embedded, "rollback", "--last-known-good", "--dry-run") == 0
    out = capsys.readouterr().out
    assert "undoes:\n  - " in out
    assert ": prefer alice\n" in out
    assert cibgit(embedded, "rollback", "--last-known-good", "--yes") == 0
    assert 'score="100"' in embedded.live_text()
    code, found = answer(embedded, capsys, "known-good")
    assert (code, len(found["states"])) == (0, 1)
    assert cibgit(embedded, "known-good", "remove", found["states"][0]["tag"]) == 0
    assert "no known-good state yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["push", "--yes", "--confirm-within", "soon"],
        ["push", "--yes", "--confirm-within", "0s"],
        ["push", "--yes", "--settle-timeout", "1y"],
        ["push", "--yes", "--no-wait", "--rollback-on-failure"],
        ["push", "--yes", "--confirm-within", "10m"],  # nothing runs there
        ["rollback", "HEAD", "--last-known-good"],
        ["known-good", "remove"],
        ["known-good", "list", "x"],
    ],
)
def test_options_that_do_not_fit(
    embedded: Embedded, capsys: Output, arguments: list[str]
) -> None:
    assert cibgit(embedded, "export") == 0
    embedded.edit('score="100"', 'score="200"')
    embedded.commit()
    before = embedded.live_text()
    assert cibgit(embedded, *arguments) == 64
    assert capsys.readouterr().err.startswith("cibgit: ")
    assert embedded.live_text() == before


def test_nothing_waits(embedded: Embedded, capsys: Output) -> None:
    assert cibgit(embedded, "export") == 0
    assert cibgit(embedded, "confirm") == 0
    assert "Nothing waits for confirmation" in capsys.readouterr().out
    assert cibgit(embedded, "cancel") == 66
