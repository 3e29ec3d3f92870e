"""The canonical form: laws, and Pacemaker's own word that nothing changes its meaning."""

import copy
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from cibgit.cib import owned
from cibgit.cib.canonical import canonical, compact, pretty, target
from cibgit.cib.document import Cib, Element, attributes, parse
from tests import generate, strategies
from tests.prerequisites import SYSTEM_PATH

SCHEMA = Path("/usr/share/pacemaker/pacemaker-3.9.rng")
STYLES: tuple[generate.Style, ...] = get_args(generate.Style)
TEXTS: tuple[generate.Text, ...] = get_args(generate.Text)


def generated(seed: int, resources: int = 15, comments: bool = True) -> bytes:
    """Return one of many CIBs: each style with each kind of text, and all flags."""
    return generate.cib(
        resources,
        seed,
        style=STYLES[seed % 3],
        text=TEXTS[seed % 4],
        owned=seed % 2 == 0,
        status=seed % 5 == 0,
        traps=seed % 7 == 0,
        comments=comments,
    )


def form(data: bytes) -> bytes:
    return pretty(canonical(parse(data, "x")))


# -- laws ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(24))
def test_generated_cibs_have_one_canonical_form(seed: int) -> None:
    data = generated(seed, comments=seed % 2 == 1)
    once = form(data)
    assert form(once) == once
    for number in range(4):
        assert form(generate.shuffle(data, number)) == once


@given(strategies.cibs(status=True), st.integers(0, 1000))
def test_small_cibs_have_one_canonical_form(data: bytes, seed: int) -> None:
    once = form(data)
    assert form(once) == once
    assert form(generate.shuffle(data, seed)) == once


@given(strategies.cibs())
def test_pretty_and_compact_form_hold_the_same_tree(data: bytes) -> None:
    cib = canonical(parse(data, "x"))
    assert compact(parse(pretty(cib), "x")) == compact(cib)
    assert pretty(parse(compact(cib), "x")) == pretty(cib)


@given(strategies.cibs())
def test_the_argument_stays_as_it_is(data: bytes) -> None:
    cib = parse(data, "x")
    before = compact(cib)
    canonical(cib)
    assert compact(cib) == before


def test_one_element_a_line_and_a_final_newline() -> None:
    lines = form(generated(3, 60)).decode().splitlines(keepends=True)
    assert all(line.endswith("\n") for line in lines)
    outside = re.sub(r"(?s)<!--.*?-->", "", "".join(lines))
    assert all(line.count("<") <= 1 for line in outside.splitlines())
    assert all(
        re.match(r"(  )*<", line) for line in outside.splitlines() if line.strip()
    )


@pytest.mark.pacemaker
def test_the_canonical_form_is_valid() -> None:
    rules = etree.RelaxNG(file=str(SCHEMA))
    for seed in range(24):
        fresh = etree.fromstring(
            form(generated(seed)), etree.XMLParser(remove_blank_text=True)
        )
        assert rules.validate(fresh), rules.error_log


# -- nothing is lost, and no order that means something --------------------------


def bag(element: Element) -> object:
    """Return an element without any order."""
    inner = Counter(
        bag(child) if isinstance(child.tag, str) else child.text for child in element
    )
    return element.tag, frozenset(attributes(element)), frozenset(inner.items())


OPTIONS = "configuration/crm_config/cluster_property_set"
OWNED = (
    "status",
    f"{OPTIONS}[@id='cibgit']",
    f"{OPTIONS}[@id='cib-bootstrap-options']/nvpair[@name='dc-version']",
    f"{OPTIONS}[@id='cib-bootstrap-options']/nvpair[@name='cluster-infrastructure']",
    f"{OPTIONS}[@id='cib-bootstrap-options']/nvpair[@name='have-watchdog']",
    f"{OPTIONS}[@id='cib-bootstrap-options']/nvpair[@name='last-lrm-refresh']",
)


