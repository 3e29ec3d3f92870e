"""The commands about the cluster layer, as users type them; the ring is one in memory."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from cibgit.cli import corosync
from cibgit.cli.app import run
from cibgit.flow.layer import Layer

from ..flow.embedded import Embedded
from ..flow.ring import KEY, FakeRing
from ..flow.test_corosync import WITH_KEY, conf_of

Output = pytest.CaptureFixture[str]


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Embedded, FakeRing]:
    """Return a repository with a live side that is a folder, and its ring."""
    embedded, ring = Embedded.create(tmp_path), FakeRing.create(WITH_KEY)
    monkeypatch.chdir(embedded.root)
    monkeypatch.setenv("HOME", str(tmp_path))

    def layer_of(folder: Any, cluster: Any) -> Layer:
        return Layer(corosync.gather.site(folder, cluster, None), ring)

    monkeypatch.setattr(corosync, "layer_of", layer_of)
    monkeypatch.setattr(corosync, "near", lambda _: ring)
    assert run(["export"]) == 0
    return embedded, ring


def answer(capsys: Output, *arguments: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def said(capsys: Output, *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run(list(arguments))
    out = capsys.readouterr()
    return code, out.out + out.err


@pytest.mark.parametrize("command", ["export", "drift", "push"])
def test_files_of_a_stopped_cluster_have_no_ring(
    tmp_path: Path, capsys: Output, command: str
) -> None:
    embedded = Embedded.create(tmp_path)
    code, out = said(capsys, "corosync", command, "-C", str(embedded.root))
    assert (code, "on a node of the cluster" in out) == (64, True)


def test_the_whole_story(ring: tuple[Embedded, FakeRing], capsys: Output) -> None:
    embedded, nodes = ring
    assert answer(capsys, "drift")[1]["corosync"] is None
    code, first = answer(capsys, "corosync", "export")
    assert (code, first["first"], first["sealed"]) == (0, True, ["corosync:totem/key"])
    assert answer(capsys, "drift")[1]["corosync"]["drift"] is False
    conf = conf_of(embedded)
    conf.write_text(conf.read_text().replace("1000", "2000"))
    code, out = said(capsys, "corosync", "push", "--yes")
    assert (code, "not committed" in out) == (107, True)
    code, made = answer(capsys, "corosync", "push", "-m", "slower", "--dry-run")
    assert (code, made["commit"], made["version"]) == (0, None, 1)
    code, out = said(capsys, "corosync", "push", "-m", "slower")
    assert (code, "nobody to ask" in out) == (64, True)
    embedded.git("commit", "-qam", "slower")
    assert "corosync.conf waits, too: cibgit corosync push" in said(capsys, "push")[1]
    code, out = said(capsys, "status")
    assert (code, "corosync.conf: no drift. Not pushed: 1." in out) == (1, True)
    code, done = answer(capsys, "corosync", "push", "--yes")
    assert (code, done["loaded"]) == (0, ["alice", "bob"])
    assert said(capsys, "status")[0] == 0
    code, done = answer(capsys, "corosync", "push", "--yes")
    assert (code, done["version"]) == (0, None)
    assert nodes.versions == {"alice": 1, "bob": 1}


def test_drift_in_every_form(ring: tuple[Embedded, FakeRing], capsys: Output) -> None:
    _, nodes = ring
    run(["corosync", "export"])
    nodes.edit("alice", "1000", "2000")
    nodes.files["bob"] = b"totem {"
    for command in (["drift"], ["corosync", "drift"]):
        code, out = said(capsys, *command)
        assert (code, "totem: token 1000 -> 2000" in out) == (1, True)
        code, out = said(capsys, *command, "--format", "markdown")
        assert (code, r"| totem: token 1000 -\> 2000 |" in out) == (1, True)
        assert KEY not in out
    code, found = answer(capsys, "corosync", "drift")
    assert code == 1
    assert [each["problem"] != "" for each in found["nodes"]] == [False, True]
    code, out = said(capsys, "corosync", "push", "--yes")
    assert (code, "what git last knew" in out) == (103, True)
    code, error = answer(capsys, "corosync", "push", "--force", "more")
    assert (code, error["name"]) == (64, "USAGE")


def test_refusals_are_listed(ring: tuple[Embedded, FakeRing], capsys: Output) -> None:
    embedded, _ = ring
    run(["corosync", "export"])
    conf = conf_of(embedded)
    conf.write_text(conf.read_text().replace("version: 2", "version: two"))
    code, error = answer(capsys, "corosync", "push", "-m", "x", "--yes")
    assert code == 107
    assert {each["rule"] for each in error["findings"]} == {"corosync", "restart"}
    assert run(["check", "clusters"]) == 1


def test_a_secret_of_the_ring_is_set(
    ring: tuple[Embedded, FakeRing], capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(["corosync", "export"])
    code, out = said(capsys, "secret", "list")
    assert (code, "corosync:totem/key" in out) == (0, True)
    monkeypatch.setattr("cibgit.cli.secret._value", lambda: "another" * 8)
    code, out = said(capsys, "secret", "set", "corosync:totem/key")
    assert (code, "cibgit corosync push" in out) == (0, True)
    assert said(capsys, "secret", "show", "corosync:totem/key") == (
        0,
        "another" * 8 + "\n",
    )
    assert said(capsys, "secret", "show", "corosync:totem/kez")[0] == 66


def test_nobody_leaves_once_a_file_is_in_place(
    ring: tuple[Embedded, FakeRing], capsys: Output
) -> None:
    """Else some nodes had the new file and others the old one, loaded by nobody."""
    embedded, nodes = ring
    run(["corosync", "export"])
    conf = conf_of(embedded)
    conf.write_text(conf.read_text().replace("1000", "2000"))

    def interrupt(step: str, _: str) -> None:
        if step in ("installed", "reload"):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(os.getpid(), number)

    nodes.before.append(interrupt)
    before = signal.getsignal(signal.SIGINT)
    code, out = said(capsys, "corosync", "push", "-m", "slower", "--yes")
    assert (code, "loaded by: alice, bob" in out) == (0, True), out
    assert signal.getsignal(signal.SIGINT) is before


def test_the_names_of_nodes_may_be_long(
    ring: tuple[Embedded, FakeRing], capsys: Output
) -> None:
    _, nodes = ring
    run(["corosync", "export"])
    nodes.edit("alice", "name: bob", "name: bob.cluster.example.com")
    nodes.files["bob.cluster.example.com"] = nodes.files.pop("bob")
    _, out = said(capsys, "corosync", "drift")
    assert "\nbob.cluster.example.com  " in out


def test_the_agent_tells_what_the_command_prints(
    ring: tuple[Embedded, FakeRing], capsys: Output, tmp_path: Path
) -> None:
    _, nodes = ring
    run(["corosync", "export"])
    hook, log = tmp_path / "hook", tmp_path / "log"
    hook.write_text(
        f'#!/bin/sh\n(echo "$CIBGIT_CLUSTER $CIBGIT_EVENT"; cat; echo) >> {log}\n'
    )
    hook.chmod(0o755)
    watch = ["watch", "--once", "--hook", str(hook)]
    assert said(capsys, *watch) == (0, "")
    nodes.edit("alice", "token: 1000", "token: 2000")
    assert said(capsys, *watch) == (
        1,
        "prod: corosync.conf: 1 moved, 1 finding.\n",
    )
    assert said(capsys, *watch) == (1, "")
    word, told = log.read_text().strip().split("\n", 1)
    assert word == "prod corosync-drift"
    found = json.loads(told)
    assert (found["command"], found["cluster"]) == ("corosync drift", "prod")
    assert [each["sentence"] for each in found["moved"]] == [
        "totem: token 1000 -> 2000"
    ]
    nodes.edit("alice", "token: 2000", "token: 1000")
    code, line = answer(capsys, *watch)
    assert (code, line["event"], line["drift"]) == (0, "corosync-settled", False)
    assert "prod corosync-settled" in log.read_text()
    assert KEY not in log.read_text()


def test_an_agent_elsewhere_has_no_ring(tmp_path: Path, capsys: Output) -> None:
    embedded = Embedded.create(tmp_path)
    assert run(["export", "-C", str(embedded.root)]) == 0
    conf_of(embedded).write_text("totem {\n}\n")
    embedded.git("add", ".")
    embedded.git("commit", "-qm", "a file of another machine")
    assert said(capsys, "watch", "--once", "-C", str(embedded.root)) == (0, "")
