"""What is ignored is as it is live, and nothing else is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cibgit.cib.canonical import canonical, compact
from cibgit.cib.document import Cib, parse
from cibgit.compare.change import Weight
from cibgit.compare.diff import compare
from cibgit.compare.ignore import Rule, carried, rules
from cibgit.errors import BadConfigError

from .. import strategies
from ..flow.drifting import PLAIN

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def cib(*edits: tuple[str, str]) -> Cib:
    text = PLAIN
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return parse(text.encode(), "x")


STANDBY = ('value="off"', 'value="on"')
INTERVAL = ('interval="30s"', 'interval="10s" timeout="5s"')
BAN = (
    "</constraints>",
    '<rsc_location id="cli-ban-vip-on-bob" rsc="vip" node="bob" score="-INFINITY"/>'
    "</constraints>",
)
QUORUM = ('value="stop"', 'value="freeze"')
LIVE = cib(STANDBY, INTERVAL, BAN, QUORUM)


@pytest.mark.parametrize(
    ("rule", "edits"),
    [
        (Rule("r", element="vip"), [INTERVAL]),
        (Rule("r", element="resource v*"), [INTERVAL]),
        (Rule("r", element="vip", attribute="interval"),
         [('interval="30s"', 'interval="10s"')]),
        (Rule("r", attribute="t*out"), [('interval="30s"', 'interval="30s" timeout="5s"')]),
        (Rule("r", attribute="standby"), [STANDBY]),
        (Rule("r", weight=Weight.OPERATIONAL), [STANDBY, BAN]),
        (Rule("r", element="cli-*"), [BAN]),
        (Rule("r", element="cli-*", weight=Weight.DANGEROUS), []),
        (Rule("r", weight=Weight.DANGEROUS), [QUORUM]),
        (Rule("r", element="*"), [STANDBY, INTERVAL, BAN, QUORUM]),
        (Rule("r", element="*", until=NOW), []),
        (Rule("r", element="vip", until=NOW + DAY), [INTERVAL]),
    ],
)  # fmt: skip
def test_a_rule_hides_what_it_names(rule: Rule, edits: list[tuple[str, str]]) -> None:
    found = carried(cib(), LIVE, [rule], NOW)
    assert compact(canonical(found.cib)) == compact(canonical(cib(*edits)))
    assert bool(found.changes) == bool(edits)


def test_what_brings_other_things_along_is_not_ignored() -> None:
    """A member cannot be hidden while the group that it moved into is not."""
    vip = PLAIN[PLAIN.index('<primitive id="vip"') : PLAIN.index('<primitive id="db"')]
    live = cib((vip, f'<group id="web">{vip}</group>'))
    hidden = carried(cib(), live, [Rule("r", element="vip", attribute="*")], NOW)
    changed = compare(hidden.cib, live)
    assert "web" in {change.owner.name for change in changed}


@given(strategies.pairs(), st.sampled_from(Weight))
def test_laws(pair: tuple[bytes, bytes], weight: Weight) -> None:
    """Nothing but what is ignored changes; ignoring all leaves nothing; twice is once."""
    old, live = parse(pair[0], "old"), parse(pair[1], "live")
    everything = carried(old, live, [Rule("r", element="*")], NOW)
    if compare(old, live):
        owners = {change.owner for change in everything.changes}
        left = compare(everything.cib, live)
        assert all(not each.owner.name for each in left if each.owner not in owners)
    one = carried(old, live, [Rule("r", weight=weight)], NOW)
    count = sum(change.weight is weight for change in compare(old, live))
    assert len(one.changes) <= count
    assert compact(
        canonical(carried(live, live, [Rule("r", weight=weight)], NOW).cib)
    ) == (compact(canonical(live)))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("x", "must be tables"),
        (["x"], "rule 1 must be a table"),
        ([{"element": "vip"}], "it needs a reason"),
        ([{"reason": "r"}], "would ignore everything"),
        ([{"reason": "r", "elemnt": "vip"}], "unknown option 'elemnt'"),
        ([{"reason": "r", "element": ""}], "element must be a text"),
        ([{"reason": "r", "weight": "heavy"}], "weight is one of none, operational"),
        ([{"reason": "r", "element": "v", "until": "tomorrow"}], "without quotes"),
    ],
)
def test_a_slip_is_refused(options: object, problem: str) -> None:
    with pytest.raises(BadConfigError, match=problem):
        rules(options, "cibgit.toml: [[ignore]]")


def test_a_date_means_until_it_is_over() -> None:
    day = datetime(2026, 11, 24).date()
    [rule] = rules([{"reason": "r", "element": "vip", "until": day}], "x")
    assert rule.is_active(datetime(2026, 11, 24, 23, 59).astimezone())
    assert not rule.is_active(datetime(2026, 11, 25, 0, 0).astimezone())
