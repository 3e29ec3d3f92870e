"""The generator itself: valid, deterministic, whole references, an honest shuffle."""

import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from lxml import etree

from tests import generate
from tests.generate import KINDS, Element, Kind, Style, Text, cib, mutate, shuffle
from tests.prerequisites import SYSTEM_PATH

SCHEMA = Path("/usr/share/pacemaker/pacemaker-3.9.rng")
STYLES: tuple[Style, ...] = get_args(Style)
TEXTS: tuple[Text, ...] = get_args(Text)
SIZES = (0, 1, 2, 3, 5, 9, 14, 40)


@pytest.fixture(scope="module")
def rules() -> etree.RelaxNG:
    return etree.RelaxNG(file=os.fspath(SCHEMA))


def violations(rules: etree.RelaxNG, data: bytes) -> str:
    # a fresh parse each time: the table of ids lives in the document
    fresh = etree.fromstring(data, etree.XMLParser(remove_blank_text=True))
    return "" if rules.validate(fresh) else str(rules.error_log)


def run(
    path: Path, *command: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run one of Pacemaker's tools away from any cluster; files go next to ``path``."""
    return subprocess.run(
        command,
        env={"PATH": SYSTEM_PATH, "LC_ALL": "C", "CIB_shadow_dir": str(path.parent)}
        | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_same_arguments_give_the_same_bytes() -> None:
    assert cib(30, 7, status=True) == cib(30, 7, status=True)
    assert cib(30, 7) != cib(30, 8)
    data = cib(30, 7)
    assert mutate(data, 1, count=9) == mutate(data, 1, count=9)
    assert shuffle(data, 1) == shuffle(data, 1)


@pytest.mark.pacemaker
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("text", TEXTS)
def test_everything_generated_is_valid(
    rules: etree.RelaxNG, style: Style, text: Text
) -> None:
    for seed, size in enumerate(SIZES):
        for flags in ({}, {"owned": True, "status": True}, {"traps": True}):
            data = cib(size, seed, style=style, text=text, **flags)
            assert not violations(rules, data)
            assert not violations(rules, shuffle(data, seed))
            assert not violations(rules, mutate(data, seed, count=20))


@pytest.mark.pacemaker
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_mutation_keeps_a_cib_valid(
    rules: etree.RelaxNG, kind: Kind
) -> None:
    for seed in range(12):
        data = cib(25, seed, style=STYLES[seed % 3])
        changed = mutate(data, seed, [kind], count=4)
        assert not violations(rules, changed)
        if kind not in ("move", "edit-comment", "delete-comment"):
            assert changed != data


def test_what_a_realistic_cib_holds() -> None:
    wanted = """
        acl_group acl_permission acl_role acl_target alert attribute bundle clone
        cluster_property_set date_expression date_spec docker expression fencing-level
        group instance_attributes meta_attributes network node nvpair obj_ref op
        op_expression operations podman port-mapping primitive recipient resource_ref
        resource_set rsc_colocation rsc_expression rsc_location rsc_order rsc_ticket
        rule select storage-mapping tag template utilization lrm_rsc_op
    """
    found: set[str] = set()
    for seed in range(6):
        data = cib(400, seed, text="world", nodes=4, owned=True, status=True)
        root = generate.parse(data)
        found |= {str(element.tag) for element in root.iter(etree.Element)}
        assert root.findall(".//*[@id-ref]")
        assert root.findall(".//primitive[@template]")
        assert root.xpath("count(//comment())") > 3  # type: ignore[operator]
        assert root.find(".//nvpair[@name='dc-version']") is not None
    assert set(wanted.split()) <= found


def bag(element: Element) -> object:
    """Return an element without any order."""
    inner = Counter(
        bag(child) if isinstance(child.tag, str) else child.text for child in element
    )
    return (element.tag, frozenset(element.items()), frozenset(inner.items()))


def ids(root: Element, *tags: str) -> list[str | None]:
    return [element.get("id") for element in root.iter(*tags)]


@pytest.mark.parametrize("style", STYLES)
def test_shuffling_loses_nothing_and_keeps_what_has_an_order(style: Style) -> None:
    data = cib(100, 5, style=style, text="nasty", traps=True, status=True)
    old = generate.parse(data)
    new = generate.parse(shuffle(data, 1))
    assert ids(old, "nvpair") != ids(new, "nvpair")
    assert bag(old) == bag(new)
    assert ids(old, "primitive", "template") == ids(new, "primitive", "template")
    assert ids(old, "resource_ref") != []
    for constraint in old.iter("rsc_order", "rsc_colocation"):
        same = new.find(f".//{constraint.tag}[@id='{constraint.get('id')}']")
        assert same is not None
        assert ids(same, "resource_ref") == ids(constraint, "resource_ref")
    assert ids(old, "obj_ref") == ids(new, "obj_ref")


def test_equal_intervals_keep_operations_in_order() -> None:
    data = b"""<cib><configuration><resources><primitive id="a"><operations>
        <op id="1" name="monitor" interval="10s"/><op id="2" name="start" interval="0"/>
        <op id="3" name="monitor" interval="PT10S" role="Promoted"/>
        </operations></primitive></resources></configuration></cib>"""
    for seed in range(10):
        assert ids(generate.parse(shuffle(data, seed)), "op") == ["1", "2", "3"]


@pytest.mark.parametrize("tag", ["rsc_order", "rsc_colocation"])
@pytest.mark.parametrize(
    "third",
    [
        '<T id="3" then="a" first="b"/>',
        '<T id="3" first="t" then="b"/>',
        '<T id="3" first="tag" then="b"/>',
        '<T id="3"><resource_set id-ref="s"/><resource_set id-ref="s2"/></T>',
        '<T id="3"><resource_set id="s3"><resource_ref id="b"/><resource_ref id="t"/>'
        "</resource_set></T>",
    ],
)
def test_constraints_of_the_same_resources_keep_their_order(
    tag: str, third: str
) -> None:
    data = f"""<cib><configuration><resources><template id="t"/>
        <primitive id="a" template="t"/><primitive id="b"/><primitive id="c"/></resources>
        <constraints><T id="1" first="a" then="b"/><T id="2" first="b" then="c"/>{third}
        <rsc_location id="4"><resource_set id="s"><resource_ref id="a"/></resource_set>
        <resource_set id="s2"><resource_ref id="b"/></resource_set></rsc_location>
        </constraints><tags><tag id="tag"><obj_ref id="a"/></tag></tags>
        </configuration></cib>""".replace("<T", f"<{tag}").replace("</T", f"</{tag}")
    orders = set()
    for seed in range(20):
        root = generate.parse(shuffle(data.encode(), seed))
        orders.add("".join(element.get("id", "") for element in root.iter(tag)))
    assert orders == {"123", "132", "213"}


def test_a_comment_stays_with_the_element_after_it() -> None:
    data = b"""<cib><configuration><nodes><!--one--><node id="1" uname="a"/>
        <!--two--><!--too--><node id="2" uname="b"/><!--end--></nodes>
        </configuration></cib>"""
    orders = set()
    for seed in range(10):
        nodes = generate.parse(shuffle(data, seed))[0][0]
        orders.add("".join(child.text or child.get("uname") or "" for child in nodes))
    assert orders == {"oneatwotoobend", "twotooboneaend"}


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("10", 10_000), ("10s", 10_000), ("10S", 10_000), (" 10 sec", 10_000),
        ("10.9s", 10_000), ("PT10S", 10_000), ("10000ms", 10_000), ("500us", 0),
        ("1m", 60_000), ("1MIN", 60_000), ("2h", 7_200_000), ("P1D", 86_400_000),
        ("never", 0), ("", 0), ("10 lightyears", 0),
    ],
)  # fmt: skip
def test_intervals_are_read_as_pacemaker_reads_them(
    text: str, milliseconds: int
) -> None:
    assert generate.interval_ms(text) == milliseconds


