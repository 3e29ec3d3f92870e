"""Confirmed pushes on the embedded cluster: who wins, and what a dead push leaves.

The timer is run in this process, at a time that is made up; what starts it for real is
tested on live clusters.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cibgit.cib.owned import marker_commit
from cibgit.cib.pending import pending, reverted
from cibgit.cluster.directory import Directory
from cibgit.errors import (
    BusyError,
    NoInputError,
    RevertedError,
    TimedOutError,
    UnreachableError,
)
from cibgit.flow import care as caring
from cibgit.flow import timer as timing
from cibgit.flow.cancel import cancel
from cibgit.flow.care import Care, Confirmation, carry_out
from cibgit.flow.confirm import confirm
from cibgit.flow.export import export
from cibgit.flow.orders import Order, Orders
from cibgit.flow.plan import DriftError, Plan, plan
from cibgit.flow.push import push
from cibgit.flow.status import status
from cibgit.flow.timer import timer
from cibgit.repository import Repository

from .embedded import Embedded

LATER = 10_000.0


@pytest.fixture
def orders(tmp_path: Path) -> Orders:
    return Orders(tmp_path / "timers")


def edited(embedded: Embedded) -> Plan:
    site = embedded.site()
    export(site)
    embedded.edit('score="100"', 'score="200"')
    return plan(site, site.edited(), embedded.commit())


def careful(orders: Orders, seconds: float = 60) -> Care:
    return Care(
        "alice", "node1", confirmation=Confirmation(seconds, orders, orders.started)
    )


def pushed(embedded: Embedded, orders: Orders) -> str:
    """Push an edit that waits for confirmation; return the name of its timer."""
    planned = edited(embedded)
    outcome = carry_out(planned, lambda: planned.commit or "", careful(orders))
    assert outcome.waiting
    assert pending(embedded.site().live()) == outcome.waiting
    return outcome.waiting.token


@pytest.fixture
def fire(
    orders: Orders, embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Any]:
    """Run a timer as it would be after its deadline."""

    def run(token: str) -> Any:
        real = time.time
        with monkeypatch.context() as patch:
            patch.setattr(timing.time, "time", lambda: real() + LATER)
            return timer(
                orders, token, lambda _: Directory(embedded.node), sleep=lambda _: None
            )

    return run


def test_the_timer_puts_back(
    embedded: Embedded, orders: Orders, fire: Callable[[str], Any]
) -> None:
    token = pushed(embedded, orders)
    before = orders.read(token)
    assert before
    report = fire(token)
    assert report.outcome == "reverted"
    live = embedded.site().live()
    assert 'score="100"' in embedded.live_text()
    assert marker_commit(live) == before.restores
    undone = reverted(live)
    assert undone
    assert (undone.token, undone.how, undone.commit) == (token, "timer", before.commit)
    assert orders.all() == []
    assert orders.reports("prod") == [report]
    with pytest.raises(RevertedError, match="too late"):
        confirm(embedded.site(), orders)
    found = status(embedded.site(), orders)
    assert found.applied
    assert (found.applied.commit, found.undone) == (before.restores, undone)
    # the next push forgets it
    site = embedded.site()
    push(plan(site, site.desired(), site.repository.head()))
    assert reverted(embedded.site().live()) is None


def test_confirmed_it_stays(
    embedded: Embedded, orders: Orders, fire: Callable[[str], Any]
) -> None:
    token = pushed(embedded, orders)
    result = confirm(embedded.site(), orders)
    assert result.waited
    assert result.waited.by == "alice on node1"
    assert fire(token) is None
    live = embedded.site().live()
    assert (pending(live), reverted(live)) == (None, None)
    assert 'score="200"' in embedded.live_text()
    assert confirm(embedded.site(), orders).waited is None
    with pytest.raises(NoInputError, match="nothing waits"):
        cancel(embedded.site(), orders)


def test_confirmed_elsewhere_the_timer_finds_out(
    embedded: Embedded, orders: Orders, fire: Callable[[str], Any], tmp_path: Path
) -> None:
    token = pushed(embedded, orders)
    confirm(embedded.site(), Orders(tmp_path / "another node"))
    assert fire(token).outcome == "confirmed"
    assert 'score="200"' in embedded.live_text()


def test_cancelled_from_a_clone(
    embedded: Embedded, orders: Orders, fire: Callable[[str], Any], tmp_path: Path
) -> None:
    token = pushed(embedded, orders)
    embedded.git("clone", "--quiet", ".", str(tmp_path / "clone"))
    result = cancel(embedded.site(tmp_path / "clone"), Orders(tmp_path / "elsewhere"))
    assert not result.already
    assert 'score="100"' in embedded.live_text()
    assert fire(token).sentence == "cancelled: the cluster was put back"
    assert cancel(embedded.site(), orders).already


def test_what_changed_meanwhile_is_left_alone(
    embedded: Embedded, orders: Orders, fire: Callable[[str], Any]
) -> None:
    token = pushed(embedded, orders)
    embedded.change_live("vip-monitor@interval", "10s")
    before = embedded.live_text()
    report = fire(token)
    assert report.outcome == "left-alone"
    assert "nothing was put back" in report.sentence
    assert embedded.live_text() == before
    found = status(embedded.site(), orders)
    assert (found.report, found.is_overdue(time.time() + LATER)) == (report, True)
    with pytest.raises(DriftError):
        cancel(embedded.site(), orders)
    assert confirm(embedded.site(), orders).waited
    assert 'interval="10s"' in embedded.live_text()


def test_what_the_cluster_owns_may_change_meanwhile(
    embedded: Embedded, orders: Orders, fire: Callable[[str], Any]
) -> None:
    token = pushed(embedded, orders)
    embedded.change_live("o-dc-version@value", "2.1.6")
    assert fire(token).outcome == "reverted"
    assert embedded.site().live().option("dc-version") == "2.1.6"


def test_another_push_waits_its_turn(embedded: Embedded, orders: Orders) -> None:
    pushed(embedded, orders)
    embedded.edit('score="200"', 'score="300"')
    site = embedded.site()
    planned = plan(site, site.edited(), embedded.commit())
    with pytest.raises(BusyError, match="by alice on node1 waits for confirmation"):
        caring.check(planned, Care())


def test_no_time_to_write_means_no_write(embedded: Embedded, orders: Orders) -> None:
    planned = edited(embedded)
    with pytest.raises(TimedOutError, match="nothing was written"):
        carry_out(planned, lambda: planned.commit or "", careful(orders, -1))
    assert orders.all() == []
    assert 'score="100"' in embedded.live_text()


def test_a_timer_that_does_not_start_means_no_write(
    embedded: Embedded, orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = edited(embedded)
    monkeypatch.setattr(timing, "START_SECONDS", 0.05)
    idle = Care(confirmation=Confirmation(60, orders, lambda _: None))
    with pytest.raises(UnreachableError, match="does not start"):
        carry_out(planned, lambda: planned.commit or "", idle)
    assert orders.all() == []
    assert 'score="100"' in embedded.live_text()


def test_a_push_that_fails_leaves_no_order(embedded: Embedded, orders: Orders) -> None:
    planned = edited(embedded)
    embedded.change_live("vip-monitor@interval", "10s")
    with pytest.raises(DriftError):
        carry_out(planned, lambda: planned.commit or "", careful(orders))
    assert orders.all() == []


def test_a_cluster_that_is_away_is_tried_again(
    embedded: Embedded, orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = pushed(embedded, orders)
    tried = []

    def connect(address: str) -> Directory:
        tried.append(address)
        if len(tried) < 4:
            raise UnreachableError("it does not run yet")
        return Directory(embedded.node)

    real = time.time
    monkeypatch.setattr(timing.time, "time", lambda: real() + LATER)
    report = timer(orders, token, connect, sleep=lambda _: None)
    assert report
    assert report.outcome == "reverted"
    assert tried == [f"dir:{embedded.node}"] * 4


def test_an_order_is_for_its_owner_only(orders: Orders) -> None:
    order = Order("0123456789abcdef", "prod", "local:", 1, "c", "r", "p", "secret")
    orders.write(order)
    assert orders.read(order.token) == order
    files = [each for each in orders.folder.rglob("*") if each.is_file()]
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
    assert orders.folder.stat().st_mode & 0o777 == 0o700
    orders.report(order.report("gone", "x"))
    left = [each for each in orders.folder.rglob("*") if each.is_file()]
    assert all("secret" not in each.read_text() for each in left)


# A push that dies between any two steps


def steps(stop_at: int) -> Callable[[], None]:
    """Return a function that ends this process when it is called for the n-th time."""
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if done == stop_at:
            os._exit(9)

    return step


def die_at(planned: Plan, care: Care, stop_at: int) -> bool:
    """Push in a child that dies at a step, as if by kill -9; return whether it did."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    step = steps(stop_at)
    for owner, names in (
        (Directory, ("read", "apply", "check_writable", "read_copy", "places")),
        (Repository, ("_run",)),
        (Orders, ("write", "started", "written")),
    ):
        for name in names:
            setattr(owner, name, dying(getattr(owner, name), step))
    try:
        carry_out(planned, lambda: planned.commit or "", care)
    finally:
        os._exit(0)


