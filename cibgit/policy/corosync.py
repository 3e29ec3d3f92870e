"""What can be wrong with a ``corosync.conf``, as far as the file alone tells."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..compare.text import counted
from ..corosync.document import Conf, Entry, Section
from ..corosync.keys import FREE, KNOWN, NUMBERS, is_known
from ..corosync.meaning import node_name
from .finding import Finding, Severity

RULE = "corosync"
"""What all of it is called where rules have names."""

LINKS = {"knet": 8, "udpu": 1, "udp": 1}
"""The transports, and how many links each can have (corosync.conf(5), 3.1.7)."""

TWO = 2


@dataclass(frozen=True)
class Judged:
    """A finding and the line that it is about."""

    finding: Finding
    line: int


def judged(conf: Conf) -> list[Judged]:
    """Return what is wrong with a file, by line."""
    found = [each for rule in _RULES for each in rule(conf)]
    return sorted(found, key=lambda each: each.line)


def unknown_keys(conf: Conf) -> Iterator[Judged]:
    """A key or section that Corosync does not know is taken, and does nothing."""
    for section in conf.root.sections:
        if section.name not in KNOWN and section.name not in FREE:
            sentence = f"Corosync knows no section {section.name!r}"
            yield _judged(Severity.WARNING, section, sentence)
    for around, entry in conf.walk():
        path = ".".join(section.name for section in around)
        if around and around[0].name in KNOWN and not is_known(path, entry.key):
            sentence = f"Corosync knows no key {entry.key!r} in {path}"
            yield _judged(Severity.WARNING, entry, sentence)


def repeated_keys(conf: Conf) -> Iterator[Judged]:
    """Of a key that stands twice the last one counts."""
    seen: set[tuple[int, str]] = set()
    for around, entry in conf.walk():
        place = id(around[-1]) if around else 0, entry.key
        if place in seen:
            sentence = f"{entry.key!r} stands there twice; the last one counts"
            yield _judged(Severity.WARNING, entry, sentence)
        seen.add(place)


def numbers(conf: Conf) -> Iterator[Judged]:
    """A number is one; Corosync 3.1.7 aborts where ``config_version`` is none."""
    for around, entry in conf.walk():
        path = ".".join(section.name for section in around)
        if entry.key in NUMBERS.get(path, ()) and not entry.value.isdecimal():
            sentence = f"{entry.key} must be a number, not {entry.value!r}"
            if entry.key == "config_version":
                sentence += "; Corosync aborts when it reads it"
            yield _judged(Severity.ERROR, entry, sentence)


def nodes(conf: Conf) -> Iterator[Judged]:
    """Every node has an id, a name and an address of its own."""
    for node in conf.nodes:
        name = node_name(node)
        if not node.get("nodeid"):
            sentence = f"node {name or '(without a name)'} has no nodeid"
            yield _judged(Severity.ERROR, node, sentence)
        elif node.get("nodeid") == "0":
            yield _judged(Severity.ERROR, node, "a nodeid cannot be 0")
        if not node.get("ring0_addr"):
            sentence = f"node {name or node.get('nodeid')} has no ring0_addr"
            yield _judged(Severity.ERROR, node, sentence)
        if not node.get("name"):
            nodeid = node.get("nodeid")
            sentence = f"node {nodeid} has no name: Pacemaker takes that of the host"
            yield _judged(Severity.NOTE, node, sentence)
    yield from _doubled(conf, "nodeid")
    yield from _doubled(conf, "name")
    for number in range(LINKS["knet"]):
        yield from _doubled(conf, f"ring{number}_addr")


def _doubled(conf: Conf, key: str) -> Iterator[Judged]:
    counts = Counter(node.get(key) for node in conf.nodes)
    for node in conf.nodes:
        value = node.get(key)
        if value and counts[value] > 1:
            sentence = f"{key} {value} belongs to {counts[value]} nodes"
            yield _judged(Severity.ERROR, node, sentence)
            counts[value] = 0


def no_nodes(conf: Conf) -> Iterator[Judged]:
    """A cluster has nodes, and settings of its ring."""
    if not conf.root.all("totem"):
        yield _judged(Severity.ERROR, conf.root, "there is no section totem")
    if not conf.nodes:
        sentence = "there is no nodelist: cibgit could not reach the nodes"
        yield _judged(Severity.ERROR, conf.root, sentence)
    for name in ("totem", "nodelist", "quorum"):
        for section in conf.root.all(name)[1:]:
            sentence = f"section {name} stands there twice"
            yield _judged(Severity.WARNING, section, sentence)


def two_node(conf: Conf) -> Iterator[Judged]:
    """``two_node`` is for two nodes, and two nodes want it."""
    is_set = any(part.get("two_node") == "1" for part in conf.root.all("quorum"))
    device = any(part.all("device") for part in conf.root.all("quorum"))
    count = len(conf.nodes)
    for part in conf.root.all("quorum"):
        if is_set and count != TWO:
            sentence = f"two_node is set for {counted(count, 'node')}"
            yield _judged(Severity.ERROR, part, sentence)
        elif count == TWO and not is_set and not device:
            sentence = (
                "two nodes without two_node: 1 or a quorum device: when one is gone, the"
                " other has no quorum"
            )
            yield _judged(Severity.NOTE, part, sentence)


def links(conf: Conf) -> Iterator[Judged]:
    """The links of all nodes are the same ones, and the transport can have them."""
    for totem in conf.root.all("totem"):
        transport = totem.get("transport", "knet")
        if transport not in LINKS:
            sentence = (
                f"there is no transport {transport!r}; there is: {', '.join(LINKS)}"
            )
            yield _judged(Severity.ERROR, totem, sentence)
            continue
        for node in conf.nodes:
            if len(_links(node)) > LINKS[transport]:
                sentence = f"{transport} has one link; {node_name(node)} has more"
                yield _judged(Severity.ERROR, node, sentence)
    if conf.nodes:
        first = _links(conf.nodes[0])
        for node in conf.nodes[1:]:
            if _links(node) != first:
                sentence = (
                    f"{node_name(node)} has other links than {node_name(conf.nodes[0])}"
                )
                yield _judged(Severity.WARNING, node, sentence)


def _links(node: Section) -> set[str]:
    return {
        entry.key
        for entry in node.entries
        if entry.key.startswith("ring") and entry.key.endswith("_addr")
    }


def _judged(severity: Severity, place: Entry | Section, sentence: str) -> Judged:
    name = place.key if isinstance(place, Entry) else place.name or "corosync.conf"
    hint = f"See corosync.conf(5). See docs/check.md#{RULE}"
    return Judged(Finding(severity, RULE, name, sentence, hint), place.line)


_RULES: tuple[Callable[[Conf], Iterator[Judged]], ...] = (
    unknown_keys,
    repeated_keys,
    numbers,
    no_nodes,
    nodes,
    two_node,
    links,
)
