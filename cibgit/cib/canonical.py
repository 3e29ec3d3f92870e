"""The canonical form: the one written form of a configuration.

Equal meaning gives equal bytes as far as Pacemaker guarantees that order has no meaning,
and never further. What is sorted, with the evidence (each reversed in 849 CIBs of
Pacemaker's own test suite without one changed decision of ``crm_simulate``, 2.1.5):

* attributes (``id`` first) and the sections of ``<configuration>``;
* nodes (the scheduler sorts them by name);
* constraints by id, but for orders and colocations of the same two resources;
* operations, where name and interval tell them apart;
* name/value pairs, where the names of a set are unique (of equal names the first wins);
* fencing levels, where target and index are unique;
* the kinds of children of one resource (parameters, meta attributes, utilization,
  operations, members), not the order within a kind.

What keeps its order, because order means something: resources, members of groups and
sets, sets, sets of name/value pairs (of equal score the last wins), tags, mappings of
bundles, rules. Values are never rewritten. Comments belong to the element after them.
"""

import copy
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import combinations
from typing import cast

from lxml import etree

from . import owned
from .document import SECTIONS, Cib, Element, attributes

_KINDS = (
    "instance_attributes",
    "meta_attributes",
    "utilization",
    "operations",
    "docker",
    "podman",
    "rkt",
    "network",
    "storage",
    "primitive",
    "group",
)
UNITS = {
    "": 1_000_000, "s": 1_000_000, "sec": 1_000_000, "ms": 1_000, "msec": 1_000,
    "us": 1, "usec": 1, "m": 60_000_000, "min": 60_000_000, "h": 3_600_000_000,
    "hr": 3_600_000_000,
}  # fmt: skip
"""Units of time as Pacemaker reads them, in microseconds; without one it is seconds."""

_RELATING = {"rsc_order": ("first", "then"), "rsc_colocation": ("rsc", "with-rsc")}
"""Constraints that relate two resources, and the attributes that name these."""

SortKey = tuple[object, ...]


def canonical(cib: Cib) -> Cib:
    """Return a configuration in canonical form: what stands in git.

    Status, volatile attributes of ``<cib>`` and everything cluster-owned are left out.
    The version triple is written as 0.0.0, for Pacemaker's schemas demand one.
    """
    if cib.canonical is None:
        cib.canonical = _canonical(cib)
        cib.canonical.canonical = cib.canonical
    return cib.canonical


def drop_volatile(root: Element) -> None:
    """Remove status and the volatile attributes of ``<cib>``, in place."""
    for status in root.findall("status"):
        root.remove(status)
    for name in owned.VOLATILE_ROOT_ATTRIBUTES & set(root.keys()):
        del root.attrib[name]


def _canonical(cib: Cib) -> Cib:
    root = copy.deepcopy(cib.root)
    drop_volatile(root)
    for name in ("admin_epoch", "epoch", "num_updates"):
        root.set(name, "0")
    result = Cib(root, cib.source)
    owned.strip(result.configuration)
    arrange(root)
    return result


def target(desired: Cib, live: Cib, commit: str | None) -> Cib:
    """Return the whole CIB that a push of ``desired`` onto ``live`` must produce.

    Root attributes and status are those of ``live``; the configuration is the desired
    one with what the cluster owns carried over, in canonical order. ``commit`` goes into
    the marker (None: the marker stays as it is).
    """
    configuration = copy.deepcopy(canonical(desired).configuration)
    owned.carry_over(live.configuration, configuration, commit)
    for options in configuration.iterchildren("crm_config"):
        arrange(options)  # nothing else was touched
    return with_configuration(live, configuration, f"target of {desired.source}")


def with_configuration(live: Cib, configuration: Element, source: str) -> Cib:
    """Return a copy of ``live`` whose configuration is (a copy of) the one given."""
    result = Cib(copy.deepcopy(live.root), source)
    result.root.replace(result.configuration, copy.deepcopy(configuration))
    return result


def pretty(cib: Cib) -> bytes:
    """Return the pretty form, for git and eyes: one element a line, a final newline."""
    return etree.tostring(cib.root, encoding="utf-8", pretty_print=True)


def compact(cib: Cib) -> bytes:
    """Return the compact form, for digests and the wire: no white space, one line."""
    return etree.tostring(cib.root, encoding="utf-8", with_tail=False)


