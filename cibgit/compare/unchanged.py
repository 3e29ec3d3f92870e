"""What two CIBs have in common is left out before they are compared element by element.

Comparing in Python costs microseconds for each element, and of ten thousand resources a
hundred change. So whatever is equal as text, and stands in the same place among its
siblings, is found and dropped by work on texts, which C does. The rest becomes a pair of
small documents in canonical form. To compare these gives what to compare the whole
documents would give: the law of ``tests/compare/test_unchanged.py``.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate

from lxml import etree

from ..cib.canonical import arrange, canonical, compact
from ..cib.document import Cib, parser
from ..cib.outline import outline, part
from ..cib.parts import Outline, Part

_MANY = 500
"""Changed pairs above which attributes are sorted, in C, to find more that is equal."""

_OF_EQUALS = frozenset(
    {b"resources", b"constraints", b"nodes", b"tags", b"acls", b"alerts"}
)
"""Sections whose children can be told, and judged, without their siblings."""

_COMMENT = b"!--"
_ATTRIBUTE = re.compile(rb'([^\s="]+)="([^"]*)"')

Name = tuple[bytes, bytes, int]
Texts = list[bytes]


def differing(old: Cib, new: Cib) -> tuple[Cib, Cib] | None:
    """Return both CIBs in canonical form without what is equal, None where all is.

    What is added, removed or changed is there with all that it holds, below the same
    ancestors and before the same element. Of what only moved, and of what stands next to
    something that is there, only the element itself is: equal on both sides, without
    children. Of sections only children are missing; no place may be counted in them.
    """
    one, other = outline(old), outline(new)
    if all(each.is_plain and each.has_unique_ids for each in (one, other)):
        texts = _texts(one, other)
        if texts is None:
            return None
        pair = _canonical(texts[0], old.source), _canonical(texts[1], new.source)
    else:
        pair = canonical(old), canonical(new)
    return None if compact(pair[0]) == compact(pair[1]) else pair


def same(one: Cib, other: Cib) -> bool:
    """Say whether two CIBs have one canonical form."""
    return differing(one, other) is None


def _texts(one: Outline, other: Outline) -> tuple[bytes, bytes] | None:
    """Return what remains of both as text, None where nothing does."""
    old, new = _shrunk_sections(one.parts, other.parts)
    if _changed_pairs(old, new) > _MANY:
        old, new = _shrunk_sections(_attributes_sorted(old), _attributes_sorted(new))
    texts = _joined(one, old), _joined(other, new)
    return None if texts[0] == texts[1] else texts


def _joined(outlined: Outline, sections: Iterable[Part]) -> bytes:
    body = b"".join(section.text(section.children) for section in sections)
    return b"".join(
        (outlined.root, outlined.configuration, body, b"</configuration></cib>")
    )


def _canonical(text: bytes, source: str) -> Cib:
    root = etree.fromstring(text, parser())
    for name in ("admin_epoch", "epoch", "num_updates"):
        root.set(name, "0")
    configuration = root[0]
    arrange(root, settled={root, configuration, *configuration})
    result = Cib(root, source)
    result.canonical = result
    return result


def _shrunk_sections(
    old: Sequence[Part], new: Sequence[Part]
) -> tuple[list[Part], list[Part]]:
    olds, news = list(old), list(new)
    for before, after in _paired_sections(olds, news):
        olds[before], news[after] = _shrunk(olds[before], news[after])
    return olds, news


def _paired_sections(
    old: Sequence[Part], new: Sequence[Part]
) -> Iterator[tuple[int, int]]:
    """Yield the places of sections that both have, and have once."""
    tags = [[_tag(section) for section in sections] for sections in (old, new)]
    counts = [Counter(names) for names in tags]
    for before, tag in enumerate(tags[0]):
        if counts[0][tag] == 1 == counts[1][tag]:
            yield before, tags[1].index(tag)


def _tag(section: Part) -> bytes:
    return _name(section.start[1:])[0]


def _shrunk(old: Part, new: Part) -> tuple[Part, Part]:
    """Return two versions of one section without children that are equal in both."""
    if old.children == new.children:
        return old._replace(children=[]), new._replace(children=[])
    if _tag(old) not in _OF_EQUALS:
        return old, new
    common = _common(old.children, new.children)
    before, after = _identities(old.children, common), _identities(new.children, common)
    places = {identity: place for place, identity in enumerate(after)}
    fixed = common & _fixed(before, [places.get(identity) for identity in before])
    kept = common - fixed
    kept |= _neighbours(old.children, fixed) | _neighbours(new.children, fixed)
    return _remaining(old, common, kept), _remaining(new, common, kept)


def _remaining(section: Part, common: set[bytes], kept: set[bytes]) -> Part:
    shorten = _tag(section) == b"resources"
    children = [
        child if child not in common or not shorten else _bare(child)
        for child in section.children
        if child not in common or child in kept
    ]
    return section._replace(children=children)


def _common(old: Texts, new: Texts) -> set[bytes]:
    """Return the children that both have and that nothing else can be taken for."""
    olds, news = set(old), set(new)
    common = olds & news
    for children, distinct in ((old, olds), (new, news)):
        if len(distinct) < len(children):
            times = Counter(children)
            common = {child for child in common if times[child] == 1}
    return {child for child in common if _is_unique(child)}


def _is_unique(child: bytes) -> bool:
    """Say whether the text alone tells which child it is: by its id, or as a comment."""
    return b' id="' in child.partition(b">")[0] or child.startswith(_COMMENT)


def _identities(children: Texts, common: set[bytes]) -> list[bytes | Name]:
    """Return what pairs each child: its text if that is common, else its name."""
    seen: Counter[tuple[bytes, bytes]] = Counter()
    identities: list[bytes | Name] = []
    for child in children:
        if child in common:
            identities.append(child)
        else:
            name = _name(child)
            identities.append((*name, seen[name]))
            seen[name] += 1
    return identities


def _name(child: bytes) -> tuple[bytes, bytes]:
    """Return the name by which :func:`~cibgit.cib.identity.key` tells siblings apart."""
    if child.startswith(_COMMENT):
        return _COMMENT, child
    tag, _, rest = child.partition(b">")[0].rstrip(b"/").partition(b" ")
    attributes = dict(_ATTRIBUTE.findall(rest))
    if b"id" in attributes:
        return tag, attributes[b"id"]
    if b"id-ref" in attributes:
        reference = b"@" + attributes[b"id-ref"] + b" " + attributes.get(b"name", b"")
        return tag, reference.rstrip()
    return tag, b""


def _fixed(
    identities: list[bytes | Name], partners: list[int | None]
) -> set[bytes | Name]:
    """Return those that no other pair crosses: it stands before both, or after both."""
    paired = [
        (identity, place)
        for identity, place in zip(identities, partners, strict=True)
        if place is not None
    ]
    order = [place for _, place in paired]
    highest = list(accumulate(order, max))
    lowest = list(accumulate(reversed(order), min))[::-1]
    return {
        identity
        for (identity, place), high, low in zip(paired, highest, lowest, strict=True)
        if high == place == low
    }


def _neighbours(children: Texts, fixed: Collection[bytes]) -> set[bytes]:
    """Return what comes directly after something that stays, and comments before it."""
    found = set()
    is_next = False
    for child in children:
        if child not in fixed:
            is_next = True
        elif is_next:
            found.add(child)
            is_next = child.startswith(_COMMENT)
    is_before = False
    for child in reversed(children):
        if child not in fixed or child in found:
            is_before = True
        elif is_before:
            is_before = child.startswith(_COMMENT)
            if is_before:
                found.add(child)
    return found


def _bare(child: bytes) -> bytes:
    """Return an element without its children."""
    start = child.partition(b">")[0]
    if start.endswith(b"/") or child.startswith(_COMMENT):
        return child
    return start + b"/>"


def _changed_pairs(old: Iterable[Part], new: Iterable[Part]) -> int:
    """Count the children that both have in different versions."""
    olds = {child for section in old for child in section.children}
    news = {child for section in new for child in section.children}
    return len(
        {_name(child) for child in olds - news}
        & {_name(child) for child in news - olds}
    )


def _attributes_sorted(sections: Iterable[Part]) -> list[Part]:
    """Return sections as texts in which the order of attributes makes no difference."""
    text = b"".join(section.text(section.children) for section in sections)
    if b" xmlns" in text:
        return list(sections)
    tree = etree.fromstring(b"<cib>" + text + b"</cib>", parser())
    tree = etree.fromstring(etree.tostring(tree, method="c14n"), parser())
    return [part(section, None) for section in tree]
