"""Digests of all eras: golden values by hand, and libxml2 itself where it still signs so."""

import ctypes
import ctypes.util
import hashlib

import pytest
from hypothesis import given
from lxml import etree

from cibgit.cib.digest import Dialect, on_disk
from cibgit.cib.document import parse_tree
from cibgit.cib.eras import SIGNERS, Era, Signer, signed_by, signer_of, signers
from cibgit.errors import BadDataError, UsageError
from tests import strategies

NEW, MID, OLD, RAW, STRIPPED, LIBXML, HEARTBEAT = SIGNERS


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


# Written by hand from the sources: the file, and what each era hashes of it.
PLAIN = '<cib epoch="1"><nodes/></cib>'
SPACED = """\
<?xml version="1.0"?>
<cib epoch="1"   num_updates='0'>
 <nodes>
 </nodes>
 <!-- who
      wrote this -->
</cib>
"""
VALUES = """\
 <cib epoch="1">
   <configuration>
     <nvpair id="a" name="" value="it's &lt;1&gt; &#9; &apos;&#xE9;&apos; é"></nvpair>
   </configuration>
 </cib>
"""
NO_STATUS = """\
<cib epoch="1"><configuration><nodes><node id="n" uname="n"/></nodes></configuration>
<status/></cib>
"""
GOLDEN: list[tuple[str, Signer, str]] = [
    (PLAIN, HEARTBEAT, ' <cib epoch="1">\n   <nodes/>\n </cib>\n'),
    (PLAIN, LIBXML, ' <cib epoch="1"><nodes/></cib>\n'),
    (PLAIN, NEW, ' <cib epoch="1"><nodes/></cib>\n'),
    (
        SPACED,
        LIBXML,
        ' <cib epoch="1" num_updates="0"><nodes>\n </nodes><!-- who\n      wrote this -->'
        "</cib>\n",
    ),
    (
        SPACED,
        STRIPPED,
        ' <cib epoch="1" num_updates="0"><nodes/><!-- who\n      wrote this --></cib>\n',
    ),
    (
        VALUES,
        HEARTBEAT,
        ' <cib epoch="1">\n   <configuration>\n     <nvpair id="a"'
        ' value="it\'s &lt;1&gt; &#9; &apos;&#xE9;&apos; é"/>\n'
        "   </configuration>\n </cib>\n",
    ),
    (
        VALUES,
        LIBXML,
        ' <cib epoch="1"><configuration><nvpair id="a" name=""'
        " value=\"it's &lt;1&gt; &#9; '&#xE9;' &#xE9;\"/></configuration></cib>\n",
    ),
    (
        VALUES,
        RAW,
        ' <cib epoch="1"><configuration><nvpair id="a" name=""'
        ' value="it&apos;s &lt;1&gt; \t &apos;é&apos; é"/></configuration></cib>\n',
    ),
    (
        VALUES,
        OLD,
        ' <cib epoch="1"><configuration><nvpair id="a" name="" value="it&apos;s &lt;1&gt;'
        r"      &apos;\37777777703\37777777651&apos; \37777777703\37777777651"
        '"/></configuration></cib>\n',
    ),
    (
        VALUES,
        MID,
        ' <cib epoch="1"><configuration><nvpair id="a" name="" value="it&apos;s &lt;1&gt;'
        "      &apos;é' é\"/></configuration></cib>\n",
    ),
    (
        VALUES,
        NEW,
        ' <cib epoch="1"><configuration><nvpair id="a" name="" value="it\'s &lt;1&gt;'
        " &#x09; 'é' é\"/></configuration></cib>\n",
    ),
    (
        NO_STATUS,
        HEARTBEAT,
        ' <cib epoch="1">\n   <configuration>\n     <nodes>\n       <node id="n"'
        ' uname="n"/>\n     </nodes>\n   </configuration>\n   <status/>\n </cib>\n',
    ),
]


@pytest.mark.parametrize(("document", "signer", "hashed"), GOLDEN)
def test_what_an_era_hashes(document: str, signer: Signer, hashed: str) -> None:
    assert signer.dump(document.encode()).decode() == hashed
    assert signer in signers(document.encode(), md5(hashed))


def test_golden_digests() -> None:
    """Computed with md5sum over what stands above, for whoever reads this alone."""
    spaced, plain = SPACED.encode(), PLAIN.encode()
    assert LIBXML.digest(spaced) == "b39b1c721cc6c8fa401673abc4f8bf67"
    stripped = "7853a48508f78f127643143fa87b2071"
    assert STRIPPED.digest(spaced) == NEW.digest(spaced) == stripped
    assert HEARTBEAT.digest(plain) == "3a77b4e620cd6ab164c371cc4fd9b33c"


@pytest.mark.parametrize("space", [" ", "\n", "\t", "\n    \n", "\r\n"])
@pytest.mark.parametrize("tag", ["nodes", "resources", "constraints"])
def test_white_space_in_an_empty_element_parts_the_eras(space: str, tag: str) -> None:
    clean = f'<cib epoch="1"><configuration><{tag}/></configuration></cib>'.encode()
    spaced = clean.replace(f"<{tag}/>".encode(), f"<{tag}>{space}</{tag}>".encode())
    assert LIBXML.digest(spaced) != LIBXML.digest(clean)
    for same in (HEARTBEAT, STRIPPED, RAW, OLD, MID, NEW):
        assert same.digest(spaced) == same.digest(clean)
    assert signers(spaced, LIBXML.digest(spaced)) == [LIBXML]
    assert signed_by(spaced, LIBXML.digest(spaced)) == "v1-libxml (0.7.3 to 1.1.6)"


