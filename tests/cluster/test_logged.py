"""What the CIB manager logs of a change, as each release writes it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cibgit.cib.document import LastChange, Version
from cibgit.cluster.logged import Line, Logged, Touch, chain, operations

AT = "Tue Nov 24 09:10:57 2026"
VIP = ("configuration", ""), ("resources", ""), ("primitive", "vip")
VIP_PATH = "/cib/configuration/resources/primitive[@id='vip']"


def lines(*texts: str) -> list[Line]:
    return [Line(AT, "n1", text) for text in texts]


def operation(
    epoch: int,
    *touched: str,
    client: str = "cibadmin",
    origin: str = "n2",
    old: int = -1,
) -> list[Line]:
    """Return the messages of one operation, as 2.1.5 writes them."""
    before = old if old >= 0 else epoch - 1
    return lines(
        f"Diff: --- 0.{before}.3 2",
        f"Diff: +++ 0.{epoch}.0 (null)",
        f"+  /cib:  @epoch={epoch}, @num_updates=0",
        *touched,
        f"Completed cib_modify operation for section 'all': OK (rc=0,"
        f" origin={origin}/{client}/2, version=0.{epoch}.0)",
    )


def only(found: Iterator[Logged]) -> Logged:
    [one] = found
    return one


def test_every_kind_of_line_names_its_element() -> None:
    found = only(
        operations(
            operation(
                9,
                f"+  {VIP_PATH}/operations/op[@id='o']:  @interval=9s, @timeout=1, @x=2",
                f"-- {VIP_PATH}:  @description, @type",
                f"-- {VIP_PATH}/meta_attributes[@id='m']",
                f"-- {VIP_PATH}/meta_attributes[@id='m2'] (1)",
                f"+~ {VIP_PATH} moved to offset 0",
                '++ /cib/configuration/constraints:  <rsc_location rsc="vip" id="l"/>',
                f"++ {VIP_PATH}:  <operations/>",
                f'++ {VIP_PATH}: <meta_attributes id="m3">',  # one blank
                '++                           <nvpair id="within" value="v"/>',
                "+  /cib/status/node_state[@id='1']:  @crmd=online",
            )
        )
    )
    assert found == Logged(
        Version(0, 8, 3),
        Version(0, 9, 0),
        (
            Touch(
                (*VIP, ("operations", ""), ("op", "o")),
                frozenset({"interval", "timeout", "x"}),
            ),
            Touch(VIP, frozenset({"description", "type"})),
            Touch((*VIP, ("meta_attributes", "m"))),
            Touch((*VIP, ("meta_attributes", "m2"))),
            Touch(VIP, is_move=True),
            Touch((VIP[0], ("constraints", ""), ("rsc_location", "l"))),
            Touch((*VIP, ("operations", ""))),
            Touch((*VIP, ("meta_attributes", "m3"))),
        ),
        LastChange("", "cibadmin", "n2", AT),
    )


def test_status_and_operations_without_effect_are_passed_over() -> None:
    nothing = "Completed cib_modify operation for section nodes: OK (rc=0,"
    told = lines(
        "Diff: --- 0.9.0 2",
        "Diff: +++ 0.9.1 (null)",
        "+  /cib:  @num_updates=1",
        "+  /cib/status/node_state[@id='1']:  @crmd=online",
        f"{nothing} origin=n1/crmd/3, version=0.9.1)",
        f"{nothing} origin=n1/crmd/4, version=0.9.1)",
        "Forwarding cib_modify operation for section status to all (origin=local/crmd/5)",
    )
    assert list(operations(told)) == []


def test_what_failed_or_never_ended_changed_nothing() -> None:
    failed = operation(9, f"-- {VIP_PATH}")
    failed[-1] = replace_text(failed[-1], "OK (rc=0", "Invalid (rc=-203")
    assert list(operations(failed)) == []
    assert list(operations(operation(9, f"-- {VIP_PATH}")[:-1])) == []


def replace_text(line: Line, old: str, new: str) -> Line:
    return line._replace(text=line.text.replace(old, new))


def test_what_a_node_takes_over_at_a_join_was_made_by_somebody_else() -> None:
    for client in ("crmd", "pacemaker-controld"):
        for old in (8, 11):
            joined = operation(12, f"-- {VIP_PATH}", client=client, old=old)
            joined[-1] = replace_text(joined[-1], "cib_modify", "cib_replace")
            assert only(operations(joined)).maker is None
    # an administrator may skip epochs, and the controller has options of its own
    restored = operation(12, f"-- {VIP_PATH}", client="cibadmin", old=8)
    assert only(operations(restored)).maker
    assert only(operations(operation(9, f"-- {VIP_PATH}", client="crmd"))).maker


def test_local_is_the_node_that_wrote_the_log() -> None:
    found = only(operations(operation(9, f"-- {VIP_PATH}", origin="local")))
    assert found.maker and found.maker.origin == "n1"


def test_a_value_that_looks_like_a_message_makes_nobody_the_maker() -> None:
    """From 2.1.8 on a value may hold line ends, and the log has it as it is."""
    genuine = operation(9, f"+  {VIP_PATH}:  @description=x")
    forged = operation(9, client="innocent")[-1]
    found = only(operations([*genuine[:-1], forged, genuine[-1]]))
    assert found.maker is None
    assert found.touched == (Touch(VIP, frozenset({"description"})),)
    whole = [*genuine[:-1], *operation(9, f"-- {VIP_PATH}", client="innocent")]
    assert all(each.maker is None for each in operations([*whole, genuine[-1]]))


def history(*epochs: int) -> list[Logged]:
    told = [line for epoch in epochs for line in operation(epoch, f"-- {VIP_PATH}")]
    return list(operations(told))


def epochs(found: list[Logged]) -> list[int]:
    return [each.after.epoch for each in found]


def test_the_way_from_applied_to_live_newest_first() -> None:
    found = history(5, 6, 7, 8, 9)
    assert epochs(chain(found, Version(0, 9, 4), Version(0, 6, 1))) == [9, 8, 7]
    assert epochs(chain(found, Version(0, 9, 4), None)) == [9, 8, 7, 6, 5]
    # the log is ahead of what was read
    assert epochs(chain(found, Version(0, 7, 0), Version(0, 5, 0))) == [7, 6]


def test_where_the_log_has_a_hole_what_came_before_is_not_known() -> None:
    live = Version(0, 9, 0)
    assert epochs(chain(history(5, 6, 8, 9), live, Version(0, 4, 0))) == [9, 8]
    assert chain(history(5, 6, 7), live, None) == []
    assert chain([], live, None) == []


MARKER = "/cib/configuration/crm_config/cluster_property_set[@id='cibgit']"


@pytest.mark.parametrize(
    ("line", "is_push"),
    [
        (f"+  {MARKER}/nvpair[@id='cibgit-commit']:  @value=abc", True),
        (
            '++ /cib/configuration/crm_config:  <cluster_property_set id="cibgit"/>',
            True,
        ),
        (f"-- {MARKER}/nvpair[@id='cibgit-pending']", False),
    ],
)
def test_a_push_is_known_and_on_the_way(line: str, is_push: bool) -> None:
    found = [*history(5, 6), *operations(operation(7, line)), *history(8, 9)]
    way = chain(found, Version(0, 9, 0), None)
    assert epochs(way) == [9, 8, 7, 6, 5]
    assert [each.is_push for each in way] == [False, False, is_push, False, False]


def test_a_takeover_within_an_epoch_is_on_the_way() -> None:
    """After a split both sides may have the same epoch with another content."""
    taken = replace(history(9)[0], before=Version(0, 9, 1), maker=None)
    found = [*history(8, 9), taken]
    assert chain(found, Version(0, 9, 4), None)[0] is taken


PIECES = st.sampled_from(
    [
        *(line.text for line in operation(9, f"+  {VIP_PATH}:  @a=b, @c=d")),
        *(line.text for line in operation(10, f'++ {VIP_PATH}:  <a id="b"/>')),
        "Local-only Change: 0.9.0",
        "Diff: --- 0.9.0 2",
        "Diff: +++ 0.99999999999.0 x",
        "-- /cib/configuration (",
    ]
)


@given(st.lists(PIECES | st.text(), max_size=30))
def test_no_garbage_raises_and_every_maker_was_named(texts: list[str]) -> None:
    for each in operations(lines(*texts)):
        if each.maker:
            assert any(f"={each.maker.origin}/{each.maker.client}/" in t for t in texts)
        assert all(touch.path[0] == ("configuration", "") for touch in each.touched)


@given(st.text(), st.integers(0, 4))
def test_text_that_means_nothing_changes_nothing(text: str, place: int) -> None:
    genuine = operation(9, f"-- {VIP_PATH}")
    if text.startswith(("Diff: ", "Completed ", "+", "-")):
        return
    told = [*genuine[:place], *lines(text), *genuine[place:]]
    assert list(operations(told)) == list(operations(genuine))
