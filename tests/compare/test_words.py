"""Every element and attribute of the installed schemas has words."""

from collections import deque

import pytest
from lxml import etree

from cibgit.cib.document import Cib
from cibgit.cib.identity import REFERRING_IDS
from cibgit.cib.owned import VOLATILE_ROOT_ATTRIBUTES
from cibgit.compare import words
from cibgit.compare.change import Change, Kind
from cibgit.compare.diff import compare

from .. import rng

Element = etree._Element
KNOWN = rng.known()


def ways() -> dict[str, list[str]]:
    """Return the shortest way from ``cib`` to each element."""
    found = {"cib": ["cib"]}
    queue = deque(["cib"])
    while queue:
        tag = queue.popleft()
        for child in sorted(KNOWN[tag].children):
            if child not in found:
                found[child] = [*found[tag], child]
                queue.append(child)
    return found


WAYS = ways() if KNOWN else {}
PAIRS = [
    (tag, attribute)
    for tag in sorted(WAYS)
    for attribute in sorted(KNOWN[tag].attributes)
    if not (attribute == "id" and tag not in REFERRING_IDS)
    and not (tag == "cib" and attribute in VOLATILE_ROOT_ATTRIBUTES)
]


def build(way: list[str], attributes: dict[str, str], *, depth: int = 0) -> Cib:
    """Return a CIB with one element of each tag on a way, the last with attributes.

    ``depth`` leaves out the last so many elements.
    """
    root = etree.Element("cib")
    element = root
    for place, tag in enumerate(way[1 : len(way) - depth], 1):
        element = etree.SubElement(element, tag)
        if "id" in KNOWN[tag].attributes:
            element.set("id", f"i{place}")
    if not depth:
        for name, value in attributes.items():
            element.set(name, value)
    if root.find("configuration") is None:
        etree.SubElement(root, "configuration")
    return Cib(root, "test")


def told(changes: list[Change]) -> str:
    return "\n".join(f"{c.owner} {c.sentence} {' '.join(c.details)}" for c in changes)


@pytest.mark.pacemaker
def test_every_element_has_words() -> None:
    assert len(WAYS) > 50
    assert set(WAYS) == set(KNOWN)
    assert sorted(set(KNOWN) - set(words.PHRASES)) == []


@pytest.mark.pacemaker
@pytest.mark.parametrize(("tag", "attribute"), PAIRS)
def test_a_changed_attribute_is_told(tag: str, attribute: str) -> None:
    old, new = (build(WAYS[tag], {attribute: text}) for text in ("was7", "now8"))
    changes = compare(old, new)
    said = told(changes)
    assert "was7" in said
    assert "now8" in said
    by_its_value = attribute in ("id", "value") or changes[0].kind is Kind.REPLACED
    assert attribute in said or by_its_value


@pytest.mark.pacemaker
@pytest.mark.parametrize(("tag", "attribute"), PAIRS)
def test_an_attribute_is_told_of_what_came_and_went(tag: str, attribute: str) -> None:
    way = WAYS[tag]
    without, alone = (build(way, {attribute: "told9"}, depth=d) for d in (1, 0))
    if tag == "cib":
        without = build(way, {})
    assert "told9" in told(compare(without, alone))
    assert "told9" in told(compare(alone, without))


@pytest.mark.pacemaker
@pytest.mark.parametrize("tag", sorted({tag for tag, _ in PAIRS} - {"cib"}))
def test_all_attributes_together_are_told(tag: str) -> None:
    way = WAYS[tag]
    names = sorted(KNOWN[tag].attributes - {"id"})
    values = {name: f"told{place:03}" for place, name in enumerate(names)}
    whole = build(way, values)
    # the element alone, and as a part of whatever stands outermost in its section
    for depth in {1, max(1, len(way) - 3)}:
        said = told(compare(build(way, values, depth=depth), whole))
        missing = [name for name, value in values.items() if value not in said]
        assert missing == [], said


def test_what_no_schema_knows_is_told_as_it_is() -> None:
    frame = "<cib><configuration><resources>{}</resources></configuration></cib>"
    old = Cib(etree.fromstring(frame.format("")), "old")
    new = Cib(etree.fromstring(frame.format('<robot id="r" arm="2"/>')), "new")
    [change] = compare(old, new)
    assert change.kind is Kind.ADDED
    assert change.sentence == "added: robot r (arm 2)"
