"""Digests and escaping, against the installed cibadmin and against golden values."""

import hashlib
import subprocess
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import assume, given
from lxml import etree

from cibgit.cib.digest import (
    Dialect,
    dialect_of,
    dump,
    is_counter,
    is_mangled,
    mangled_attributes,
    on_disk,
    signature,
    versioned,
)
from cibgit.cib.document import Element, parse_tree
from tests import generate, strategies
from tests.prerequisites import SYSTEM_PATH

OLD, MID, NEW = Dialect.OLD, Dialect.MID, Dialect.NEW
BATCH = """
for file; do cibadmin --md5-sum -x "$file"; cibadmin --md5-sum-versioned -x "$file"; done
"""

Digests = tuple[str, str]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={"PATH": SYSTEM_PATH, "LC_ALL": "C"} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        # releases before 2.1.8 never return from a feature set such as 3.0.5-rc
        timeout=60,
    )


@pytest.fixture(scope="session")
def installed() -> Dialect:
    return dialect_of(run("cibadmin", "--version").stdout.split()[1])


def real_digests(documents: list[bytes], folder: Path) -> list[Digests]:
    """Return what cibadmin computes: (on disk, versioned) for each document."""
    paths = [folder / f"{number}.xml" for number in range(len(documents))]
    for path, document in zip(paths, documents, strict=True):
        path.write_bytes(document)
    answers = run("sh", "-c", BATCH, "sh", *map(str, paths)).stdout.split()
    return list(zip(answers[::2], answers[1::2], strict=True))


def our_digests(document: bytes, dialect: Dialect) -> Digests:
    root = parse_tree(document, "x")
    return on_disk(root, dialect), versioned(root, dialect)


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def tree(text: str) -> Element:
    return parse_tree(text.encode(), "x")


# -- against the real thing ------------------------------------------------------

STYLES: tuple[generate.Style, ...] = get_args(generate.Style)
TEXTS: tuple[generate.Text, ...] = get_args(generate.Text)


def generated(number: int) -> bytes:
    """Return one of many small CIBs; no two neighbours are of one kind."""
    data = generate.cib(
        number % 5,
        number,
        style=STYLES[number % 3],
        text=TEXTS[number % 4],
        owned=number % 2 == 0,
        status=number % 7 == 0,
        traps=number % 11 == 0,
    )
    return generate.mutate(data, number, count=3) if number % 2 else data


@pytest.mark.pacemaker
@pytest.mark.parametrize("batch", range(5))
def test_digests_of_generated_cibs_are_those_of_cibadmin(
    batch: int, installed: Dialect, tmp_path: Path
) -> None:
    documents = [generated(number) for number in range(batch * 100, batch * 100 + 100)]
    for document, real in zip(
        documents, real_digests(documents, tmp_path), strict=True
    ):
        assert our_digests(document, installed) == real, document.decode()