@pytest.mark.parametrize("seed", range(24))
def test_only_what_is_the_clusters_own_is_left_out(seed: int) -> None:
    data = generated(seed, 30)
    rest = parse(data, "x").root
    for path in OWNED:
        for element in rest.findall(path):
            parent = element.getparent()
            assert parent is not None
            parent.remove(element)
    schema = rest.get("validate-with", "")
    rest.attrib.clear()
    rest.set("validate-with", schema)
    for name in ("admin_epoch", "epoch", "num_updates"):
        rest.set(name, "0")
    assert bag(parse(form(data), "x").root) == bag(rest)


ORDERED = (
    "configuration/resources/*",
    "configuration/crm_config/cluster_property_set[@id!='cibgit']",
    ".//group/primitive",
    ".//resource_set",
    ".//resource_ref",
    ".//tag",
    ".//obj_ref",
    ".//port-mapping",
    ".//storage-mapping",
    ".//rule",
    ".//rule/*",
    ".//instance_attributes",
    ".//meta_attributes",
    ".//acls/*",
    ".//acl_permission",
    ".//alert",
    ".//recipient",
)


def sequences(root: Element) -> dict[object, list[object]]:
    """Return, for each parent, those of its children whose order may mean something."""
    found: dict[object, list[object]] = {}
    for path in ORDERED:
        for element in root.xpath(path):  # type: ignore[union-attr]
            assert isinstance(element, etree._Element)
            parent = element.getparent()
            assert parent is not None
            place = (path, parent.tag, parent.get("id"), parent.get("uname"))
            found.setdefault(place, []).append(tuple(sorted(attributes(element))))
    return found


@pytest.mark.parametrize("seed", range(24))
def test_what_has_an_order_keeps_it(seed: int) -> None:
    data = generated(seed, 60)
    root = parse(data, "x").root
    for status in root.findall("status"):
        root.remove(status)
    assert sequences(canonical(parse(data, "x")).root) == sequences(root)


# -- the target of a push ----------------------------------------------------------


@pytest.mark.parametrize("seed", range(0, 24, 2))
def test_a_target_is_the_desired_configuration_on_the_live_root(seed: int) -> None:
    live = parse(generate.shuffle(generated(seed, comments=False), 1), "live")
    desired = canonical(parse(generate.mutate(compact(live), seed, count=5), "git"))
    commit = f"{seed:040x}"
    result = target(desired, live, commit)
    assert pretty(canonical(result)) == pretty(desired)
    assert attributes(result.root) == attributes(live.root)
    assert compact(Cib(result.root[-1], "")) == compact(Cib(live.root[-1], ""))
    assert owned.marker_commit(result) == commit
    for name in owned.OWNED_OPTIONS:
        assert result.option(name) == live.option(name)
    again = target(desired, result, commit)
    assert compact(again) == compact(result)


BARE = """<cib admin_epoch="0" epoch="0" num_updates="0" validate-with="pacemaker-3.9">
  <configuration><crm_config>{}</crm_config><nodes/><resources/><constraints/>
  </configuration></cib>"""
BOOTSTRAP = """<cluster_property_set id="cib-bootstrap-options">
  <nvpair id="v" name="dc-version" value="2.1.5"/></cluster_property_set>"""


def test_options_of_the_cluster_alone_make_no_drift() -> None:
    desired = canonical(parse(BARE.format("").encode(), "git"))
    live = parse(BARE.format(BOOTSTRAP).encode(), "live")
    assert form(compact(target(desired, live, None))) == pretty(desired)


def test_a_comment_on_an_option_of_the_cluster_has_one_place() -> None:
    pairs = [
        '<!--why--><nvpair id="a" name="dc-version" value="1"/>',
        '<nvpair id="b" name="batch-limit" value="2"/>',
        '<nvpair id="c" name="cluster-name" value="3"/>',
    ]
    block = '<cluster_property_set id="cib-bootstrap-options">{}</cluster_property_set>'
    forms = {
        form(BARE.format(block.format("".join(order))).encode())
        for order in (pairs, pairs[::-1])
    }
    assert len(forms) == 1


