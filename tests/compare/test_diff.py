import json

import pytest
from hypothesis import given, settings

from cibgit.cib.canonical import canonical, compact
from cibgit.cib.document import parse
from cibgit.compare.apply import apply
from cibgit.compare.change import Change, Kind
from cibgit.compare.diff import compare
from cibgit.compare.redact import redacted

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
            + (
                [f"({change.place.parent[-1]}, {change.place.before})"]
                if change.place
                else []
            )
        )
        for change in changes(old, new)
    ]


A, B, C = (f'<primitive id="{name}" type="T"/>' for name in "abc")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", A, ["added primitive a (resources, None)"]),
        (A, "", ["removed primitive a"]),
        (A, A.replace('type="T"', 'type="U"'), ["replaced primitive a type:T>U"]),
        (A, A.replace("/>", ' description="d"/>'), ["changed primitive a description:None>d"]),
        (A + B + C, B + C + A, ["moved primitive a (resources, None)"]),
        (A + B + C, C + A + B, ["moved primitive c (resources, primitive a)"]),
        (A + f'<group id="g">{B}</group>', f'<group id="g">{A}{B}</group>',
         ["moved primitive a (group g, primitive b)"]),
        (A + f'<group id="g">{B}</group>',
         f'<group id="g">{B}{A.replace("T", "U")}</group>',
         ["moved primitive a (group g, None)", "replaced primitive a type:T>U"]),
        (A, f'<group id="g">{A}</group>',
         ["added group g (resources, None)", "moved primitive a (group g, None)"]),
        (f'<group id="g">{A}{B}</group>', A,
         ["removed group g", "moved group g / primitive a (resources, None)"]),
        (A, "<!-- why -->" + A, ["changed primitive a #comment:None> why "]),
        (A, A + "<!-- last -->", ["changed resources #comment at the end:None> last "]),
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
    assert change.xml == whole


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


@settings(max_examples=300)
@given(strategies.pairs())
def test_changes_lead_from_old_to_new(pair: tuple[bytes, bytes]) -> None:
    old, new = (parse(data, "x") for data in pair)
    assert compact(apply(compare(old, new), old)) == compact(canonical(new))


def test_what_is_still_referred_to_was_not_renamed() -> None:
    """The constraint is equal as text on both sides, so nothing looks into it."""
    text = (
        '<cib crm_feature_set="3.16.1" validate-with="none" epoch="7" num_updates="0"'
        ' admin_epoch="0"><configuration><crm_config/><nodes/><resources>'
        '<primitive id="r1" class="ocf" provider="p" type="Dummy"/></resources>'
        '<constraints><rsc_location id="x" rsc="r1" node="n" score="1"/></constraints>'
        "</configuration><status/></cib>"
    )
    new_text = text.replace('primitive id="r1"', 'primitive id="r2"')
    old, new = (parse(each.encode(), "x") for each in (text, new_text))
    found = compare(old, new)
    assert {change.kind for change in found} == {Kind.ADDED, Kind.REMOVED}
    assert compact(apply(found, old)) == compact(canonical(new))


@pytest.mark.parametrize("seed", range(20))
def test_changes_lead_from_old_to_new_and_back(seed: int) -> None:
    data = generate.cib(30, seed, text="nasty", traps=bool(seed % 2))
    old, new = (
        parse(each, "x") for each in (data, generate.mutate(data, seed, count=12))
    )
    assert compact(apply(compare(old, new), old)) == compact(canonical(new))
    assert compact(apply(compare(new, old), new)) == compact(canonical(old))


def test_changes_lead_to_another_cluster() -> None:
    old, new = (parse(generate.cib(30, seed), "x") for seed in (1, 2))
    assert compact(apply(compare(old, new), old)) == compact(canonical(new))


@given(strategies.pairs())
def test_changes_survive_json_and_redaction_is_settled(
    pair: tuple[bytes, bytes],
) -> None:
    for change in compare(*(parse(data, "x") for data in pair)):
        for each in (change, redacted(change)):
            assert Change.from_dict(json.loads(json.dumps(each.to_dict()))) == each
            assert redacted(redacted(each)) == redacted(each)


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
