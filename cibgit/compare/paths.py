"""From an element to the way that leads to it."""

from collections import Counter

from ..cib.document import Comment, Element
from ..cib.identity import Key, key
from .change import Path, Place, Step


class Paths:
    """Ways to the elements of one tree, each parent looked through once."""

    def __init__(self) -> None:
        self._steps: dict[Element, dict[Element, tuple[Step, int]]] = {}

    def path(self, element: Element) -> Path:
        """Return the way from the root to an element."""
        steps: list[Step] = []
        parent = element.getparent()
        while parent is not None:
            steps.append(self._below(parent)[element][0])
            element, parent = parent, parent.getparent()
        return tuple(reversed(steps))

    def place(self, element: Element) -> Place | None:
        """Return where an element stands."""
        parent = element.getparent()
        if parent is None:
            return None
        return Place(self.path(parent), self._below(parent)[element][1])

    def _below(self, parent: Element) -> dict[Element, tuple[Step, int]]:
        if parent not in self._steps:
            seen: Counter[Key] = Counter()
            found: dict[Element, tuple[Step, int]] = {}
            for child in parent:
                if isinstance(child, Comment):
                    continue
                identity = key(child)
                found[child] = Step(*identity, seen[identity]), len(found)
                seen[identity] += 1
            self._steps[parent] = found
        return self._steps[parent]
