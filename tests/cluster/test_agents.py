"""Metadata as agents print it."""

import pytest

from cibgit.cluster.agents import parse
from cibgit.policy.agent import Agent, NotAsked, Parameter

METADATA = b"""\
<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="fence_x"><parameters>
<parameter name="ip" unique="0" required="1" obsoletes="ipaddr"><content type="string"/>
</parameter>
<parameter name="ipaddr" required="1" deprecated="1"><content type="string"/></parameter>
<parameter name="action" required="1"><content type="string" default="reboot"/></parameter>
<parameter name="fake" reloadable="1"><content type="string"/></parameter>
<parameter name="bare"/>
</parameters></resource-agent>
"""


def test_what_is_required_of_the_user() -> None:
    found = parse("stonith:fence_x", METADATA)
    assert isinstance(found, Agent)
    assert list(found.parameters.values()) == [
        Parameter("ip", is_required=True, replaces=("ipaddr",)),
        Parameter("ipaddr", is_required=True, is_deprecated=True),
        Parameter("action"),  # it has a default
        Parameter("fake", is_reloadable=True),
        Parameter("bare"),
    ]


def test_the_least_timeout_that_is_advised_counts() -> None:
    actions = (
        b'<actions><action name="monitor" timeout="30s" role="Promoted"/>'
        b'<action name="monitor" timeout="20"/><action name="start" timeout="2min"/>'
        b'<action name="meta-data"/></actions></resource-agent>'
    )
    found = parse("ocf:x:y", METADATA.replace(b"</resource-agent>", actions))
    assert isinstance(found, Agent)
    assert found.timeouts == {"monitor": 20_000, "start": 120_000}


@pytest.mark.parametrize("data", [b"", b"<a>", b"Usage: agent", b"\xff\xfe"])
def test_what_is_no_metadata(data: bytes) -> None:
    assert isinstance(parse("ocf:x:y", data), NotAsked)


def test_an_entity_reads_no_file() -> None:
    data = (
        b'<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        b'<r><parameters><parameter name="a"/></parameters>&e;</r>'
    )
    found = parse("ocf:x:y", data)
    assert isinstance(found, Agent)
    assert list(found.parameters) == ["a"]
