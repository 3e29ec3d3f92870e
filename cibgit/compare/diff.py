"""What differs between two CIBs, by the identity of elements.

Both are compared in canonical form, so that what has no meaning makes no difference;
the list is empty if and only if the canonical forms are equal.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from ..cib.document import Cib, Element, attributes
from ..cib.identity import Key, address, defines_id, key, label
from ..cib.pairing import Names, Pairs
from .change import AttributeChange, Change, Kind
from .unchanged import differing

_SORTED = frozenset(
    {
        "configuration",
        "nodes",
        "constraints",
        "operations",
        "fencing-topology",
        "cluster_property_set",
        "instance_attributes",
        "meta_attributes",
        "utilization",
        "primitive",
        "template",
        "clone",
        "master",
        "bundle",
    }
)
_AGENT = frozenset({"class", "provider", "type", "template"})

Found = tuple[Change, Element | None, Element | None]


def compare(old: Cib, new: Cib) -> list[Change]:
    """Return the changes that lead from ``old`` to ``new``, in the order of the document.

    Status, volatile attributes and cluster-owned parts are no differences. An element
    that stands under another parent with the same id is moved, not removed and added.
    """
    pair = differing(old, new)
    if pair is None:
        return []
    return _join_moves(list(_compare(pair[0].root, pair[1].root)))


def _compare(old: Element, new: Element) -> Iterator[Found]:
    changed = _attribute_changes(old, new)
    if changed:
        agent = any(change.name in _AGENT for change in changed)
        replaced = agent and new.tag in ("primitive", "template")
        kind = Kind.REPLACED if replaced else Kind.CHANGED
        yield Change(kind, address(new), changed), old, new
    pairs = Pairs(old, new, _names)
    olds = list(old)  # an element finds its child of a number by counting
    quiet = new.tag in _SORTED and not _only_order(pairs, old, new)
    for index in sorted(set(range(len(olds))) - set(pairs.partner)):
        yield _gone(olds[index]), olds[index], None
    for index, child in enumerate(new):
        before = pairs.partner[index]
        if before is None:
            yield _come(child), None, child
            continue
        if index not in pairs.kept and not quiet:
            yield Change(Kind.MOVED, address(child), place=_place(child)), None, None
        if not pairs.same(before, index):
            yield from _compare(olds[before], child)


def _only_order(pairs: Pairs, old: Element, new: Element) -> bool:
    """Say whether the children are the same and only their order differs."""
    if len(old) != len(new) or None in pairs.partner:
        return False
    return all(
        pairs.same(before, index)
        for index, before in enumerate(pairs.partner)
        if before is not None
    )


def _names(parent: Element) -> Names:
    """Pair children by identity; the second of equal identities by its number."""
    seen: Counter[Key] = Counter()
    names = []
    for child in parent:
        identity = key(child)
        names.append((identity, seen[identity]))
        seen[identity] += 1
    return names


def _attribute_changes(old: Element, new: Element) -> tuple[AttributeChange, ...]:
    names = dict.fromkeys(name for e in (old, new) for name, _ in attributes(e))
    return tuple(
        AttributeChange(name, old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    )


def _come(element: Element) -> Change:
    own = tuple(AttributeChange(name, None, value) for name, value in _own(element))
    return Change(Kind.ADDED, address(element), own, _content(element))


def _gone(element: Element) -> Change:
    own = tuple(AttributeChange(name, value, None) for name, value in _own(element))
    return Change(Kind.REMOVED, address(element), own, _content(element))


def _own(element: Element) -> list[tuple[str, str]]:
    if not isinstance(element.tag, str):
        return [("text", (element.text or "").strip())]
    return [pair for pair in attributes(element) if pair[0] != "id"]


def _content(element: Element) -> tuple[str, ...]:
    if not len(element):
        return ()
    text = etree.tostring(
        element, encoding="unicode", pretty_print=True, with_tail=False
    )
    return tuple(line[2:] for line in text.splitlines()[1:-1])


def _place(element: Element) -> str:
    following = element.getnext()
    while following is not None and not isinstance(following.tag, str):
        following = following.getnext()
    return "to the end" if following is None else f"before {label(following)}"


def _join_moves(found: list[Found]) -> list[Change]:
    """Turn a removal and an addition of one id into a move, with what else changed."""
    gone = {
        key(old): index
        for index, (_, old, new) in enumerate(found)
        if new is None and old is not None and defines_id(old)
    }
    changes: dict[int, list[Change]] = {i: [f[0]] for i, f in enumerate(found)}
    for index, (change, old, new) in enumerate(found):
        if old is not None or new is None or not defines_id(new):
            continue
        origin = gone.get(key(new))
        before = None if origin is None else found[origin][1]
        if origin is None or before is None:
            continue
        place = f"from {_home(before)} to {_home(new)}"
        moved = replace(change, kind=Kind.MOVED, attributes=(), content=(), place=place)
        changes[index] = [moved, *_join_moves(list(_compare(before, new)))]
        changes[origin] = []
    return [change for index in sorted(changes) for change in changes[index]]


def _home(element: Element) -> str:
    parent = element.getparent()
    return "nowhere" if parent is None else label(parent)
