"""What nodes see, and where they disagree."""

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cibgit.cluster.views import (
    Disagreement,
    Steady,
    Verdict,
    View,
    disagreements,
    read,
)
from cibgit.policy.finding import Finding, Severity

NAMES = {1: "n1", 2: "n2", 3: "n3"}


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


RIGHT = View("right", (0, 9), digest("form"), digest("rules"), digest("corosync"), 3)
VIEWS = st.builds(
    View,
    st.sampled_from(["right", "mismatch", "missing"]),
    st.none() | st.tuples(st.integers(0, 1), st.integers(0, 2)),
    st.sampled_from(["", digest("a"), digest("b")]),
    st.sampled_from(["", digest("c")]),
    st.sampled_from(["", digest("d"), digest("e")]),
    st.none() | st.integers(0, 2),
)
CLUSTERS = st.dictionaries(st.integers(1, 5), VIEWS, max_size=5)


def told(views: Mapping[int, View]) -> list[str]:
    return [each.finding.sentence for each in disagreements(views, NAMES)]


@given(VIEWS)
def test_a_view_survives_its_way(view: View) -> None:
    assert read(view.to_bytes()) == view


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(json.loads(RIGHT.to_bytes()))), JUNK)
def test_a_view_with_anything_else_in_it_is_none(field: str, junk: object) -> None:
    found = json.loads(RIGHT.to_bytes())
    found[field] = junk
    view = read(json.dumps(found).encode())
    assert view is None or read(view.to_bytes()) == view
    assert read(json.dumps({**found, "more": 1}).encode()) is None
    del found[field]
    if field in ("cibgit", "disk", "epoch"):
        assert read(json.dumps(found).encode()) is None


@given(st.binary())
def test_no_message_raises(data: bytes) -> None:
    assert read(data) is None


@given(VIEWS, st.sets(st.integers(1, 9)))
def test_equal_views_disagree_about_nothing_but_a_bad_disk(
    view: View, nodes: set[int]
) -> None:
    found = disagreements(dict.fromkeys(nodes, view), NAMES)
    assert {each.finding.rule for each in found} <= {"disk"}
    assert len(found) == (0 if view.disk == "right" else len(nodes))


@given(CLUSTERS, st.randoms())
def test_the_order_in_which_views_arrive_does_not_matter(
    views: dict[int, View], dice: object
) -> None:
    items = list(views.items())
    dice.shuffle(items)  # type: ignore[attr-defined]
    assert disagreements(dict(items), NAMES) == disagreements(views, NAMES)


@given(CLUSTERS)
def test_whoever_is_named_is_there_and_each_thing_is_told_once(
    views: dict[int, View],
) -> None:
    found = disagreements(views, NAMES)
    assert all(each.nodes and each.nodes <= views.keys() for each in found)
    keys = [(each.finding.rule, each.finding.element) for each in found]
    assert len(keys) == len(set(keys)) or len({v.rules for v in views.values()}) > 1


@pytest.mark.parametrize(
    ("disk", "said"),
    [
        ("mismatch", "cib.xml on n2 does not match its signature"),
        ("broken", "cib.xml on n2 is damaged"),
        ("missing", "cib.xml on n2 is gone"),
        ("unreadable", "cib.xml on n2 cannot be read by the agent there"),
    ],
)
def test_a_disk_that_is_wrong_is_named(disk: Verdict, said: str) -> None:
    wrong = View(disk, corosync=RIGHT.corosync, config_version=3)
    assert told({1: RIGHT, 2: wrong, 3: RIGHT}) == [said]


def test_one_epoch_and_two_contents() -> None:
    other = replace(RIGHT, form=digest("other"))
    assert told({1: RIGHT, 2: other, 3: RIGHT}) == [
        "0.9 is not the same configuration on all nodes: n1 and n3; n2"
    ]
    # with other rules for what is secret, digests cannot be compared
    assert told({1: RIGHT, 2: replace(other, rules=digest("x")), 3: RIGHT}) == []


def test_a_disk_that_stays_behind_is_told_when_no_agent_can_be_that_busy() -> None:
    late = replace(RIGHT, epoch=(0, 7), form=digest("old"))
    views = {1: RIGHT, 2: late, 3: RIGHT}
    assert told(views) == ["the disk of n2 stays at 0.7, others have 0.9"]
    steady = Steady(3.0)
    for now in range(0, 122, 2):  # others go on meanwhile
        views[1] = views[3] = replace(RIGHT, epoch=(0, 9 + now))
        assert steady.update(now, disagreements(views, NAMES), views) == ([], [])
    assert steady.due(122) == 1
    [one] = steady.update(123, disagreements(views, NAMES), views)[0]
    assert one.finding.rule == "disk-behind"
    # its end is told as soon as any
    assert steady.update(124, [], views) == ([], [])
    assert steady.update(127, [], views) == ([], [one])


def test_another_corosync_conf() -> None:
    other = replace(RIGHT, corosync=digest("other"), config_version=4)
    assert told({1: RIGHT, 2: other, 9: RIGHT}) == [
        "corosync.conf is not the same on all nodes (config_version 3 and 4):"
        " n1 and node 9; n2"
    ]


def about(*nodes: int) -> Disagreement:
    finding = Finding(Severity.WARNING, "disk", str(nodes), "s", "h")
    return Disagreement(finding, frozenset(nodes))


def test_what_lasts_is_told_once_and_so_is_its_end() -> None:
    steady, one = Steady(3.0), about(1)
    nothing: tuple[list[Disagreement], list[Disagreement]] = ([], [])
    assert steady.update(0, [one], {1}) == nothing
    assert steady.due(1) == 2
    assert steady.update(3, [one], {1}) == ([one], [])
    assert steady.update(9, [one], {1}) == nothing
    assert steady.due(9) is None
    assert steady.update(10, [], {1}) == nothing
    assert steady.update(11, [one], {1}) == nothing
    assert steady.update(20, [], {1}) == nothing
    assert steady.update(23, [], {1}) == ([], [one])
    assert steady.told == {}


def test_of_a_node_that_left_nobody_knows_whether_it_is_over() -> None:
    steady, one = Steady(0), about(1, 2)
    assert steady.update(0, [one], {1, 2, 3}) == ([one], [])
    assert steady.update(1, [], {2, 3}) == ([], [])
    assert steady.told == {}
    assert steady.update(2, [one], {1, 2, 3}) == ([one], [])


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=40))
def test_beginning_and_end_alternate_and_nothing_short_is_told(
    course: list[tuple[int, bool]],
) -> None:
    steady, one, now, since, last = Steady(3.0), about(1), 0, 0, False
    is_told = False
    for passed, there in course:
        now += passed
        if there != last:
            since, last = now, there
        begun, ended = steady.update(now, [one] if there else [], {1})
        assert (bool(begun), bool(ended)) == (
            there and not is_told and now - since >= 3.0,
            is_told and not there and now - since >= 3.0,
        )
        is_told = bool(steady.told)