def dying(method: Callable[..., Any], step: Callable[[], None]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        step()
        result = method(*args, **kwargs)
        step()
        return result

    return call


@pytest.mark.parametrize("confirmed", [False, True], ids=["plain", "confirmed"])
def test_a_push_that_dies_anywhere(
    embedded: Embedded, orders: Orders, fire: Callable[[str], Any], confirmed: bool
) -> None:
    """Whatever is left of it, the next command knows the truth and nothing is in the way."""
    site = embedded.site()
    export(site)
    seen = set()
    for stop_at in range(1, 200):
        score = f'score="{stop_at + 1000}"'
        old = site.desired(str(site.repository.head())).root.find(".//rsc_location")
        assert old is not None
        embedded.edit(f'score="{old.get("score")}"', score)
        site = embedded.site()
        planned = plan(site, site.edited(), embedded.commit())
        died = die_at(planned, careful(orders) if confirmed else Care(), stop_at)
        # the truth: what was pushed is live, or what was live before; no drift
        found = status(embedded.site(), orders)
        assert found.drift == []
        assert found.applied
        is_new = score in embedded.live_text()
        assert (found.applied.commit == planned.commit) is is_new
        outcomes = {fire(order.token).outcome for order in orders.all()}
        assert outcomes <= ({"reverted"} if found.waiting else {"gone"}), outcomes
        assert bool(found.waiting) is (confirmed and is_new)
        seen.add((is_new, *outcomes))
        assert (score in embedded.live_text()) is (is_new and not confirmed)
        # and the next push is as any
        site = embedded.site()
        again = plan(site, site.desired(), planned.commit)
        assert carry_out(again, lambda: planned.commit or "", Care()).code == 0  # noqa: B023
        assert score in embedded.live_text()
        if not died:
            break
    assert not died
    assert seen >= ({(False, "gone"), (True, "reverted")} if confirmed else {(False,)})
