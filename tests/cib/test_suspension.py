"""A suspension in the live CIB: it is there, it ends, and it leaves no trace."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from cibgit.cib.canonical import canonical, compact
from cibgit.cib.document import Cib, parse
from cibgit.cib.owned import carry_over, marker_commit
from cibgit.cib.pending import Pending, confirmed, pending, with_pending
from cibgit.cib.suspension import Suspension, resumed, suspended, suspension

COMMIT = "3f2c9ab41d" * 4
BARE = (
    "<cib><configuration><crm_config/><nodes/><resources/><constraints/>"
    "</configuration></cib>"
)
PUSHED = BARE.replace(
    "<crm_config/>",
    '<crm_config><cluster_property_set id="cibgit"><nvpair id="cibgit-commit"'
    f' name="cibgit-commit" value="{COMMIT}"/></cluster_property_set></crm_config>',
)
UNTIL = Suspension(2_000_000_000, "root (alice)", "storage is migrated")
BEFORE = datetime.fromtimestamp(UNTIL.until - 1, UTC)


def live(text: str = PUSHED) -> Cib:
    return parse(text.encode(), "live")


def test_it_holds_until_its_time_is_over() -> None:
    there = suspended(live(), UNTIL)
    assert suspension(there, BEFORE) == UNTIL
    assert suspension(there, datetime.fromtimestamp(UNTIL.until, UTC)) is None
    assert str(UNTIL) == (
        "until 2033-05-18 03:33:20 UTC by root (alice): storage is migrated"
    )


@given(
    text=st.sampled_from((BARE, PUSHED)),
    until=st.integers(0, 2**37),
    words=st.lists(st.text(min_size=1), min_size=2, max_size=2),
)
def test_it_leaves_no_trace(text: str, until: int, words: list[str]) -> None:
    words = ["".join(filter(str.isprintable, each)) for each in words]
    before = live(text)
    there = suspended(before, Suspension(until, *words))
    assert compact(canonical(there)) == compact(canonical(before)), "not in git"
    assert marker_commit(there) == marker_commit(before)
    assert compact(resumed(there)) == compact(before)


def test_another_one_takes_its_place() -> None:
    other = Suspension(UNTIL.until + 1, "bob", "it takes longer")
    there = suspended(suspended(live(), UNTIL), other)
    assert suspension(there, BEFORE) == other
    assert compact(resumed(there)) == compact(live())


def test_a_push_keeps_it_and_its_own_notes_apart() -> None:
    there = suspended(live(), UNTIL)
    target = live(BARE)
    carry_over(there.configuration, target.configuration, "f" * 40)
    assert marker_commit(target) == "f" * 40
    assert suspension(target, BEFORE) == UNTIL
    waits = Pending("0" * 16, 1_900_000_000, COMMIT, "node1", "root")
    both = with_pending(target, waits)
    assert (pending(both), suspension(both, BEFORE)) == (waits, UNTIL)
    assert suspension(confirmed(both), BEFORE) == UNTIL
    assert pending(resumed(both)) == waits


def test_what_somebody_else_wrote_there_suspends_nothing() -> None:
    there = suspended(live(), UNTIL)
    for pair in there.root.iter("nvpair"):
        if pair.get("name") == "cibgit-suspended-until":
            pair.set("value", "tomorrow")
    assert suspension(there, BEFORE) is None
