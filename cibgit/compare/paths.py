"""From an element to the way that leads to it."""

from collections import Counter

from ..cib.document import Comment, Element
from ..cib.identity import Key, key
from .change import Path, Place, Step


class Paths:
    """Ways to the elements of one tree, each parent looked through once."""

    def __init__(self) -> None:
        self._steps: dict[Element, dict[Element, tuple[Step, Step | None]]] = {}

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

    def _below(self, parent: Element) -> dict[Element, tuple[Step, Step | None]]:
        """Return the step to each child, and the step that finds the one after it."""
        if parent not in self._steps:
            children = [child for child in parent if not isinstance(child, Comment)]
            steps = _numbered(children)
            from_end = _numbered(children[::-1])[::-1]
            following = [*from_end[1:], None]
            pairs = zip(steps, following, strict=True)
            self._steps[parent] = dict(zip(children, pairs, strict=True))
        return self._steps[parent]


def _numbered(children: list[Element]) -> list[Step]:
    seen: Counter[Key] = Counter()
    steps = []
    for child in children:
        identity = key(child)
        steps.append(Step(*identity, seen[identity]))
        seen[identity] += 1
    return steps


def children_by_step(parent: Element, *, from_end: bool = False) -> dict[Step, Element]:
    """Return the elements below one by their steps; numbers may count from the end."""
    children = [child for child in parent if not isinstance(child, Comment)]
    if from_end:
        children.reverse()
    return dict(zip(_numbered(children), children, strict=True))
