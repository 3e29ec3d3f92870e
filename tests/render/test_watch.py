"""What an answer to drift looks like: a line, JSON, a mail."""

import json

import pytest

from cibgit.cib.document import Version, parse
from cibgit.compare.change import Change
from cibgit.compare.diff import compare
from cibgit.flow.answer import Answered, Came
from cibgit.render import watch as render

from ..flow.embedded import CIB


@pytest.fixture
def changes() -> list[Change]:
    sides = (CIB, CIB.replace('score="100"', 'score="1"'))
    return compare(*(parse(each.encode(), "x") for each in sides))


SAID = {
    Came.REVERTED: "reverted what 0.7.0 had, to abcdef0123 (2 of 3 in an hour)",
    Came.ADOPTED: "adopted what 0.7.0 has, as abcdef0123 (2 of 3 in an hour)",
    Came.GAVE_UP: "gave up at 0.7.0 (2 of 3 in an hour): it is changed again and again;"
    " find out who does it",
}


@pytest.mark.parametrize("came", Came)
def test_an_answer(came: Came, changes: list[Change]) -> None:
    commit = None if came is Came.GAVE_UP else "abcdef0123456789"
    event = Answered(came, Version(0, 7, 0), commit, 2, 3, changes)
    assert render.line(event, "prod") == f"prod: {SAID[came]}"
    assert render.word(event) == came.value
    assert render.subject(event, "prod") == f"[cibgit] prod: {came.value}"
    body = render.body(event)
    assert body.startswith(SAID[came] + "\n\n")
    assert "score 100 -> 1" in body
    told = json.loads(render.notice(event, "prod"))
    assert told["format"] == 1
    assert told["cluster"] == "prod"
    assert told["event"] == came.value
    assert (told["commit"], told["version"]) == (commit, "0.7.0")
    assert (told["attempt"], told["attempts"]) == (2, 3)
    assert len(told["changes"]) == 1
    line = json.loads(render.json_line(event, "prod"))
    assert line["event"] == came.value
    assert line["changes"] == told["changes"]
