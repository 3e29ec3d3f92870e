import pytest
from hypothesis import given, settings

from cibgit.cib.canonical import canonical, compact
from cibgit.cib.document import parse
from cibgit.compare.change import Change, Kind
from cibgit.compare.diff import compare

from .. import generate, strategies

FRAME = (
    "<cib><configuration><crm_config/><nodes/><resources>{}</resources>"
    "<constraints/></configuration></cib>"
)


def changes(old: str, new: str) -> list[Change]:
    one, other = (parse(FRAME.format(each).encode(), "x") for each in (old, new))
    return compare(one, other)


def words(old: str, new: str) -> list[str]:
    return [
        " ".join(
            [change.kind.value, change.address.removeprefix("resources / ")]
            + [f"{a.name}:{a.old}>{a.new}" for a in change.attributes]
            + ([f"({change.place})"] if change.place else [])
        )
        for change in changes(old, new)
    ]


A, B, C = (f'<primitive id="{name}" type="T"/>' for name in "abc")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", A, ["added primitive a type:None>T"]),
        (A, "", ["removed primitive a type:T>None"]),
        (A, A.replace('type="T"', 'type="U"'), ["replaced primitive a type:T>U"]),
        (A, A.replace("/>", ' description="d"/>'), ["changed primitive a description:None>d"]),
        (A + B + C, B + C + A, ["moved primitive a (to the end)"]),
        (A + B + C, C + A + B, ["moved primitive c (before primitive a)"]),
        (A + f'<group id="g">{B}</group>', f'<group id="g">{A}{B}</group>',
         ["moved group g / primitive a (from resources to group g)"]),
        (A + f'<group id="g">{B}</group>',
         f'<group id="g">{B}{A.replace("T", "U")}</group>',
         ["moved group g / primitive a (from resources to group g)",
          "replaced group g / primitive a type:T>U"]),
        (A, "<!-- why -->" + A, ["added comment text:None>why"]),
        ('<primitive type="T" id="a"/>', A, []),
    ],
)  # fmt: skip
def test_one_change(old: str, new: str, said: list[str]) -> None:
    assert words(old, new) == said


def test_an_interval_that_moves_its_operation_is_one_change() -> None:
    operations = (
        '<primitive id="a"><operations><op id="o1" name="monitor" interval="10s"/>'
        '<op id="o2" name="monitor" interval="20s"/></operations></primitive>'
    )
    said = words(operations, operations.replace('"10s"', '"30s"'))
    assert said == ["changed primitive a / operations / op o1 interval:10s>30s"]


def test_sets_of_equal_score_have_an_order() -> None:
    sets = [f'<meta_attributes id="m{i}"/>' for i in (1, 2)]
    both = '<primitive id="a">{}{}</primitive>'
    assert len(changes(both.format(*sets), both.format(*sets[::-1]))) == 1


def test_what_came_is_shown_with_its_content() -> None:
    whole = '<primitive id="a"><operations><op id="o" name="start"/></operations></primitive>'
    [change] = changes("", whole)
    assert change.content == (
        "<operations>",
        '  <op id="o" name="start"/>',
        "</operations>",
    )


def test_references_of_equal_id_are_told_apart_by_number() -> None:
    twice = '<primitive id="a"><meta_attributes id-ref="m"/>{}</primitive>'
    more = '<meta_attributes id-ref="m"/>'
    [change] = changes(twice.format(""), twice.format(more))
    assert change.kind is Kind.ADDED


@given(strategies.pairs())
def test_empty_if_and_only_if_the_canonical_forms_are_equal(
    pair: tuple[bytes, bytes],
) -> None:
    old, new = (parse(data, "x") for data in pair)
    equal = compact(canonical(old)) == compact(canonical(new))
    assert (compare(old, new) == []) == equal
    assert compare(old, old) == []
    assert compare(new, new) == []


@settings(max_examples=1)
@given(strategies.pairs())
def test_the_order_of_the_list_is_settled(pair: tuple[bytes, bytes]) -> None:
    old, new = (parse(data, "x") for data in pair)
    again = (parse(data, "x") for data in pair)
    assert compare(old, new) == compare(*again)


@pytest.mark.parametrize("seed", range(6))
def test_a_shuffle_is_no_difference(seed: int) -> None:
    data = generate.cib(20, seed)
    shuffled = generate.shuffle(data, seed)
    assert compare(parse(data, "x"), parse(shuffled, "y")) == []
