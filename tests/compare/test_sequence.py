"""Orders, merged: every case of up to four elements, and the rules by name."""

from itertools import permutations

import pytest

from cibgit.cib.identity import Key
from cibgit.compare.records import Ident
from cibgit.compare.sequence import merge_order

LETTERS = {each: Ident(None, Key("nvpair", each), 0) for each in "abcd"}


def merged(base: str, ours: str, theirs: str, kept: str = "") -> tuple[str, str]:
    """Merge orders of letters; what is ``kept`` by default was deleted by no side."""
    gone = set(base) - (set(ours) & set(theirs))
    wanted = set(kept) or (set(ours) | set(theirs)) - gone
    order = merge_order(
        *([LETTERS[each] for each in side] for side in (base, ours, theirs)),
        {LETTERS[each] for each in wanted},
    )
    items, mirrored = (
        "".join(ident.key.name or "" for ident in each)
        for each in (order.items, order.mirrored)
    )
    return items, mirrored


def orders(letters: str) -> list[str]:
    """Return every order of every selection."""
    sizes = range(len(letters) + 1)
    return ["".join(order) for size in sizes for order in permutations(letters, size)]


def test_exchanging_the_sides_exchanges_the_outcomes() -> None:
    for base in ("", "a", "ab", "abc"):
        for ours in orders("abcd"):
            for theirs in orders("abcd"):
                items, mirrored = merged(base, ours, theirs)
                assert merged(base, theirs, ours) == (mirrored, items)
                assert sorted(items) == sorted(mirrored) == sorted(set(items))


def test_who_did_nothing_has_no_say() -> None:
    for base in orders("abc"):
        for changed in orders("abcd"):
            assert merged(base, changed, base) == (changed, changed)
            assert merged(base, base, changed) == (changed, changed)
            assert merged(base, changed, changed) == (changed, changed)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "outcome"),
    [
        ("abc", "cab", "abc", "cab"),
        ("abc", "cab", "ab", "ab"),
        ("abc", "cab", "abdc", "cabd"),
        ("ab", "acb", "abd", "acbd"),
        ("ab", "acb", "adb", "acdb"),
        ("a", "ba", "ab", "ba or ab"),
        ("abc", "cab", "bac", "cab or bac"),
        # both add one, at different places, where one of them removed its neighbour
        ("ab", "ca", "acb", "ca or ac"),
    ],
)
def test_rules(base: str, ours: str, theirs: str, outcome: str) -> None:
    found = merged(base, ours, theirs)
    assert " or ".join(dict.fromkeys(found)) == outcome
