"""Git and live both moved: three groups, and what of it is in conflict."""

import json

import pytest

from cibgit.cib.document import Cib, parse
from cibgit.cli.app import run
from cibgit.compare.diff import compare
from cibgit.flow.divergence import Conflict, conflicts
from cibgit.flow.export import export

from .embedded import CIB, Embedded

OP = '<op id="vip-monitor" name="monitor" interval="30s"/>'
OP_ADDRESS = "resources / primitive vip / operations / op vip-monitor"
DB = '<primitive id="db" class="ocf" provider="heartbeat" type="Dummy"/>'


def cib(*edits: tuple[str, str]) -> Cib:
    text = CIB
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return parse(text.encode(), "x")


def found(desired: Cib, live: Cib) -> list[Conflict]:
    return list(conflicts(compare(cib(), desired), compare(cib(), live)))


@pytest.mark.parametrize(
    ("desired", "live", "expected"),
    [
        (("30s", "10s"), ("30s", "20s"), [(OP_ADDRESS, "interval", "10s", "20s")]),
        (("30s", "10s"), ("30s", "10s"), []),
        (("30s", "10s"), (OP, OP.replace("/>", ' timeout="5s"/>')), []),
        (("30s", "10s"), ('score="100"', 'score="1"'), []),
        (("30s", "10s"), (OP, ""), [(OP_ADDRESS, "", "changed", "removed")]),
        ((f"<operations>{OP}</operations>\n", ""), ("30s", "20s"),
         [(OP_ADDRESS, "", "removed", "changed")]),
        ((DB, ""), (DB, ""), []),
        ((DB, DB.replace("Dummy", "Delay")), (DB, ""),
         [("resources / primitive db", "", "replaced", "removed")]),
        (("<resources>", '<resources><group id="g"/>'),
         ("<resources>", '<resources><group id="g" description="x"/>'),
         [("resources / group g", "", "added", "added")]),
    ],
)  # fmt: skip
def test_conflicts_are_exact(
    desired: tuple[str, str],
    live: tuple[str, str],
    expected: list[tuple[str, str, str, str]],
) -> None:
    assert found(cib(desired), cib(live)) == [Conflict(*each) for each in expected]
    mirrored = [Conflict(c.address, c.attribute, c.live, c.desired)
                for c in found(cib(live), cib(desired))]  # fmt: skip
    assert mirrored == [Conflict(*each) for each in expected]


def test_a_plan_shows_three_groups_and_a_push_refuses(
    embedded: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    export(embedded.site())
    embedded.edit('interval="30s"', 'interval="10s"')
    embedded.edit('score="100"', 'score="50"')
    embedded.commit()
    embedded.change_live("vip-monitor@interval", "20s")
    embedded.change_live("db@type", "Delay")
    arguments = ["-C", str(embedded.root)]
    assert run(["plan", *arguments]) == 103
    told = capsys.readouterr().out
    wanted, _, rest = told.partition("Live moved meanwhile:")
    moved, _, both = rest.partition("Both touched: 1 in conflict.")
    assert "interval 30s -> 10s" in wanted
    assert "score 100 -> 50" in wanted
    assert "interval 30s -> 20s" in moved
    assert "replaced: ocf:heartbeat:Dummy -> ocf:heartbeat:Delay" in moved
    assert f"! {OP_ADDRESS}, interval\n    desired: 10s\n    live:    20s" in both
    assert run(["plan", "--json", *arguments]) == 103
    answer = json.loads(capsys.readouterr().out)
    assert [len(answer[key]) for key in ("wanted", "moved", "conflicts")] == [2, 2, 1]
    assert run(["push", "--yes", *arguments]) == 103
