"""What is read as a CIB, what is refused and how that is said."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from cibgit.cib import document
from cibgit.cib.document import (
    MAX_DEPTH,
    Cib,
    LastChange,
    Version,
    attributes,
    parse,
    parse_authored,
    parse_tree,
)
from cibgit.errors import BadDataError, CibgitError
from cibgit.exitcodes import ExitCode
from tests import strategies

SMALL = b"""<cib validate-with="pacemaker-3.9" epoch="7" admin_epoch="1">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="o1" name="cluster-name" value="prod"/>
        <nvpair id="o2" name="cluster-name" value="later"/>
        <nvpair id="o3" name="no-value"/>
      </cluster_property_set>
      <cluster_property_set id="other">
        <nvpair id="o4" name="elsewhere" value="yes"/>
      </cluster_property_set>
    </crm_config>
    <nodes>
      <node id="2" uname="beta"/>
      <node id="1" uname="alpha"/>
    </nodes>
  </configuration>
  <status/>
</cib>
"""


def written(data: bytes) -> bytes:
    return etree.tostring(parse(data, "x").root, encoding="utf-8")


def refusal(data: bytes) -> str:
    """Return how ``data`` is refused; it is refused as a whole, with exit code 65."""
    with pytest.raises(BadDataError) as caught:
        parse(data, "cib.xml")
    assert caught.value.code == ExitCode.BAD_DATA
    assert caught.value.message.startswith("cib.xml:")
    return caught.value.message


def authored_refusal(data: bytes) -> str:
    parse(data, "cib.xml")
    with pytest.raises(BadDataError) as caught:
        parse_authored(data, "cib.xml")
    return caught.value.message


def without_text(root: etree._Element) -> bytes:
    """Return the tree as text, as a slow and plain reference implementation."""
    for element in root.iter():
        element.tail = None
        if isinstance(element.tag, str):
            element.text = None
    return etree.tostring(root, encoding="utf-8")


# -- laws ----------------------------------------------------------------------


@given(strategies.cibs())
def test_nothing_but_text_is_lost(data: bytes) -> None:
    assert written(data) == without_text(etree.fromstring(data))


@given(strategies.cibs())
def test_writing_and_reading_again_gives_the_same_tree(data: bytes) -> None:
    assert written(written(data)) == written(data)


@given(
    strategies.cibs(), st.sampled_from((" ", "\n", "\r\n", "\t\t", " text ", "ü&#10;"))
)
def test_text_between_elements_has_no_meaning(data: bytes, text: str) -> None:
    inside = data.replace(b"<nodes>", f"<nodes>{text}".encode())
    spread = re.sub(rb"(/>|</\w+>)(?=<[\w/])", rf"\1{text}".encode(), inside)
    assert written(spread) == written(data)


@given(strategies.cibs(), st.sampled_from(("utf-8-sig", "utf-16")))
def test_the_encoding_has_no_meaning(data: bytes, encoding: str) -> None:
    assert written(data.decode().encode(encoding)) == written(data)


@given(strategies.cibs(strategies.plain_values()))
def test_the_declaration_has_no_meaning(data: bytes) -> None:
    for declaration in (
        b'<?xml version="1.0"?>',
        b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n",
    ):
        assert written(declaration + data) == written(data)


@given(strategies.cibs())
def test_a_copy_is_equal_and_independent(data: bytes) -> None:
    cib = parse(data, "x")
    copy = cib.copy()
    assert copy.source == cib.source
    copy.root.set("epoch", "999")
    copy.configuration.clear()
    assert written(data) == etree.tostring(cib.root, encoding="utf-8")


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda b: b"<cib>" + b))
def test_no_bytes_cause_anything_but_a_refusal(data: bytes) -> None:
    for read in (parse, parse_authored):
        try:
            read(data, "x")
        except CibgitError as error:
            assert error.message.startswith("x:")


@given(strategies.cibs(), st.data())
def test_a_truncated_document_is_refused_whole(
    data: bytes, draw: st.DataObject
) -> None:
    cut = draw.draw(st.integers(0, len(data) - 1))
    refusal(data[:cut])


# -- spellings -----------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        '<cib a="é"/>'.encode(),
        '<cib a="é"/>'.encode("utf-8-sig"),
        '<cib a="é"/>'.encode("utf-16"),
        b"\xfe\xff" + '<cib a="é"/>'.encode("utf-16-be"),
        b"\xff\xfe" + '<cib a="é"/>'.encode("utf-16-le"),
        '<?xml version="1.0" encoding="utf-16"?><cib a="é"/>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="iso-8859-1"?><cib a="\xe9"/>',
        b"<?xml version='1.0' encoding='latin-1'?>\n<cib a='\xe9'></cib>",
        b'<?xml version="1.0" encoding="windows-1252"?><cib a="\xe9"/>',
        b'<?xml version="1.0" encoding="us-ascii"?><cib a="&#233;"/>',
        b'  \r\n<cib\r\n\ta="&#xE9;"\r\n>\r\n</cib>\r\n',
    ],
)
def test_one_document_in_many_spellings(data: bytes) -> None:
    assert written(data) == '<cib a="é"/>'.encode()


def test_line_ends_inside_values_are_blanks_and_references_are_not() -> None:
    root = parse(b'<cib a="1\r\n2\t3" b="1&#13;&#10;2&#9;3"/>', "x").root
    assert attributes(root) == [("a", "1 2 3"), ("b", "1\r\n2\t3")]


def test_attributes_come_in_document_order() -> None:
    assert attributes(parse(b'<cib z="1" a="2" m="3"/>', "x").root) == [
        ("z", "1"),
        ("a", "2"),
        ("m", "3"),
    ]


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (
            b"<cib><a> <![CDATA[ x&y ]]> text</a></cib>",
            b"<cib><a><![CDATA[ x&y ]]></a></cib>",
        ),
        (
            b"<cib><a><![CDATA[x]]>z<![CDATA[y]]></a></cib>",
            b"<cib><a><![CDATA[x]]><![CDATA[y]]></a></cib>",
        ),
        (
            b'<cib>t<a b="&#10;&quot;\'&lt;"/><![CDATA[<c/>]]>t<!-- d --></cib>',
            b'<cib><a b="&#10;&quot;\'&lt;"/><![CDATA[<c/>]]><!-- d --></cib>',
        ),
        (
            '<cib><a><![CDATA[é\n\t]]></a><b c="ü"/></cib>'.encode("utf-16"),
            '<cib><a><![CDATA[é\n\t]]></a><b c="ü"/></cib>'.encode(),
        ),
    ],
)
def test_cdata_is_kept_and_text_around_it_is_not(data: bytes, kept: bytes) -> None:
    assert written(data) == kept


def test_comments_and_processing_instructions_are_kept() -> None:
    data = b"<cib>\n<!-- it's <b> -->\n<nodes><?x y?></nodes>\n</cib>"
    assert written(data) == b"<cib><!-- it's <b> --><nodes><?x y?></nodes></cib>"


def test_deep_but_not_too_deep() -> None:
    fits = (
        b"<cib>"
        + b"<rule>" * (MAX_DEPTH - 1)
        + b"</rule>" * (MAX_DEPTH - 1)
        + b"</cib>"
    )
    assert written(fits).count(b"rule") == 2 * MAX_DEPTH - 3


def test_includes_are_not_followed() -> None:
    data = (
        b'<cib xmlns:xi="http://www.w3.org/2001/XInclude">'
        b'<xi:include href="file:///etc/passwd" parse="text"/></cib>'
    )
    assert b"root:" not in written(data)


# -- refusals ------------------------------------------------------------------

LAUGHS = b"<!ENTITY a0 'ha'>" + b"".join(
    b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 30)
)
DOCTYPES = {
    "empty": b"<!DOCTYPE cib><cib/>",
    "after a comment": b"<!-- c -->\n<!DOCTYPE cib [ ]><cib/>",
    "external subset": b'<!DOCTYPE cib SYSTEM "http://127.0.0.1:9/x.dtd"><cib/>',
    "entity": b'<!DOCTYPE cib [<!ENTITY e "x">]><cib a="&e;"/>',
    "external entity": b'<!DOCTYPE cib [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    b"<cib>&e;</cib>",
    "parameter entity": b'<!DOCTYPE cib [<!ENTITY % e SYSTEM "file:///dev/zero"> %e;]>'
    b"<cib/>",
    "billion laughs": b"<!DOCTYPE cib [" + LAUGHS + b']><cib a="&a29;">&a29;</cib>',
    "default attribute": b'<!DOCTYPE cib [<!ATTLIST cib a CDATA "x">]><cib/>',
}


@pytest.mark.parametrize("name", DOCTYPES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_document_type_is_refused_before_anything_is_expanded(
    name: str, encoding: str
) -> None:
    data = b'<?xml version="1.0"?>\n' + DOCTYPES[name]
    assert "document type" in refusal(data.decode().encode(encoding))


def test_a_document_type_is_named_with_its_line() -> None:
    assert refusal(b"<!-- a -->\n\n<!DOCTYPE cib><cib/>").startswith("cib.xml:3:")


@pytest.mark.parametrize("entity", [b"&foo;", b"&nbsp;", b"&#0;", b"&#1;", b"&#xD800;"])
def test_unknown_entities_and_impossible_characters_are_refused(entity: bytes) -> None:
    refusal(b'<cib a="' + entity + b'"/>')
    refusal(b"<cib>" + entity + b"</cib>")


def test_predefined_entities_and_references_are_not() -> None:
    root = parse(b'<cib a="&lt;&gt;&amp;&quot;&apos;&#x1F600;"/>', "x").root
    assert root.get("a") == "<>&\"'😀"


def test_an_oversize_document_is_refused_unread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(document, "MAX_BYTES", 100)
    assert written(b"<cib>" + b" " * 89 + b"</cib>") == b"<cib/>"
    assert (
        refusal(b"x" * 101) == "cib.xml: 101 bytes are more than the 100 that are read"
    )


@pytest.mark.parametrize("depth", [MAX_DEPTH, 1000, 300_000])
def test_too_deep_nesting_is_refused(depth: int) -> None:
    nested = b"<cib>" + b"<r>" * depth + b"</r>" * depth + b"</cib>"
    for data in (nested, nested.decode().encode("utf-16")):
        assert "deep" in refusal(data).lower() or "depth" in refusal(data).lower()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the document is empty"),
        (b" \r\n\t ", "the document is empty"),
        (b"hello", "not well-formed"),
        (b"<cib>", "not well-formed"),
        (b"<cib/><cib/>", "not well-formed"),
        (b"<cib></configuration>", "not well-formed"),
        (b"<cib a='1></cib>", "not well-formed"),
        (b"<cib a='<'/>", "not well-formed"),
        (b"<cib a=1/>", "not well-formed"),
        (b"<cib>\x00</cib>", "not well-formed"),
        (b"<cib>\x01</cib>", "not well-formed"),
        (b"<cib>&</cib>", "not well-formed"),
        (b"<cib>]]></cib>", "not well-formed"),
        (b"<cib><!-- a -- b --></cib>", "not well-formed"),
        (b"<cib><x:a/></cib>", "not well-formed"),
        (b'\n<?xml version="1.0"?><cib/>', "not well-formed"),
        (b'<cib a="\xff"/>', "not well-formed"),
        (b'<cib a="\xed\xa0\x80"/>', "not well-formed"),
        ('<cib a="é"/>'.encode("utf-32"), "not well-formed"),
        (b"<configuration/>", "the root element is <configuration>, not <cib>"),
        (b"<CIB/>", "the root element is <CIB>, not <cib>"),
        (b'<cib xmlns="urn:x"/>', "not <cib>"),
        (b"<diff/>", "the root element is <diff>, not <cib>"),
    ],
)
def test_what_is_not_a_cib_is_refused(data: bytes, said: str) -> None:
    assert said in refusal(data)


@pytest.mark.parametrize(
    "data",
    [
        b'<cib>\n<nodes>\n<node id="1"\n id="2"/></nodes></cib>',
        b'<cib><![CDATA[x]]>\n<nodes>\n<node id="1"\n id="2"/></nodes></cib>',
        '<cib>\n<nodes>\n<node id="1"\n id="2"/></nodes></cib>'.encode("utf-16"),
    ],
)
def test_a_duplicate_attribute_is_named_with_its_line(data: bytes) -> None:
    assert re.match(r"cib\.xml:4: not well-formed XML: .*[Aa]ttribute", refusal(data))


@pytest.mark.parametrize("encoding", ["nonsense", "cp037", "rot13", "hex"])
def test_an_unknown_encoding_is_refused(encoding: str) -> None:
    refusal(f'<?xml version="1.0" encoding="{encoding}"?><cib/>'.encode())


@pytest.mark.parametrize(
    "encoding", ["utf-7", "shift_jis", "gbk", "big5", "utf-32", "idna", "punycode"]
)
def test_an_encoding_that_expat_cannot_read_is_refused(encoding: str) -> None:
    refusal(f'<?xml version="1.0" encoding="{encoding}"?><cib/>'.encode())


def test_any_tree_is_read_under_the_same_rules() -> None:
    assert parse_tree(b"<diff> <change/> </diff>", "x")[0].tag == "change"
    with pytest.raises(BadDataError, match="document type"):
        parse_tree(b"<!DOCTYPE diff><diff/>", "x")
    with pytest.raises(BadDataError, match="not well-formed"):
        parse_tree(b"<diff>", "x")


# -- what people write -----------------------------------------------------------


@given(strategies.cibs())
def test_what_holds_no_text_is_read_as_it_is(data: bytes) -> None:
    cib = parse_authored(data, "x")
    assert etree.tostring(cib.root, encoding="utf-8") == written(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            b"<cib>\n<nodes>\n=======\n</nodes></cib>",
            "cib.xml:2: .*text inside <nodes>",
        ),
        (
            b"<cib>\n<nodes/>\n>>>>>>> theirs\n</cib>",
            "cib.xml:1: .*merge conflict|text",
        ),
        (b"<cib><a/>\xc2\xa0<b/></cib>", "text inside <cib>"),
        (b"<cib><a>&#32;x</a></cib>", "text inside <a>"),
        (
            b"<cib>\n<nodes>\n<?x y?></nodes></cib>",
            "cib.xml:3: a processing instruction",
        ),
        (b"<?x y?>\n<cib/>", "cib.xml:1: a processing instruction"),
        (b"<cib/>\n\n<?x y?>", "cib.xml:3: a processing instruction"),
        (b"<!-- a -->\n<cib/>", "cib.xml:1: a comment outside <cib>"),
        (b"<cib/>\n<!-- a -->", "cib.xml:2: a comment outside <cib>"),
        (b"<cib><a>\n<![CDATA[x]]></a></cib>", "text inside <a>"),
    ],
)
def test_what_a_cluster_would_drop_is_refused_in_a_file(data: bytes, said: str) -> None:
    assert re.match(f"(?s)(?:{said})|.*(?:{said})", authored_refusal(data))


@pytest.mark.parametrize(
    "data",
    [
        "<cib>\n=======\n</cib>".encode("utf-16"),
        b'<?xml version="1.0" encoding="latin-1"?><cib>\n=======\n</cib>',
        b"<cib>\n=======\n<a><![CDATA[]]></a></cib>",
        b"<cib>\n=======\n<!-- <![CDATA[ --></cib>",
    ],
    ids=["utf-16", "latin-1", "cdata", "comment"],
)
def test_stray_text_is_found_in_every_encoding_and_beside_cdata(data: bytes) -> None:
    assert authored_refusal(data).startswith("cib.xml:1: there is text inside <cib>")


@pytest.mark.parametrize("inside", ["<!-- é 😀 -->", "<![CDATA[é]]>"])
def test_a_copy_keeps_comments_and_cdata(inside: str) -> None:
    data = f"<cib><a>{inside}</a></cib>".encode()
    assert etree.tostring(parse(data, "x").copy().root, encoding="utf-8") == data


# -- questions to a Cib ----------------------------------------------------------


def test_version_counts_what_is_missing_as_zero() -> None:
    assert parse(SMALL, "x").version == Version(1, 7, 0)
    assert str(Version(0, 142, 7)) == "0.142.7"
    assert Version.of("0.142.7") == Version(0, 142, 7)
    for other in ("", "0.142", "0.142.7.1", "0.-1.7", "0..7", "a.b.c"):
        assert Version.of(other) is None
    assert Version(1, 0, 0) > Version(0, 9, 9)
    assert parse(b'<cib epoch=""/>', "x").version == Version(0, 0, 0)


def test_a_version_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadDataError, match=r"^x: admin_epoch, epoch and num_updates"):
        _ = parse(b'<cib epoch="many"/>', "x").version


def test_sections_and_attributes_that_are_not_there() -> None:
    cib = parse(b"<cib/>", "live prod")
    assert (cib.schema, cib.feature_set, cib.nodes()) == ("", "", {})
    assert cib.option("cluster-name") == ""
    assert cib.last_change == LastChange("", "", "", "")
    with pytest.raises(BadDataError, match=r"^live prod: there is no <configuration>"):
        _ = cib.configuration


def test_schema_feature_set_and_options() -> None:
    cib = parse(SMALL, "x")
    assert cib.schema == "pacemaker-3.9"
    assert cib.configuration.tag == "configuration"
    assert cib.option("cluster-name") == "prod"
    assert cib.option("no-value") == ""
    assert cib.option("elsewhere") == ""
    assert parse(b'<cib crm_feature_set="3.1"/>', "x").feature_set == "3.1"


def test_nodes_come_in_document_order() -> None:
    assert list(parse(SMALL, "x").nodes().items()) == [("2", "beta"), ("1", "alpha")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (LastChange("root", "cibadmin", "n1", "today"), "root via cibadmin on n1"),
        (LastChange("root", "", "", ""), "root"),
        (LastChange("", "crmd", "", ""), "unknown via crmd"),
        (LastChange("", "", "n1", ""), "unknown on n1"),
    ],
)
def test_who_changed_it_last(change: LastChange, said: str) -> None:
    assert str(change) == said


def test_last_change_is_read_from_the_root() -> None:
    data = (
        b'<cib update-user="root" update-client="pcs" update-origin="n2"'
        b' cib-last-written="Sun Nov 22 13:59:17 2026"/>'
    )
    expected = LastChange("root", "pcs", "n2", "Sun Nov 22 13:59:17 2026")
    assert parse(data, "x").last_change == expected


def test_a_cib_remembers_where_it_came_from() -> None:
    assert Cib(etree.Element("cib"), "here").source == "here"


def test_a_released_tree_comes_back_when_it_is_asked_for() -> None:
    data = b"<cib><configuration><!--c--><resources/></configuration></cib>"
    cib = parse(data, "x")
    before = etree.tostring(cib.root)
    cib.release(above=len(data))
    assert cib.root is cib.root
    first = cib.root
    cib.release()
    assert cib.root is not first
    assert etree.tostring(cib.root) == before


def test_what_was_not_parsed_is_not_released() -> None:
    root = etree.Element("cib")
    cib = Cib(root, "x")
    cib.release()
    assert cib.root is root
