import re

import pytest
from hypothesis import given

from cibgit.cib.document import parse
from cibgit.compare.change import Change, Weight
from cibgit.compare.diff import compare
from cibgit.compare.summary import hidden, visible
from cibgit.render.difference import count, difference, grouped

from .. import generate, strategies

FRAME = "<cib><configuration><resources>{}</resources></configuration></cib>"
A = '<primitive id="a" class="ocf" provider="pacemaker" type="Dummy"{}>{}</primitive>'
PARAM = (
    '<instance_attributes id="p"><nvpair id="n" name="x" value="{}"/>'
    "</instance_attributes>"
)


def changes(old: str, new: str) -> list[Change]:
    return compare(*(parse(FRAME.format(each).encode(), "x") for each in (old, new)))


def test_no_changes() -> None:
    assert difference([], ("a", "b")) == "No changes."
    assert count([]) == "No changes."


def test_only_what_has_no_meaning_is_counted() -> None:
    found = changes(A.format("", ""), A.format(' description="d"', ""))
    said = difference(found, ("a", "b"))
    assert said == (
        "--- a\n+++ b\n\n"
        "Plan: nothing that means anything."
        " (1 without meaning hidden: cibgit diff --all)"
    )
    assert "description (not set) -> d" in difference(
        found, ("a", "b"), everything=True
    )


def test_a_set_that_holds_what_is_told_is_not_counted() -> None:
    found = changes(A.format("", ""), A.format("", PARAM.format("1")))
    assert [c.weight for c in found] == [Weight.NONE, Weight.CONFIGURATION]
    assert hidden(found) == []
    assert hidden(changes(A.format("", PARAM.format("1")), A.format("", ""))) == []
    alone = changes(A.format("", ""), A.format("", '<utilization id="u"/>'))
    assert hidden(alone) == alone


def test_a_danger_is_marked_and_counted() -> None:
    said = difference(changes(A.format("", ""), ""), ("a", "b"))
    assert (
        "\n! - removed: ocf:pacemaker:Dummy\n      (its service stops for good)" in said
    )
    assert said.endswith("Plan: 1 to remove. 1 dangerous (!).")


def test_long_lines_are_wrapped_to_the_terminal_and_nowhere_else() -> None:
    text = " ".join(["--option=value"] * 20)
    found = changes(A.format("", PARAM.format("1")), A.format("", PARAM.format(text)))
    assert max(map(len, grouped(found).splitlines())) > 200
    narrow = grouped(found, width=60).splitlines()
    assert max(map(len, narrow)) <= 60
    assert " ".join(" ".join(narrow).split()) == " ".join(grouped(found).split())
    assert all(line.startswith("      ") for line in narrow[2:])


def test_colours() -> None:
    said = grouped(changes(A.format("", ""), ""), colour=True)
    assert "\033[1;31m! - removed" in said
    plain = re.sub(r"\033\[[0-9;]*m", "", said)
    assert plain == grouped(changes(A.format("", ""), ""))


@pytest.mark.parametrize("text", ["\x7f", "\u202e", "\u2028", "\x85"])
def test_nothing_reaches_the_terminal_that_it_would_obey(text: str) -> None:
    found = changes(A.format("", PARAM.format("1")), A.format("", PARAM.format(text)))
    said = difference(found, (text, f"b{text}"), colour=False, width=40)
    assert text not in said


@given(strategies.pairs())
def test_it_is_empty_if_and_only_if_there_is_no_change(
    pair: tuple[bytes, bytes],
) -> None:
    found = compare(*(parse(data, "x") for data in pair))
    assert (difference(found, ("a", "b")) == "No changes.") == (not found)
    # every change is shown, or hidden and counted, or told with what it holds
    shown = len(visible(found)) + len(hidden(found))
    holding = [c for c in found if c.weight is Weight.NONE and c not in hidden(found)]
    assert shown + len(holding) == len(found)
    assert all("only holds" in c.reason for c in holding) or not holding


@pytest.mark.parametrize("seed", range(3))
def test_a_line_for_each_change_of_a_large_cluster(seed: int) -> None:
    old, new = (parse(generate.cib(60, s), "x") for s in (seed, seed + 50))
    found = compare(old, new)
    said = grouped(found, everything=True)
    marks = re.findall(r"^[! ] [-+~±>] ", said, re.MULTILINE)
    assert len(marks) == len(found)
