"""The agent and a tracked corosync.conf: its drift is told once, and so is its end.

The ring is one in memory; tests/live/test_corosync.py has the real one.
"""

import time
from pathlib import Path

import pytest

from cibgit.cib.secrets import Rules
from cibgit.cib.suspension import Suspension
from cibgit.cluster.ring import Copy
from cibgit.config import Provider, SecretsConfig
from cibgit.errors import CibgitError, PermissionDeniedError
from cibgit.flow.answer import Answering, Way
from cibgit.flow.care import Care
from cibgit.flow.corosync_drift import CorosyncDrift
from cibgit.flow.corosync_export import export
from cibgit.flow.corosync_watch import CorosyncWatch
from cibgit.flow.export import export as export_cib
from cibgit.flow.layer import Layer
from cibgit.flow.notify import Channel
from cibgit.flow.resume import resume
from cibgit.flow.suspend import suspend
from cibgit.flow.tally import Seen
from cibgit.render import watch as render
from cibgit.repository import Repository

from .embedded import Embedded
from .ring import KEY, FakeRing
from .test_corosync import WITH_KEY, change, conf_of
from .watching import Bench, versions


def bench_of(embedded: Embedded, ring: FakeRing) -> Bench:
    """Return an agent that has just been started."""
    bench = Bench(embedded)
    bench.agent.beside = [CorosyncWatch(bench.agent.site, ring)]
    bench.agent.slow = 0  # so each look is a slow poll
    return bench


def told(bench: Bench) -> list[str]:
    return [render.line(each, "prod") for each in bench.of(CorosyncDrift)]


def hooked(bench: Bench) -> list[str]:
    return [render.word(each) for each in bench.hooked]


DRIFT = "prod: corosync.conf: 1 moved, 1 finding."
SETTLED = "prod: corosync.conf: no drift."


def test_a_drift_is_told_once_everywhere_and_so_is_its_end(
    tracked: Embedded, ring: FakeRing
) -> None:
    bench = bench_of(tracked, ring)
    assert not bench.agent.once()
    assert bench.told == [] and bench.hooked == []
    ring.edit("alice", "token: 1000", "token: 2000")
    assert bench.agent.once() and bench.agent.once()
    assert (told(bench), hooked(bench)) == ([DRIFT], ["corosync-drift"])
    ring.edit("alice", "token: 2000", "token: 3000")
    assert bench.agent.once() and bench.agent.once()
    assert told(bench) == [DRIFT, DRIFT], "it is another one"
    ring.edit("alice", "token: 3000", "token: 1000")
    assert not bench.agent.once() and not bench.agent.once()
    assert told(bench) == [DRIFT, DRIFT, SETTLED]
    assert hooked(bench) == ["corosync-drift", "corosync-drift", "corosync-settled"]
    assert bench.agent.tally.hooks == 3
    assert bench.troubles() == []


def test_nothing_is_told_again_after_a_restart(
    tracked: Embedded, ring: FakeRing
) -> None:
    ring.edit("alice", "token: 1000", "token: 2000")
    first, second, third = (bench_of(tracked, ring) for _ in range(3))
    first.agent.once()
    objects = tracked.git("count-objects")
    second.agent.once()
    assert (told(second), hooked(second)) == ([], [])
    assert tracked.git("count-objects") == objects, "a look leaves nothing behind"
    ring.edit("alice", "token: 2000", "token: 1000")
    third.agent.once()
    assert (told(third), hooked(third)) == ([SETTLED], ["corosync-settled"])
    assert "told" not in tracked.git("for-each-ref")


def test_what_was_told_can_be_read(tracked: Embedded, ring: FakeRing) -> None:
    ring.edit("alice", "token: 1000", "token: 2000")
    bench_of(tracked, ring).agent.once()
    for channel in ("output", "hook"):
        ref = f"refs/cibgit/prod/told-corosync-{channel}"
        assert tracked.git("show", f"{ref}:corosync-drift").splitlines() == [
            "alice: the file is not loaded: totem: token 1000 -> 2000",
            "alice: totem: token 1000 -> 2000",
        ]


