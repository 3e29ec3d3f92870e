"""What a configuration says of one element, fact by fact.

A fact is what one sentence can say: an attribute of the element itself, a name/value
pair, an operation, a rule, a member. So history can be asked of each alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from ..cib.document import Cib, Element, attributes, parse_tree
from ..cib.identity import key, named
from ..cib.secrets import shown
from .change import Change, Kind, Owner, Path
from .diff import compare
from .edits import AGENT
from .owners import RESOURCES, owner, owning
from .paths import Paths
from .rules import agent_words
from .text import value

AGENT_FACT = "agent"
PLACE_FACT = "place"
ID_FACT = "id"

_NO_FACT = ("#", "now: ")
"""How details begin that say nothing of their own: comments, the whole constraint."""


@dataclass(frozen=True)
class Fact:
    """One fact of an element; nothing in it is secret.

    ``subject`` names it as a change does (``params.ip``), ``sentence`` says it
    (``params.ip = 10.0.0.1``). ``path`` leads from the owner down to what holds it;
    empty where that is the owner itself, of which it is then ``attribute``.
    ``is_member``: it only says that there is something that has facts of its own.
    """

    subject: str
    sentence: str
    path: Path = ()
    attribute: str = ""
    is_member: bool = False


@dataclass(frozen=True)
class Owned:
    """An element that owns facts: who it is, the way to it, and its facts in order."""

    owner: Owner
    path: Path
    facts: tuple[Fact, ...]


def owners(cib: Cib) -> Iterator[Element]:
    """Yield every element that owns what is in it, in the order of the document."""
    for element in cib.configuration.iter(etree.Element):
        if owning(element) is element:
            yield element


def owned(element: Element) -> Owned:
    """Return an element that owns facts with all of them."""
    path = Paths().path(element)
    facts = [*_own(element), *_place(element), *_inside(element, len(path))]
    return Owned(owner(element), path, tuple(facts))


def brought(change: Change) -> list[Owned]:
    """Return what came or went as a whole with a change: an owner, and those in it."""
    if change.kind not in (Kind.ADDED, Kind.REMOVED) or change.subject:
        return []
    element = parse_tree(f"<x>{change.xml}</x>".encode(), "a change")[-1]
    for step in reversed(change.path[:-1]):
        element = _around(element, step.tag, {"id": step.name} if step.name else {})
    cib = Cib(_around(element, "cib", {}), "")
    depth = len(change.path)
    found = [owned(each) for each in owners(cib)]
    return [each for each in found if len(each.path) >= depth]


def _around(element: Element, tag: str, values: dict[str, str]) -> Element:
    parent = etree.Element(tag, values)
    parent.append(element)
    return parent


def _own(element: Element) -> Iterator[Fact]:
    """Yield what the attributes of the element say."""
    has_agent = element.tag in ("primitive", "template")
    if has_agent:
        like = element.get("template")
        words = (agent_words(element), f"as template {value(like)}" if like else "")
        said = " ".join(word for word in words if word)
        yield Fact(AGENT_FACT, f"agent {said}", (), AGENT_FACT)
    for name, _ in attributes(element):
        if not (has_agent and name in AGENT):
            yield Fact(name, f"{name} {value(shown(element, name))}", (), name)


def _place(element: Element) -> Iterator[Fact]:
    parent = element.getparent()
    if parent is not None and parent.tag in RESOURCES and element.tag in RESOURCES:
        yield Fact(PLACE_FACT, f"in {named(key(parent))}", (), PLACE_FACT)


def _inside(element: Element, depth: int) -> Iterator[Fact]:
    """Yield what stands inside the element, as the additions that would put it there."""
    own = owner(element)
    changes = [
        change
        for change in compare(_alone(element, bare=True), _alone(element, bare=False))
        if change.kind is Kind.ADDED and len(change.path) > depth
    ]
    holding = {change.path[:-1] for change in changes}
    for change in changes:
        path = change.path[depth:]
        if change.owner != own:
            yield Fact("members", f"holds {path[-1]}", path, is_member=True)
        elif change.details or change.path not in holding:
            yield Fact(change.subject, _said(change), path)


def _said(change: Change) -> str:
    """Return an addition in one line, without the word for it and without comments."""
    subject = f"{change.subject}: " if change.subject else ""
    lead = subject if change.sentence.startswith(subject) else ""
    sentence = change.sentence.removeprefix(lead)
    for verb in ("added: ", "added "):
        sentence = sentence.removeprefix(verb)
    details = (line.strip() for line in change.details)
    parts = [lead + sentence, *(x for x in details if not x.startswith(_NO_FACT))]
    return "; ".join(parts)


def _alone(element: Element, *, bare: bool) -> Cib:
    """Return a CIB in which nothing but an element is left, with or without its content."""
    copied = etree.Element(element.tag, dict(attributes(element)))
    if not bare:
        text = etree.tostring(element, encoding="utf-8", with_tail=False)
        copied = parse_tree(text, "an element")
    for parent in element.iterancestors():
        copied = _around(copied, str(parent.tag), dict(attributes(parent)))
    return Cib(copied, "")