FEATURES = 'crm_feature_set="3.16.1" update-user="root"'
INSIDE = {
    "apostrophe": '<a b="it\'s"/>',
    "quotes": "<a b='say \"hi\"'/>",
    "markup": '<a b="1 > 2 &lt; 3 &amp; 4"/>',
    "character references": '<a b="1&#9;2&#10;3&#13;4&#13;&#10;5"/>',
    "line ends and tabs": '<a b="1\t2\n3\r\n4"/>',
    "delete": '<a b="x\x7fy"/>',
    "C1 controls": '<a b="x\x80y\x85z\x9f&#xA0;"/>',
    "non-ASCII": '<a b="é"/>',
    "markup after non-ASCII": '<a b="é &lt;b> &amp; &quot;q&quot; \'x\'" c="it\'s"/>',
    "both sides of non-ASCII": "<a b=\"x'&#10;é'&#10;&#9;\x7f&apos;\"/>",
    "astral": '<a b="😀&lt;"/>',
    "backslash": '<a b="\\n \\177 &amp;#10;"/>',
    "empty value": '<a b="" c=""/>',
    "comment": '<!-- it\'s "q" <b> &amp; \t\n é\' --><a b="é\'"/>',
    "comment next to specials": '<!-- plain --><a b="it\'s&#9;"/>',
    "empty comment": "<!----><a><!----></a>",
    "CDATA": "<a><![CDATA[x'<y>&\n]]></a>",
    "CDATA, non-ASCII": "<a b=\"'\"><![CDATA[é']]></a>",
    "adjacent CDATA": "<a><![CDATA[x]]><![CDATA[y]]></a>",
    "CDATA between text": "<a> <![CDATA[x]]> text <b/> <![CDATA[y]]> </a>",
    "CDATA end": "<a><![CDATA[]]]]><![CDATA[>]]></a>",
    "empty CDATA": "<a><![CDATA[]]></a>",
    "blank CDATA": "<a><![CDATA[ \n ]]></a>",
    "white space in an empty element": "<a>  \n\t</a><b>\n <c/> </b>",
    "text": "x<a>y</a>z",
    "namespace": '<x:a xmlns:x="urn:x" x:b="1" b="it\'s"/>',
    "default namespace": '<a xmlns="urn:y" xmlns:z="urn:z"><z:b c="\'"/></a>',
    "xml:lang": '<a xml:lang="en" b="\'"/>',
    "xml:space": '<a xml:space="preserve"> <b/> </a>',
    "processing instruction": "<?x y?><a><?x y?></a><b><?x?><c/></b>",
    "processing instruction and more": "<a><?x it's?>text<!-- c --></a>",
    "names of volatile attributes as values": '<a b="update-user" c="crm-debug-origin"/>',
    "volatile attributes": '<a update-user="x" b="\'"><b crm-debug-origin="y"/></a>',
    "looks like a namespace": '<a b=" xmlns:x=&quot;y&quot; it\'s"/>',
    "looks like a comment": '<a b="&lt;!-- it\'s -->"/>',
    "non-ASCII names": '<ä ö="it\'s &lt;"/>',
}
DOCUMENTS = {
    **{name: f"<cib {FEATURES}>{text}</cib>".encode() for name, text in INSIDE.items()},
    "declaration": f"<?xml version='1.0'?>\n<cib {FEATURES} a='é'/>".encode(),
    "comments outside": f"<!-- a -->\n<cib {FEATURES}/><!-- b -->\n".encode(),
    "instructions outside": f"<?x y?><cib {FEATURES}/><?x z?>".encode(),
    "byte order mark": f"<cib {FEATURES} a=\"'\"/>".encode("utf-8-sig"),
    "CRLF": f"<cib {FEATURES}\r\n a=\"'\">\r\n<!-- a\r\nb --><b/>\r\n</cib>\r\n".encode(),
    "UTF-16": f'<cib {FEATURES} a="é\'"/>'.encode("utf-16"),
    "latin-1": b'<?xml version="1.0" encoding="iso-8859-1"?><cib crm_feature_set="3.1"'
    b' update-user="\xe9" a="\xe9\'"/>',
    **{
        f"feature set {version}": f'<cib crm_feature_set="{version}" update-user="root"'
        ' a="\'"><a crm-debug-origin="x"/></cib>'.encode()
        for version in ("", "3", "3.0", "3.0.4", "3.0.4.9", "3.0.5", "3.0.10", "3.1",
                        "3.16.1", "2.9.9", "abc")
    },
    "no feature set": b'<cib update-user="root"><a crm-debug-origin="x"/></cib>',
}  # fmt: skip


@pytest.fixture(scope="session")
def real_answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Digests]:
    answers = real_digests([*DOCUMENTS.values()], tmp_path_factory.mktemp("documents"))
    return dict(zip(DOCUMENTS, answers, strict=True))


@pytest.mark.pacemaker
@pytest.mark.parametrize("name", DOCUMENTS)
def test_digests_of_nasty_documents_are_those_of_cibadmin(
    name: str, installed: Dialect, real_answers: dict[str, Digests]
) -> None:
    assert our_digests(DOCUMENTS[name], installed) == real_answers[name]


@pytest.mark.pacemaker
@pytest.mark.parametrize(
    "document",
    [
        b'<cib crm_feature_set="3.16.1" xmlns:x="u" x:update-user="z"/>',
        b'<cib xmlns:x="u" x:crm_feature_set="3.16.1" update-user="q"/>',
        b'<cib crm_feature_set="x3.16" update-user="q"/>',
    ],
)
def test_odd_roots(document: bytes, installed: Dialect, tmp_path: Path) -> None:
    (real,) = real_digests([document], tmp_path)
    assert our_digests(document, installed) == real


# -- golden values ---------------------------------------------------------------

SPECIALS = "a 'b' \"c\" <d> & \t|\n|\r|\x7f é 😀 'e' &"
ESCAPED = {
    OLD: "a &apos;b&apos; &quot;c&quot; &lt;d&gt; &amp;     |\\n|\\r|\\177"
    " \\37777777703\\37777777651"
    " \\37777777760\\37777777637\\37777777630\\37777777600"
    " &apos;e&apos; &amp;",
    MID: "a &apos;b&apos; &quot;c&quot; &lt;d&gt; &amp;     |\\n|\\r|\\177 é 😀 'e' &",
    NEW: "a 'b' &quot;c&quot; &lt;d&gt; &amp; &#x09;|&#x0A;|&#x0D;|&#x7F; é 😀 'e' &amp;",
}


