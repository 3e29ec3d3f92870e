"""Duplicate ids are looked for in text first; what that finds must be what is there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from cibgit.cib.document import Cib, parse
from cibgit.cib.identity import FREE_IDS, REFERRING_IDS, check_ids
from cibgit.errors import BadDataError

from .. import strategies

FRAME = "<cib><configuration>{}</configuration><status/></cib>"


def is_refused(cib: Cib) -> bool:
    try:
        check_ids(cib)
    except BadDataError:
        return True
    return False


def has_duplicates(cib: Cib) -> bool:
    """Look at each element, as slowly as it is plain."""
    seen = set()
    for element in cib.configuration.iter(etree.Element):
        name = element.get("id")
        special = element.tag in REFERRING_IDS | FREE_IDS
        place = (element.getparent(), element.tag) if special else ()
        if name is not None and (place, name) in seen:
            return True
        seen.add((place, name))
    return False


@settings(max_examples=100)
@given(strategies.cibs(), st.data())
def test_a_duplicate_is_refused_wherever_it_is(
    data: bytes, draw: st.DataObject
) -> None:
    root = etree.fromstring(data)
    elements = [e for e in root.iter(etree.Element) if e.get("id") is not None]
    if len(elements) > 1:
        one, other = (draw.draw(st.sampled_from(elements)) for _ in range(2))
        other.set("id", str(one.get("id")))
        other.tag = draw.draw(st.sampled_from([str(other.tag), "obj_ref", "role"]))
    cib = parse(etree.tostring(root), "x")
    assert is_refused(cib) == has_duplicates(cib)


@pytest.mark.parametrize(
    ("inside", "refused"),
    [
        ('<tags><tag id="a"><obj_ref id="r"/><obj_ref id="s"/></tag></tags>'
         '<resources><primitive id="r"/></resources>', False),
        ('<tags><tag id="a"><obj_ref id="r"/><obj_ref id="r"/></tag></tags>', True),
        ('<tags><tag id="a"><obj_ref id="r"/></tag><tag id="b"><obj_ref id="r"/></tag>'
         "</tags>", False),
        ('<nodes><node id="1"/></nodes><resources><primitive id="1"/></resources>', False),
        ('<nodes><node id="1"/><node id="1"/></nodes>', True),
        ('<resources><x><role id="a"/></x><y><role id="a"/></y></resources>', False),
        ('<resources><primitive id="a"/><!-- id="a" <primitive id="a"/> --></resources>',
         False),
        ('<resources><primitive id="a" description=\' id="a"\'/></resources>', False),
        ('<resources id="a"><primitive id="a"/></resources>', True),
        ('<resources><p id="&#233;"/></resources><x id="é"/>', True),
    ],
)  # fmt: skip
def test_ids_that_are_no_definitions(inside: str, refused: bool) -> None:
    assert is_refused(parse(FRAME.format(inside).encode(), "x")) == refused


def test_the_id_of_the_configuration_counts() -> None:
    data = b'<cib><configuration id="a"><resources id="a"/></configuration></cib>'
    assert is_refused(parse(data, "x"))


def test_ids_in_the_status_do_not_count() -> None:
    data = b'<cib><configuration/><status><a id="x"/><a id="x"/></status></cib>'
    assert not is_refused(parse(data, "x"))
