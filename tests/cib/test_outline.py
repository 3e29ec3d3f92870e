import pytest
from hypothesis import given, settings
from lxml import etree

from cibgit.cib.canonical import canonical
from cibgit.cib.document import parse
from cibgit.cib.outline import outline
from cibgit.errors import BadDataError

from .. import generate, strategies


def lines(data: bytes) -> list[list[bytes]]:
    """Return what each section of an outline holds, without blanks between elements."""
    parser = etree.XMLParser(remove_blank_text=True)
    return [
        [
            etree.tostring(child, encoding="utf-8")
            for child in etree.fromstring(part.text(part.children), parser)
        ]
        for part in outline(parse(data, "x")).parts
        if not part.start.startswith(b"<!--")
    ]


@settings(max_examples=60)
@given(strategies.cibs(strategies.plain_values()))
def test_an_outline_holds_everything_in_canonical_order(data: bytes) -> None:
    known = [
        [child.get("id") for child in section.iterchildren(etree.Element)]
        for section in canonical(parse(data, "x")).configuration.iterchildren(
            etree.Element
        )
    ]
    found = [
        [etree.fromstring(line).get("id") for line in section if line[:4] != b"<!--"]
        for section in lines(data)
    ]
    assert found == known


def test_a_comment_that_looks_like_children_is_none() -> None:
    resources = (
        '<resources><!--\n  <primitive id="x"/>\n  <primitive id="y"/>\n-->'
        '<primitive id="a"><operations/></primitive></resources>'
    )
    found = outline(
        parse(f"<cib><configuration>{resources}</configuration></cib>".encode(), "x")
    )
    assert len(found.parts[0].children) == 2


def test_what_the_cluster_owns_is_not_in_it() -> None:
    data = generate.cib(5, 1, owned=True, status=True)
    text = b"".join(
        part.text(part.children) for part in outline(parse(data, "x")).parts
    )
    assert b"dc-version" in data
    assert b"dc-version" not in text
    assert b"dc-uuid" not in outline(parse(data, "x")).root


def test_without_a_configuration_there_is_none() -> None:
    with pytest.raises(BadDataError, match="no <configuration>"):
        outline(parse(b"<cib/>", "x"))