def specials() -> Element:
    root = etree.Element("cib", crm_feature_set="3.16.1")
    root.set("update-user", "root")
    child = etree.SubElement(root, "node")
    child.set("uname", SPECIALS)
    child.set("crm-debug-origin", "x")
    child.append(etree.Comment(" it's é "))
    return root


@pytest.mark.parametrize("dialect", Dialect)
def test_each_dialect_escapes_in_its_own_way(dialect: Dialect) -> None:
    dumped = (
        '<cib crm_feature_set="3.16.1" update-user="root">'
        f'<node uname="{ESCAPED[dialect]}" crm-debug-origin="x">'
        "<!-- it's é --></node></cib>"
    )
    assert dump(specials(), dialect).decode() == dumped
    assert on_disk(specials(), dialect) == md5(f" {dumped}\n")
    filtered = (
        f'<cib crm_feature_set="3.16.1"><node uname="{ESCAPED[dialect]}">'
        "<!-- it's é --></node></cib>"
    )
    assert versioned(specials(), dialect) == md5(filtered)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize(
    ("text", "dumped"),
    [
        ("<cib/>", "<cib/>"),
        ("<cib></cib>", "<cib/>"),
        ('<cib z="" a="1"/>', '<cib z="" a="1"/>'),
        ("<cib>\n <a/>\n</cib>", "<cib><a/></cib>"),
        ("<cib><!--c--></cib>", "<cib><!--c--></cib>"),
        ("<cib><?x y?></cib>", "<cib></cib>"),
        ("<cib><a><![CDATA[<&]]></a></cib>", "<cib><a><![CDATA[<&]]></a></cib>"),
        ('<cib xmlns:x="u"><x:a x:b="1"/></cib>', '<cib><a b="1"/></cib>'),
        ('<cib xml:id="i"/>', '<cib id="i"/>'),
        ("<cib a='\"'/>", '<cib a="&quot;"/>'),
        ('<cib a="&#62;"/>', '<cib a="&gt;"/>'),
    ],
)
def test_dump_is_one_line_without_text(
    dialect: Dialect, text: str, dumped: str
) -> None:
    assert dump(tree(text), dialect).decode() == dumped


def test_on_disk_digest_in_numbers() -> None:
    # printf ' <cib/>\n' | md5sum; printf '<cib/>' | md5sum
    assert on_disk(tree("<cib/>"), NEW) == "9da2e159fcd5d580a06068e4ba442380"
    assert versioned(tree("<cib/>"), NEW) == "e16800d1e50069053c963f5144a67707"


@pytest.mark.parametrize("dialect", [OLD, MID])
@pytest.mark.parametrize(
    "version", ["", 'crm_feature_set=""', 'crm_feature_set="3.0.4"']
)
def test_an_old_feature_set_gets_the_old_algorithm(
    dialect: Dialect, version: str
) -> None:
    root = tree(f'<cib {version} update-user="x"/>')
    assert versioned(root, dialect) == on_disk(root, dialect)
    assert versioned(root, NEW) == md5(f"<cib{' ' if version else ''}{version}/>")


def test_the_versioned_digest_leaves_the_tree_alone() -> None:
    root = specials()
    versioned(root, NEW)
    assert root.get("update-user") == "root"


@given(strategies.cibs())
def test_the_fast_way_and_the_slow_way_agree(data: bytes) -> None:
    """An instruction makes every dump go through the serializer in Python."""
    root = parse_tree(data, "x")
    fast = {dialect: dump(root, dialect) for dialect in Dialect}
    root.insert(0, etree.ProcessingInstruction("x"))
    for dialect in Dialect:
        assert dump(root, dialect) == fast[dialect]


@given(strategies.cibs(strategies.plain_values()))
def test_dialects_differ_in_apostrophes_only_for_plain_values(data: bytes) -> None:
    assume(b"<!--" not in data)
    root = parse_tree(data, "x")
    assert dump(root, OLD) == dump(root, MID)
    assert dump(root, MID) == dump(root, NEW).replace(b"'", b"&apos;")


# -- dialects and signatures -------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "dialect"),
    [
        ("1.1.10", OLD), ("1.1.24-3.el7", OLD), ("2.0.5", OLD), ("2.1.0", OLD),
        ("2.1.2", OLD), ("2.1.2-4.el8", OLD), ("2.1.3", MID), ("2.1.5", MID),
        ("2.1.5-a3f44794f94", MID), ("2.1.7", MID), ("2.1.7-5.2.el9", MID),
        ("2.1.8", NEW), ("2.1.9", NEW), ("2.1.10", NEW), ("2.2.0", NEW), ("2.2", NEW),
        ("3.0.0", NEW), ("3.0", NEW), ("3.0.2", NEW), ("10.0.0", NEW),
        ("2.1", OLD), ("", NEW), (None, NEW), ("unknown", NEW),
    ],
)  # fmt: skip
def test_dialect_of_a_release(version: str | None, dialect: Dialect) -> None:
    assert dialect_of(version) is dialect


