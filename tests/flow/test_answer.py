"""Drift that is answered by itself: once, within limits, and never past a rule."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cibgit.cib.owned import marker_commit
from cibgit.cli.app import run
from cibgit.cluster.directory import Directory
from cibgit.errors import BusyError, StaleError, UnsafeError
from cibgit.flow.answer import HOUR, Answered, Answering, Came, Way
from cibgit.flow.care import Care, Confirmation, carry_out
from cibgit.flow.drift import drift
from cibgit.flow.export import export
from cibgit.flow.orders import Orders
from cibgit.flow.plan import plan
from cibgit.flow.push import push
from cibgit.flow.record import record

from .embedded import Embedded
from .watching import Agent, Bench, wait_for

CARE = Care(settle_seconds=None)


def answered(
    embedded: Embedded, way: Way = Way.REVERT, attempts: int = 3, **more: Any
) -> Answered | None:
    """Answer as a watch that was just started would."""
    site = embedded.site()
    record(site, site.live())
    return Answering(site, way, attempts, CARE, **more).answer(drift(site))


def score(embedded: Embedded) -> str:
    return embedded.live_text().partition('score="')[2].partition('"')[0]


@pytest.fixture
def exported(embedded: Embedded) -> Embedded:
    export(embedded.site())
    return embedded


def test_revert_puts_back_and_keeps_what_it_replaced(exported: Embedded) -> None:
    assert answered(exported) is None
    exported.change_live("loc@score", "1")
    done = answered(exported)
    assert done
    assert (done.came, done.attempt, done.attempts) == (Came.REVERTED, 1, 3)
    assert [change.sentence for change in done.changes]
    assert score(exported) == "100"
    assert done.commit == exported.git("rev-parse", "HEAD").strip()
    text = exported.git("show", "refs/cibgit/prod/seen:clusters/prod/cib.xml")
    assert 'score="1"' in text
    assert answered(exported) is None


def test_adopt_commits_as_the_one_who_did_it(exported: Embedded) -> None:
    exported.change_live("loc@score", "1")
    done = answered(exported, Way.ADOPT)
    assert done
    assert done.came is Came.ADOPTED
    assert score(exported) == "1"
    assert 'score="1"' in exported.file.read_text()
    assert exported.git("log", "-1", "--format=%H %an").split() == [done.commit, "root"]
    assert answered(exported, Way.ADOPT) is None


def test_adopt_by_itself_needs_a_branch_that_keeps_it(exported: Embedded) -> None:
    exported.change_live("loc@score", "1")
    exported.git("checkout", "--quiet", "--detach")
    head = exported.git("rev-parse", "HEAD")
    with pytest.raises(UnsafeError, match="HEAD is detached"):
        answered(exported, Way.ADOPT)
    assert exported.git("rev-parse", "HEAD") == head
    exported.git("checkout", "--quiet", "-")
    assert answered(exported, Way.ADOPT)


@pytest.mark.parametrize("way", Way)
def test_a_fight_ends_after_so_many_attempts_even_if_the_agent_is_started_anew(
    exported: Embedded, way: Way
) -> None:
    came = []
    for value in range(6):
        exported.change_live("loc@score", str(value))
        done = answered(exported, way)
        came.append(done and done.came.value)
    first = "reverted" if way is Way.REVERT else "adopted"
    assert came == [first] * 3 + ["gave-up", None, None]
    assert score(exported) == "5"


def fight(
    embedded: Embedded, rounds: int, now: Callable[[], float] = time.time
) -> list[str]:
    """Change it back so often, against one attempt an hour; return what came of it."""
    found = []
    for value in range(rounds):
        embedded.change_live("loc@score", str(value))
        done = answered(embedded, attempts=1, now=now)
        found.append(done.came.value if done else "")
    return found


def test_given_up_it_starts_again_after_an_hour(exported: Embedded) -> None:
    assert fight(exported, 3) == ["reverted", "gave-up", ""]
    assert fight(exported, 2, lambda: time.time() + HOUR - 60) == ["", ""]
    assert fight(exported, 1, lambda: time.time() + HOUR + 60) == ["reverted"]


def test_given_up_it_starts_again_once_somebody_ends_the_drift(
    exported: Embedded,
) -> None:
    assert fight(exported, 3) == ["reverted", "gave-up", ""]
    exported.change_live("loc@score", "100")
    assert answered(exported, attempts=1) is None
    assert fight(exported, 2) == ["reverted", "gave-up"]


def test_operational_changes_stay_and_cost_no_attempt(tmp_path: Path) -> None:
    from .drifting import PLAIN

    embedded = Embedded.create(tmp_path, PLAIN)
    export(embedded.site())
    embedded.change_live("bob-standby@value", "on")
    for way in Way:
        assert answered(embedded, way, attempts=1) is None
    embedded.change_live("loc@score", "1")
    done = answered(embedded, attempts=1)
    assert done
    assert [str(each.owner) for each in done.changes] == ["constraint loc"]
    assert 'value="on"' in embedded.live_text()
    assert score(embedded) == "100"


def test_what_is_ignored_stays(exported: Embedded) -> None:
    settings = exported.root / "cibgit.toml"
    rule = '\n[[ignore]]\nelement = "vip"\nreason = "tuned by hand"\n'
    settings.write_text(settings.read_text() + rule)
    exported.git("commit", "-qam", "ignore")
    exported.change_live("vip-monitor@interval", "7s")
    watch = ["watch", "--once", "--auto", "revert", "-C", str(exported.root)]
    assert run(watch) == 0
    exported.change_live("loc@score", "1")
    assert run(watch) == 0
    assert score(exported) == "100"
    assert 'interval="7s"' in exported.live_text()


def test_a_rule_of_the_policy_is_never_forced(exported: Embedded) -> None:
    settings = exported.root / "cibgit.toml"
    settings.write_text(settings.read_text() + '\n[policy]\nprotected = ["loc"]\n')
    exported.git("commit", "-qam", "protect")
    exported.change_live("loc@score", "1")
    watch = ["watch", "--once", "--auto", "revert", "-C", str(exported.root)]
    assert [run(watch), run(watch)] == [107, 107]
    assert score(exported) == "1"


def test_an_edit_that_is_not_committed_is_not_overwritten(exported: Embedded) -> None:
    exported.edit('interval="30s"', 'interval="10s"')
    exported.change_live("loc@score", "1")
    with pytest.raises(UnsafeError, match="not committed"):
        answered(exported, Way.ADOPT)
    assert 'interval="10s"' in exported.file.read_text()


@pytest.mark.parametrize("way", Way)
def test_a_push_that_waits_for_confirmation_is_left_alone(
    exported: Embedded, way: Way, tmp_path: Path
) -> None:
    orders = Orders(tmp_path / "timers")
    site = exported.site()
    exported.edit('interval="30s"', 'interval="10s"')
    planned = plan(site, site.edited(), exported.commit())
    waits = Confirmation(600, orders, orders.started)
    carry_out(planned, lambda: planned.commit or "", Care(confirmation=waits))
    exported.change_live("loc@score", "1")
    with pytest.raises(BusyError, match="waits for confirmation"):
        answered(exported, way)
    assert score(exported) == "1"
    assert marker_commit(exported.site().live()) == planned.commit


@pytest.mark.parametrize("way", Way)
def test_a_push_from_another_clone_is_no_drift(
    exported: Embedded, way: Way, tmp_path: Path
) -> None:
    """The agent's clone does not know the commit yet that live names."""
    other = Embedded(exported.node, tmp_path / "other")
    exported.git("clone", "-q", str(exported.root), str(other.root))
    site = other.site()
    other.edit('score="100"', 'score="200"')
    commit = other.commit()
    push(plan(site, site.desired(commit), commit))
    with pytest.raises(StaleError, match="which this clone does not have"):
        answered(exported, way)
    assert score(exported) == "200"
    exported.git("pull", "-q", str(other.root))
    assert answered(exported, way) is None


