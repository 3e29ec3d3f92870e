"""When two different texts are the same value to Pacemaker.

What is listed here is read by Pacemaker itself, so its own rules of reading hold
(``lib/common/strings.c``, ``scores.c`` and ``lib/pengine``, 2.1.5). Parameters of agents
are not: an agent gets the text, and only it knows whether ``20`` is ``20s``.
"""

import re
from enum import Enum

from ..cib.canonical import UNITS
from ..cib.document import Element


class Type(Enum):
    """How Pacemaker reads a value."""

    TEXT = "text"
    TIME = "time"
    INTERVAL = "interval"
    """A time that may also be an ISO 8601 duration (``crm_parse_interval_spec``)."""
    BOOLEAN = "boolean"
    SCORE = "score"
    ROLE = "role"


INFINITY = 1_000_000
_TIME = re.compile(r"\s*(\d+)\s*([a-z]*)\s*")
_ISO = re.compile(r"P(?:(\d+)W|(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?)")
_SCORE = re.compile(r"[+-]?\d+")
_SECONDS = (604_800, 86_400, 3_600, 60, 1)
_BOOLEANS = {
    **dict.fromkeys(("true", "on", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "off", "no", "n", "0"), False),
}
_ROLES = {"master": "promoted", "slave": "unpromoted"}

_ATTRIBUTES: dict[tuple[str, str], tuple[Type, str | None]] = {
    ("op", "interval"): (Type.INTERVAL, None),
    ("op", "timeout"): (Type.TIME, None),
    ("op", "start-delay"): (Type.TIME, "0"),
    ("op", "enabled"): (Type.BOOLEAN, "true"),
    ("op", "record-pending"): (Type.BOOLEAN, None),
    ("op", "role"): (Type.ROLE, None),
    ("op_expression", "interval"): (Type.INTERVAL, None),
    ("rsc_location", "score"): (Type.SCORE, None),
    ("rsc_location", "role"): (Type.ROLE, None),
    ("rsc_location", "resource-discovery"): (Type.TEXT, "always"),
    ("rsc_colocation", "score"): (Type.SCORE, None),
    ("rsc_colocation", "rsc-role"): (Type.ROLE, None),
    ("rsc_colocation", "with-rsc-role"): (Type.ROLE, None),
    ("rsc_order", "score"): (Type.SCORE, None),
    ("rsc_order", "symmetrical"): (Type.BOOLEAN, None),
    ("rsc_order", "first-action"): (Type.TEXT, "start"),
    ("rsc_order", "require-all"): (Type.BOOLEAN, "true"),
    ("rsc_ticket", "rsc-role"): (Type.ROLE, None),
    ("resource_set", "role"): (Type.ROLE, None),
    ("resource_set", "sequential"): (Type.BOOLEAN, "true"),
    ("resource_set", "require-all"): (Type.BOOLEAN, "true"),
    ("rule", "score"): (Type.SCORE, None),
    ("rule", "role"): (Type.ROLE, None),
    ("rule", "boolean-op"): (Type.TEXT, "and"),
    ("instance_attributes", "score"): (Type.SCORE, "0"),
    ("meta_attributes", "score"): (Type.SCORE, "0"),
    ("utilization", "score"): (Type.SCORE, "0"),
    ("cluster_property_set", "score"): (Type.SCORE, "0"),
}
"""Attributes of elements: how they are read, and what holds where they are missing."""

_META: dict[str, tuple[Type, str | None]] = {
    "allow-migrate": (Type.BOOLEAN, None),
    "allow-unhealthy-nodes": (Type.BOOLEAN, "false"),
    "clone-node-max": (Type.TEXT, "1"),
    "critical": (Type.BOOLEAN, "true"),
    "failure-timeout": (Type.INTERVAL, "0"),
    "globally-unique": (Type.BOOLEAN, None),
    "interleave": (Type.BOOLEAN, "false"),
    "is-managed": (Type.BOOLEAN, "true"),
    "maintenance": (Type.BOOLEAN, "false"),
    "migration-threshold": (Type.SCORE, "INFINITY"),
    "multiple-active": (Type.TEXT, "stop_start"),
    "notify": (Type.BOOLEAN, "false"),
    "ordered": (Type.BOOLEAN, "false"),
    "priority": (Type.SCORE, "0"),
    "promotable": (Type.BOOLEAN, "false"),
    "promoted-max": (Type.TEXT, "1"),
    "promoted-node-max": (Type.TEXT, "1"),
    "remote-connect-timeout": (Type.TIME, "60s"),
    "resource-stickiness": (Type.SCORE, None),
    "target-role": (Type.ROLE, "Started"),
}
"""Meta attributes of resources. Source: Pacemaker Explained, 2.1; a default that depends
on the release or on the kind of resource is left out, for it says nothing then."""