@pytest.mark.parametrize("dialect", Dialect)
def test_a_signature_tells_the_dialect(dialect: Dialect) -> None:
    assert signature(specials(), on_disk(specials(), dialect)) is dialect
    assert signature(specials(), on_disk(specials(), dialect).upper()) is dialect


def test_the_newest_dialect_is_named_where_all_agree() -> None:
    assert signature(tree("<cib/>"), on_disk(tree("<cib/>"), OLD)) is NEW


@pytest.mark.parametrize("change", ["", "0" * 32, "{}\n", " {}", "{}0"])
def test_what_is_not_the_signature(change: str) -> None:
    assert signature(specials(), change.format(on_disk(specials(), MID))) is None


def test_the_versioned_digest_is_no_signature() -> None:
    assert signature(specials(), versioned(specials(), MID)) is None


# -- what a release would not store ------------------------------------------------

NODE = b"""<cib crm_feature_set="3.0.14" validate-with="none" epoch="1" num_updates="0"
admin_epoch="0"><configuration><crm_config/><nodes><node id="1" uname="n"
description="old"/></nodes><resources/><constraints/></configuration><status/></cib>"""

COUNTERS = (
    "description++",
    "description+=5",
    "description+=",
    "description+=x",
    "description++ or more",
)
NO_COUNTERS = (
    "description",
    "description+",
    "xdescription++",
    "Description++",
    "value++",
)


def stored(value: str, folder: Path) -> str | None:
    """Let the real cibadmin write a value to a file; return what stands there then."""
    path = folder / "cib.xml"
    path.write_bytes(NODE)
    node = etree.Element("node", id="1", uname="n", description=value)
    given_file = folder / "given.xml"
    given_file.write_bytes(etree.tostring(node, encoding="utf-8"))
    command = ("cibadmin", "--modify", "-o", "nodes", "-x", str(given_file))
    run(*command, CIB_file=str(path))
    try:
        found = etree.parse(path).find(".//node[@id='1']")
    except etree.XMLSyntaxError:
        return None
    return None if found is None else found.get("description")


def is_kept(value: str, dialect: Dialect) -> bool:
    counter = dialect is not NEW and is_counter("description", value)
    return not counter and not is_mangled(value, dialect)


@pytest.mark.pacemaker
@pytest.mark.parametrize(
    "value",
    (*strategies.NASTY, *COUNTERS, *NO_COUNTERS, "é\x7f"),
    ids=ascii,
)
def test_a_value_is_kept_exactly_when_we_say_so(
    value: str, installed: Dialect, tmp_path: Path
) -> None:
    assert (stored(value, tmp_path) == value) == is_kept(value, installed)


@pytest.mark.pacemaker
@given(value=strategies.values())
def test_any_value_is_kept_exactly_when_we_say_so(
    value: str, installed: Dialect, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("stored", numbered=True)
    assert (stored(value, folder) == value) == is_kept(value, installed)


@pytest.mark.parametrize(
    ("value", "by"),
    [
        ("", ()), ("it's \"<>&\"", ()), ("C:\\new", ()),
        ("a\tb", (OLD, MID)), ("a\nb", (OLD, MID)), ("a\rb", (OLD, MID)),
        ("\x7f", (OLD, MID)), ("é", (OLD,)), ("é'", (OLD,)), ("<b> é", (OLD,)),
        ("é <b>", (OLD, MID)), ("é &", (OLD, MID)), ('é "', (OLD, MID)),
        ("é\n<", (OLD, MID)), ("😀", (OLD,)), ("\x85", (OLD,)),
    ],
)  # fmt: skip
def test_who_mangles_what(value: str, by: tuple[Dialect, ...]) -> None:
    assert tuple(d for d in Dialect if is_mangled(value, d)) == by


@pytest.mark.parametrize("value", COUNTERS)
def test_counters(value: str) -> None:
    assert is_counter("description", value)


@pytest.mark.parametrize("value", ["", "+=", "++", *NO_COUNTERS])
def test_no_counters(value: str) -> None:
    assert not is_counter("description", value)


def test_mangled_attributes_are_named_with_their_element() -> None:
    root = tree(
        '<cib><node id="1" description="é &lt;"/><!-- é < --><nvpair id="2"'
        ' name="name++" value="1&#10;2"/><node id="3" description="fine"/></cib>'
    )
    named = [
        (element.get("id"), name) for element, name in mangled_attributes(root, MID)
    ]
    assert named == [("1", "description"), ("2", "name"), ("2", "value")]
    assert list(mangled_attributes(root, NEW)) == []
