"""What is left out before the comparison must not change what the comparison finds."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cibgit.cib.canonical import canonical, compact
from cibgit.cib.document import Cib, Element, parse
from cibgit.compare import diff, unchanged
from cibgit.compare.change import Change
from cibgit.compare.meaningless import Surroundings

from .. import generate, strategies

FRAME = (
    '<cib epoch="{epoch}"><configuration><crm_config>{options}</crm_config>'
    "<nodes>{nodes}</nodes><resources>{resources}</resources>"
    "<constraints>{constraints}</constraints><tags>{tags}</tags>"
    "</configuration><status/></cib>"
)
NAMES = "abcdefgh"


def whole(old: Cib, new: Cib) -> list[Change]:
    """Compare without leaving anything out."""
    old, new = canonical(old), canonical(new)
    if compact(old) == compact(new):
        return []
    return diff.changes(old, new, Surroundings(old, new))


def both_ways(old: bytes, new: bytes) -> None:
    one, other = parse(old, "old"), parse(new, "new")
    found = diff.compare(one, other)
    assert found == whole(parse(old, "old"), parse(new, "new"))
    assert unchanged.same(one, other) == (not found)


@pytest.fixture(
    params=[0, 500], ids=["attributes sorted", "as it stands"], autouse=True
)
def many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Sort attributes always, or (with so few elements) never."""
    monkeypatch.setattr(unchanged, "_MANY", request.param)
    return int(request.param)


def some_of(what: Callable[[str], st.SearchStrategy[str]]) -> st.SearchStrategy[str]:
    """Elements in any order, not all of them."""
    names = st.lists(st.sampled_from(NAMES), unique=True, max_size=len(NAMES))
    return names.flatmap(lambda found: st.tuples(*map(what, found))).map("".join)


