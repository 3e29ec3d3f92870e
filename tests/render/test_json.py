import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from cibgit.cib.document import parse
from cibgit.compare.change import Kind, OwnerKind, Weight
from cibgit.compare.diff import compare
from cibgit.render import json as rendered

from .. import generate, strategies

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs/diff.schema.json").read_text())
CASES = sorted((ROOT / "tests/cases/diff").glob("*.xml"))


def check(old: bytes, new: bytes) -> None:
    found = compare(parse(old, "x"), parse(new, "x"))
    said = rendered.dumps("diff", old="a", new="b", changes=rendered.changes(found))
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(said))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_knows_all_words() -> None:
    properties = SCHEMA["$defs"]["change"]["properties"]
    assert properties["kind"]["enum"] == [kind.value for kind in Kind]
    assert properties["weight"]["enum"] == [w.name.lower() for w in Weight]
    owners = properties["owner"]["properties"]["kind"]["enum"]
    assert owners == [kind.value for kind in OwnerKind]
    assert SCHEMA["properties"]["format"]["const"] == rendered.FORMAT


@given(strategies.pairs())
def test_every_answer_keeps_to_the_schema(pair: tuple[bytes, bytes]) -> None:
    check(*pair)


@pytest.mark.parametrize("seed", range(3))
def test_answers_about_real_clusters_do_too(seed: int) -> None:
    check(generate.cib(30, seed), generate.cib(30, seed + 1))
