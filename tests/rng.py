"""What Pacemaker's installed RELAX NG schemas know: elements, attributes, children."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lxml import etree

FOLDER = Path("/usr/share/pacemaker")
NS = "{http://relaxng.org/ns/structure/1.0}"
Node = etree._Element


@dataclass
class Known:
    """What all schemas together allow of one element."""

    attributes: set[str] = field(default_factory=set)
    children: set[str] = field(default_factory=set)


@cache
def known() -> dict[str, Known]:
    """Return every element of every installed ``pacemaker-*.rng``, status left out."""
    found: dict[str, Known] = defaultdict(Known)
    seen: set[Node] = set()
    for schema in sorted(FOLDER.glob("pacemaker-*.rng")):
        for element, grammar in _reached(_root(schema.name), _Grammar(schema.name)):
            _read(element, grammar, found, seen)
    return dict(found)


@cache
def _root(name: str) -> Node:
    return etree.parse(FOLDER / name).getroot()


class _Grammar:
    """The definitions that are in force in one file, those it includes too."""

    def __init__(self, name: str, root: Node | None = None) -> None:
        self.defines: dict[str, list[Node]] = defaultdict(list)
        self.start: list[Node] = []
        self._collect(_root(name) if root is None else root)

    def _collect(self, root: Node) -> None:
        for child in root.iterchildren(f"{NS}define"):
            self.defines[child.get("name", "")].append(child)
        self.start += root.iterchildren(f"{NS}start")
        for include in root.iterchildren(f"{NS}include"):
            inner = _Grammar(include.get("href", ""))
            for name, nodes in inner.defines.items():
                self.defines[name] += nodes
            self.start += list(include.iterchildren(f"{NS}start")) or inner.start


def _reached(node: Node, grammar: _Grammar) -> Iterator[tuple[Node, _Grammar]]:
    """Yield the elements and attributes that stand directly in a pattern."""
    yield from _pattern(node, grammar, set())


def _pattern(
    node: Node, grammar: _Grammar, stack: set[Node]
) -> Iterator[tuple[Node, _Grammar]]:
    if node in stack or not isinstance(node.tag, str):
        return
    stack = stack | {node}
    kind = node.tag.removeprefix(NS)
    if kind in ("element", "attribute"):
        yield node, grammar
    elif kind == "ref":
        for define in grammar.defines[node.get("name", "")]:
            for child in define:
                yield from _pattern(child, grammar, stack)
    elif kind == "externalRef":
        name = node.get("href", "")
        yield from _pattern(_root(name), _Grammar(name), stack)
    elif kind == "grammar":
        inner = _Grammar("", node)
        for start in inner.start:
            for child in start:
                yield from _pattern(child, inner, stack)
    elif kind not in ("define", "start", "include"):
        for child in node:
            yield from _pattern(child, grammar, stack)


def _read(
    element: Node, grammar: _Grammar, found: dict[str, Known], seen: set[Node]
) -> None:
    if element in seen or element.get("name") in (None, "status"):
        return
    seen.add(element)
    here = found[element.get("name", "")]
    for child in element:
        for part, inner in _pattern(child, grammar, set()):
            name = part.get("name")
            if part.tag == f"{NS}attribute" and name:
                here.attributes.add(name.strip())
            elif part.tag == f"{NS}element" and name not in (None, "status"):
                here.children.add(str(name))
                _read(part, inner, found, seen)
