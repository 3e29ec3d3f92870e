from itertools import groupby

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cibgit.cib.document import Version
from cibgit.flow.chronology import GIT, Moment, choose, ordered


def moment(
    blob: str,
    epoch: int,
    time: float | None = None,
    *,
    series: str = "",
    place: int = 0,
    updates: int = 0,
    admin: int = 0,
) -> Moment:
    return Moment(blob, Version(admin, epoch, updates), time, series, place)


def blobs(moments: list[Moment]) -> str:
    return "".join(each.blob for each in moments)


def series(name: str, *moments: Moment) -> list[Moment]:
    return [
        Moment(each.blob, each.version, each.time, name, place)
        for place, each in enumerate(moments)
    ]


def test_counters_come_first() -> None:
    found = [
        moment("c", 3, 1),
        moment("a", 1, 3),
        moment("b", 2),
        moment("d", 0, 0, admin=1),
    ]
    assert blobs(ordered(found)) == "abcd"


def test_time_counts_before_updates_of_status() -> None:
    """A daemon that starts anew counts them from 0."""
    assert blobs(ordered([moment("b", 1, 9), moment("a", 1, 5, updates=30)])) == "ab"


def test_places_count_where_all_else_is_equal() -> None:
    assert blobs(ordered(series("s", moment("b", 1, 5), moment("a", 1, 5)))) == "ba"


def test_after_a_restore_comes_what_was_written_after_it() -> None:
    directory = series(
        "cib", moment("a", 1, 10), moment("b", 2, 20), moment("c", 3, 30),
        moment("a", 1, 10), moment("a", 1, 40), moment("x", 2, 50), moment("y", 3, 60),
    )  # fmt: skip
    inputs = series("pe", moment("b", 2, 20, updates=3), moment("x", 2, 50, updates=7))
    loose = [moment("c", 3, 30), moment("y", 3, 60)]
    found = blobs(ordered([*inputs, *loose, *directory]))
    assert [key for key, _ in groupby(found)] == list("abcaxy")


def test_a_clock_that_went_back_changes_nothing() -> None:
    """02:59 summer time is followed by 02:00: local time has no zone."""
    found = series(
        "cib", moment("a", 1, 7000), moment("b", 2, 3600), moment("c", 3, 3700)
    )
    assert blobs(ordered([*found, moment("b", 2, 3600)])) == "abbc"


def test_what_git_has_is_not_chosen() -> None:
    git = series(GIT, moment("a", 1, 10), moment("b", 2, 20))
    choice = choose([*git, moment("a", 1, 10), moment("b", 2, 20), moment("c", 3, 30)])
    assert blobs(choice.new) == "c"
    assert choice.older == []


def test_what_belongs_before_is_told() -> None:
    git = series(GIT, moment("b", 2, 20), moment("d", 4, 40))
    files = [
        moment("a", 1, 10),
        moment("b", 2, 20),
        moment("c", 3, 30),
        moment("d", 5, 50),
    ]
    choice = choose([*git, *files, moment("e", 6, 60)])
    assert blobs(choice.new) == "e"
    assert blobs(choice.older) == "ac"


def test_a_commit_without_version_follows_the_one_before() -> None:
    git = series(GIT, moment("a", 1, 10), moment("b", 1, 15))
    choice = choose([*git, moment("a", 1, 10), moment("b", 2, 16), moment("c", 3, 30)])
    assert blobs(choice.new) == "c"


def test_a_state_that_comes_back_is_another_commit() -> None:
    choice = choose([moment("a", 1), moment("b", 2), moment("a", 3), moment("a", 4)])
    assert blobs(choice.new) == "aba"
    assert [each.version.epoch for each in choice.new] == [1, 2, 3]


_MOMENTS = st.builds(
    moment,
    st.sampled_from("abcd"),
    st.integers(0, 5),
    st.none() | st.integers(0, 8).map(float),
    updates=st.integers(0, 2),
)
_FILES = st.builds(
    lambda cib, inputs, loose: [
        *series("0:cib", *cib),
        *series("1:pe", *inputs),
        *loose,
    ],
    st.lists(_MOMENTS, max_size=6),
    st.lists(_MOMENTS, max_size=6),
    st.lists(_MOMENTS, max_size=4),
)


def as_git(chosen: list[Moment], have: list[Moment]) -> list[Moment]:
    """Return what git has after an import; a commit without a time has the file's."""
    return series(
        GIT, *have, *(Moment(e.blob, e.version, e.time or 0.0, GIT, 0) for e in chosen)
    )


_BACK_AND_FORTH = [
    *series("0:cib", moment("b", 1), moment("b", 0), moment("b", 1), moment("a", 0)),
    *series("1:pe", moment("b", 0), moment("b", 1), moment("a", 0)),
]


@settings(max_examples=500, deadline=None)
@given(_FILES)
@example(_BACK_AND_FORTH)
def test_importing_twice_adds_nothing(files: list[Moment]) -> None:
    first = choose(files)
    git = as_git(first.new, [])
    again = choose([*git, *files])
    assert again.new == []


@settings(max_examples=300, deadline=None)
@given(_FILES)
def test_every_configuration_is_there_and_none_twice_in_a_row(
    files: list[Moment],
) -> None:
    chosen = choose(files).new
    assert {each.blob for each in chosen} == {each.blob for each in files}
    found = blobs(chosen)
    assert [key for key, _ in groupby(found)] == list(found)


@given(_FILES)
def test_a_series_that_never_goes_back_keeps_its_order(files: list[Moment]) -> None:
    found = ordered(files)
    for name in ("0:cib", "1:pe"):
        mine = [each for each in files if each.series == name]
        rising = [each.version[:2] for each in mine]
        if rising == sorted(set(rising)):
            assert [each for each in found if each.series == name] == mine


@pytest.mark.parametrize("count", [0, 1])
def test_few_files(count: int) -> None:
    assert len(choose([moment("a", 1)] * count).new) == count