_OPERATION_META: dict[str, tuple[Type, str | None]] = {
    "interval": (Type.INTERVAL, None),
    "timeout": (Type.TIME, None),
    "start-delay": (Type.TIME, "0"),
    "enabled": (Type.BOOLEAN, "true"),
    "record-pending": (Type.BOOLEAN, None),
}

_OPTIONS: dict[str, tuple[Type, str | None]] = {
    "batch-limit": (Type.TEXT, "0"),
    "cluster-delay": (Type.TIME, "60s"),
    "cluster-ipc-limit": (Type.TEXT, "500"),
    "cluster-recheck-interval": (Type.INTERVAL, "15min"),
    "concurrent-fencing": (Type.BOOLEAN, None),
    "dc-deadtime": (Type.TIME, "20s"),
    "election-timeout": (Type.TIME, "2min"),
    "enable-acl": (Type.BOOLEAN, "false"),
    "enable-startup-probes": (Type.BOOLEAN, "true"),
    "fence-reaction": (Type.TEXT, "stop"),
    "join-finalization-timeout": (Type.TIME, "30min"),
    "join-integration-timeout": (Type.TIME, "3min"),
    "load-threshold": (Type.TEXT, "80%"),
    "maintenance-mode": (Type.BOOLEAN, "false"),
    "migration-limit": (Type.TEXT, "-1"),
    "no-quorum-policy": (Type.TEXT, "stop"),
    "node-action-limit": (Type.TEXT, "0"),
    "node-health-base": (Type.SCORE, "0"),
    "node-health-green": (Type.SCORE, "0"),
    "node-health-red": (Type.SCORE, "-INFINITY"),
    "node-health-strategy": (Type.TEXT, "none"),
    "node-health-yellow": (Type.SCORE, "0"),
    "pe-error-series-max": (Type.TEXT, "-1"),
    "pe-input-series-max": (Type.TEXT, "4000"),
    "pe-warn-series-max": (Type.TEXT, "5000"),
    "placement-strategy": (Type.TEXT, "default"),
    "priority-fencing-delay": (Type.INTERVAL, "0"),
    "remove-after-stop": (Type.BOOLEAN, "false"),
    "shutdown-escalation": (Type.TIME, "20min"),
    "shutdown-lock": (Type.BOOLEAN, "false"),
    "shutdown-lock-limit": (Type.INTERVAL, "0"),
    "start-failure-is-fatal": (Type.BOOLEAN, "true"),
    "startup-fencing": (Type.BOOLEAN, "true"),
    "stonith-action": (Type.TEXT, "reboot"),
    "stonith-enabled": (Type.BOOLEAN, "true"),
    "stonith-max-attempts": (Type.TEXT, "10"),
    "stonith-timeout": (Type.INTERVAL, "60s"),
    "stonith-watchdog-timeout": (Type.TIME, "0"),
    "stop-all-resources": (Type.BOOLEAN, "false"),
    "stop-orphan-actions": (Type.BOOLEAN, "true"),
    "stop-orphan-resources": (Type.BOOLEAN, "true"),
    "symmetric-cluster": (Type.BOOLEAN, "true"),
    "transition-delay": (Type.TIME, "0s"),
}
_OPTIONS |= {
    f"fencing-{name.removeprefix('stonith-')}": known
    for name, known in _OPTIONS.items()
    if name.startswith("stonith-")
}
"""Cluster options, with the names of Pacemaker 3 too.

Source: ``pacemaker-schedulerd metadata`` and that of the controller, the fencer and the
CIB manager, 2.1.5; a test compares them with what is installed.
"""

