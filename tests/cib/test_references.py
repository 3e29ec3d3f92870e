import pytest
from lxml import etree

from cibgit.cib.canonical import canonical
from cibgit.cib.document import parse
from cibgit.cib.references import references, rename

from .. import generate

ALL = """<configuration>
<resources><template id="t"/><primitive id="a" template="t"><meta_attributes id="m">
<nvpair id="n" name="container" value="b"/><nvpair id="n2" name="b" value="b"/>
</meta_attributes></primitive><primitive id="b"><meta_attributes id-ref="m"/></primitive>
</resources><constraints>
<rsc_location id="l" rsc="a" node="b"><rule id-ref="r"/></rsc_location>
<rsc_colocation id="c" rsc="a" with-rsc="b"/><rsc_order id="o" first="a" then="b"/>
<rsc_ticket id="k" rsc="a" ticket="b"/>
<rsc_order id="s"><resource_set id="s1"><resource_ref id="a"/></resource_set></rsc_order>
</constraints>
<fencing-topology><fencing-level id="f" target="b" devices="a,b"/></fencing-topology>
<acls><acl_role id="w"><acl_permission id="p" reference="a"/></acl_role>
<acl_target id="b"><role id="w"/></acl_target></acls>
<tags><tag id="g"><obj_ref id="a"/><obj_ref id="b"/></tag></tags>
</configuration>"""


def test_every_attribute_that_refers() -> None:
    root = etree.fromstring(ALL)
    found = [
        (f"{each.element.tag}/@{each.attribute}", each.target)
        for each in references(root)
    ]
    assert found == [
        ("primitive/@template", "t"),
        ("nvpair/@value", "b"),
        ("meta_attributes/@id-ref", "m"),
        ("rsc_location/@rsc", "a"),
        ("rule/@id-ref", "r"),
        ("rsc_colocation/@rsc", "a"),
        ("rsc_colocation/@with-rsc", "b"),
        ("rsc_order/@first", "a"),
        ("rsc_order/@then", "b"),
        ("rsc_ticket/@rsc", "a"),
        ("resource_ref/@id", "a"),
        ("fencing-level/@devices", "a"),
        ("fencing-level/@devices", "b"),
        ("acl_permission/@reference", "a"),
        ("role/@id", "w"),
        ("obj_ref/@id", "a"),
        ("obj_ref/@id", "b"),
    ]


def test_a_rename_takes_its_references_along_and_nothing_else() -> None:
    root = etree.fromstring(ALL)
    rename(root, {"b": "z"})
    text = etree.tostring(root).decode()
    assert [each.target for each in references(root)].count("z") == 5
    # names of nodes, tickets, users and values are no references
    for kept in ('node="b"', 'ticket="b"', 'target="b"', '<acl_target id="b">',
                 'name="b" value="b"'):  # fmt: skip
        assert kept in text


@pytest.mark.parametrize("seed", range(5))
def test_a_rename_and_back_is_nothing(seed: int) -> None:
    cib = canonical(parse(generate.cib(30, seed), "x"))
    before = etree.tostring(cib.root)
    ids = {e.get("id", ""): f"new-{e.get('id')}" for e in cib.root.iter("primitive")}
    rename(cib.root, ids)
    assert etree.tostring(cib.root) != before
    rename(cib.root, {new: old for old, new in ids.items()})
    assert etree.tostring(cib.root) == before