def test_deleting_a_resource_takes_its_dependants_along() -> None:
    data = b"""<cib><configuration><crm_config/><nodes/><resources>
        <primitive id="a" class="stonith" type="x"><meta_attributes id="a-m"/></primitive>
        </resources><constraints><rsc_location id="l" rsc="a" node="n" score="1"/>
        <rsc_order id="o"><resource_set id="s"><resource_ref id="a"/></resource_set>
        </rsc_order></constraints><fencing-topology><fencing-level id="f" target="n"
        index="1" devices="a"/></fencing-topology><tags><tag id="t"><obj_ref id="a"/>
        </tag></tags></configuration></cib>"""
    root = generate.parse(mutate(data, 1, ["delete-resource"]))
    assert not ids(
        root, "primitive", "rsc_location", "rsc_order", "fencing-level", "tag"
    )


@pytest.mark.pacemaker
@pytest.mark.parametrize("style", STYLES)
def test_pacemaker_accepts_what_is_generated(style: Style, tmp_path: Path) -> None:
    path = tmp_path / "cib.xml"
    for seed, size in enumerate((0, 3, 12, 40)):
        data = cib(size, seed, style=style, text="world", status=True, owned=True)
        path.write_bytes(data)
        verified = run(path, "crm_verify", "-x", str(path), "-V", "-V")
        assert "error:" not in verified.stderr
        asked = run(path, "cibadmin", "--query", CIB_file=str(path))
        assert asked.returncode == 0, asked.stderr
        assert path.read_bytes() == data


@pytest.mark.pacemaker
def test_shuffling_changes_no_decision(tmp_path: Path) -> None:
    path = tmp_path / "cib.xml"
    for seed in range(20):
        data = cib(12, seed, style=STYLES[seed % 3], status=True, traps=seed % 4 == 0)
        decisions = set()
        for text in (data, shuffle(data, seed)):
            path.write_bytes(text)
            done = run(
                path, "crm_simulate", "--run", "-x", str(path), "-t", "2026-11-23"
            )
            assert done.returncode == 0, done.stderr
            decisions.add(" ".join(done.stdout.split()))
        assert len(decisions) == 1, seed