class Locked(Directory):
    """Files of a cluster that somebody pushes to.

    Files have no lock of their own; the real one (tests/cluster/test_pushlock.py) needs
    a cluster that runs, and raises the same error.
    """

    is_held = True

    def hold(self, holder: str) -> AbstractContextManager[None]:
        if self.is_held:
            raise BusyError("another push of this cluster is under way: bob on node2")
        return nullcontext()


def test_a_push_that_is_under_way_is_waited_for(exported: Embedded) -> None:
    bench = Bench(exported)
    bench.agent.slow = 0.1
    cluster = Locked(exported.node)
    site = replace(bench.agent.site, cluster=cluster)
    bench.agent.answering = Answering(site, Way.REVERT, 1, CARE)

    def between(count: int) -> None:
        if count == 1:
            exported.change_live("loc@score", "1")
        elif count > 6 and cluster.is_held:
            assert score(exported) == "1"
            assert "under way" in bench.troubles()[0].sentence
            cluster.is_held = False
        elif bench.of(Answered) or count > 60:
            bench.events.stop()

    bench.run(between)
    assert score(exported) == "100"
    assert len(bench.troubles()) == 1


def test_all_hear_of_the_answer_in_its_order(
    exported: Embedded, tmp_path: Path
) -> None:
    log, script = tmp_path / "log", tmp_path / "hook"
    script.write_text(
        f'#!/bin/sh\necho "$CIBGIT_EVENT $(tr -d " \\n")" >> {log}\n', "utf-8"
    )
    script.chmod(0o755)
    options = ("--auto", "revert", "--attempts", "1", "--hook", str(script))
    with Agent(exported, *options) as agent:
        wait_for(lambda: exported.git("for-each-ref", "refs/cibgit/prod/live"))
        exported.change_live("loc@score", "1")
        wait_for(lambda: log.exists() and "settled" in log.read_text())
        exported.change_live("loc@score", "2")
        wait_for(lambda: "gave-up" in log.read_text())
        told = agent.stop()
    lines = [line.split(" ", 1) for line in log.read_text().splitlines()]
    words = [word for word, _ in lines]
    assert words == ["drift", "reverted", "settled", "drift", "gave-up"]
    reverted = json.loads(lines[1][1])
    assert reverted["attempts"] == 1
    assert reverted["commit"] == exported.git("rev-parse", "HEAD").strip()
    assert len(reverted["changes"]) == 1
    events = [str(each["event"]) for each in told if each["event"] != "state"]
    assert events == ["drift", "reverted", "drift", "drift", "gave-up"]
    assert score(exported) == "2"
