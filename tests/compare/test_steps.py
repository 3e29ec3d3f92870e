"""Steps hold every difference, and only differences."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cibgit.cib.canonical import canonical, compact
from cibgit.cib.document import Cib, parse
from cibgit.compare.aspects import MembersPart, OperationPart, OtherPart, PairPart
from cibgit.compare.steps import Step, containers, held_objects, keeps_order, steps

from .. import generate
from ..render.recipes import CASES, Case, base, both, drop, edited, move, put, value


def changed(*edits: object) -> list[Step]:
    return steps(base(), edited(both(*edits)))  # type: ignore[arg-type]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 400), st.integers(0, 400))
def test_there_are_steps_where_there_is_a_difference(seed: int, edit: int) -> None:
    data = generate.cib(10, seed, traps=bool(seed % 2))
    old, new = parse(data, "old"), parse(generate.mutate(data, edit), "new")
    differs = compact(canonical(old)) != compact(canonical(new))
    assert bool(steps(old, new)) == differs


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 400))
def test_an_order_without_meaning_is_no_step(seed: int) -> None:
    data = generate.cib(10, seed)
    shuffled = parse(generate.shuffle(data, seed), "shuffled")
    assert steps(parse(data, "old"), shuffled) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_edit_is_steps_both_ways(case: Case) -> None:
    there, back = steps(base(), edited(case.edit)), steps(edited(case.edit), base())
    assert there
    names = [{one.address for one in found if one.name} for found in (there, back)]
    assert names[0] == names[1]


def test_a_pair_an_operation_and_ids_are_told_apart() -> None:
    (step,) = changed(value("vip-ip", "10.0.0.9"))
    assert step.parts == (
        PairPart("instance_attributes", "ip", "10.0.0.1", "10.0.0.9", "vip-attrs"),
    )
    (step,) = changed(value("vip-mon", "35s", "interval"))
    (part,) = step.parts
    assert isinstance(part, OperationPart)
    assert part.old is not None
    assert part.new is not None
    assert (part.old.get("interval"), part.new.get("interval")) == ("10s", "35s")
    (step,) = changed(value("vip-mon", "another", "id"))
    assert step.parts == (OtherPart("ids inside it", only_ids=True),)


def test_a_resource_that_moves_has_both_homes() -> None:
    found = {step.name: step for step in changed(move("web-ip", "db", 1))}
    assert (found["web-ip"].old_parent, found["web-ip"].parent) == ("web", "db")
    assert found["web-ip"].moved
    assert found["db"].parts == (
        MembersPart(("db-fs", "db-app"), ("db-fs", "web-ip", "db-app")),
    )


def test_who_stands_in_whom() -> None:
    found = containers(base())
    assert found["web"] == ["web-fs", "web-ip", "web-app"]
    assert found["ping-clone"] == ["ping"]
    assert found["box"] == []
    assert found[""][:2] == ["fence-a", "fence-b"]


def test_what_another_object_refers_to_is_held() -> None:
    refer = put("solo", '<meta_attributes id-ref="vip-meta"/>')
    assert held_objects(base()) == set()
    assert held_objects(edited(refer)) == {("primitive", "vip")}
    step = next(step for step in changed(refer, drop("vip-prio")) if step.name == "vip")
    assert step.is_held
    assert step.parts == (OtherPart("meta_attributes", is_content=True),)


def test_only_constraints_on_the_same_resources_have_an_order() -> None:
    def with_two(cib: Cib) -> Cib:
        for number in (1, 2):
            put("constraints", f'<rsc_order id="zz{number}" first="vip" then="solo"'
                f' kind="{("Optional", "Mandatory")[number - 1]}"/>')(cib.root)  # fmt: skip
        return cib

    names = ["loc-web", "loc-rule", "col-web-db", "ord-db-web", "zz1", "zz2"]
    assert keeps_order(with_two(base()), [*reversed(names[:4]), "zz1", "zz2"])
    assert not keeps_order(with_two(base()), [*names[:4], "zz2", "zz1"])
