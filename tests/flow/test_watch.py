"""The agent on a directory: each state is a commit, none twice, drift is told once."""

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cibgit.cib.document import Cib, parse
from cibgit.cib.suspension import Suspension
from cibgit.cli.app import run
from cibgit.cluster.directory import Directory
from cibgit.cluster.events import Events
from cibgit.errors import CibgitError
from cibgit.flow.drift import drift
from cibgit.flow.export import export
from cibgit.flow.record import record
from cibgit.flow.resume import resume
from cibgit.flow.suspend import suspend
from cibgit.flow.tally import Seen, Tally, Trouble
from cibgit.render.watch import metrics

from ..cluster.test_exporter import ask, free_port
from .embedded import CIB, Embedded
from .test_secrets import PASSWORD, SECRETS
from .watching import LIVE, Agent, Bench, is_ready, versions, wait_for


def test_every_state_is_a_commit_even_one_that_is_gone_at_once(
    embedded: Embedded, tmp_path: Path
) -> None:
    export(embedded.site())
    file = tmp_path / "cibgit.prom"
    with Agent(embedded, "--metrics", str(file)) as agent:
        wait_for(is_ready(file))
        for value in ("1", "2", "3", "2", "3", "100"):  # as fast as the files can
            embedded.change_live("loc@score", value)
        wait_for(lambda: versions(embedded)[-1] == "0.11.0")
        told = agent.stop()
    assert versions(embedded) == [f"0.{n}.0" for n in range(5, 12)]
    states = [each for each in told if each["event"] == "state"]
    assert [each["version"] for each in states] == [f"0.{n}.0" for n in range(6, 12)]
    assert {each["client"] for each in states} == {"cibgit"}
    assert embedded.git("log", "-1", "--format=%an", LIVE).strip() == "root"
    assert embedded.git("status", "--porcelain") == ""
    text = file.read_text()
    assert 'cibgit_watch_states_total{cluster="prod"} 6' in text
    assert 'cibgit_watch_missed_total{cluster="prod"} 0' in text


def test_what_happened_while_it_was_down_is_recorded_by_the_next(
    embedded: Embedded,
) -> None:
    export(embedded.site())
    embedded.change_live("loc@score", "1")
    assert run(["watch", "--once", "-C", str(embedded.root)]) == 1
    for value in ("2", "1", "2", "100"):
        embedded.change_live("loc@score", value)
    assert run(["watch", "--once", "-C", str(embedded.root)]) == 0
    assert versions(embedded) == [f"0.{n}.0" for n in range(5, 11)]
    assert run(["watch", "--once", "-C", str(embedded.root)]) == 0
    assert len(versions(embedded)) == 6


def test_the_hook_runs_once_per_drift_and_once_at_its_end(
    embedded: Embedded, tmp_path: Path
) -> None:
    export(embedded.site())
    log = tmp_path / "log"
    script = tmp_path / "hook"
    script.write_text(f'#!/bin/sh\necho "$CIBGIT_EVENT $(wc -l)" >> {log}\n')
    script.chmod(0o755)
    watch = ["watch", "--once", "--hook", str(script), "-C", str(embedded.root)]
    assert run(watch) == 0
    assert not log.exists()
    embedded.change_live("loc@score", "1")
    assert [run(watch), run(watch)] == [1, 1]
    embedded.change_live("loc@score", "2")
    assert [run(watch), run(watch)] == [1, 1]
    assert run(["adopt", "-C", str(embedded.root)]) == 0
    assert [run(watch), run(watch)] == [0, 0]
    assert [line.split()[0] for line in log.read_text().splitlines()] == [
        "drift",
        "drift",
        "settled",
    ]