def test_each_channel_counts_for_itself(tracked: Embedded, ring: FakeRing) -> None:
    other: list[str] = []
    bench = bench_of(tracked, ring)
    bench.agent.channels = [
        *bench.agent.channels,
        Channel("other", lambda each: other.append(render.word(each))),
    ]
    ring.edit("alice", "token: 1000", "token: 2000")
    bench.failing = True
    for _ in range(2):
        with pytest.raises(CibgitError, match="the hook failed"):
            bench.agent.once()
    assert (len(told(bench)), hooked(bench), other) == (1, [], ["corosync-drift"])
    bench.failing = False
    bench.agent.once()
    assert (len(told(bench)), hooked(bench)) == (1, ["corosync-drift"])
    assert other == ["corosync-drift"]


def test_both_drifts_are_told_each_for_itself(
    tracked: Embedded, ring: FakeRing
) -> None:
    bench = bench_of(tracked, ring)
    ring.edit("alice", "token: 1000", "token: 2000")
    tracked.change_live("loc@score", "1")
    assert bench.agent.once()
    assert hooked(bench) == ["drift", "corosync-drift"]
    tracked.change_live("loc@score", "100")
    assert bench.agent.once(), "the one of corosync.conf is left"
    assert hooked(bench) == ["drift", "corosync-drift", "settled"]


def test_nobody_is_told_while_the_cluster_is_suspended(
    tracked: Embedded, ring: FakeRing
) -> None:
    bench = bench_of(tracked, ring)
    end = int(time.time()) + 3600
    suspend(tracked.site(), Suspension(end, "alice", "by hand"))
    ring.edit("alice", "token: 1000", "token: 2000")
    assert bench.agent.once(), "asked, it answers"
    assert (told(bench), hooked(bench)) == ([], [])
    resume(tracked.site())
    bench.agent.once()
    assert (told(bench), hooked(bench)) == ([DRIFT], ["corosync-drift"])


def test_it_is_never_answered(tracked: Embedded, ring: FakeRing) -> None:
    bench = bench_of(tracked, ring)
    care = Care(settle_seconds=None)
    bench.agent.answering = Answering(bench.agent.site, Way.REVERT, 3, care)
    ring.edit("alice", "token: 1000", "token: 2000")
    head, file = tracked.git("rev-parse", "HEAD"), ring.files["alice"]
    assert bench.agent.once() and bench.agent.once()
    assert (bench.agent.tally.answers, hooked(bench)) == (0, ["corosync-drift"])
    assert (tracked.git("rev-parse", "HEAD"), ring.files["alice"]) == (head, file)


FAILURES = {
    "no permission": Copy(problem="corosync.conf cannot be read by this user"),
    "no Corosync": Copy(b"totem {\n}\n", silent="corosync-cmapctl: not found"),
}