# -- Pacemaker's word --------------------------------------------------------------


def run(folder: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={"PATH": SYSTEM_PATH, "LC_ALL": "C", "CIB_shadow_dir": str(folder)} | env,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def decisions(data: bytes, folder: Path, *options: str) -> list[str]:
    """Return what the cluster would do, without white space."""
    path = folder / "cib.xml"
    path.write_bytes(data)
    command = ("crm_simulate", "-x", str(path), "-t", "2026-11-23 12:00:00Z", *options)
    done = run(folder, *command)
    assert done.returncode == 0, done.stderr
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


@pytest.mark.pacemaker
@pytest.mark.parametrize("batch", range(4))
def test_the_cluster_decides_as_before(batch: int, tmp_path: Path) -> None:
    for seed in range(batch * 12, batch * 12 + 12):
        data = generate.cib(
            (6, 10, 16)[seed % 3], seed, style=STYLES[seed % 3], text="world",
            owned=seed % 2 == 0, status=True,
        )  # fmt: skip
        live = parse(data, "live")
        arranged = compact(target(canonical(live), live, None))
        assert arranged != compact(live)
        before = decisions(data, tmp_path, "--run")
        assert decisions(arranged, tmp_path, "--run") == before
        assert len(before) > 8


@pytest.mark.pacemaker
@pytest.mark.parametrize("seed", range(6))
def test_pacemaker_takes_the_canonical_file_as_it_is(seed: int, tmp_path: Path) -> None:
    data = generate.cib(12, seed, style=STYLES[seed % 3], text="world", owned=True)
    path = tmp_path / "clusters.xml"
    path.write_bytes(form(data))
    verified = run(tmp_path, "crm_verify", "-x", str(path), "-V")
    assert "error:" not in verified.stderr, verified.stderr
    assert run(tmp_path, "crm_simulate", "-x", str(path)).returncode == 0
    asked = run(tmp_path, "cibadmin", "--query", CIB_file=str(path))
    assert asked.returncode == 0, asked.stderr
    assert form(asked.stdout.encode()) == form(data)
    assert path.read_bytes() == form(data)
    assert [entry.name for entry in tmp_path.iterdir()] == ["clusters.xml"]


SMALL = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1"
  num_updates="0" admin_epoch="0" have-quorum="1"><configuration><crm_config>
  <cluster_property_set id="cib-bootstrap-options"><nvpair id="o" name="stonith-enabled"
  value="false"/></cluster_property_set></crm_config><nodes><node id="1" uname="n1"/>
  <node id="2" uname="n2"/></nodes><resources>{}</resources><constraints>{}
  </configuration><status/></cib>"""
DUMMY = (
    '<primitive id="{}" class="ocf" provider="pacemaker" type="Dummy">{}</primitive>'
)
STOPPED = '<meta_attributes id="m"><nvpair id="t" name="target-role" value="Stopped"/></meta_attributes>'  # noqa: E501
A, B = DUMMY.format("a", ""), DUMMY.format("b", "")


def same_meaning(
    resources: str, constraints: str, folder: Path, tags: str = ""
) -> bool:
    """Say whether two nodes that come up get the same work before and after."""
    text = SMALL.format(resources, constraints + "</constraints>" + tags)
    live = parse(text.encode(), "live")
    graphs = []
    for cib in (live, target(canonical(live), live, None)):
        graph = folder / "graph.xml"
        decided = decisions(compact(cib), folder, "-S", "-u", "n1", "-u", "n2",
                            "-G", str(graph))  # fmt: skip
        timeouts = re.findall(r'CRM_meta_timeout="\d+"', graph.read_text())
        graphs.append((sorted(decided), sorted(timeouts)))
    return graphs[0] == graphs[1]


TEMPLATE = '<template id="tt" class="ocf" provider="pacemaker" type="Dummy"/>'
DOWN = DUMMY.format("a", STOPPED)
FROM_TEMPLATE = f'{TEMPLATE}<primitive id="a" template="tt">{STOPPED}</primitive>'
TAG = '<tags><tag id="tag"><obj_ref id="a"/></tag></tags>'
SETS = """<resource_set id="s1"><resource_ref id="a"/></resource_set>
    <resource_set id="s2"><resource_ref id="b"/></resource_set>"""
REFERRED = f"""<rsc_order id="y" kind="Optional"><resource_set id-ref="s1"/>
    <resource_set id-ref="s2"/></rsc_order>
    <rsc_location id="z" node="n1" score="0">{SETS}</rsc_location>"""
OPTIONAL = '<rsc_order id="y" first="{}" then="b" kind="Optional"/>'
MANDATORY = '<rsc_order id="x" first="a" then="b" kind="Mandatory"/>'


@pytest.mark.pacemaker
@pytest.mark.parametrize(
    ("resources", "optional"),
    [
        pytest.param(DOWN, OPTIONAL.format("a"), id="plain"),
        pytest.param(DOWN, f'<rsc_order id="y" kind="Optional">{SETS}</rsc_order>',
                     id="sets"),
        pytest.param(DOWN, REFERRED, id="sets by reference"),
        pytest.param(DOWN, OPTIONAL.format("tag"), id="tag"),
        pytest.param(FROM_TEMPLATE, OPTIONAL.format("tt"), id="template"),
    ],
)  # fmt: skip
def test_two_orders_of_the_same_resources_keep_their_order(
    resources: str, optional: str, tmp_path: Path
) -> None:
    assert same_meaning(resources + B, optional + MANDATORY, tmp_path, TAG)


@pytest.mark.pacemaker
def test_the_order_of_two_orders_means_something(tmp_path: Path) -> None:
    both = (OPTIONAL.format("a"), MANDATORY)
    decided = {
        tuple(sorted(decisions(text.encode(), tmp_path, "-S", "-u", "n1", "-u", "n2")))
        for orders in (both, both[::-1])
        for text in [SMALL.format(DOWN + B, "".join(orders) + "</constraints>")]
    }
    assert len(decided) == 2


@pytest.mark.pacemaker
def test_two_colocations_of_the_same_resources_keep_their_order(tmp_path: Path) -> None:
    colocations = (
        '<rsc_colocation id="y" rsc="b" with-rsc="a" score="INFINITY"/>'
        '<rsc_colocation id="x" rsc="b" with-rsc="a" score="-30"/>'
        '<rsc_location id="l1" rsc="b" node="n2" score="100"/>'
        '<rsc_location id="l2" rsc="a" node="n1" score="100"/>'
    )
    assert same_meaning(B + A, colocations, tmp_path)


@pytest.mark.pacemaker
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('interval="10s" role="Unpromoted"', 'interval="10s" role="Promoted"'),
        ('interval="10s"', 'interval="PT10S"'),
        ('interval="10s"', 'interval="10S"'),
        ('interval="10s"', 'interval="10.9s"'),
        ('interval="10s"', 'interval="10 seconds"'),
        ('interval="500us"', 'interval="0"'),
    ],
)
def test_operations_of_equal_interval_keep_their_order(
    first: str, second: str, tmp_path: Path
) -> None:
    operations = (
        f'<operations><op id="1" name="monitor" {first} timeout="21s"/>'
        f'<op id="2" name="monitor" {second} timeout="22s"/></operations>'
    )
    resource = DUMMY.format("a", operations.replace('id="', 'id="op-'))
    assert same_meaning(resource, "", tmp_path)


def test_copying_is_not_needed_for_comparison() -> None:
    cib = parse(generated(1), "x")
    assert pretty(canonical(Cib(copy.deepcopy(cib.root), "y"))) == pretty(
        canonical(cib)
    )