def test_white_space_between_elements_counts_in_no_era() -> None:
    flat = b'<cib a="1"><configuration><nodes/><resources/></configuration></cib>'
    indented = flat.replace(b"><", b">\n   <")
    for signer in SIGNERS:
        assert signer.digest(flat) == signer.digest(indented), signer


@given(strategies.cibs())
def test_the_dialects_are_those_of_the_digest_module(cib: bytes) -> None:
    root = parse_tree(cib, "x")
    for signer in SIGNERS[:3]:
        assert signer.dialect is not None
        assert signer.digest(cib) == on_disk(root, signer.dialect)


@given(strategies.cibs())
def test_libxml2_itself_writes_what_is_hashed(cib: bytes) -> None:
    """The library that Pacemaker called then is still there to be called."""
    assert LIBXML.dump(cib) == b" " + node_dump(cib) + b"\n"


@pytest.mark.parametrize(("document", "_", "__"), GOLDEN)
def test_libxml2_itself_writes_the_golden_cases(document: str, _: str, __: str) -> None:
    assert LIBXML.dump(document.encode()) == b" " + node_dump(document.encode()) + b"\n"


def node_dump(data: bytes) -> bytes:
    """Read a document without blanks and let ``xmlNodeDump`` write its root."""
    name = ctypes.util.find_library("xml2")
    if not name:
        pytest.skip("libxml2 is not installed")
    xml2 = ctypes.CDLL(name)
    for function in ("xmlReadMemory", "xmlDocGetRootElement", "xmlBufferCreate"):
        getattr(xml2, function).restype = ctypes.c_void_p
    xml2.xmlBufferContent.restype = ctypes.c_char_p
    document = ctypes.c_void_p(xml2.xmlReadMemory(data, len(data), None, None, 256))
    root = ctypes.c_void_p(xml2.xmlDocGetRootElement(document))
    buffer = ctypes.c_void_p(xml2.xmlBufferCreate())
    xml2.xmlNodeDump(buffer, document, root, 0, 0)
    content: bytes = xml2.xmlBufferContent(buffer)
    xml2.xmlBufferFree(buffer)
    xml2.xmlFreeDoc(document)
    return content


@pytest.mark.parametrize(
    ("version", "signer"),
    [
        (None, NEW),
        ("3.0.3", NEW),
        ("2.1.8", NEW),
        ("2.1.5-a3f44794f94", MID),
        ("2.0.5", OLD),
        ("1.1.10", OLD),
        ("1.1.9", RAW),
        ("1.1.7", STRIPPED),
        ("1.1.6", LIBXML),
        ("1.0.13", LIBXML),
        ("0.7.3", LIBXML),
        ("0.7.2", HEARTBEAT),
        ("0.6.0", HEARTBEAT),
    ],
)
def test_which_release_signs_how(version: str | None, signer: Signer) -> None:
    assert signer_of(version) == signer


def test_an_era_without_a_release_is_its_newest() -> None:
    assert signer_of(None, Era.V1) == NEW
    assert signer_of(None, Era.V1_LIBXML) == LIBXML
    assert signer_of("2.0.5", Era.V1) == OLD
    with pytest.raises(UsageError, match=r"2\.1\.5 signs as v1 \(2\.1\.3"):
        signer_of("2.1.5", Era.HEARTBEAT)


@pytest.mark.parametrize("wrong", ["", "x", "\n", " ", "0" * 32, "0" * 33])
def test_what_nobody_signed(wrong: str) -> None:
    assert signed_by(PLAIN.encode(), wrong) is None
    good = NEW.digest(PLAIN.encode())
    assert signed_by(PLAIN.encode(), good + wrong) == (None if wrong else str(NEW))


def test_upper_case_is_accepted() -> None:
    assert signed_by(PLAIN.encode(), NEW.digest(PLAIN.encode()).upper()) == str(NEW)


@pytest.mark.parametrize(
    "bad",
    [b"", b"<cib", b"<cib><a></cib>", b"\x00", b"<!DOCTYPE cib><cib/>", b"x" * 99],
)
def test_a_file_that_is_no_xml_has_no_signer(bad: bytes) -> None:
    assert signers(bad, "0" * 32) == []
    with pytest.raises(BadDataError):
        HEARTBEAT.digest(bad)


@pytest.mark.parametrize(
    "foreign", [b"<cib a='1'/>", b'<cib a = "1"/>', b'<cib2 a="1"/>']
)
def test_heartbeat_could_not_read_everything(foreign: bytes) -> None:
    etree.fromstring(foreign)
    with pytest.raises(BadDataError):
        HEARTBEAT.digest(foreign)


def test_names_for_people() -> None:
    assert [str(signer) for signer in SIGNERS] == [
        "v1 (2.1.8 and later)",
        "v1 (2.1.3 to 2.1.7)",
        "v1 (1.1.10 to 2.1.2)",
        "v1 (1.1.9)",
        "v1 (1.1.7 and 1.1.8)",
        "v1-libxml (0.7.3 to 1.1.6)",
        "heartbeat (Heartbeat 2.0.5 to 0.7.2)",
    ]
    assert [signer.dialect for signer in SIGNERS[:3]] == [
        Dialect.NEW,
        Dialect.MID,
        Dialect.OLD,
    ]
