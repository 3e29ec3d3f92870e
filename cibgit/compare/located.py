"""What one configuration has of an element that people mean."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from ..cib.document import Cib, Element
from ..cib.identity import REFERRING_IDS
from .asked import OPTIONS, Reading
from .change import Owner, Path
from .facts import Fact, Owned, owned, owners
from .owners import owner, owning
from .paths import Paths


@dataclass(frozen=True)
class Found:
    """An element of a configuration that is meant; ``inner`` leads on to a part of it."""

    owned: Owned
    reading: Reading
    inner: Path = ()

    @property
    def facts(self) -> list[Fact]:
        """The facts that are asked for."""
        return [
            fact
            for fact in self.owned.facts
            if self.reading.is_of(fact.subject) and _related(fact.path, self.inner)
        ]


def _related(one: Path, other: Path) -> bool:
    """Say whether one of two ways leads on from the end of the other."""
    length = min(len(one), len(other))
    return not other or (bool(one) and one[:length] == other[:length])


def find(cib: Cib, asked: Iterable[Reading]) -> list[Found]:
    """Return what one CIB has of the first reading that it has anything of."""
    elements = [(element, owner(element)) for element in owners(cib)]
    for reading in asked:
        found = [
            Found(owned(element), reading)
            for element, who in elements
            if _is_meant(element, who, reading)
        ]
        found = [each for each in found if each.facts or not reading.subject]
        if found := found or list(_find_inner(cib, reading)):
            return found
    return []


def _is_meant(element: Element, who: Owner, reading: Reading) -> bool:
    if not reading.name:
        return who.kind in ((reading.kind,) if reading.kind else OPTIONS)
    return reading.owns(who) or (
        not reading.subject and element.get("id") == reading.name
    )


def _find_inner(cib: Cib, reading: Reading) -> Iterator[Found]:
    """Yield the owner of an element that is named by its id."""
    if reading.subject or not reading.name:
        return
    for element in cib.configuration.iter(etree.Element):
        if element.get("id") != reading.name or element.tag in REFERRING_IDS:
            continue
        around = owning(element)
        if around is not None:
            paths = Paths()
            depth = len(paths.path(around))
            yield Found(owned(around), reading, paths.path(element)[depth:])


def names(cib: Cib) -> Iterator[str]:
    """Yield everything that can be asked for by one word."""
    for element in cib.configuration.iter(etree.Element):
        name = element.get("id")
        if name is not None and element.tag not in REFERRING_IDS:
            yield name
    for each in owners(cib):
        who = owner(each)
        yield who.name
        if who.kind in OPTIONS:
            yield from (pair.get("name", "") for pair in each.iter("nvpair"))