_FENCING: dict[str, tuple[Type, str | None]] = {
    "pcmk_delay_max": (Type.TIME, None),
    **{
        f"pcmk_{action}_timeout": (Type.TIME, None)
        for action in ("reboot", "off", "on", "list", "monitor", "status")
    },
}
"""Parameters of fence devices that Pacemaker reads itself (``pacemaker-fenced metadata``)."""

_NODE: dict[str, tuple[Type, str | None]] = {
    "standby": (Type.BOOLEAN, None),
    "maintenance": (Type.BOOLEAN, None),
}

OPTION_DEFAULTS = {name: default for name, (_, default) in _OPTIONS.items() if default}
"""What a cluster option is where it is not set."""

SYNONYMS = {"master-max": "promoted-max", "master-node-max": "promoted-node-max"}
"""Meta attributes with an older name, which every Pacemaker since 2.0 reads too."""


def known_as(name: str) -> str:
    """Return the newest name of what may have two."""
    if name.startswith("stonith-"):
        return f"fencing-{name.removeprefix('stonith-')}"
    return SYNONYMS.get(name, name)


def type_of(element: Element, attribute: str) -> Type:
    """Return how Pacemaker reads an attribute of an element."""
    return _known(element, attribute)[0]


def default_of(element: Element, attribute: str) -> str | None:
    """Return what holds where an attribute, or a pair, is missing; None: not known."""
    return _known(element, attribute)[1]


def _known(element: Element, attribute: str) -> tuple[Type, str | None]:
    unknown = (Type.TEXT, None)
    if element.tag != "nvpair":
        return _ATTRIBUTES.get((element.tag, attribute), unknown)
    if attribute != "value":
        return unknown
    name = element.get("name", "")
    return _table(element).get(SYNONYMS.get(name, name), unknown)


def _table(pair: Element) -> dict[str, tuple[Type, str | None]]:
    """Return what is known of the names in the set that a pair stands in."""
    parent = pair.getparent()
    around = None if parent is None else parent.getparent()
    if parent is None or around is None:
        return {}
    if parent.tag == "cluster_property_set":
        return _OPTIONS
    if around.tag in ("op", "op_defaults"):
        return _OPERATION_META
    if parent.tag == "meta_attributes":
        return _META
    if around.tag == "node":
        return _NODE
    return _FENCING if around.get("class") == "stonith" else {}


def equal(kind: Type, one: str, other: str) -> bool:
    """Say whether two texts are the same value, read in one way."""
    if one == other:
        return True
    read = _READERS[kind]
    value = read(one)
    return value is not None and value == read(other)


def is_true(text: str) -> bool | None:
    """Return what a boolean says, None where Pacemaker does not read it as one."""
    return _BOOLEANS.get(text.lower())


def score(text: str) -> int | None:
    """Return a score, at most :data:`INFINITY` either way; None where it is none."""
    sign = {"INFINITY": 1, "+INFINITY": 1, "-INFINITY": -1}.get(text)
    if sign is not None:
        return sign * INFINITY
    if not _SCORE.fullmatch(text) or not text.isascii():
        return None
    return max(-INFINITY, min(INFINITY, int(text[:20])))


def milliseconds(text: str) -> int | None:
    """Return a time of the plain kind (``20``, ``20s``, ``2min``) in ms, or None."""
    match = _TIME.fullmatch(text)
    if not match or match[2] not in UNITS or not text.isascii():
        return None
    return int(match[1]) * UNITS[match[2]] // 1000


def _interval(text: str) -> int | None:
    plain = milliseconds(text)
    if plain is not None:
        return plain
    match = _ISO.fullmatch(text)
    if not match or not text.isascii() or not any(match.groups()):
        return None
    parts = [int(part or 0) for part in match.groups()]
    return 1000 * sum(n * s for n, s in zip(parts, _SECONDS, strict=True))


def _role(text: str) -> str:
    return _ROLES.get(text.lower(), text.lower())


_READERS = {
    Type.TEXT: lambda text: text,
    Type.TIME: milliseconds,
    Type.INTERVAL: _interval,
    Type.BOOLEAN: is_true,
    Type.SCORE: score,
    Type.ROLE: _role,
}
