"""What counts as worse, and when waiting ends."""

from dataclasses import replace
from pathlib import Path

import pytest

from cibgit.cluster.directory import Directory
from cibgit.cluster.health import Failure, Health
from cibgit.errors import UnreachableError
from cibgit.exitcodes import ExitCode
from cibgit.flow.care import Care, carry_out
from cibgit.flow.export import export
from cibgit.flow.plan import Plan, plan
from cibgit.flow.settle import settle, worse

from .embedded import Embedded

HERE = frozenset({"n1"})
BOTH = frozenset({"n1", "n2"})
FAILED = Failure("vip", "start", "n1", "error", "7")
BEFORE = Health(
    "n1",
    nodes=BOTH,
    joined=BOTH,
    active=BOTH,
    resources=frozenset({"vip", "db"}),
    running={"vip": HERE, "db": BOTH},
    promoted={"db": HERE},
    unpromoted={"db": frozenset({"n2"})},
    failures=(Failure("old", "monitor", "n2", "error", "3"),),
)
VIP_DOWN = replace(BEFORE, running={"db": BOTH})


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (BEFORE, []),
        (VIP_DOWN, ["vip ran before and runs nowhere now"]),
        (
            replace(VIP_DOWN, failures=(FAILED,)),
            [
                "failed: start of vip on n1: error",
                "vip ran before and runs nowhere now",
            ],
        ),
        (replace(VIP_DOWN, target_roles={"vip": "Stopped"}), []),
        (replace(VIP_DOWN, resources=frozenset({"db"})), []),
        (replace(VIP_DOWN, active=frozenset()), []),
        (replace(BEFORE, joined=HERE), ["node n2 is lost"]),
        (replace(BEFORE, joined=HERE, nodes=HERE), []),
        (
            replace(BEFORE, promoted={}, unpromoted={"db": BOTH}),
            ["db was promoted before and is not any more"],
        ),
        (
            replace(
                BEFORE,
                promoted={},
                unpromoted={"db": BOTH},
                target_roles={"db": "Unpromoted"},
            ),
            [],
        ),
        (
            replace(
                BEFORE,
                resources=BEFORE.resources | {"new"},
                refusals=(Failure("new", "probe", "n1", "not installed", "9"),),
            ),
            ["cannot run: probe of new on n1: not installed"],
        ),
        # not installed on one node, but it runs on the other
        (replace(BEFORE, refusals=(replace(FAILED, action="probe"),)), []),
    ],
)
def test_worse(after: Health, expected: list[str]) -> None:
    assert worse(BEFORE, after) == expected


class Running(Directory):
    """A directory that shows a cluster's health: one look after the other, then rest."""

    looks: tuple[Health | None, ...] = (BEFORE,)
    index = 0

    def health(self) -> Health:  # type: ignore[override]
        look = self.looks[min(self.index, len(self.looks) - 1)]
        self.index += 1
        if look is None:
            raise UnreachableError("the CIB manager restarts")
        return look

    def is_settled(self, health: Health) -> bool:
        return self.index >= len(self.looks)


class Breaking(Running):
    """A directory that looks unwell while it has the new score."""

    def health(self) -> Health:  # type: ignore[override]
        self.index = len(self.looks)
        return VIP_DOWN if b'score="200"' in self._text() else BEFORE

    def _text(self) -> bytes:
        return (self.path / "cib.xml").read_bytes()


def running(embedded: Embedded, *looks: Health | None) -> Running:
    cluster = Running(embedded.node)
    cluster.looks = looks
    return cluster


def planned(embedded: Embedded, cluster: Running) -> Plan:
    site = replace(embedded.site(), cluster=cluster)
    export(site)
    embedded.edit('score="100"', 'score="200"')
    return plan(site, site.edited(), embedded.commit())


def test_progress_is_told_once(embedded: Embedded) -> None:
    starting = replace(VIP_DOWN, under_way=("start vip on n1",))
    cluster = running(embedded, starting, starting, None, BEFORE)
    site = replace(embedded.site(), cluster=cluster)
    told: list[str] = []
    found = settle(site, BEFORE, 60, told.append, sleep=lambda _: None)
    assert told == ["start vip on n1"]
    assert found.healthy


def test_a_cluster_that_never_rests(embedded: Embedded) -> None:
    starting = replace(VIP_DOWN, under_way=("start vip on n1",))
    site = replace(embedded.site(), cluster=running(embedded, *[starting] * 10**5))
    found = settle(site, BEFORE, 0.01, sleep=lambda _: None)
    assert not found.at_rest
    assert found.problems[0].endswith("under way: start vip on n1")
    assert found.problems[1:] == ["vip ran before and runs nowhere now"]


def test_healthy_is_tagged(embedded: Embedded) -> None:
    plan = planned(embedded, running(embedded, BEFORE))
    outcome = carry_out(plan, lambda: plan.commit or "", Care())
    assert outcome.code is ExitCode.OK
    assert embedded.git("rev-list", "-1", outcome.known_good).strip() == plan.commit


def test_no_worse_is_not_yet_known_good(embedded: Embedded) -> None:
    """What failed before fails still: no reason to go back, and none to go back to it."""
    broken = replace(BEFORE, failed=frozenset({"vip"}))
    plan = planned(embedded, running(embedded, broken))
    outcome = carry_out(plan, lambda: plan.commit or "", Care())
    assert (outcome.code, outcome.known_good) == (ExitCode.OK, "")


def test_unhealthy_goes_back(embedded: Embedded) -> None:
    plan = planned(embedded, Breaking(embedded.node))
    outcome = carry_out(plan, lambda: plan.commit or "", Care(rollback=True))
    assert outcome.code is ExitCode.REVERTED
    assert outcome.back
    assert 'score="100"' in embedded.live_text()
    log = embedded.git("log", "-3", "--format=%s").splitlines()
    assert log[0].endswith("is not healthy")
    assert log[1] == "edit"


def test_edits_in_the_work_tree_survive_the_way_back(embedded: Embedded) -> None:
    plan = planned(embedded, Breaking(embedded.node))
    embedded.edit('score="200"', 'score="300"')
    outcome = carry_out(plan, lambda: plan.commit or "", Care(rollback=True))
    assert outcome.code is ExitCode.REVERTED
    assert 'score="100"' in embedded.live_text()
    assert 'score="300"' in embedded.file.read_text()


def test_still_unhealthy_on_the_way_back_is_said(embedded: Embedded) -> None:
    plan = planned(embedded, running(embedded, BEFORE, VIP_DOWN))
    outcome = carry_out(plan, lambda: plan.commit or "", Care(rollback=True))
    assert outcome.code is ExitCode.UNHEALTHY


def test_files_have_no_health(embedded: Embedded, tmp_path: Path) -> None:
    site = embedded.site()
    export(site)
    embedded.edit('score="100"', 'score="200"')
    planned = plan(site, site.edited(), embedded.commit())
    outcome = carry_out(planned, lambda: planned.commit or "", Care())
    assert (outcome.settled, outcome.known_good) == (None, "")
