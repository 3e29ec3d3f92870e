"""Realistic CIBs by seed: generate one, mutate it, shuffle what has no order.

Everything is deterministic: the same arguments give the same bytes. What :func:`cib`
returns is valid under ``pacemaker-3.9.rng``. From the command line::

    python -m tests.generate --resources 1000 --seed 1 > a.xml
    python -m tests.generate --mutate a.xml --count 10 --seed 2 > b.xml
    python -m tests.generate --shuffle a.xml --seed 3 > c.xml
"""

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple, TypeVar, get_args

from lxml import etree

T = TypeVar("T")
Element = etree._Element
Attributes = dict[str, str]

Style = Literal["crmsh", "pcs", "random"]
"""Whose habits decide about the order of attributes, children and sections."""

Text = Literal["plain", "quoted", "world", "nasty"]
"""How far free text goes: ASCII words; quotes and markup; scripts of the world (nothing
that a Pacemaker before 2.1.8 destroys); everything, line ends included."""

Kind = Literal[
    "attribute",
    "add-nvpair",
    "delete-nvpair",
    "add-resource",
    "delete-resource",
    "move",
    "rename",
    "reorder",
    "add-comment",
    "edit-comment",
    "delete-comment",
    "attribute-order",
    "constraint-order",
    "description",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What :func:`mutate` can do."""

SHUFFLED_PARENTS = frozenset(
    {"primitive", "template", "group", "clone", "master", "bundle"}
)
"""Resources: the kinds of their children interleave, within a kind order counts."""

NVSETS = frozenset(
    {"cluster_property_set", "instance_attributes", "meta_attributes", "utilization"}
)

REFERENCES = ("rsc", "with-rsc", "first", "then", "template", "id-ref", "reference")
"""Attributes that name another element's id."""

REFERRING = frozenset({"resource_ref", "role", "obj_ref"})
"""Elements whose ``id`` names another element."""

PROSE: dict[Text, tuple[str, ...]] = {
    "plain": (
        "database of the web shop",
        "see runbook 12, page 3",
        "added for the migration; may go in spring",
        "owner: storage team",
    ),
    "quoted": (
        'the customer\'s "gold" database',
        "rack 3 > rack 2 & power 'B'",
        "only while load < 5",
        "C:\\share, 100% of `it`; $HOME {x} [y]",
    ),
    "world": (
        'the "main" one & für Köln, Straße 5',
        "数据库 'A'",
        "приложение №1",
        "on call: 😀 - Zoë",
    ),
    "nasty": (
        "first line\nsecond line\tand a tab",
        'café <b> & "quoted" after é',
        "carriage\rreturn",
        "a delete\x7fcharacter",
        "ends with ]]> and &amp; and <!-- -->",
        " blanks  around ",
        "",
    ),
}
_LEVELS: tuple[Text, ...] = get_args(Text)

Agent = tuple[str, str, str, dict[str, tuple[str, ...]]]
"""Class, provider, type, and what its parameters may be."""

_AGENTS: dict[str, Agent] = {
    "ip": ("ocf", "heartbeat", "IPaddr2", {
        "ip": ("10.20.{a}.{b}", "192.168.{a}.{b}", "2001:db8::{a}:{b}"),
        "cidr_netmask": ("24", "32"), "nic": ("eth0", "bond0.{a}")}),
    "fs": ("ocf", "heartbeat", "Filesystem", {
        "device": ("/dev/vg{a}/lv{b}", "nas{a}:/export/{b}"),
        "directory": ("/srv/{a}/{b}",), "fstype": ("xfs", "ext4", "nfs"),
        "options": ("noatime", "rw,hard,timeo=600")}),
    "lvm": ("ocf", "heartbeat", "LVM-activate", {
        "vgname": ("vg{a}",), "vg_access_mode": ("system_id", "lvmlockd")}),
    "db": ("ocf", "heartbeat", "pgsql", {
        "pgdata": ("/var/lib/pgsql/{a}/data",), "pgport": ("54{b}",),
        "start_opt": ("-p 54{b} -c log='all'", "-p 54{b}")}),
    "web": ("ocf", "heartbeat", "apache", {
        "configfile": ("/etc/httpd/{a}.conf",),
        "statusurl": ("http://127.0.0.1:{b}/status?auto&x=<y>",
                      "http://[::1]/server-status")}),
    "vm": ("ocf", "heartbeat", "VirtualDomain", {
        "config": ("/etc/libvirt/qemu/vm{a}-{b}.xml",),
        "hypervisor": ("qemu:///system",), "migration_transport": ("ssh",)}),
    "sap": ("ocf", "suse", "SAPInstance", {
        "InstanceName": ("S{b}_ASCS{a}_host",), "AUTOMATIC_RECOVER": ("false",)}),
    "nginx": ("systemd", "", "nginx", {}),
    "dummy": ("ocf", "pacemaker", "Dummy", {"fake": ("{a}",), "op_sleep": ("{b}",)}),
}  # fmt: skip
_CLONED: dict[str, Agent] = {
    "ping": ("ocf", "pacemaker", "ping", {
        "host_list": ("10.20.{a}.1 10.20.{b}.1",), "multiplier": ("100", "1000")}),
    "dlm": ("ocf", "pacemaker", "controld", {"allow_stonith_disabled": ("true",)}),
}  # fmt: skip
_PROMOTED: dict[str, Agent] = {
    "drbd": ("ocf", "linbit", "drbd", {"drbd_resource": ("r{a}",)}),
    "state": ("ocf", "pacemaker", "Stateful", {}),
    "hana": ("ocf", "suse", "SAPHana", {"SID": ("H{a}",), "PREFER_SITE_TAKEOVER": (
        "true", "false")}),
}  # fmt: skip
_ALL_AGENTS = _AGENTS | _CLONED | _PROMOTED
_META = {
    "resource-stickiness": ("1", "100", "INFINITY"),
    "migration-threshold": ("1", "3", "5000"),
    "failure-timeout": ("60s", "5min", "600"),
    "priority": ("0", "10", "50"),
    "is-managed": ("true",),
    "target-role": ("Started",),
}
_ID_LAST: dict[Style, frozenset[str]] = {
    "crmsh": frozenset(
        ("nvpair", "op", "rule", "expression", "date_expression", "date_spec",
         "resource_set", "fencing-level", "acl_permission")
    ),
    "pcs": frozenset(
        ("op", "rsc_colocation", "rsc_order", "rsc_ticket", "resource_set",
         "port-mapping", "storage-mapping", "fencing-level")
    ),
    "random": frozenset(),
}  # fmt: skip
_SECTION_ORDER: dict[Style, tuple[str, ...]] = {
    "crmsh": ("tags", "fencing-topology", "rsc_defaults", "op_defaults", "acls",
              "alerts"),
    "pcs": ("fencing-topology", "tags", "acls", "alerts", "rsc_defaults",
            "op_defaults"),
    "random": (),
}  # fmt: skip
_FENCING: Agent = ("stonith", "", "fence_ipmilan", {})
_UUID = "5a3b0d4e-7c1f-4c38-9d0c-2f1f5b7f1e11"


def cib(
    resources: int,
    seed: int,
    *,
    style: Style = "pcs",
    text: Text = "quoted",
    nodes: int = 0,
    comments: bool = True,
    owned: bool = False,
    status: bool = False,
    traps: bool = False,
) -> bytes:
    """Return a CIB of ``resources`` primitives, pretty-printed.

    ``nodes`` of 0 chooses a number that fits. ``owned`` adds what a running cluster
    writes itself, ``status`` a status section with all nodes online. ``traps`` adds
    what looks sortable and is not: equal names, equal intervals, equal scores; tools
    complain about such a CIB.
    """
    made = _Generator(Random(f"{seed}/{resources}"), style, text, comments, traps)
    return serialize(made.build(resources, nodes, owned, status))


def mutate(
    data: bytes, seed: int, kinds: Sequence[Kind] = KINDS, count: int = 1
) -> bytes:
    """Return ``data`` after ``count`` edits of the given kinds; references stay whole.

    A kind that finds nothing to work on gives its turn to another one; if none of
    ``kinds`` does, what has been reached is returned.
    """
    mutator = _Mutator(parse(data), Random(f"mutate {seed}"))
    for _ in range(count):
        turns = mutator.rng.sample(list(kinds), len(kinds))
        if not any(mutator.apply(kind) for kind in turns):
            break
    return serialize(mutator.root)


def shuffle(data: bytes, seed: int) -> bytes:
    """Return ``data`` with everything shuffled whose order has no meaning, nothing else.

    Attributes; sections; nodes; constraints, but not orders (nor colocations) of the
    same resources among each other; operations no two of which share name and interval;
    pairs of a set without equal names; fencing levels without equal target and index;
    the kinds of children inside a resource. A comment stays with the element after it.
    """
    root = parse(data)
    rng = Random(f"shuffle {seed}")
    for element in list(root.iter(etree.Element)):
        _shuffle_attributes(element, rng)
        _shuffle_children(element, rng)
    return serialize(root)


def parse(data: bytes) -> Element:
    """Parse without blank text; everything else is kept."""
    parser = etree.XMLParser(
        remove_blank_text=True, strip_cdata=False, huge_tree=True, collect_ids=False
    )
    return etree.fromstring(data, parser)


def serialize(root: Element) -> bytes:
    """Write one element a line, as an editor would see it."""
    return etree.tostring(root, encoding="utf-8", pretty_print=True)


def interval_ms(text: str) -> int:
    """Return an interval in milliseconds, as ``crm_parse_interval_spec`` reads it."""
    if text.startswith("P"):
        found = re.fullmatch(r"PT?(\d+)([DHMS])", text)
        units = {"D": 86_400_000, "H": 3_600_000, "M": 60_000, "S": 1000}
        return int(found[1]) * units[found[2]] if found else 0
    found = re.match(r"\s*(\d+)[\d.]*\s*([a-z]*)", text, re.IGNORECASE)
    if not found:
        return 0
    number, unit = int(found[1]), found[2].lower()
    if unit.startswith(("ms", "us")):
        return number if unit[0] == "m" else number // 1000
    factor = {"": 1000, "s": 1000, "m": 60_000, "h": 3_600_000}.get(unit[:1], 0)
    return number * factor


class _Home(NamedTuple):
    """Where a primitive runs: ``one`` node, ``all``, or that of a group (its id)."""

    identity: str
    kind: str
    where: str


class _Generator:
    """Builds one CIB; holds what later parts need to know about earlier ones."""

    def __init__(
        self, rng: Random, style: Style, text: Text, comments: bool, traps: bool
    ) -> None:
        self.rng = rng
        self.style = style
        self.prose = [p for t in _LEVELS[: _LEVELS.index(text) + 1] for p in PROSE[t]]
        self.comments = comments
        self.traps = traps
        self.serial = 0
        self.nodes: list[str] = []
        self.top: list[str] = []
        self.promotable: list[str] = []
        self.devices: list[str] = []
        self.templates: list[tuple[str, str]] = []
        self.shared: dict[str, list[str]] = defaultdict(list)
        self.homes: list[_Home] = []
        self.intervals: dict[str, str] = {}

    def build(self, resources: int, nodes: int, owned: bool, status: bool) -> Element:
        count = nodes or min(32, max(2, resources // 12))
        self.nodes = [f"node{number}" for number in range(1, count + 1)]
        root = self._root(owned, status)
        configuration = self.add(root, "configuration")
        self._options(configuration, owned, fenced=resources >= 4)
        self._nodes(configuration)
        self._resources(configuration, resources)
        self._constraints(configuration)
        for name in _SECTION_ORDER[self.style] or self._mixed(_SECTION_ORDER["pcs"]):
            _SECTIONS[name](self, configuration)
        if self.style == "random":
            configuration[:] = self._mixed(list(configuration))
        if self.comments:
            self._comment_somewhere(configuration)
        section = self.add(root, "status")
        if status:
            self._status(section)
        return root

    # -- small parts ---------------------------------------------------------------

    def add(
        self, parent: Element, tag: str, attributes: Attributes | None = None
    ) -> Element:
        items = list((attributes or {}).items())
        if self.style == "random":
            self.rng.shuffle(items)
        elif tag in _ID_LAST[self.style]:
            items.sort(key=lambda item: item[0] == "id")
        element = etree.SubElement(parent, tag)
        for name, value in items:
            element.set(name, value)
        return element

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def _mixed(self, items: Sequence[T]) -> list[T]:
        return self.rng.sample(items, len(items))

    def described(self, attributes: Attributes, probability: float) -> Attributes:
        if self.chance(probability):
            attributes["description"] = self.rng.choice(self.prose)
        return attributes

    def name(self, kind: str) -> str:
        self.serial += 1
        app = self.rng.choice(("shop", "erp", "mail", "crm", "bi", "file", "x_1.y"))
        return f"{app}{self.serial}-{kind}"

    def pairs(
        self, parent: Element, tag: str, base: str, values: Attributes, suffix: str = ""
    ) -> Element:
        identity = f"{base}-{tag}{suffix}"
        block = self.add(parent, tag, {"id": identity})
        for name, value in values.items():
            self.pair(block, identity, name, value)
        if self.traps and values and self.chance(0.3):
            name = self.rng.choice(list(values))
            self.pair(block, f"{identity}-again", name, "another value")
        return block

    def pair(self, block: Element, base: str, name: str, value: str) -> None:
        identity = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{base}-{name}")
        self.add(block, "nvpair", {"id": identity, "name": name, "value": value})

    def rule(self, parent: Element, base: str, score: str | None) -> Element:
        identity = f"{base}-rule"
        attributes = {"id": identity}
        if score is not None:
            attributes["score"] = score
        if self.chance(0.5):
            attributes["boolean-op"] = self.rng.choice(("and", "or"))
        rule = self.add(parent, "rule", attributes)
        for number in range(self.rng.choice((1, 1, 2, 3))):
            self._expression(rule, f"{identity}-expr-{number}")
        return rule

    def _expression(self, rule: Element, identity: str) -> None:
        if self.chance(0.3):
            attributes = {"id": identity, "operation": "date_spec"}
            date = self.add(rule, "date_expression", attributes)
            hours = self.rng.choice(("9-17", "0-6", "22-23"))
            spec = {"id": f"{identity}-spec", "hours": hours, "weekdays": "1-5"}
            self.add(date, "date_spec", spec)
        elif self.chance(0.1):
            self.add(rule, "date_expression", {
                "id": identity, "operation": "in_range",
                "start": "2025-01-01", "end": "2035-12-31 23:59:59Z"})  # fmt: skip
        elif self.chance(0.1):
            nested = {"id": f"{identity}-rule", "boolean-op": "or"}
            inner = self.add(rule, "rule", nested)
            self._expression(inner, f"{identity}-a")
            self._expression(inner, f"{identity}-b")
        else:
            attributes = {"id": identity}
            attributes |= self.rng.choice((
                {"attribute": "#uname", "operation": "eq",
                 "value": self.rng.choice(self.nodes)},
                {"attribute": "site", "operation": "ne", "value": "Bonn & Köln"},
                {"attribute": "pingd", "operation": "lt", "value": "100",
                 "type": "number"},
                {"attribute": "rack", "operation": "defined"},
            ))  # fmt: skip
            self.add(rule, "expression", attributes)

    # -- sections ------------------------------------------------------------------

    def _root(self, owned: bool, status: bool) -> Element:
        attributes = {
            "crm_feature_set": "3.16.1",
            "validate-with": "pacemaker-3.9",
            "epoch": str(self.rng.randrange(1, 500)),
            "num_updates": str(self.rng.randrange(50)) if owned else "0",
            "admin_epoch": self.rng.choice(("0", "0", "0", "1")),
        }
        if owned:
            attributes |= {
                "cib-last-written": "Sun Nov 22 13:59:17 2026",
                "update-origin": self.rng.choice(self.nodes),
                "update-client": self.rng.choice(("cibadmin", "crm_resource")),
                "update-user": "root",
            }
        if owned or status:
            attributes |= {"have-quorum": "1", "dc-uuid": "1"}
        root = etree.Element("cib")
        items = list(attributes.items())
        for name, value in self._mixed(items) if self.style == "random" else items:
            root.set(name, value)
        return root

    def _options(self, configuration: Element, owned: bool, fenced: bool) -> None:
        section = self.add(configuration, "crm_config")
        values = {
            "stonith-enabled": "true" if fenced else "false",
            "no-quorum-policy": self.rng.choice(("stop", "ignore", "freeze")),
        }
        optional = {
            "placement-strategy": self.rng.choice(("balanced", "utilization")),
            "cluster-recheck-interval": self.rng.choice(("15min", "60s")),
            "symmetric-cluster": "true",
            "stonith-timeout": "150s",
            "maintenance-mode": "false",
            "node-health-strategy": "none",
        }
        values |= {k: v for k, v in optional.items() if self.chance(0.4)}
        if owned:
            values |= {
                "have-watchdog": "false",
                "dc-version": "2.1.5-a3f44794f94",
                "cluster-infrastructure": "corosync",
                "cluster-name": "prod",
            }
            if self.chance(0.5):
                values["last-lrm-refresh"] = "1763800000"
        block = self.add(section, "cluster_property_set", {
            "id": "cib-bootstrap-options"})  # fmt: skip
        for name in sorted(values) if self.style == "pcs" else self._mixed([*values]):
            self.pair(block, "cib-bootstrap-options", name, values[name])
        if self.chance(0.2):
            extra = {"id": "extra-options"}
            block = self.add(section, "cluster_property_set", extra)
            self.pair(block, "extra-options", "azure-x", self.rng.choice(self.prose))
        if owned and self.chance(0.5):
            marker = self.add(section, "cluster_property_set", {"id": "cibgit"})
            commit = f"{self.rng.getrandbits(160):040x}"
            self.add(marker, "nvpair", {
                "id": "cibgit-commit", "name": "cibgit-commit",
                "value": commit})  # fmt: skip

    def _nodes(self, configuration: Element) -> None:
        section = self.add(configuration, "nodes")
        order = self._mixed(self.nodes) if self.style == "random" else self.nodes
        for name in order:
            number = self.nodes.index(name) + 1
            attributes = self.described({"id": str(number), "uname": name}, 0.1)
            node = self.add(section, "node", attributes)
            if self.chance(0.5):
                values = {"site": self.rng.choice(("A", "B")), "rack": str(number % 4)}
                if self.chance(0.2):
                    values["standby"] = "off"
                self.pairs(node, "instance_attributes", f"nodes-{number}", values)
            if self.chance(0.5):
                capacity = {"cpu": "640", "memory": "1048576"}
                self.pairs(node, "utilization", f"nodes-{number}", capacity)

    def _resources(self, configuration: Element, count: int) -> None:
        section = self.add(configuration, "resources")
        fencing = min(len(self.nodes), count // 4)
        for number in range(fencing):
            self._fence_device(section, self.nodes[number])
        if count >= 8:
            for _ in range(max(1, count // 50)):
                self._template(section)
        left = count - fencing
        while left > 0:
            shapes: list[tuple[Callable[[Element, int], None], int, int]]
            shapes = [(self._single, 1, 40), (self._clone, 1, 7)]
            shapes += [(self._promotable, 1, 4), (self._bundle, 1, 3)]
            if left >= 2:
                size = self.rng.randrange(2, min(7, left + 1))
                shapes += [(self._group, size, 28), (self._cloned_group, size, 4)]
            weights = [weight for _, _, weight in shapes]
            ((make, size, _),) = self.rng.choices(shapes, weights)
            make(section, size)
            left -= size
        if self.style == "random":
            section[:] = self._mixed(list(section))

    def _constraints(self, configuration: Element) -> None:
        section = self.add(configuration, "constraints")
        for index, resource in enumerate(self.top):
            for probability, make in (
                (0.70, self._location),
                (0.20, self._rule_location),
                (0.50, self._colocation),
                (0.55, self._order),
                (0.05, self._set_constraint),
                (0.05, self._ticket),
            ):
                if self.chance(probability):
                    make(section, resource, self.top[:index])
        if self.style == "random":
            section[:] = self._mixed(list(section))

    def _tags(self, configuration: Element) -> None:
        if not self.top or self.chance(0.3):
            return
        section = self.add(configuration, "tags")
        for number in range(1 + len(self.top) // 20):
            tag = self.add(section, "tag", {"id": f"tag-{number}"})
            members = self.rng.sample(self.top, min(len(self.top), 3))
            for member in members:
                self.add(tag, "obj_ref", {"id": member})

    def _fencing(self, configuration: Element) -> None:
        if not self.devices or self.chance(0.3):
            return
        section = self.add(configuration, "fencing-topology")
        for node, device in zip(self.nodes, self.devices, strict=False):
            both = [device, self.rng.choice(self.devices)]
            for index in range(1, self.rng.choice((2, 3))):
                self.add(section, "fencing-level", {
                    "id": f"fl-{node}-{index}", "target": node, "index": str(index),
                    "devices": ",".join(dict.fromkeys(both[:index]))})  # fmt: skip
        if self.chance(0.3):
            self.add(section, "fencing-level", {
                "id": "fl-pattern", "target-pattern": "spare.*", "index": "1",
                "devices": self.devices[0]})  # fmt: skip
        if self.traps:
            self.add(section, "fencing-level", {
                "id": "fl-again", "target": self.nodes[0], "index": "1",
                "devices": self.devices[-1]})  # fmt: skip

    def _acls(self, configuration: Element) -> None:
        if self.chance(0.5):
            return
        section = self.add(configuration, "acls")
        role = self.add(section, "acl_role", self.described({"id": "operator"}, 0.5))
        where = {"xpath": "//nodes | //node[@uname='node1']"}
        kinds = [("read", where), ("deny", {"object-type": "acls", "attribute": "id"})]
        if self.top:
            kinds.append(("write", {"reference": self.rng.choice(self.top)}))
        for number, (kind, what) in enumerate(kinds):
            attributes = {"id": f"operator-{number}", "kind": kind} | what
            self.add(role, "acl_permission", attributes)
        for tag, who in (("acl_target", "alice"), ("acl_group", "helpdesk")):
            self.add(self.add(section, tag, {"id": who}), "role", {"id": "operator"})

    def _alerts(self, configuration: Element) -> None:
        if self.chance(0.5):
            return
        section = self.add(configuration, "alerts")
        for number in range(self.rng.choice((1, 2))):
            base = f"alert-{number}"
            attributes = {"id": base, "path": f"/usr/local/bin/alert{number}.sh"}
            alert = self.add(section, "alert", self.described(attributes, 0.5))
            if self.chance(0.5):
                meta = {"timeout": "15s", "timestamp-format": "%H:%M"}
                self.pairs(alert, "meta_attributes", base, meta)
            if self.chance(0.5):
                select = self.add(alert, "select")
                self.add(select, "select_nodes")
                chosen = self.add(select, "select_attributes")
                named = {"id": f"{base}-attr", "name": "standby"}
                self.add(chosen, "attribute", named)
            for target in range(self.rng.choice((0, 1, 2))):
                base_of = f"{base}-recipient-{target}"
                recipient = {"id": base_of, "value": f"admin{target}@example.com"}
                self.add(alert, "recipient", recipient)

    def _rsc_defaults(self, configuration: Element) -> None:
        section = self.add(configuration, "rsc_defaults")
        values = {"resource-stickiness": "1", "migration-threshold": "3"}
        self.pairs(section, "meta_attributes", "rsc", values)
        if self.chance(0.3):
            block = self.pairs(
                section, "meta_attributes", "rsc", {"priority": "5"}, "-databases"
            )
            block.set("score", "10")
            base = "rsc-databases-rule"
            rule = self.add(block, "rule", {"id": base, "boolean-op": "and"})
            expression = {"id": f"{base}-e", "class": "ocf", "type": "pgsql"}
            self.add(rule, "rsc_expression", expression)

    def _op_defaults(self, configuration: Element) -> None:
        section = self.add(configuration, "op_defaults")
        values = {"timeout": self.rng.choice(("60s", "600"))}
        self.pairs(section, "meta_attributes", "op", values)
        if self.chance(0.3):
            values = {"timeout": "45s", "record-pending": "true"}
            block = self.pairs(section, "meta_attributes", "op", values, "-monitors")
            block.set("score", "5")
            rule = self.add(block, "rule", {"id": "op-monitors-rule"})
            expression = {"id": "op-monitors-e", "name": "monitor", "interval": "10s"}
            self.add(rule, "op_expression", expression)

    # -- resources -----------------------------------------------------------------

    def _fence_device(self, section: Element, node: str) -> None:
        identity = f"fence-{node}"
        number = self.nodes.index(node) + 1
        attributes = {"id": identity, "class": "stonith", "type": "fence_ipmilan"}
        device = self.add(section, "primitive", self.described(attributes, 0.1))
        self.pairs(device, "instance_attributes", identity, {
            "ip": f"10.0.9.{number}", "username": "admin",
            "password": f"s3cr<t&{self.rng.randrange(1000)}", "lanplus": "1",
            "pcmk_host_list": node, "pcmk_delay_base": f"{number % 8}s"})  # fmt: skip
        operations = self.add(device, "operations")
        self._op(operations, identity, "monitor", "60s", {"timeout": "120s"})
        self.devices.append(identity)
        self.homes.append(_Home(identity, "fencing", "one"))

    def _template(self, section: Element) -> None:
        kind = self.rng.choice(("ip", "fs", "web", "dummy"))
        identity = self.name(f"{kind}-template")
        self._body(self.add(section, "template", self._agent(identity, kind)),
                   identity, kind)  # fmt: skip
        self.templates.append((identity, kind))

    def _agent(self, identity: str, kind: str) -> Attributes:
        of_class, provider, of_type, _ = _ALL_AGENTS[kind]
        attributes = {"id": identity, "class": of_class}
        if self.style == "pcs":
            attributes["type"] = of_type
        if provider:
            attributes["provider"] = provider
        attributes["type"] = of_type
        return self.described(attributes, 0.05)

    def primitive(self, parent: Element, kind: str, home: str = "one") -> str:
        if self.templates and home == "one" and self.chance(0.1):
            template, kind = self.rng.choice(self.templates)
            identity = self.name(kind)
            attributes = {"id": identity, "template": template}
            element = self.add(parent, "primitive", attributes)
            if self.chance(0.5):
                values = self._values(kind)
                self.pairs(element, "instance_attributes", identity, values)
        else:
            identity = self.name(kind)
            element = self.add(parent, "primitive", self._agent(identity, kind))
            self._body(element, identity, kind)
        if home != "bundle":
            self.homes.append(_Home(identity, kind, home))
        return identity

    def _values(self, kind: str) -> Attributes:
        a, b = self.rng.randrange(1, 250), self.rng.randrange(10, 99)
        return {
            name: self.rng.choice(choices).format(a=a, b=b)
            for name, choices in _ALL_AGENTS[kind][3].items()
        }

    def _body(self, element: Element, identity: str, kind: str) -> None:
        parts: list[Callable[[Element, str, str], None]] = [
            self._parameters,
            self._meta,
            self._operations,
            self._utilization,
        ]
        if self.style == "crmsh":
            parts[1], parts[2] = parts[2], parts[1]
        for part in self._mixed(parts) if self.style == "random" else parts:
            part(element, identity, kind)

    def _parameters(self, element: Element, identity: str, kind: str) -> None:
        tag = "instance_attributes"
        known = self.shared[f"{tag} {kind}"]
        if known and self.chance(0.03):
            self.add(element, tag, {"id-ref": self.rng.choice(known)})
            return
        values = self._values(kind)
        if not values:
            return
        if self.chance(0.05):
            values["remark"] = self.rng.choice(self.prose)
        self.pairs(element, tag, identity, values)
        known.append(f"{identity}-{tag}")
        if self.chance(0.04):
            name = next(iter(values))
            block = self.pairs(element, tag, identity, {name: "other"}, "-there")
            block.set("score", "10")
            self.rule(block, f"{identity}-there", None)
        if self.traps and self.chance(0.5):
            name = next(iter(values))
            self.pairs(element, tag, identity, {name: "equal score"}, "-equal")

    def _meta(self, element: Element, identity: str, kind: str) -> None:
        tag = "meta_attributes"
        if not self.chance(0.35):
            return
        names = self.rng.sample(sorted(_META), self.rng.randrange(1, 4))
        values = {name: self.rng.choice(_META[name]) for name in names}
        if kind == "vm":
            values["allow-migrate"] = "true"
        block = self.pairs(element, tag, identity, values)
        known = self.shared["priority"]
        if "priority" in values:
            known.append(f"{identity}-{tag}-priority")
        elif known and self.chance(0.1):
            reference = {"id-ref": self.rng.choice(known)}
            if self.chance(0.5):
                reference["name"] = "priority"
            self.add(block, "nvpair", reference)

    def _operations(self, element: Element, identity: str, kind: str) -> None:
        known = self.shared[f"operations {kind}"]
        if known and self.chance(0.03):
            self.add(element, "operations", {"id-ref": self.rng.choice(known)})
            return
        attributes = {}
        if self.chance(0.1):
            attributes["id"] = f"{identity}-operations"
            known.append(attributes["id"])
        block = self.add(element, "operations", attributes)
        plan: list[tuple[str, str, Attributes]] = [
            ("start", "0s", {"timeout": self.rng.choice(("60s", "2min"))}),
            ("stop", "0s", {"timeout": self.rng.choice(("60s", "120"))}),
        ]
        if kind in _PROMOTED:
            roles = self.rng.choice((("Promoted", "Unpromoted"), ("Master", "Slave")))
            plan.append(("monitor", "10s", {"timeout": "20s", "role": roles[0]}))
            plan.append(("monitor", "11s", {"timeout": "20s", "role": roles[1]}))
            plan.append(("promote", "0s", {"timeout": "90s"}))
        else:
            extra = {"timeout": "20s"}
            if self.chance(0.2):
                extra["on-fail"] = self.rng.choice(("restart", "standby", "block"))
            plan.append(("monitor", self.rng.choice(("10s", "30s", "1min")), extra))
        if self.traps:
            plan.append(("monitor", "10000ms", {"timeout": "33s"}))
            plan.append(("monitor", "PT10S", {"timeout": "44s", "role": "Stopped"}))
        for name, interval, extra in plan:
            self._op(block, identity, name, interval, extra)

    def _op(
        self, block: Element, base: str, name: str, interval: str, extra: Attributes
    ) -> None:
        middle = "" if self.style == "crmsh" else "interval-"
        identity = f"{base}-{name}-{middle}{interval}"
        attributes = {"id": identity, "name": name, "interval": interval}
        if name == "monitor":
            self.intervals[base] = interval
        op = self.add(block, "op", attributes | self.described(extra, 0.01))
        if name == "monitor" and self.chance(0.03):
            values = {"OCF_CHECK_LEVEL": "10"}
            self.pairs(op, "instance_attributes", identity, values)

    def _utilization(self, element: Element, identity: str, kind: str) -> None:
        if kind == "vm" or self.chance(0.05):
            values = {"cpu": self.rng.choice("1248"), "memory": "2048"}
            self.pairs(element, "utilization", identity, values)

    def _single(self, section: Element, _: int, /) -> None:
        self.top.append(self.primitive(section, self.rng.choice(list(_AGENTS))))

    def _members(self, parent: Element, size: int, home: str) -> None:
        chain = ("lvm", "fs", "ip", "db", "web", "dummy", "nginx")
        for kind in chain[:size]:
            self.primitive(parent, kind, home)

    def _with_meta(
        self,
        section: Element,
        tag: str,
        identity: str,
        values: Attributes,
        fill: Callable[[Element], object],
    ) -> None:
        attributes = self.described({"id": identity}, 0.1)
        element = self.add(section, tag, attributes)
        if self.style == "pcs":
            fill(element)
        if values:
            self.pairs(element, "meta_attributes", identity, values)
        if self.style != "pcs":
            fill(element)

    def _group(self, section: Element, size: int, /) -> None:
        identity = self.name("group")
        values = {"resource-stickiness": "10"} if self.chance(0.3) else {}
        self._with_meta(section, "group", identity, values,
                        lambda group: self._members(group, size, identity))  # fmt: skip
        self.top.append(identity)

    def _clone(self, section: Element, _: int, /) -> None:
        kind = self.rng.choice([*_CLONED, "dummy", "nginx"])
        identity = self.name(f"{kind}-clone")
        values = {"interleave": "true"}
        if self.chance(0.3):
            values |= {
                "clone-max": str(len(self.nodes)),
                "clone-node-max": "1",
                "globally-unique": "false",
            }
        self._with_meta(section, "clone", identity, values,
                        lambda clone: self.primitive(clone, kind, "all"))  # fmt: skip
        self.top.append(identity)

    def _promotable(self, section: Element, _: int, /) -> None:
        kind = self.rng.choice(list(_PROMOTED))
        identity = self.name(f"{kind}-clone")
        values = {"promotable": "true", "promoted-max": "1", "notify": "true"}
        self._with_meta(section, "clone", identity, values,
                        lambda clone: self.primitive(clone, kind, "all"))  # fmt: skip
        self.top.append(identity)
        self.promotable.append(identity)

    def _cloned_group(self, section: Element, size: int, /) -> None:
        identity = self.name("group-clone")

        def fill(clone: Element) -> None:
            inner = self.name("group")
            group = self.add(clone, "group", {"id": inner})
            self._members(group, size, "all")

        self._with_meta(section, "clone", identity, {"interleave": "true"}, fill)
        self.top.append(identity)

    def _bundle(self, section: Element, _: int, /) -> None:
        identity = self.name("bundle")
        element = self.add(section, "bundle", self.described({"id": identity}, 0.1))
        engine = self.rng.choice(("docker", "podman"))
        attributes = {"image": f"registry.example.com/{identity}:1", "replicas": "2"}
        if self.chance(0.5):
            attributes["options"] = '--log-driver=journald --env="A=b c"'
        self.add(element, engine, attributes)
        net = self.serial % 250
        network = self.add(element, "network", {
            "ip-range-start": f"192.168.{net}.131", "control-port": "3121"})  # fmt: skip
        for port in ("80", "443"):
            if self.chance(0.5):
                mapping = {"id": f"{identity}-port-{port}", "port": port}
                self.add(network, "port-mapping", mapping)
        storage = self.add(element, "storage")
        for number in range(self.rng.choice((1, 2))):
            mapping = {
                "id": f"{identity}-storage-{number}",
                "source-dir": f"/srv/{identity}/{number}",
                "target-dir": f"/var/lib/{number}",
                "options": "rw",
            }
            self.add(storage, "storage-mapping", mapping)
        self.primitive(element, "web", "bundle")
        if self.chance(0.5):
            self.pairs(element, "meta_attributes", identity, {"priority": "7"})
        self.top.append(identity)

    # -- constraints ---------------------------------------------------------------

    def _score(self) -> str:
        return self.rng.choice(("10", "100", "50", "INFINITY", "-200"))

    def _location(self, section: Element, resource: str, _: list[str]) -> None:
        node = self.rng.choice(self.nodes)
        identity = f"location-{resource}-{node}"
        attributes = {"id": identity, "rsc": resource}
        if self.chance(0.05):
            attributes = {"id": identity, "rsc-pattern": f"^{resource}.*"}
        if self.chance(0.05):
            attributes["resource-discovery"] = "exclusive"
        attributes |= {"node": node, "score": self._score()}
        self.add(section, "rsc_location", attributes)

    def _rule_location(self, section: Element, resource: str, _: list[str]) -> None:
        identity = f"location-{resource}"
        attributes = {"id": identity, "rsc": resource}
        element = self.add(section, "rsc_location", attributes)
        known = self.shared["rule"]
        if known and self.chance(0.1):
            self.add(element, "rule", {"id-ref": self.rng.choice(known)})
            return
        self.rule(element, identity, self._score())
        known.append(f"{identity}-rule")
        if self.chance(0.1):
            self.rule(element, f"{identity}-1", "7")

    def _colocation(self, section: Element, resource: str, earlier: list[str]) -> None:
        if not earlier:
            return
        other = self.rng.choice(earlier)
        attributes = {"id": f"colocation-{resource}-{other}"}
        attributes |= {"rsc": resource, "with-rsc": other, "score": self._score()}
        if other in self.promotable:
            attributes["with-rsc-role"] = self.rng.choice(("Promoted", "Master"))
        self.add(section, "rsc_colocation", attributes)

    def _order(self, section: Element, resource: str, earlier: list[str]) -> None:
        if not earlier:
            return
        first = self.rng.choice(earlier)
        attributes = {"id": f"order-{first}-{resource}", "first": first}
        attributes["then"] = resource
        if first in self.promotable:
            attributes |= {"first-action": "promote", "then-action": "start"}
        if self.chance(0.5):
            kind = self.rng.choice(("Mandatory", "Optional", "Serialize"))
            attributes["kind"] = kind
            if kind == "Serialize":
                attributes["symmetrical"] = "false"
        self.add(section, "rsc_order", attributes)

    def _set_constraint(
        self, section: Element, resource: str, earlier: list[str]
    ) -> None:
        if len(earlier) < 3:
            return
        tag = self.rng.choice(("rsc_order", "rsc_colocation"))
        identity = f"{tag}-set-{resource}"
        attributes = {"id": identity}
        attributes |= {"kind": "Optional"} if tag == "rsc_order" else {"score": "20"}
        element = self.add(section, tag, attributes)
        chosen = self.rng.sample(earlier, 3)
        known = self.shared["resource_set"]
        if known and self.chance(0.2):
            self.add(element, "resource_set", {"id-ref": self.rng.choice(known)})
        for number, members in enumerate((chosen[:2], [chosen[2], resource])):
            attributes = {"id": f"{identity}-{number}"}
            if self.chance(0.5):
                attributes["sequential"] = self.rng.choice(("true", "false"))
            block = self.add(element, "resource_set", attributes)
            for member in members:
                self.add(block, "resource_ref", {"id": member})
            known.append(f"{identity}-{number}")

    def _ticket(self, section: Element, resource: str, _: list[str]) -> None:
        attributes = {"id": f"ticket-{resource}", "rsc": resource}
        attributes |= {"ticket": "T 'one'", "loss-policy": "stop"}
        if resource in self.promotable:
            attributes["rsc-role"] = "Promoted"
        self.add(section, "rsc_ticket", attributes)

    # -- comments and status -------------------------------------------------------

    def _comment_somewhere(self, configuration: Element) -> None:
        texts = [re.sub("--+", "-", text).rstrip("-") for text in self.prose]
        texts = [text for text in texts if "\r" not in text]
        tags = ("primitive", "nvpair", "op", "rsc_location", "node", "resources")
        for element in list(configuration.iter(*tags)):
            if self.chance(0.01) or (element.tag == "resources" and self.chance(0.2)):
                element.addprevious(etree.Comment(f" {self.rng.choice(texts)} "))
        for section in configuration.iterchildren(etree.Element):
            if self.chance(0.03):
                section.append(etree.Comment(f" end of {section.tag} "))

    def _status(self, section: Element) -> None:
        where = {home.where: self.rng.choice(self.nodes) for home in self.homes}
        places = [
            (home, where[home.where] if home.where != "one" else self._anywhere())
            for home in self.homes
        ]
        for number, node in enumerate(self.nodes, 1):
            state = self.add(section, "node_state", {
                "id": str(number), "uname": node, "in_ccm": "true", "crmd": "online",
                "crm-debug-origin": "do_update_resource", "join": "member",
                "expected": "member"})  # fmt: skip
            lrm = self.add(state, "lrm", {"id": str(number)})
            listed = self.add(lrm, "lrm_resources")
            for call, (home, place) in enumerate(places):
                self._history(listed, home, home.where == "all" or place == node, call)
            values = {"pingd": "1000"}
            transient = self.add(state, "transient_attributes", {"id": str(number)})
            self.pairs(transient, "instance_attributes", f"status-{number}", values)

    def _anywhere(self) -> str:
        return self.rng.choice(self.nodes)

    def _history(self, parent: Element, home: _Home, running: bool, call: int) -> None:
        of_class, provider, of_type, _ = _ALL_AGENTS.get(home.kind, _FENCING)
        attributes = {"id": home.identity, "type": of_type, "class": of_class}
        if provider:
            attributes["provider"] = provider
        block = self.add(parent, "lrm_resource", attributes)
        self._ran(block, home, "start" if running else "monitor", 0, call)
        milliseconds = interval_ms(self.intervals.get(home.identity, ""))
        if running and milliseconds and home.kind not in _PROMOTED:
            self._ran(block, home, "monitor", milliseconds, call + 1)

    def _ran(
        self, block: Element, home: _Home, operation: str, interval: int, call: int
    ) -> None:
        rc = 7 if operation == "monitor" and not interval else 0
        key = f"{call + 3}:0:{rc}:{_UUID}"
        name = f"{home.identity}_{operation}_{interval}"
        self.add(block, "lrm_rsc_op", {
            "id": name if interval else f"{home.identity}_last_0",
            "operation_key": name, "operation": operation,
            "crm-debug-origin": "build_active_RAs", "crm_feature_set": "3.16.1",
            "transition-key": key, "transition-magic": f"0:{rc};{key}",
            "exit-reason": "", "call-id": str(call * 4 + 1), "rc-code": str(rc),
            "op-status": "0", "interval": str(interval),
            "last-rc-change": "1763800100", "exec-time": "25",
            "queue-time": "0"})  # fmt: skip


_SECTIONS: dict[str, Callable[[_Generator, Element], None]] = {
    "tags": _Generator._tags,
    "fencing-topology": _Generator._fencing,
    "acls": _Generator._acls,
    "alerts": _Generator._alerts,
    "rsc_defaults": _Generator._rsc_defaults,
    "op_defaults": _Generator._op_defaults,
}


class _Mutator:
    """Applies single edits to one tree, keeping every reference whole."""

    def __init__(self, root: Element, rng: Random) -> None:
        self.root = root
        self.rng = rng
        self._tagged: dict[str, list[Element]] = {}
        self._referring: dict[str, list[Element]] | None = None
        self._serial = 0
        self._edits: dict[Kind, Callable[[], bool]] = {
            "attribute": self._attribute,
            "add-nvpair": self._add_pair,
            "delete-nvpair": self._delete_pair,
            "add-resource": self._add_resource,
            "delete-resource": self._delete_resource,
            "move": self._move,
            "rename": self._rename,
            "reorder": self._reorder,
            "add-comment": self._add_comment,
            "edit-comment": self._edit_comment,
            "delete-comment": self._delete_comment,
            "attribute-order": self._attribute_order,
            "constraint-order": self._constraint_order,
            "description": self._description,
        }

    def apply(self, kind: Kind) -> bool:
        """Make one edit of that kind; False where nothing lends itself to it."""
        return self._edits[kind]()

    # -- finding things ------------------------------------------------------------

    def configured(self) -> Element:
        found = self.root.find("configuration")
        assert found is not None
        return found

    def tagged(self, *tags: str) -> list[Element]:
        """Elements of these tags in the configuration, those removed since left out."""
        found: list[Element] = []
        for tag in tags:
            if tag not in self._tagged:
                self._tagged[tag] = list(self.configured().iter(tag))
            found += self._tagged[tag]
        return found

    def choose(
        self,
        elements: Sequence[Element],
        fits: Callable[[Element], bool] = lambda _: True,
    ) -> Element | None:
        """Choose one element that fits and is still in the tree."""
        for _ in range(20 if elements else 0):
            element = self.rng.choice(elements)
            if self._attached(element) and fits(element):
                return element
        return next((e for e in elements if self._attached(e) and fits(e)), None)

    def _attached(self, element: Element) -> bool:
        return element is self.root or any(
            parent is self.root for parent in element.iterancestors()
        )

    def referring(self) -> dict[str, list[Element]]:
        """Return who names an id: its value to the elements with a reference to it."""
        if self._referring is None:
            self._referring = defaultdict(list)
            for element in self.configured().iter(etree.Element):
                self._note(element)
        return self._referring

    def _note(self, element: Element) -> None:
        assert self._referring is not None
        for name in REFERENCES:
            value = element.get(name)
            if value is not None:
                self._referring[value].append(element)
        if element.tag in REFERRING:
            self._referring[element.get("id", "")].append(element)
        for device in filter(None, element.get("devices", "").split(",")):
            self._referring[device].append(element)

    def fresh(self, base: str) -> str:
        self._serial += 1
        return f"{base}-new{self._serial}-{self.rng.randrange(10**6)}"

    # -- edits ---------------------------------------------------------------------

    def _attribute(self) -> bool:
        wanted = {
            "nvpair": "value", "op": "timeout", "rsc_location": "score",
            "rsc_colocation": "score",
        }  # fmt: skip
        element = self.choose(
            self.tagged(*wanted), lambda e: e.get(wanted[str(e.tag)]) is not None
        )
        if element is None:
            return False
        name = wanted[str(element.tag)]
        known = {"score": ("1", "33", "-INFINITY"), "timeout": ("7s", "88s", "9min")}
        values = known.get(name, (str(self.rng.randrange(10**6)), "x y"))
        element.set(name, self._other(values, element.get(name)))
        return True

    def _other(self, values: Iterable[str], old: str | None) -> str:
        return self.rng.choice([value for value in values if value != old])

    def _sets(self) -> list[Element]:
        found = self.tagged(*sorted(NVSETS - {"cluster_property_set"}))
        return [block for block in found if block.get("id") and len(block)]

    def _add_pair(self) -> bool:
        block = self.choose(self._sets())
        if block is None:
            return False
        identity = self.fresh(block.get("id", ""))
        name = f"extra{self._serial}-{self.rng.randrange(10**6)}"
        pair = etree.Element("nvpair", id=identity, name=name, value="1")
        block.insert(self.rng.randrange(len(block) + 1), pair)
        return True

    def _delete_pair(self) -> bool:
        known = self.referring()
        pair = self.choose(
            self.tagged("nvpair"), lambda e: not known.get(e.get("id", ""))
        )
        if pair is None:
            return False
        _parent(pair).remove(pair)
        return True

    def _add_resource(self) -> bool:
        section = self.configured().find("resources")
        if section is None:
            return False
        identity = self.fresh("added")
        groups = [section, *self.tagged("group")]
        parent = self.choose(groups) if self.rng.random() < 0.3 else section
        attributes = {"id": identity, "class": "ocf", "provider": "pacemaker"}
        attributes["type"] = "Dummy"
        element = etree.Element("primitive", attributes)
        operations = etree.SubElement(element, "operations")
        op = {"id": f"{identity}-monitor", "name": "monitor", "interval": "10s"}
        etree.SubElement(operations, "op", op)
        assert parent is not None
        parent.insert(self.rng.randrange(len(parent) + 1), element)
        return True

    def _delete_resource(self) -> bool:
        resource = self.choose(self.tagged("primitive", "group", "clone", "bundle"))
        if resource is None:
            return False
        self._remove(resource)
        return True

    def _remove(self, element: Element) -> None:
        """Remove an element and everything that cannot stand without it."""
        parent = element.getparent()
        if parent is None:
            return
        gone = [
            inner.get("id", "")
            for inner in element.iter(etree.Element)
            if inner.tag not in REFERRING
        ]
        parent.remove(element)
        for identity in gone:
            for referring in self.referring().pop(identity, []):
                self._dangle(referring, identity)
        if element.tag == "fencing-level" or not self._attached(parent):
            return
        members = [str(child.tag) for child in parent.iterchildren(etree.Element)]
        needed = {
            "group": {"primitive"}, "clone": {"primitive", "group"},
            "tag": {"obj_ref"}, "resource_set": {"resource_ref"},
            "rsc_location": {"rule"}, "rsc_order": {"resource_set"},
            "rsc_colocation": {"resource_set"}, "rsc_ticket": {"resource_set"},
            "rule": {"rule", "expression", "date_expression"},
        }.get(str(parent.tag))  # fmt: skip
        if needed and not needed & set(members):
            self._remove(parent)

    def _dangle(self, referring: Element, identity: str) -> None:
        """Deal with an element that refers to an id that is no more."""
        if not self._attached(referring):
            return
        devices = referring.get("devices")
        if devices is not None:
            left = [name for name in devices.split(",") if name != identity]
            if left:
                referring.set("devices", ",".join(left))
                return
        self._remove(referring)

    def _move(self) -> bool:
        element = self.choose(self.tagged("primitive"), _may_move)
        if element is None:
            return False
        target = self.choose(
            self.tagged("group"), lambda group: group is not _parent(element)
        )
        if target is None:
            return False
        _parent(element).remove(element)
        target.insert(self.rng.randrange(len(target) + 1), element)
        return True

    def _rename(self) -> bool:
        resource = self.choose(self.tagged("primitive", "group", "clone", "bundle"))
        if resource is None:
            return False
        old = resource.get("id", "")
        new = f"renamed-{self.rng.randrange(10**9)}"
        resource.set("id", new)
        for element in self.referring().pop(old, []):
            for name in REFERENCES:
                if element.get(name) == old:
                    element.set(name, new)
            if element.tag in REFERRING and element.get("id") == old:
                element.set("id", new)
            if element.get("devices") is not None:
                devices = element.get("devices", "").split(",")
                devices = [new if name == old else name for name in devices]
                element.set("devices", ",".join(devices))
            self.referring()[new].append(element)
        return True

    def _reorder(self) -> bool:
        parents = [*self.tagged("group"), *self.configured().findall("resources")]
        parent = self.choose(parents, lambda parent: _members(parent) > 1)
        if parent is None:
            return False
        kinds = ("primitive", "group", "clone", "bundle")
        first, second = self.rng.sample(list(parent.iterchildren(*kinds)), 2)
        swapped = {first: second, second: first}
        parent[:] = [swapped.get(child, child) for child in parent]
        return True

    def _comments(self) -> list[Element]:
        return list(self.configured().iter(etree.Comment))

    def _add_comment(self) -> bool:
        tags = ("primitive", "nvpair", "rsc_location", "node", "op", "group")
        element = self.choose(self.tagged(*tags))
        if element is None:
            return False
        comment = etree.Comment(f' note {self.rng.randrange(10**6)}: don\'t "touch" ')
        if self.rng.random() < 0.2:
            _parent(element).append(comment)
        else:
            element.addprevious(comment)
        return True

    def _edit_comment(self) -> bool:
        comment = self.choose(self._comments())
        if comment is None:
            return False
        comment.text = f" edited {self.rng.randrange(10**6)} "
        return True

    def _delete_comment(self) -> bool:
        comment = self.choose(self._comments())
        if comment is None:
            return False
        _parent(comment).remove(comment)
        return True

    def _attribute_order(self) -> bool:
        tags = ("nvpair", "op", "primitive", "rsc_location", "rsc_colocation")
        element = self.choose(self.tagged(*tags), lambda e: len(e.attrib) > 1)
        if element is None:
            return False
        before = _items(element)
        while _items(element) == before:
            _shuffle_attributes(element, self.rng)
        return True

    def _constraint_order(self) -> bool:
        section = self.configured().find("constraints")
        if section is None or len(section) < 2:
            return False
        before = list(section)
        while list(section) == before:
            section[:] = self.rng.sample(before, len(before))
        return True

    def _description(self) -> bool:
        element = self.choose(self.tagged("primitive", "group", "clone", "node"))
        if element is None:
            return False
        old = element.get("description")
        if old is not None and self.rng.random() < 0.3:
            del element.attrib["description"]
        else:
            element.set("description", self._other(PROSE["quoted"], old))
        return True


def _may_move(primitive: Element) -> bool:
    """Say whether a primitive may go into a group: it must not leave one empty."""
    parent = _parent(primitive)
    return (
        primitive.get("class") != "stonith"
        and parent.tag in ("resources", "group")
        and len(parent.findall("primitive")) > 1
    )


def _members(parent: Element) -> int:
    return sum(child.tag in SHUFFLED_PARENTS - {"template"} for child in parent)


def _parent(element: Element) -> Element:
    parent = element.getparent()
    assert parent is not None
    return parent


def _items(element: Element) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in element.items()]


def _shuffle_attributes(element: Element, rng: Random) -> None:
    items = _items(element)
    if len(items) > 1:
        rng.shuffle(items)
        element.attrib.clear()
        for name, value in items:
            element.set(name, value)


Unit = list[Element]
"""An element with the comments before it."""


def _shuffle_children(element: Element, rng: Random) -> None:
    units, rest = _units(element)
    mixed = _MIXERS[str(element.tag)](units, rng) if element.tag in _MIXERS else units
    if mixed is not units:
        element[:] = [node for unit in mixed for node in unit] + rest


def _units(element: Element) -> tuple[list[Unit], Unit]:
    units: list[Unit] = []
    rest: Unit = []
    for child in element:
        rest.append(child)
        if isinstance(child.tag, str):
            units.append(rest)
            rest = []
    return units, rest


def _mix_all(units: list[Unit], rng: Random) -> list[Unit]:
    return rng.sample(units, len(units))


def _mix_unless_equal(
    key: Callable[[Element], object],
) -> Callable[[list[Unit], Random], list[Unit]]:
    def mix(units: list[Unit], rng: Random) -> list[Unit]:
        keys = [key(unit[-1]) for unit in units]
        return units if len(set(keys)) < len(keys) else _mix_all(units, rng)

    return mix


def _mix_pairs(units: list[Unit], rng: Random) -> list[Unit]:
    """Shuffle the pairs among their own places, where every name is known and unique."""
    places = [n for n, unit in enumerate(units) if unit[-1].tag == "nvpair"]
    names = [units[place][-1].get("name") for place in places]
    if None in names or len(set(names)) < len(names):
        return units
    mixed = list(units)
    for place, source in zip(places, rng.sample(places, len(places)), strict=True):
        mixed[place] = units[source]
    return mixed


def _mix_kinds(units: list[Unit], rng: Random) -> list[Unit]:
    """Interleave the kinds of children at random, each kind in its own order."""
    queues: dict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        queues[str(unit[-1].tag)].append(unit)
    turns = rng.sample([str(unit[-1].tag) for unit in units], len(units))
    return [queues[tag].pop(0) for tag in turns]


def _mix_constraints(units: list[Unit], rng: Random) -> list[Unit]:
    """Shuffle, but keep the order of those orders (colocations) that may collide.

    Of two orders between the same two actions the scheduler takes the first one given,
    be it ``Optional`` and the other ``Mandatory``; two colocations of the same two
    resources are not sorted either (experiments, 2.1.5). A group and its member, or a
    clone and its child, are not the same.
    """
    if len(units) < 2:
        return units
    meanings = _meanings(units[0][-1])
    sharing: dict[object, list[int]] = defaultdict(list)
    for index, unit in enumerate(units):
        for pair in _ordered_pairs(unit[-1], meanings):
            sharing[pair].append(index)
    first = list(range(len(units)))
    for indices in sharing.values():
        roots = {_follow(first, index) for index in indices}
        for root in roots:
            first[root] = min(roots)
    bound: dict[int, list[int]] = defaultdict(list)
    for index in range(len(units)):
        bound[_follow(first, index)].append(index)
    turns = rng.sample([_follow(first, n) for n in range(len(units))], len(units))
    return [units[bound[turn].pop(0)] for turn in turns]


def _follow(first: list[int], index: int) -> int:
    while first[index] != index:
        index = first[index]
    return index


def _meanings(element: Element) -> dict[str, set[str]]:
    """Return the resources that a template, a tag or a set by reference stands for."""
    configuration = element.getroottree().getroot().find("configuration")
    assert configuration is not None
    meanings: dict[str, set[str]] = defaultdict(set)
    for primitive in configuration.iterfind("resources//primitive[@template]"):
        meanings[primitive.get("template", "")].add(primitive.get("id", ""))
    for path in ("tags/tag/obj_ref", "constraints//resource_ref"):
        for reference in configuration.iterfind(path):
            name = reference.get("id", "")
            holder = meanings[_parent(reference).get("id", "")]
            holder |= {name} | meanings.get(name, set())
    return meanings


def _ordered_pairs(
    constraint: Element, meanings: dict[str, set[str]]
) -> set[tuple[str, ...]]:
    """Return the pairs of resources that an order or colocation is about."""
    if constraint.tag not in ("rsc_order", "rsc_colocation"):
        return set()
    named = {constraint.get(name) for name in ("rsc", "with-rsc", "first", "then")}
    named |= {reference.get("id") for reference in constraint.iter("resource_ref")}
    named |= {block.get("id-ref") for block in constraint.iter("resource_set")}
    names = {name for name in named if name}
    names |= {meant for name in names for meant in meanings.get(name, ())}
    kind = str(constraint.tag)
    return {(kind, *pair) for pair in combinations(sorted(names), 2)}


_MIXERS: dict[str, Callable[[list[Unit], Random], list[Unit]]] = {
    "configuration": _mix_all,
    "nodes": _mix_unless_equal(lambda node: node.get("uname")),
    "constraints": _mix_constraints,
    "operations": _mix_unless_equal(
        lambda op: (op.get("name"), interval_ms(op.get("interval", "")))
    ),
    "fencing-topology": _mix_unless_equal(
        lambda level: tuple(
            level.get(name)
            for name in ("target", "target-pattern", "target-attribute",
                         "target-value", "index")
        )
    ),
    **dict.fromkeys(NVSETS, _mix_pairs),
    **dict.fromkeys(SHUFFLED_PARENTS, _mix_kinds),
}  # fmt: skip


def main() -> None:
    """Write one generated, mutated or shuffled CIB to standard output."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resources", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--style", choices=get_args(Style), default="pcs")
    parser.add_argument("--text", choices=_LEVELS, default="quoted")
    parser.add_argument("--nodes", type=int, default=0)
    parser.add_argument("--no-comments", action="store_true")
    parser.add_argument("--owned", action="store_true", help="what a cluster writes")
    parser.add_argument("--status", action="store_true", help="all nodes online")
    parser.add_argument("--traps", action="store_true", help="not sortable after all")
    parser.add_argument("--mutate", type=Path, metavar="FILE")
    parser.add_argument("--shuffle", type=Path, metavar="FILE")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--count", type=int, default=1, help="number of mutations")
    given = parser.parse_args()
    if given.mutate:
        data = mutate(given.mutate.read_bytes(), given.seed, given.kinds, given.count)
    elif given.shuffle:
        data = shuffle(given.shuffle.read_bytes(), given.seed)
    else:
        data = cib(
            given.resources,
            given.seed,
            style=given.style,
            text=given.text,
            nodes=given.nodes,
            comments=not given.no_comments,
            owned=given.owned,
            status=given.status,
            traps=given.traps,
        )
    sys.stdout.buffer.write(data)


if __name__ == "__main__":
    main()
