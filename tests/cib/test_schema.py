from pathlib import Path

import pytest

from cibgit.cib import schema
from cibgit.cib.document import parse

from .. import generate

pytestmark = pytest.mark.pacemaker


def test_names_are_no_paths(tmp_path: Path) -> None:
    (tmp_path / "evil.rng").write_text("<grammar/>")
    assert not schema.is_installed("evil", tmp_path)
    assert not schema.is_installed("../../etc/passwd")
    assert not schema.is_installed("none")
    assert not schema.is_installed("pacemaker-99.0")
    assert schema.is_installed("pacemaker-3.0")


@pytest.mark.parametrize("seed", range(5))
def test_generated_cibs_are_valid(seed: int) -> None:
    assert schema.validate(parse(generate.cib(20, seed), "x")) == []


def test_what_is_wrong_is_named_with_its_line() -> None:
    data = (
        b'<cib admin_epoch="0" epoch="0" num_updates="0" validate-with="pacemaker-3.0">'
        b'<configuration><crm_config/><nodes/><resources><primitiv id="a"/></resources>'
        b"<constraints/></configuration></cib>"
    )
    found = schema.validate(parse(data, "x"))
    assert any(
        "primitiv" in each.message or "resources" in each.message for each in found
    )
    assert all(each.line > 0 for each in found)