@pytest.mark.parametrize("why", FAILURES)
def test_a_failure_is_told_once_and_states_are_recorded(
    tracked: Embedded, ring: FakeRing, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    bench = bench_of(tracked, ring)
    bench.agent.slow = 0.05
    ring.edit("alice", "token: 1000", "token: 2000")

    def between(count: int) -> None:
        if count == 1:
            assert len(told(bench)) == 1
            monkeypatch.setattr(FakeRing, "read_own", lambda _: FAILURES[why])
        elif bench.agent.tally.troubles < 3:
            assert count < 400
        elif not bench.of(Seen):
            assert "corosync_in_sync" not in render.metrics(bench.agent.tally, "prod")
            tracked.change_live("loc@score", str(count))
        else:
            bench.events.stop()

    bench.run(between)
    [trouble] = bench.troubles()
    assert (FAILURES[why].problem or FAILURES[why].silent) in trouble.sentence
    assert len(told(bench)) == 1, "what is not known has not ended"
    assert len(versions(tracked)) == 2
    monkeypatch.undo()
    bench_of(tracked, ring).agent.once()
    assert hooked(bench).count("corosync-drift") == 1


def test_a_failure_is_no_drift_when_asked_once(
    tracked: Embedded, ring: FakeRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_of(tracked, ring)
    monkeypatch.setattr(FakeRing, "read_own", lambda _: FAILURES["no permission"])
    tracked.change_live("loc@score", "1")
    with pytest.raises(PermissionDeniedError, match="cannot be read by this user"):
        bench.agent.once()
    assert (len(versions(tracked)), hooked(bench)) == (2, ["drift"])


def test_a_secret_that_cannot_be_compared_keeps_no_state_from_being_recorded(
    embedded: Embedded,
) -> None:
    """The keeper of the secrets is one for both files."""
    embedded.secrets = SecretsConfig(
        Rules(), providers={"env": Provider(environment="SECRET_{}")}
    )
    ring = FakeRing.create(WITH_KEY)
    export_cib(embedded.site())
    export(Layer(embedded.site(), ring))
    text = conf_of(embedded).read_text()
    placeholder = text.partition("key: ")[2].partition("\n")[0]
    change(embedded, placeholder, "secret:env:totem")
    bench = bench_of(embedded, ring)
    for value in ("1", "2"):  # SECRET_totem is not set
        bench.agent.once()
        embedded.change_live("loc@score", value)
    bench.agent.once()
    assert len(versions(embedded)) == 3
    assert "corosync-drift" not in hooked(bench)
    assert KEY not in str(bench.told)


class Reads:
    """Counts how often the file of the node is read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ring: FakeRing) -> None:
        self.count = 0

        def read_own(_: FakeRing) -> Copy:
            self.count += 1
            return ring._copy("alice")

        monkeypatch.setattr(FakeRing, "read_own", read_own)


def test_the_file_is_read_at_slow_polls_only(
    tracked: Embedded, ring: FakeRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, bench = Reads(monkeypatch, ring), bench_of(tracked, ring)
    bench.agent.slow = 3600
    for score in ("1", "2", "3"):
        tracked.change_live("loc@score", score)
        bench.agent.once()
    assert reads.count == 1
    bench.agent.slow = 0
    bench.agent.once()
    assert reads.count == 2


def test_where_nothing_is_tracked_nothing_is_run(
    embedded: Embedded, ring: FakeRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_cib(embedded.site())
    reads, bench = Reads(monkeypatch, ring), bench_of(embedded, ring)
    bench.agent.once()
    assert "corosync_in_sync" not in render.metrics(bench.agent.tally, "prod")
    with monkeypatch.context() as patched:
        patched.setattr(Repository, "_run", None)
        CorosyncWatch(embedded.site(), ring).look(None)
    conf_of(embedded).write_text("totem {\n}\n")  # it is not in HEAD yet
    bench.agent.once()
    assert reads.count == 0
    conf_of(embedded).unlink()
    export(Layer(embedded.site(), ring))
    reads.count = 0
    bench.agent.once()
    assert (reads.count, bench.told) == (1, []), "it is looked at from now on"


def test_the_number(tracked: Embedded, ring: FakeRing) -> None:
    bench = bench_of(tracked, ring)
    for token, value in (("1000", 1), ("2000", 0), ("1000", 1)):
        conf = ring.files["alice"].decode()
        before = conf.partition("token: ")[2].partition("\n")[0]
        ring.edit("alice", f"token: {before}", f"token: {token}")
        bench.agent.once()
        line = f'cibgit_watch_corosync_in_sync{{cluster="prod"}} {value}\n'
        assert line in render.metrics(bench.agent.tally, "prod")


def test_a_broken_file_in_git_is_a_trouble(
    tracked: Embedded, ring: FakeRing, tmp_path: Path
) -> None:
    bench = bench_of(tracked, ring)
    tracked.git("update-ref", "-d", "refs/cibgit/prod/corosync")
    change(tracked, "totem {", "totem")
    ring.edit("alice", "token: 1000", "token: 2000")
    with pytest.raises(CibgitError, match="the line is neither"):
        bench.agent.once()
    assert hooked(bench) == []