def arrange(root: Element, settled: Collection[Element] = ()) -> None:
    """Bring attributes and children below ``root`` into canonical order, in place.

    The children of ``settled`` elements stand in it already and are left alone.
    """
    etree.strip_tags(root, etree.ProcessingInstruction)
    names: dict[tuple[str, ...], tuple[str, ...] | None] = {}
    orders: dict[SortKey, list[int] | None] = {}
    for element in list(root.iter(etree.Element)):
        _arrange_attributes(element, names)
        if element.tag in _SORTERS and len(element) > 1 and element not in settled:
            order = _known_order(element, orders)
            if order:
                children = list(element)
                element[:] = [children[index] for index in order]


def _known_order(
    element: Element, orders: dict[SortKey, list[int] | None]
) -> list[int] | None:
    """As :func:`child_order`, for each list of children of one look only once.

    Thousands of resources have operations of the same names and intervals.
    """
    decisive = _DECISIVE.get(element.tag)
    if decisive is None:
        return child_order(element)
    look = (
        element.tag,
        *((child.tag, *[child.get(name) for name in decisive]) for child in element),
    )
    if look not in orders:
        orders[look] = child_order(element)
    return orders[look]


def child_order(element: Element) -> list[int] | None:
    """Return the places of the children in canonical order, None where they stand in it.

    A comment goes with the element after it. Only the order of constraints depends on
    more than the children: on what the whole document says of templates, tags and sets.
    """
    sorter = _SORTERS.get(element.tag)
    if sorter is None or len(element) <= 1:
        return None
    runs, children = _runs(element)
    keys = sorter(children)
    if keys is None:
        return None
    order = sorted(range(len(keys)), key=keys.__getitem__)
    if order == list(range(len(keys))):
        return None
    starts = [0, *runs]
    sorted_places = [
        place for index in order for place in range(starts[index], starts[index + 1])
    ]
    return [*sorted_places, *range(starts[-1], len(element))]


def _arrange_attributes(
    element: Element, orders: dict[tuple[str, ...], tuple[str, ...] | None]
) -> None:
    names = tuple(cast("list[str]", element.keys()))
    if names not in orders:
        ordered = tuple(sorted(names, key=lambda name: (name != "id", name)))
        orders[names] = None if ordered == names else ordered
    wanted = orders[names]
    if wanted:
        values = dict(attributes(element))
        element.attrib.clear()
        for name in wanted:
            element.set(name, values[name])


def _runs(element: Element) -> tuple[list[int], list[Element]]:
    """Return where each run of comments and the element that they belong to ends.

    And those elements.
    """
    children = list(element)
    ends = [
        place for place, child in enumerate(children, 1) if isinstance(child.tag, str)
    ]
    return ends, [children[end - 1] for end in ends]


Sorter = Callable[[Sequence[Element]], list[SortKey] | None]
"""Sort keys for the children of one element, or None where their order is to be kept."""


def order_of(tag: str, children: Sequence[Element]) -> list[SortKey] | None:
    """Return what the children of a ``tag`` are sorted by; None where their order counts."""
    sorter = _SORTERS.get(tag)
    return sorter(children) if sorter and children else None


def _by_rank(ranking: Sequence[str]) -> Sorter:
    rank = {tag: index for index, tag in enumerate(ranking)}

    def keys(children: Sequence[Element]) -> list[SortKey]:
        return [(rank.get(child.tag, len(rank)),) for child in children]

    return keys


def _sections(children: Sequence[Element]) -> list[SortKey]:
    rank = {tag: index for index, tag in enumerate(SECTIONS)}
    return [(rank.get(child.tag, len(rank)), child.tag) for child in children]


def _nodes(children: Sequence[Element]) -> list[SortKey]:
    return [(child.get("uname", ""), child.get("id", "")) for child in children]


def _constraints(children: Sequence[Element]) -> list[SortKey]:
    """Sort by id; constraints of one kind on the same two resources keep their order."""
    names = [child.get("id", "") for child in children]
    family = _families(children)
    first = {root: min(names[i] for i in members) for root, members in family.items()}
    keys: list[SortKey] = [(name, 0) for name in names]
    for root, members in family.items():
        for place, index in enumerate(members):
            keys[index] = (first[root], place)
    return keys


def _families(children: Sequence[Element]) -> dict[int, list[int]]:
    """Group orders, and colocations, that speak of the same two resources.

    Of two orders or colocations of one pair the first may count (experiment, 2.1.5).
    """
    leader: dict[int, int] = {}

    def find(index: int) -> int:
        while leader.setdefault(index, index) != index:
            index = leader[index]
        return index

    first: dict[tuple[str, str, str], int] = {}
    meaning = _meaning(children[0].getroottree().getroot()) if children else {}
    for index, child in enumerate(children):
        tag = child.tag
        if tag not in _RELATING:
            continue
        for one, two in _related(child, meaning):
            other = first.setdefault((tag, one, two), index)
            if other != index:
                leaders = find(other), find(index)
                leader[max(leaders)] = min(leaders)
    families: dict[int, list[int]] = {}
    for index in sorted(leader):
        families.setdefault(find(index), []).append(index)
    return families


