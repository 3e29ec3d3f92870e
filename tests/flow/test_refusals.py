import re

import pytest

from cibgit.errors import BadDataError, CibgitError, UnsafeError
from cibgit.flow.export import export
from cibgit.flow.files import authored
from cibgit.flow.plan import plan

from .embedded import CIB, Embedded

CLEAN = re.sub(r"<cib [^>]*>", '<cib validate-with="pacemaker-3.0">', CIB)


def replaced(*pairs: tuple[str, str]) -> bytes:
    text = CLEAN
    for old, new in pairs:
        assert re.search(old, text), old
        text = re.sub(old, new, text, flags=re.DOTALL)
    return text.encode()


CASES = {
    "truncated": (CLEAN[: len(CLEAN) // 2].encode(), BadDataError, "not well-formed"),
    "unescaped ampersand": (
        replaced(('score="100"', 'score="a & b"')), BadDataError, "not well-formed"),
    "mismatched tags": (replaced(("</nodes>", "</node>")), BadDataError, "not well-formed"),
    "wrong root": (b"<configuration/>", BadDataError, "not <cib>"),
    "conflict markers": (
        replaced(("<resources>", "<resources>\n=======\n")), BadDataError, "text inside"),
    "duplicate id": (
        replaced(('id="db"', 'id="vip"')), BadDataError, r"duplicate id 'vip'.*line \d+"),
    "no configuration": (
        b'<cib validate-with="pacemaker-3.0"/>', BadDataError, "no <configuration>"),
    "section missing": (
        replaced(("<constraints>.*</constraints>", "")), BadDataError,
        "<constraints> is missing"),
    "empty configuration": (
        b'<cib validate-with="pacemaker-3.0"><configuration><crm_config/><nodes/>'
        b"<resources/><constraints/></configuration></cib>", BadDataError, "is empty"),
    "no nodes": (replaced(("<nodes>.*</nodes>", "<nodes/>")), UnsafeError, "lists no node"),
    "another cluster's name": (
        replaced(('value="prod"', 'value="test"')), UnsafeError, "belongs to cluster 'test'"),
    "another cluster's nodes": (
        replaced(("alice", "carol"), ('id="1"', 'id="7"'), ('uname="bob"', 'uname="dave"'),
                 ('id="2"', 'id="8"')), UnsafeError, "shares no node"),
    "a node with another name": (
        replaced(('uname="bob"', 'uname="eve"')), UnsafeError, "node 2 is 'eve'"),
    "newer schema": (
        replaced(("pacemaker-3.0", "pacemaker-9.9")), BadDataError, "pacemaker-9.9"),
    "attribute of cib": (
        replaced(("<cib ", '<cib remote-clear-port="1234" ')), BadDataError,
        "remote-clear-port"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_refused_whole_and_live_untouched(name: str, embedded: Embedded) -> None:
    data, error, message = CASES[name]
    site = embedded.site()
    export(site)
    before = embedded.live_text()
    with pytest.raises(CibgitError, match=message) as caught:
        plan(site, authored(data, "cib.xml"), "0" * 40)
    assert type(caught.value) is error
    assert embedded.live_text() == before


@pytest.mark.pacemaker
def test_a_dangling_reference_is_refused_before_it_is_sent(embedded: Embedded) -> None:
    site = embedded.site()
    export(site)
    data = replaced(('rsc="vip"', 'rsc="nobody"'))
    with pytest.raises(BadDataError, match="not valid under pacemaker-3\\.0"):
        plan(site, authored(data, "cib.xml"), "0" * 40)
