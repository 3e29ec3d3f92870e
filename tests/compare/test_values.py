import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from cibgit.compare.values import (
    OPTION_DEFAULTS,
    Type,
    default_of,
    equal,
    score,
    type_of,
)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Type.TIME, "20", "20s"),
        (Type.TIME, "20s", "20000ms"),
        (Type.TIME, "2min", "120"),
        (Type.TIME, "1h", "60m"),
        (Type.TIME, " 20 s", "20sec"),
        (Type.INTERVAL, "PT10S", "10s"),
        (Type.INTERVAL, "P1D", "24h"),
        (Type.INTERVAL, "PT1H30M", "90min"),
        (Type.BOOLEAN, "true", "yes"),
        (Type.BOOLEAN, "TRUE", "1"),
        (Type.BOOLEAN, "off", "n"),
        (Type.SCORE, "INFINITY", "+INFINITY"),
        (Type.SCORE, "INFINITY", "1000000"),
        (Type.SCORE, "2000000", "1000000"),
        (Type.SCORE, "-INFINITY", "-1000000"),
        (Type.SCORE, "+100", "100"),
        (Type.ROLE, "Master", "Promoted"),
        (Type.ROLE, "slave", "Unpromoted"),
        (Type.TEXT, "20s", "20s"),
    ],
)
def test_equal_values(kind: Type, one: str, other: str) -> None:
    assert equal(kind, one, other)
    assert equal(kind, other, one)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Type.TEXT, "20", "20s"),
        (Type.TIME, "20", "200"),
        (Type.TIME, "20ms", "20"),
        (Type.TIME, "PT10S", "10s"),
        (Type.TIME, "nonsense", "rubbish"),
        (Type.TIME, "٢٠", "20"),
        (Type.INTERVAL, "P1M", "30d"),
        (Type.INTERVAL, "P", "PT"),
        (Type.BOOLEAN, "true", "false"),
        (Type.BOOLEAN, "maybe", "perhaps"),
        (Type.SCORE, "INFINITY", "-INFINITY"),
        (Type.SCORE, "red", "green"),
        (Type.ROLE, "Started", "Stopped"),
    ],
)
def test_unequal_values(kind: Type, one: str, other: str) -> None:
    assert not equal(kind, one, other)


def test_a_score_is_limited() -> None:
    assert score("9" * 5000) == 1_000_000
    assert score("") is score("1.5") is score("infinity") is None


def pair(way: str, name: str) -> etree._Element:
    """Return a pair below elements named by a way like ``primitive/meta_attributes``."""
    element = etree.Element("x")
    for tag in way.split("/"):
        element = etree.SubElement(element, tag.partition("=")[0])
        if "=" in tag:
            element.set("class", tag.partition("=")[2])
    return etree.SubElement(element, "nvpair", name=name, value="1")


@pytest.mark.parametrize(
    ("way", "name", "kind"),
    [
        ("crm_config/cluster_property_set", "stonith-timeout", Type.INTERVAL),
        ("primitive/meta_attributes", "failure-timeout", Type.INTERVAL),
        ("rsc_defaults/meta_attributes", "is-managed", Type.BOOLEAN),
        ("op/meta_attributes", "timeout", Type.TIME),
        ("op_defaults/meta_attributes", "timeout", Type.TIME),
        ("primitive=stonith/instance_attributes", "pcmk_off_timeout", Type.TIME),
        ("node/instance_attributes", "standby", Type.BOOLEAN),
        # an agent gets the text as it is
        ("primitive=ocf/instance_attributes", "pcmk_off_timeout", Type.TEXT),
        ("primitive=ocf/instance_attributes", "timeout", Type.TEXT),
        ("primitive=ocf/instance_attributes", "is-managed", Type.TEXT),
    ],
)
def test_where_a_name_is_known(way: str, name: str, kind: Type) -> None:
    assert type_of(pair(way, name), "value") is kind


def test_defaults_that_depend_are_not_known() -> None:
    for name in ("resource-stickiness", "allow-migrate", "globally-unique"):
        assert default_of(pair("primitive/meta_attributes", name), "value") is None
    known = default_of(pair("primitive/meta_attributes", "is-managed"), "value")
    assert known == "true"


def metadata() -> dict[str, tuple[str, str | None]]:
    """Return type and default of the options that the installed daemons describe."""
    found: dict[str, tuple[str, str | None]] = {}
    for name in ("schedulerd", "controld", "fenced", "based"):
        daemon = Path(f"/usr/lib/pacemaker/pacemaker-{name}")
        program = str(daemon) if daemon.exists() else shutil.which(daemon.name)
        if program is None or name == "fenced":
            continue
        done = subprocess.run([program, "metadata"], capture_output=True, check=True)
        for option in etree.fromstring(done.stdout).iter("parameter"):
            content = option.find("content")
            assert content is not None
            kind, default = content.get("type", ""), content.get("default")
            found[option.get("name", "")] = kind, default
    return found


@pytest.mark.pacemaker
def test_the_options_are_those_of_the_installed_pacemaker() -> None:
    described = metadata()
    assert len(described) > 30
    kinds = {"time": (Type.TIME, Type.INTERVAL), "boolean": (Type.BOOLEAN,)}
    for name, (kind, default) in described.items():
        option = pair("crm_config/cluster_property_set", name)
        if name in OPTION_DEFAULTS:
            assert default is not None
            assert equal(type_of(option, "value"), OPTION_DEFAULTS[name], default), name
            assert type_of(option, "value") in kinds.get(kind, tuple(Type)), name
