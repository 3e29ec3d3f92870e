import pytest
from lxml import etree

from cibgit.cib.canonical import canonical, compact
from cibgit.cib.document import parse
from cibgit.compare.apply import apply
from cibgit.compare.change import Change, Kind
from cibgit.compare.diff import compare
from cibgit.compare.similar import CAP, alike, without_ids

VIP = """<primitive id="{n}" class="ocf" provider="heartbeat" type="IPaddr2">
<instance_attributes id="{n}-p"><nvpair id="{n}-ip" name="ip" value="{ip}"/>
<nvpair id="{n}-nic" name="nic" value="eth0"/>
<nvpair id="{n}-mask" name="cidr_netmask" value="24"/></instance_attributes>
<operations><op id="{n}-m" name="monitor" interval="10s"/></operations></primitive>"""
CIB = "<cib><configuration><resources>{}</resources>{}</configuration></cib>"


def vip(name: str, ip: str = "192.0.2.1") -> str:
    return VIP.format(n=name, ip=ip)


def changes(old: str, new: str) -> list[Change]:
    one, other = (parse(each.encode(), "x") for each in (old, new))
    found = compare(one, other)
    assert compact(apply(found, one)) == compact(canonical(other))
    return found


def renamed(found: list[Change]) -> dict[str, str]:
    return dict(pair for change in found for pair in change.renames)


def test_a_rename_is_one_change_and_its_references_follow() -> None:
    refers = (
        '<constraints><rsc_order id="o" first="{0}" then="web"/>'
        '<rsc_colocation id="c" rsc="web" with-rsc="{0}"/></constraints>'
        '<tags><tag id="t"><obj_ref id="{0}"/></tag></tags>'
    )
    web = '<primitive id="web" class="systemd" type="nginx"/>'
    old, new = (CIB.format(vip(n) + web, refers.format(n)) for n in ("vip", "shop"))
    [change] = changes(old, new)
    assert change.kind is Kind.RENAMED
    assert change.sentence == "id renamed from vip to shop"
    assert change.renames[0] == ("vip", "shop")
    assert renamed([change])["vip-ip"] == "shop-ip"


def test_what_else_changed_is_told_apart() -> None:
    found = changes(CIB.format(vip("a"), ""), CIB.format(vip("b", "192.0.2.2"), ""))
    assert [c.kind for c in found] == [Kind.RENAMED, Kind.CHANGED]
    assert found[1].sentence == "params.ip: 192.0.2.1 -> 192.0.2.2"


def test_another_agent_is_no_rename() -> None:
    other = vip("b").replace("IPaddr2", "IPaddr3")
    found = changes(CIB.format(vip("a"), ""), CIB.format(other, ""))
    assert sorted(c.kind.value for c in found) == ["added", "removed"]


def test_an_id_that_both_sides_know_is_not_renamed() -> None:
    """A copy is an addition: the original stays."""
    found = changes(CIB.format(vip("a"), ""), CIB.format(vip("a") + vip("b"), ""))
    assert [c.kind for c in found] == [Kind.ADDED]


def test_swapped_names_are_no_renames() -> None:
    old = CIB.format(vip("a", "192.0.2.1") + vip("b", "192.0.2.2"), "")
    new = CIB.format(vip("a", "192.0.2.2") + vip("b", "192.0.2.1"), "")
    assert {c.kind for c in changes(old, new)} == {Kind.CHANGED}


def test_of_several_the_right_one_is_found_by_likeness() -> None:
    old = CIB.format(vip("a", "192.0.2.1") + vip("b", "198.51.100.77"), "")
    new = CIB.format(vip("y", "198.51.100.78") + vip("x", "192.0.2.1"), "")
    found = renamed(changes(old, new))
    assert (found["a"], found["b"]) == ("x", "y")


def test_bare_resources_are_not_guessed() -> None:
    bare = '<primitive id="{}" class="ocf" provider="pacemaker" type="Dummy"/>'
    old, new = ("".join(map(bare.format, names)) for names in ("ab", "cd"))
    kinds = [c.kind for c in changes(CIB.format(old, ""), CIB.format(new, ""))]
    assert kinds.count(Kind.RENAMED) == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"vip-ip"', '"x"', "params.ip: id renamed from vip-ip to x"),
        ('"vip-m"', '"x"', "op monitor 10s: id renamed from vip-m to x"),
        ('"vip-p"', '"x"', "params: id renamed from vip-p to x"),
    ],
)
def test_ids_inside_a_resource(old: str, new: str, said: str) -> None:
    text = CIB.format(vip("vip"), "")
    [change] = changes(text, text.replace(old, new))
    assert change.sentence == said


def test_likeness_has_a_limit_in_size() -> None:
    many = [etree.fromstring(vip("a")) for _ in range(int(CAP**0.5 / 5))]
    assert alike(many, many) == []
    assert len(alike(many[:3], many[:3])) == 3


def test_ids_and_mentions_of_them_are_masked() -> None:
    text = '<a id="1"><b id="2" rsc="1" x="3"/></a>'
    masked = without_ids(etree.fromstring(text))
    assert etree.tostring(masked) == b'<a><b rsc="" x="3"/></a>'