def test_trouble_with_git_is_told_once_and_nothing_is_lost(embedded: Embedded) -> None:
    """A lock that somebody left stands for a full disk: git refuses to write."""
    export(embedded.site())
    bench = Bench(embedded)
    bench.agent.slow = 0.1
    lock = embedded.root / ".git" / "refs" / "cibgit" / "prod" / "live.lock"

    def between(count: int) -> None:
        if count == 1:
            lock.touch()
            for value in ("1", "2", "3"):
                embedded.change_live("loc@score", value)
        elif count == 4:
            assert len(bench.of(Trouble)) == 1
            assert bench.agent.tally.troubles >= 2
            lock.unlink()
        elif len(bench.of(Seen)) == 3 or count > 40:
            bench.events.stop()

    bench.run(between)
    assert versions(embedded) == [f"0.{n}.0" for n in range(5, 9)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a full disk")
def test_a_full_disk_is_told_and_survived(embedded: Embedded, tmp_path: Path) -> None:
    export(embedded.site())
    objects = embedded.root / ".git" / "objects"
    kept = tmp_path / "objects"
    objects.rename(kept)
    objects.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(objects)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        subprocess.run(["cp", "-a", f"{kept}/.", str(objects)], check=True)
        ballast = objects / "ballast"
        bench = Bench(embedded)
        bench.agent.slow = 0.1

        def between(count: int) -> None:
            if count == 1:
                fill = ["dd", "if=/dev/zero", f"of={ballast}"]
                subprocess.run(fill, capture_output=True, check=False)
                embedded.change_live("loc@score", "1")
            elif count == 3:
                assert "has no room" in bench.troubles()[0].sentence
                assert not bench.of(Seen)
                assert run(["watch", "--once", "-C", str(embedded.root)]) == 75
                ballast.unlink()
            elif bench.of(Seen) or count > 40:
                bench.events.stop()

        bench.run(between)
        assert versions(embedded) == ["0.5.0", "0.6.0"]
    finally:
        subprocess.run(["umount", str(objects)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_read_only_repository_is_told_and_survived(embedded: Embedded) -> None:
    export(embedded.site())
    root = str(embedded.root)
    if subprocess.run(["mount", "--bind", root, root], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", root], check=True)
        bench = Bench(embedded)
        bench.agent.slow = 0.1

        def between(count: int) -> None:
            if count == 1:
                embedded.change_live("loc@score", "1")
                embedded.change_live("loc@score", "2")
            elif count == 4:
                assert [each.sentence for each in bench.troubles()]
                assert "Read-only file system" in bench.troubles()[0].sentence
                assert not bench.of(Seen)
                subprocess.run(["mount", "-o", "remount,bind,rw", root], check=True)
            elif len(bench.of(Seen)) == 2 or count > 40:
                bench.events.stop()

        bench.run(between)
    finally:
        subprocess.run(["umount", root], check=True)
    assert versions(embedded) == ["0.5.0", "0.6.0", "0.7.0"]


def test_a_commit_that_is_under_way_is_finished_when_it_is_stopped(
    embedded: Embedded, tmp_path: Path
) -> None:
    export(embedded.site())
    hook, slow = embedded.root / ".git/hooks/reference-transaction", tmp_path / "slow"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nif [ -e {slow} ]; then touch {slow}.on; sleep 1; fi\n")
    hook.chmod(0o755)
    file = tmp_path / "cibgit.prom"
    with Agent(embedded, "--metrics", str(file)) as agent:
        wait_for(is_ready(file))
        slow.touch()
        embedded.change_live("loc@score", "1")
        wait_for(Path(f"{slow}.on").exists)
        told = agent.stop()
    slow.unlink()
    assert [each["event"] for each in told] == ["state"]
    assert versions(embedded) == ["0.5.0", "0.6.0"]
    assert run(["watch", "--once", "-C", str(embedded.root)]) == 1
    assert versions(embedded) == ["0.5.0", "0.6.0"]
    assert not list((embedded.root / ".git").rglob("*.lock"))


class Remote:
    """A cluster of which no files are at hand."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.directory, name)

    def read(self) -> Cib:
        self.reads += 1
        return self.directory.read()


def test_elsewhere_it_polls_less_and_less_until_something_moves(
    embedded: Embedded,
) -> None:
    export(embedded.site())
    bench = Bench(embedded)
    bench.events = bench.agent.events = Events(None)
    remote = Remote(Directory(embedded.node))
    bench.agent.site = replace(bench.agent.site, cluster=remote)
    pauses: list[float] = []

    def waited(seconds: float) -> bool:
        pauses.append(seconds)
        return False

    bench.events.wait = waited  # type: ignore[method-assign]

    def between(count: int) -> None:
        if count == 5:
            embedded.change_live("loc@score", "1")
        elif count > 8:
            bench.events.stop()

    bench.run(between)
    assert versions(embedded) == ["0.5.0", "0.6.0"]
    assert pauses[:5] == [1.0, 1.5, 2.25, 3.375, 5.0625]
    assert pauses[5:8] == [0.5, 1.0, 1.5]  # quiet after the change, then it grows again
    assert remote.reads == 9


def test_without_a_base_once_says_so(embedded: Embedded, tmp_path: Path) -> None:
    embedded.file.parent.mkdir(parents=True, exist_ok=True)
    embedded.file.write_text(CIB)
    embedded.edit('interval="30s"', 'interval="10s"')
    embedded.commit()
    assert run(["watch", "--once", "-C", str(embedded.root)]) == 103


def test_another_content_of_the_same_version_is_recorded_after_a_restart(
    embedded: Embedded,
) -> None:
    """So it is where both sides of a partition changed as much."""
    export(embedded.site())
    embedded.change_live("loc@score", "1")
    assert run(["watch", "--once", "-C", str(embedded.root)]) == 1
    (embedded.node / "cib.xml.sig").unlink()
    file = embedded.node / "cib.xml"
    file.write_text(file.read_text().replace('score="1"', 'score="2"'))
    assert run(["watch", "--once", "-C", str(embedded.root)]) == 1
    assert versions(embedded) == ["0.5.0", "0.6.0", "0.6.0"]


def test_a_hook_that_fails_is_called_again(embedded: Embedded) -> None:
    export(embedded.site())
    embedded.change_live("loc@score", "1")
    bench = Bench(embedded)
    bench.failing = True
    bench.agent.slow = 0.1

    def between(count: int) -> None:
        if count == 3:
            assert not bench.hooked
            bench.failing = False
        elif bench.hooked or count > 40:
            bench.events.stop()

    bench.run(between)
    assert len(bench.hooked) == 1
    assert [each.sentence for each in bench.of(Trouble)] == ["the hook failed"]  # type: ignore[union-attr]


def test_a_file_that_was_edited_by_hand_is_no_live_state(embedded: Embedded) -> None:
    export(embedded.site())
    bench = Bench(embedded)
    file = embedded.node / "cib.xml"
    file.write_text(file.read_text().replace('score="100"', 'score="666"'))
    with bench.events, pytest.raises(CibgitError):
        bench.agent.once()
    assert any("never was live" in each.sentence for each in bench.of(Trouble))  # type: ignore[union-attr]
    assert versions(embedded) == ["0.5.0"]


def test_events_survive_a_directory_that_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "cib"
    folder.mkdir()
    with Events(folder) as events:
        assert events.wakes
        assert not events.wait(0.01)
        (folder / "other").touch()
        (folder / "other").rename(folder / "another")
        assert not events.wait(0.01)
        (folder / "new").touch()
        (folder / "new").rename(folder / "cib.xml.sig")
        assert events.wait(5)
        folder.rename(tmp_path / "old")
        assert events.wait(5)
        folder.mkdir()
        assert not events.wait(0.01)
        assert events.wakes
        (folder / "new").touch()
        (folder / "new").rename(folder / "cib.xml.sig")
        assert events.wait(5)
        events.stop()
        assert not events.wait(1000)


def test_metrics_and_health_are_served(embedded: Embedded, tmp_path: Path) -> None:
    """The text is what Prometheus' own parser takes; health follows what fails."""
    from prometheus_client.parser import text_string_to_metric_families as parsed

    export(embedded.site())
    port = free_port()
    lock = embedded.root / ".git/refs/cibgit/prod/live.lock"
    file = tmp_path / "cibgit.prom"
    options = ("--http", str(port), "--poll", "0.2", "--metrics", str(file))
    with Agent(embedded, *options) as agent:
        wait_for(is_ready(file))
        assert ask(port, "/healthz") == (200, "ok\n")
        embedded.change_live("loc@score", "1")
        drifted = 'cibgit_watch_in_sync{cluster="prod"} 0'
        wait_for(lambda: drifted in file.read_text())
        found = {each.name: each for each in parsed(ask(port, "/metrics")[1])}
        assert all(each.documentation and each.type for each in found.values())
        assert found["cibgit_watch_in_sync"].samples[0].value == 0
        assert found["cibgit_watch_states"].type == "counter"
        weights = {
            each.labels["weight"]: each.value
            for each in found["cibgit_watch_drift"].samples
        }
        assert weights["configuration"] == 1
        lock.touch()
        embedded.change_live("loc@score", "2")
        wait_for(lambda: ask(port, "/healthz")[0] == 503)
        assert "locked" in ask(port, "/healthz")[1]
        assert "cibgit_watch_in_sync" not in ask(port, "/metrics")[1], "nobody knows"
        lock.unlink()
        wait_for(lambda: ask(port, "/healthz")[0] == 200)
        assert 'cibgit_watch_in_sync{cluster="prod"} 0' in ask(port, "/metrics")[1]
        clone = tmp_path / "clone"
        embedded.git("clone", "--quiet", str(embedded.root), str(clone))
        other = ["watch", "-C", str(clone), "--http"]
        assert run([*other, str(port)]) == 75
        assert run([*other, "nowhere"]) == 64
        assert run([*other, str(port), "--once"]) == 64
        agent.stop()


def test_a_watch_that_is_stuck_is_not_healthy() -> None:
    tally = Tally()
    assert tally.complaint(60) == ""
    tally.looked = time.time() - 60
    assert tally.complaint(60) == ""
    tally.looked = time.time() - 1000
    assert "last looked at" in tally.complaint(60)


def test_a_life_in_fast_motion_needs_no_more_and_no_more(embedded: Embedded) -> None:
    """Neither descriptors nor memory of what was seen grow with the states."""
    export(embedded.site())
    bench = Bench(embedded)
    descriptors: list[int] = []

    def between(count: int) -> None:
        descriptors.append(len(list(Path("/proc/self/fd").iterdir())))
        if count > 12:
            bench.events.stop()
        else:
            embedded.change_live("loc@score", str(count))

    bench.run(between)
    assert len(bench.of(Seen)) == 12
    assert descriptors[3] == descriptors[-1]
    assert not bench.agent.site._committed or len(bench.agent.site._committed) < 5
    assert "cibgit_watch_states_total" in metrics(bench.agent.tally, "prod")


def test_nobody_is_called_while_the_cluster_is_suspended(embedded: Embedded) -> None:
    export(embedded.site())
    bench = Bench(embedded)
    with bench.events:
        suspend(
            embedded.site(), Suspension(int(time.time()) + 3600, "alice", "by hand")
        )
        embedded.change_live("loc@score", "1")
        assert bench.agent.once(), "asked, it answers"
        assert bench.agent.tally.is_suspended
        assert bench.hooked == []
        assert [type(each) for each in bench.told] == [Seen], "it is recorded"
        resume(embedded.site())
        bench.agent.once()
        assert [each.is_drift for each in bench.hooked] == [True]


def test_a_change_that_a_partition_lost_is_told_once(embedded: Embedded) -> None:
    export(embedded.site())
    live = embedded.live_text()
    for number, (epoch, quorum, score) in enumerate([(5, 1, 100), (6, 0, 7)]):
        text = live.replace('epoch="5"', f'epoch="{epoch}" have-quorum="{quorum}"', 1)
        kept = text.replace('score="100"', f'score="{score}"')
        (embedded.node / f"cib-{number}.raw").write_text(kept)
    healed = live.replace('epoch="5"', 'epoch="7" have-quorum="1"', 1)
    (embedded.node / "cib.xml.sig").unlink()
    (embedded.node / "cib.xml").write_text(healed)
    (embedded.node / "cib.last").write_text("2")
    bench = Bench(embedded)
    with bench.events:
        bench.agent.once()
        bench.agent.once()
        [told] = bench.hooked
        assert [each.sentence for each in told.lost[0].missing] == ["score 100 -> 7"]
        assert run(["adopt", "--lost", "--discard", "-C", str(embedded.root)]) == 0
        bench.agent.once()
        assert [each.is_drift for each in bench.hooked] == [True, False]


def test_epochs_without_a_change_are_no_states_after_a_revert(
    embedded: Embedded,
) -> None:
    """A suspension costs two epochs; what they hold was recorded before them."""
    export(embedded.site())

    def looked() -> None:
        bench = Bench(embedded)  # as `watch --once` does: nothing is remembered
        with bench.events:
            bench.agent.once()

    looked()
    embedded.change_live("loc@score", "1")
    looked()
    suspend(embedded.site(), Suspension(int(time.time()) + 60, "alice", "by hand"))
    looked()
    resume(embedded.site())
    assert run(["revert", "--yes", "-C", str(embedded.root)]) == 0
    assert versions(embedded)[-1:] != ["0.6.0"], "git's own state is live again"
    before = embedded.git("rev-parse", LIVE)
    looked()
    assert embedded.git("rev-parse", LIVE) == before
    embedded.change_live("loc@score", "1")
    looked()
    newest = embedded.git("log", "-1", "--format=%(trailers:key=CIB-Version)", LIVE)
    assert newest.strip() == "CIB-Version: 0.10.0"


def test_a_password_is_hidden_once_and_no_drift(tmp_path: Path) -> None:
    """Both ways to a state, the disk and the poll, meet one form of it."""
    fenced = Embedded.create(tmp_path, SECRETS)
    export(fenced.site())
    for _ in range(2):
        bench = Bench(fenced)
        bench.agent.slow = 0  # so each look polls as well
        assert not bench.agent.once() and not bench.agent.once()
        assert bench.told == []
    fenced.change_live("loc@score", "7")
    for _ in range(2):
        bench = Bench(fenced)
        bench.agent.slow = 0
        assert bench.agent.once() and bench.agent.once()
    assert versions(fenced) == ["0.5.0", "0.6.0"]
    changes = drift(fenced.site()).entries
    assert [str(each.change.owner) for each in changes] == ["constraint loc"]
    site = fenced.site()
    for commit in (LIVE, f"{LIVE}~1"):
        known = site.committed(fenced.git("rev-parse", commit).strip())
        assert known is not None
        password = site.keeper.revealed(known).root.find(".//*[@id='fence-passwd']")
        assert password is not None and password.get("value") == PASSWORD


def test_two_agents_on_one_clone_are_refused(
    embedded: Embedded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(embedded.site())
    file, once = tmp_path / "m", ["watch", "--once", "-C", str(embedded.root)]
    with Agent(embedded, "--metrics", str(file)) as agent:
        wait_for(is_ready(file))
        assert run(once) == 75
        assert "another agent watches prod from" in capsys.readouterr().err
        agent.stop()
    assert run(once) == 0


def test_a_push_while_a_state_is_recorded_is_not_overwritten(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(embedded.site())
    embedded.change_live("loc@score", "1")
    site = embedded.site()
    made = site.repository.commit_tree_files
    others: list[str] = []

    def meanwhile(*arguments: Any, **more: Any) -> str:
        commit = made(*arguments, **more)
        if not others:
            others.append(commit)
            site.repository.set_refs(site.refs(), site.repository.resolve("HEAD"), "x")
            embedded.git("commit", "--quiet", "--allow-empty", "-m", "pushed")
            site.repository.set_ref(site.ref("live"), "HEAD", "push")
        return commit

    monkeypatch.setattr(site.repository, "commit_tree_files", meanwhile)
    commit = record(site, site.read())
    assert commit not in (None, *others)
    parents = embedded.git("show", "-s", "--format=%s", f"{LIVE}^")
    assert parents.strip() == "pushed"


def test_a_pause_ends_with_the_suspension(embedded: Embedded) -> None:
    export(embedded.site())
    bench = Bench(embedded)
    bench.agent.once()
    assert bench.agent._until_resumed(60) == 60
    end = int(time.time()) + 5
    suspend(embedded.site(), Suspension(end, "alice", "by hand"))
    bench.agent.once()
    assert 1 < bench.agent._until_resumed(60) < 7
    assert bench.agent._until_resumed(0.1) == 0.1


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--branch", ""], 64, "plain name"),
        (["--branch", "refs/heads/live"], 64, "plain name"),
        (["--hook", "/nowhere/hook"], 66, "/nowhere/hook is not there, or no program"),
    ],
)
def test_what_could_never_work_is_refused_at_the_start(
    embedded: Embedded,
    options: list[str],
    code: int,
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    export(embedded.site())
    assert run(["watch", "--once", "-C", str(embedded.root), *options]) == code
    assert told in capsys.readouterr().err


class Apart(Directory):
    """A CIB manager whose disk does not have what it runs with.

    A real one needs a disk that is full, or a file edited under it: see tests/live.
    """

    live = b""

    def read(self) -> Cib:
        return parse(self.live, "live")


@pytest.mark.parametrize("edit", [("", ""), ('score="100"', 'score="666"')])
@pytest.mark.parametrize("epoch", [5, 6])
def test_a_disk_that_does_not_have_what_is_live_is_no_state(
    embedded: Embedded, epoch: int, edit: tuple[str, str]
) -> None:
    """It is behind for good, or was edited and signed anew, or both."""
    export(embedded.site())
    text = embedded.live_text()
    file = embedded.node / "cib.xml"
    file.write_text(text.replace(*edit))
    (embedded.node / "cib.xml.sig").unlink(missing_ok=True)
    live = text.replace('epoch="5"', f'epoch="{epoch}"').replace('"30s"', '"9s"')
    for _ in range(2):
        bench = Bench(embedded)
        cluster = Apart(embedded.node)
        cluster.live = live.encode()
        bench.agent.site = replace(bench.agent.site, cluster=cluster)
        assert bench.agent.once() and bench.agent.once()
        assert bench.agent.tally.version == (0, epoch, 0)
    assert versions(embedded) == ["0.5.0", f"0.{epoch}.0"]
    assert 'score="666"' not in embedded.git("log", "-p", LIVE)
    assert '"9s"' in embedded.git("show", f"{LIVE}:clusters/prod/cib.xml")