def primitive(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from(
        (
            f'<primitive id="{name}" type="T"/>',
            f'<primitive type="T" id="{name}"/>',
            f'<primitive id="{name}" template="t"/>',
            f'<!-- x --><primitive id="{name}" type="T"><operations/></primitive>',
            f'<!-- {name} --><primitive id="{name}" type="T"/>',
            f'<!--\n  <primitive id="{name}"/>\n--><primitive id="{name}" type="T"/>',
            f'<group id="{name}"><primitive id="{name}1"/><primitive id="{name}2"/></group>',
            f'<group id="{name}"><primitive id="{name}2"/><primitive id="{name}1"/></group>',
            f'<template id="t{name}"/>',
            f'<clone id="{name}" description="a > b"><meta_attributes id-ref="m"/></clone>',
            '<meta_attributes id-ref="m"/>',
            "<!-- x -->",
            "<x/>",
        )
    )


def constraint(name: str) -> st.SearchStrategy[str]:
    resources = st.sampled_from((*NAMES[:3], "t", "tag"))
    pairs = st.tuples(st.sampled_from("xy"), resources, resources)
    return pairs.map(
        lambda found: {
            "x": '<rsc_order first="{1}" then="{2}" id="{0}"/>',
            "y": '<rsc_colocation id="{0}" rsc="{1}" with-rsc="{2}"/>',
        }[found[0]].format(f"c-{name}", *found[1:])
    ) | st.just(
        f'<rsc_order id="c-{name}"><resource_set id="s-{name}"><resource_ref id="a"/>'
        '<resource_ref id="b"/></resource_set></rsc_order>'
    )


def node(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from(
        (f'<node id="{name}" uname="n"/>', f'<node uname="n{name}" id="{name}"/>')
    )


def tag(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from(
        (
            f'<tag id="tag-{name}"><obj_ref id="a"/><obj_ref id="{name}"/></tag>',
            f'<tag id="tag-{name}"><obj_ref id="b"/></tag>',
            '<tag id="tag"><obj_ref id="a"/><obj_ref id="c"/></tag>',
        )
    )


OPTIONS = (
    "",
    '<cluster_property_set id="cib-bootstrap-options"/>',
    '<cluster_property_set id="cib-bootstrap-options"><!-- v --><nvpair id="v"'
    ' name="dc-version" value="1"/></cluster_property_set>',
    '<cluster_property_set id="p"><nvpair id="p1" name="b"/><nvpair id="p2" name="a"/>'
    "</cluster_property_set>",
)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Sections full of what is alike, in any order; ids may be there twice."""
    return FRAME.format(
        epoch=draw(st.integers(0, 2)),
        options=draw(st.sampled_from(OPTIONS)),
        nodes=draw(some_of(node)),
        resources=draw(some_of(primitive)),
        constraints=draw(some_of(constraint)),
        tags=draw(some_of(tag)),
    ).encode()


@settings(max_examples=150)
@given(documents(), documents())
def test_nothing_that_differs_is_left_out(old: bytes, new: bytes) -> None:
    both_ways(old, new)


@settings(max_examples=50)
@given(strategies.pairs())
def test_nor_with_nasty_values(pair: tuple[bytes, bytes]) -> None:
    both_ways(*pair)


@pytest.mark.parametrize("style", ["crmsh", "pcs", "random"])
@pytest.mark.parametrize("seed", range(6))
def test_nor_of_realistic_ones(seed: int, style: generate.Style) -> None:
    old = generate.cib(
        40, seed, style=style, text="nasty", owned=seed % 2 == 0, status=True,
        traps=seed % 3 == 0,
    )  # fmt: skip
    new = generate.mutate(old, seed, count=3 * seed)
    both_ways(old, new)
    both_ways(new, old)
    both_ways(old, generate.shuffle(new, seed))


@pytest.mark.parametrize(
    "inside",
    [
        '<resources xmlns:p="u"><p:x id="a"/></resources>',
        "<resources><primitive id='a'><![CDATA[x]]></primitive></resources>",
        "<!-- between --><resources/>",
        "<?y?><resources/>",
        '<resources><?y?><primitive id="a"/></resources>',
        '<resources><primitive id="a"><?y?></primitive></resources>',
        '<resources/><resources><primitive id="b"/></resources>',
        '<resources><constraints><rsc_order id="o" first="a" then="b"/>'
        '<rsc_order id="n" first="b" then="a"/></constraints></resources>',
        '<primitive id="a"/><primitive id="b"/>',
        '<resources id="a"/>',
        '<resources><primitive id="a"/><primitive id="a"/></resources>',
    ],
)
def test_nor_of_strange_ones(inside: str) -> None:
    frames = "<cib><configuration>{}</configuration></cib>", "<cib><!-- c -->{}</cib>"
    documents = [frames[0].format(text).encode() for text in ("<resources/>", inside)]
    documents.append(
        frames[1].format(f"<configuration>{inside}</configuration>").encode()
    )
    for old in documents:
        for new in documents:
            both_ways(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<!--x--><!--x--><p id="a"/>', '<!--x--><p id="a"/>'),
        ('<p id="a" x="1"/><p id="b"/><p id="a"/>', '<p id="b"/><p id="a"/>'),
        ('<p id="a" x="1"/><p id="a" x="2"/>', '<p id="a" x="2"/><p id="a" x="1"/>'),
        ('<s id-ref="m"/><s id-ref="m"/>', '<s id-ref="m"/>'),
    ],
)
def test_nor_of_what_is_there_twice(old: str, new: str) -> None:
    frame = "<cib><configuration><resources>{}</resources></configuration></cib>"
    both_ways(frame.format(old).encode(), frame.format(new).encode())


def compared(old: bytes, new: bytes) -> int:
    """Count the elements that Python would look at, on both sides."""
    pair = unchanged.differing(parse(old, "old"), parse(new, "new"))
    return 0 if pair is None else sum(1 for cib in pair for _ in cib.root.iter())


def edited(data: bytes, edit: Callable[[Element], object]) -> bytes:
    root = generate.parse(data)
    edit(root)
    return generate.serialize(root)


def test_the_work_does_not_grow_with_what_is_equal() -> None:
    sizes = []
    for resources in (50, 400):
        old = generate.cib(resources, 1, comments=False)

        def edit(root: Element) -> None:
            pairs = list(root.iterfind(".//resources//nvpair"))
            pairs[len(pairs) // 2].set("value", "another")

        sizes.append(compared(old, edited(old, edit)))
    assert 0 < sizes[1] <= sizes[0] + 40


def test_other_spelling_alone_reaches_no_python(
    many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = generate.cib(100, 1, comments=False)

    def backwards(root: Element) -> None:
        for element in root.iter("nvpair", "op", "primitive"):
            pairs = [(str(name), str(value)) for name, value in element.items()]
            element.attrib.clear()
            for name, value in reversed(pairs):
                element.set(name, value)

    arranged = 0
    real = unchanged.arrange

    def arrange(root: Element, settled: object) -> None:
        nonlocal arranged
        arranged += sum(1 for _ in root.iter())
        real(root, settled)  # type: ignore[arg-type]

    monkeypatch.setattr(unchanged, "arrange", arrange)
    assert compared(old, edited(old, backwards)) == 0
    # cluster options and defaults are never left out by halves
    assert many or arranged < 100


def test_what_only_moved_comes_without_its_children() -> None:
    old = generate.cib(60, 1, comments=False)

    def reverse(root: Element) -> None:
        resources = root.find(".//resources")
        assert resources is not None
        resources[:] = reversed(resources)

    pair = unchanged.differing(parse(old, "old"), parse(edited(old, reverse), "new"))
    assert pair is not None
    for cib in pair:
        found = cib.configuration.find("resources")
        assert found is not None
        assert len(found) > 10
        assert not any(len(child) for child in found)
