"""The laws of merging, on arbitrary edits by two people."""

import re
from collections import Counter

import pytest
from hypothesis import example, given
from lxml import etree

from cibgit.cib.canonical import canonical, compact, pretty
from cibgit.cib.document import Cib, parse
from cibgit.cib.identity import check_ids
from cibgit.cib.references import references
from cibgit.compare.conflict import Reason
from cibgit.compare.markers import Labels, marked
from cibgit.compare.merge import Merged, merge
from cibgit.compare.records import Document, document
from cibgit.errors import BadDataError

from .. import crowded, generate, strategies

BLOCK = re.compile(r"<{7} ours\n(.*?)={7}\n(.*?)>{7} theirs\n", re.DOTALL)


def same(one: Cib, other: Cib) -> bool:
    return compact(canonical(one)) == compact(canonical(other))


def read(*texts: bytes) -> list[Cib]:
    return [parse(text, name) for text, name in zip(texts, "bot", strict=False)]


def facts(cib: Cib) -> Document:
    return document(canonical(cib).root)


def taken(text: bytes, side: int) -> Cib:
    """Resolve every conflict of a marked file in favour of one side."""
    plain = BLOCK.sub(lambda found: found[side], text.decode())
    return parse(plain.encode(), f"resolved {side}")


def _with(resources: str) -> bytes:
    return (
        '<cib crm_feature_set="3.16.1" validate-with="none" epoch="7" num_updates="0"'
        ' admin_epoch="0"><configuration><crm_config/><nodes/>'
        f"<resources>{resources}</resources><constraints/></configuration><status/></cib>"
    ).encode()


def _pairs(first: str, last: str) -> bytes:
    """Two parameter sets, one pair of each with the given id."""
    sets = (
        f'<instance_attributes id="i1"><nvpair id="{first}" name="a" value="1"/>'
        "</instance_attributes>",
        '<instance_attributes id="i2"><nvpair id="c1" name="c" value="1"/>'
        f'<nvpair id="b1" name="b" value="1"/><nvpair id="{last}" name="c" value="2"/>'
        "</instance_attributes>",
    )
    return _with(
        "".join(
            f'<primitive id="r{number}" class="c" type="t">{each}</primitive>'
            for number, each in enumerate(sets)
        )
    )


@given(strategies.pairs())
def test_a_side_that_did_nothing_changes_nothing(pair: tuple[bytes, bytes]) -> None:
    base, changed = read(*pair)
    for ours, theirs in ((base, changed), (changed, base), (changed, changed)):
        result = merge(base, ours, theirs)
        assert result.is_clean
        assert same(result.cib, changed)
        assert marked(result) == pretty(canonical(changed))


@given(strategies.triples())
@example((_pairs("a1", "c2"), _pairs("new", "c2"), _pairs("a1", "new")))
def test_exchanging_the_sides_exchanges_the_labels(
    three: tuple[bytes, bytes, bytes],
) -> None:
    base, ours, theirs = read(*three)
    one, other = merge(base, ours, theirs), merge(base, theirs, ours)
    assert Counter(c.reason for c in one.conflicts) == Counter(
        c.reason for c in other.conflicts
    )
    if one.is_clean:
        assert same(one.cib, other.cib)
    assert same(taken(marked(one), 1), taken(marked(other), 2))
    assert same(taken(marked(one), 2), taken(marked(other), 1))


@given(strategies.triples())
@example(
    (
        _with('<primitive id="r" class="c" type="t"><operations id="i"/></primitive>'),
        _with(""),
        _with('<primitive id="r" class="c" type="t"/>'),
    )
)
def test_whatever_a_side_did_is_there_or_in_conflict(
    three: tuple[bytes, bytes, bytes],
) -> None:
    base, ours, theirs = read(*three)
    result = merge(base, ours, theirs)
    if not result.is_clean:
        return
    old, found = facts(base), facts(result.cib)
    for side in (facts(ours), facts(theirs)):
        assert not (old.keys() - side.keys()) & found.keys()
        for ident, record in side.items():
            before = old.get(ident)
            if before is None or before.parent != record.parent:
                assert found[ident].parent == record.parent
            if ident not in found:  # then this side only took away from it, if anything
                assert before is not None
                assert before.values == record.values
                assert set(record.children) <= set(before.children)
                continue
            was = before.values if before else {}
            for name in {*was, *record.values}:
                if was.get(name) != record.values.get(name):
                    assert found[ident].values.get(name) == record.values.get(name)


@given(strategies.triples())
def test_what_comes_out_is_whole(three: tuple[bytes, bytes, bytes]) -> None:
    versions = read(*three)
    result = merge(*versions)
    assert compact(canonical(result.cib)) == compact(result.cib)
    reasons = {conflict.reason for conflict in result.conflicts}
    if Reason.DUPLICATE not in reasons:
        check_ids(result.cib)
    if result.is_clean:
        assert dangling(result.cib) <= dangling(versions[1]) | dangling(versions[2])
    for side in (1, 2):
        check_ids(taken(marked(result), side))


@pytest.mark.parametrize("hundred", range(8))
def test_the_laws_hold_where_two_people_are_in_each_others_way(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        three = crowded.three(seed)
        for law in LAWS:
            law.hypothesis.inner_test(three)  # type: ignore[attr-defined]


LAWS = (
    test_exchanging_the_sides_exchanges_the_labels,
    test_whatever_a_side_did_is_there_or_in_conflict,
    test_what_comes_out_is_whole,
)


def dangling(cib: Cib) -> set[tuple[str, str]]:
    known = {e.get("id") for e in cib.root.iter(etree.Element)}
    found = references(canonical(cib).root)
    return {(r.attribute, r.target) for r in found if r.target not in known}


@pytest.mark.parametrize("seed", range(8))
def test_two_people_at_work_on_a_realistic_cluster(seed: int) -> None:
    base = generate.cib(40, seed=seed)
    ours = generate.mutate(base, seed=seed, count=3)
    theirs = generate.mutate(base, seed=seed + 100, count=3)
    one: Merged = merge(*read(base, ours, theirs))
    other = merge(*read(base, theirs, ours))
    assert len(one.conflicts) == len(other.conflicts)
    assert one.conflicts or same(one.cib, other.cib)


def test_a_version_with_two_elements_of_one_id_is_refused() -> None:
    good = generate.cib(3, seed=1)
    tree = etree.fromstring(good)
    nodes = tree.find("configuration/nodes")
    assert nodes is not None
    nodes.append(etree.fromstring(etree.tostring(nodes[0])))
    bad = etree.tostring(tree)
    with pytest.raises(BadDataError, match="duplicate id"):
        merge(*read(good, bad, good))


def test_markers_are_as_long_as_asked_and_labelled() -> None:
    base, ours, theirs = (
        b'<cib><configuration><nodes><node id="1" uname="a" type="%s"/></nodes>'
        b"</configuration></cib>" % each
        for each in (b"member", b"remote", b"ping")
    )
    text = marked(merge(*read(base, ours, theirs)), Labels("HEAD", "topic"), 9).decode()
    assert "\n<<<<<<<<< HEAD\n" in text
    assert '\n=========\n      <node id="1" type="ping" uname="a"/>\n' in text
    assert "\n>>>>>>>>> topic\n" in text