def _meaning(root: Element) -> dict[str, set[str]]:
    """Return what templates, tags and sets stand for when a constraint names them."""
    meaning: dict[str, set[str]] = {}
    for resources in _found(root, "resources"):
        if resources.find("template") is None:
            continue
        for primitive in resources.iter("primitive"):
            template = primitive.get("template")
            if template:
                meaning.setdefault(template, set()).add(primitive.get("id", ""))
    for group in (
        *_found(root, "constraints//resource_set"),
        *_found(root, "tags//tag"),
    ):
        members = {member.get("id", "") for member in group.iterchildren(etree.Element)}
        if members:
            meaning.setdefault(group.get("id", ""), set()).update(members)
    return meaning


def _found(root: Element, path: str) -> Iterator[Element]:
    """Yield what a path finds below ``<configuration>``, which may be the root."""
    return root.iterfind(
        path if root.tag == "configuration" else f"configuration/{path}"
    )


def _related(
    constraint: Element, meaning: dict[str, set[str]]
) -> Iterable[tuple[str, str]]:
    """Return the pairs of resources that an order or colocation relates."""
    one, two = map(constraint.get, _RELATING[constraint.tag])
    is_plain = one not in meaning and two not in meaning and not len(constraint)
    if one and two and is_plain:  # as almost all of thousands are
        return [(one, two) if one < two else (two, one)] if one != two else []
    names = {one or "", two or ""}
    names |= {member.get("id", "") for member in constraint.iter("resource_ref")}
    names |= {part.get("id-ref", "") for part in constraint.iter("resource_set")}
    known: set[str] = set()
    while not names <= known:
        known |= names
        names = known.union(*(meaning[name] for name in known & meaning.keys()))
    return combinations(sorted(known - {""}), 2)


def _operations(children: Sequence[Element]) -> list[SortKey] | None:
    """Sort by name and interval; of equal ones the first counts, whatever its role."""
    keys = [(child.get("name", ""), *_interval(child)) for child in children]
    together = Counter(name for name, _, _ in keys)
    if any(text and together[name] > 1 for name, _, text in keys):
        return None
    return _if_unique(keys)


def _pairs(children: Sequence[Element]) -> list[SortKey] | None:
    """Sort the pairs of a set by name; rules go first and keep their order."""
    pairs = [child for child in children if child.tag == "nvpair"]
    names = [pair.get("name") for pair in pairs]
    if None in names or len(set(names)) != len(names):
        return None
    return [
        (1, child.get("name")) if child.tag == "nvpair" else (0, "")
        for child in children
    ]


def _levels(children: Sequence[Element]) -> list[SortKey] | None:
    return _if_unique(
        (
            child.get("target") or "",
            child.get("target-pattern") or "",
            child.get("target-attribute") or "",
            child.get("target-value") or "",
            _number(child.get("index", "")),
        )
        for child in children
    )


def _if_unique(keys: Iterable[SortKey]) -> list[SortKey] | None:
    found = list(keys)
    return found if len(set(found)) == len(found) else None


def _interval(operation: Element) -> tuple[int, str]:
    """Return the interval in ms; with its text where that is none of the plain ones."""
    text = operation.get("interval", "0")
    match = re.fullmatch(r"(\d+)([a-z]*)", text)
    if not match or match[2] not in UNITS:
        return 0, text
    return int(match[1]) * UNITS[match[2]] // 1000, ""


def _number(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isascii() and text.isdigit() else (0, text)


_RESOURCE = _by_rank(_KINDS)
_SORTERS: dict[str, Sorter] = {
    "configuration": _sections,
    "nodes": _nodes,
    "constraints": _constraints,
    "operations": _operations,
    "fencing-topology": _levels,
    **dict.fromkeys(
        (
            "cluster_property_set",
            "instance_attributes",
            "meta_attributes",
            "utilization",
        ),
        _pairs,
    ),
    **dict.fromkeys(
        ("primitive", "template", "group", "clone", "master", "bundle"), _RESOURCE
    ),
}

_DECISIVE: dict[str, tuple[str, ...]] = {
    **{tag: () for tag, sorter in _SORTERS.items() if sorter is _RESOURCE},
    **{tag: ("name",) for tag, sorter in _SORTERS.items() if sorter is _pairs},
    "operations": ("name", "interval"),
}
"""The attributes of children that decide about their order, besides their tags."""
