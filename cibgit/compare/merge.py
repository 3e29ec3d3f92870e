"""Three versions of a CIB, merged by identity.

Each fact is merged alone: whether an element is there, each of its attributes, its parent,
the order of its children. A fact that only one side changed is taken as that side has it;
one that both changed in the same way as well. Anything else is a conflict. The laws:
``merge(b, x, b) = x``, ``merge(b, b, x) = x``, ``merge(b, x, x) = x``, and exchanging the
sides exchanges no more than the labels.

What is no conflict of facts may still be one of meaning, and is looked for afterwards: an
id or a parameter's name that each side added on its own, a reference to what the other
side deleted, two members put into one place of a group (whose order is that of starting).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from ..cib.canonical import arrange, canonical
from ..cib.document import Cib
from ..cib.identity import check_ids, named
from ..cib.references import references
from ..cib.secrets import is_secret_name
from .conflict import Conflict, Reason
from .records import ROOT, Document, Ident, Record, document, ident_of, names, way
from .sequence import Order, merge_order
from .trees import arranged, grow, with_orders

_ORDERED_MEMBERS = {"group": "primitive", "resource_set": "resource_ref"}
"""Parents whose members start or are placed in the order in which they stand."""


@dataclass
class Choice:
    """What one side of a conflict offers in the place of an element."""

    ours: bool
    theirs: bool


@dataclass
class Merged:
    """The outcome of a merge.

    ``cib`` is the merged document in canonical form; where there is a conflict it has
    what ours says. ``versions`` are base, ours and theirs; ``merged`` the records of the
    result; the other fields say where the conflicts are (``moves``: to which parent theirs
    moved what ours moved elsewhere; ``places``: the order in such a parent, with it).
    """

    cib: Cib
    versions: tuple[Document, Document, Document]
    merged: Document
    conflicts: list[Conflict] = field(default_factory=list)
    values: dict[Ident, set[str]] = field(default_factory=dict)
    choices: dict[Ident, Choice] = field(default_factory=dict)
    orders: set[Ident] = field(default_factory=set)
    moves: dict[Ident, Ident | None] = field(default_factory=dict)
    places: dict[Ident, list[Ident]] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether everything that both sides did is in the result."""
        return not self.conflicts

    def values_of_theirs(self, ident: Ident) -> dict[str, str]:
        """Return the merged values of an element, the disputed ones as theirs has them."""
        merged = self.merged[ident].values
        disputed = self.values.get(ident)
        if not disputed:
            return merged
        _, _, other = self.versions
        theirs = {k: v for k, v in other[ident].values.items() if k in disputed}
        return {k: v for k, v in merged.items() if k not in disputed} | theirs

    def as_theirs(self, found: Document) -> Document:
        """Return records of the result with the disputed values of theirs."""
        changed = {
            ident: replace(found[ident], values=self.values_of_theirs(ident))
            for ident in self.values
        }
        return found | changed

    def by_values(self) -> Iterator[Document]:
        """Yield the result, and once more with the disputed values of theirs, if any."""
        yield self.merged
        if self.values:
            yield self.as_theirs(self.merged)


def merge(base: Cib, ours: Cib, theirs: Cib) -> Merged:
    """Merge what two sides made of one document.

    Raises :class:`~cibgit.errors.BadDataError` for a version in which two elements
    claim one identity.
    """
    for version in (base, ours, theirs):
        check_ids(version)
    old, mine, other = (
        document(canonical(version).root) for version in (base, ours, theirs)
    )
    result = Merged(ours, (old, mine, other), {})
    merging = _Merging(result, old, mine, other)
    merging.run()
    root = grow(result.merged, ROOT)
    arrange(root)
    result.cib = Cib(root, f"merge of {ours.source} and {theirs.source}")
    _Meaning(result).run()
    return result


class _Merging:
    """The facts, one kind after the other."""

    def __init__(
        self, result: Merged, old: Document, mine: Document, other: Document
    ) -> None:
        self.result = result
        self.old, self.mine, self.other = old, mine, other

    def run(self) -> None:
        """Fill the merged records, and name the conflicts."""
        kept = self._kept()
        merged = self.result.merged
        for ident in kept:
            merged[ident] = Record(self._parent(ident), self._values(ident))
        orders = {ident: self._order(ident, each) for ident, each in self._below()}
        for ident, order in orders.items():
            inside = [each for each in order.items if merged[each].parent == ident]
            merged[ident].children = inside
            if len(inside) < len(order.items):
                self.result.places[ident] = order.items
        self._note_orders(orders)

    def _below(self) -> Iterable[tuple[Ident, set[Ident]]]:
        """Return what either side has in each element, as far as it is kept."""
        merged = self.result.merged
        below: dict[Ident, set[Ident]] = {}
        for ident, record in merged.items():
            for parent in (record.parent, self.result.moves.get(ident)):
                if parent in merged:
                    below.setdefault(parent, set()).add(ident)
        return below.items()

    def _kept(self) -> list[Ident]:
        """Return which elements are in the result, those of ours first."""
        gone = {
            *self._deleted(self.mine, self.other),
            *self._deleted(self.other, self.mine),
        }
        everything = dict.fromkeys([*self.mine, *self.other])
        return [ident for ident in everything if ident not in gone]

    def _deleted(self, deleter: Document, keeper: Document) -> set[Ident]:
        """Return what one side deleted and the other left as it was.

        What was deleted with its parent is judged with it: kept as a whole, if the other
        side changed any of it.
        """
        groups: dict[Ident, list[Ident]] = {}
        for ident in self.old:
            if ident not in deleter:
                groups.setdefault(self._top(ident, deleter), []).append(ident)
        gone: set[Ident] = set()
        for top, group in groups.items():
            if any(self._changed(ident, keeper) for ident in group):
                self._keep(top, group, deleter, keeper)
            else:
                gone.update(ident for ident in group if ident in keeper)
        return gone

    def _top(self, ident: Ident, deleter: Document) -> Ident:
        """Return the outermost element that was deleted together with this one."""
        parent = self.old[ident].parent
        while parent is not None and parent not in deleter:
            ident, parent = parent, self.old[parent].parent
        return ident

    def _changed(self, ident: Ident, keeper: Document) -> bool:
        if ident not in keeper:
            return False
        was, now = self.old[ident], keeper[ident]
        if was.values != now.values or was.parent != now.parent:
            return True
        return not set(now.children) <= set(was.children)

    def _keep(
        self, top: Ident, group: list[Ident], deleter: Document, keeper: Document
    ) -> None:
        ours_deleted = deleter is self.mine
        for ident in group:
            parent = keeper[ident].parent if ident in keeper else None
            if ident in keeper and (ident == top or parent not in group):
                self.result.choices[ident] = Choice(not ours_deleted, ours_deleted)
        who, whom = ("ours", "theirs") if ours_deleted else ("theirs", "ours")
        self._note(
            Reason.DELETED, top, f"{who} deleted it, {whom} changed it or what is in it"
        )

    def _parent(self, ident: Ident) -> Ident | None:
        sides = [side[ident].parent for side in self._having(ident)]
        if len(sides) == 1 or sides[0] == sides[1]:
            return sides[0]
        was = self.old[ident].parent if ident in self.old else None
        if was in sides and ident in self.old:
            return sides[1] if sides[0] == was else sides[0]
        self.result.choices[ident] = Choice(ours=True, theirs=False)
        self.result.moves[ident] = sides[1]
        reason, verb = (
            (Reason.MOVED, "moved")
            if ident in self.old
            else (Reason.DUPLICATE, "added")
        )
        places = [named_by(side) for side in sides]
        self._note(
            reason, ident, f"ours {verb} it to {places[0]}, theirs to {places[1]}"
        )
        return sides[0]

    def _values(self, ident: Ident) -> dict[str, str]:
        sides = [side[ident].values for side in self._having(ident)]
        if len(sides) == 1 or sides[0] == sides[1]:
            return sides[0]
        was = self.old[ident].values if ident in self.old else {}
        found: dict[str, str] = {}
        for name in dict.fromkeys([*sides[0], *sides[1]]):
            before, ours, theirs = (each.get(name) for each in (was, *sides))
            chosen = theirs if ours == before else ours
            if before not in (ours, theirs) and ours != theirs:
                self.result.values.setdefault(ident, set()).add(name)
                self._note_value(ident, name, before, ours, theirs)
            if chosen is not None:
                found[name] = chosen
        return found

    def _order(self, parent: Ident, children: set[Ident]) -> Order:
        old, mine, other = (
            side[parent].children if parent in side else []
            for side in (self.old, self.mine, self.other)
        )
        return merge_order(old, mine, other, children)

    def _note_orders(self, orders: dict[Ident, Order]) -> None:
        """Name the orders that both sides changed, as far as they count."""
        disputed = self._disputed(orders)
        for parent, order in orders.items():
            member = _ORDERED_MEMBERS.get(parent.key.tag)
            rivals = any(ident.key.tag == member for ident in order.contested)
            if rivals or parent in disputed:
                self.result.orders.add(parent)
                self._note(
                    Reason.ORDER,
                    parent,
                    "both sides changed the order of what is in it",
                )

    def _disputed(self, orders: dict[Ident, Order]) -> set[Ident]:
        """Return what the canonical form would not bring into one order."""
        unsure = {each: o for each, o in orders.items() if o.items != o.mirrored}
        ours = {parent: order.items for parent, order in unsure.items()}
        theirs = {parent: order.mirrored for parent, order in unsure.items()}
        disputed: set[Ident] = set()
        for found in self.result.by_values() if unsure else ():
            one, other = (arranged(with_orders(found, each)) for each in (ours, theirs))
            disputed |= {parent for parent in unsure if one[parent] != other[parent]}
        return disputed

    def _having(self, ident: Ident) -> list[Document]:
        return [side for side in (self.mine, self.other) if ident in side]

    def _note(self, reason: Reason, ident: Ident, sentence: str) -> None:
        self.result.conflicts.append(Conflict(reason, self._way(ident), sentence))

    def _note_value(
        self,
        ident: Ident,
        name: str,
        base: str | None,
        ours: str | None,
        theirs: str | None,
    ) -> None:
        sentence = f"both sides changed {name}"
        way = self._way(ident)
        parameter = self.mine[ident].values.get("name", "")
        secret = ident.key.tag == "nvpair" and is_secret_name(parameter)
        self.result.conflicts.append(
            Conflict(Reason.VALUE, way, sentence, name, base, ours, theirs, secret)
        )

    def _way(self, ident: Ident) -> str:
        for side in (self.mine, self.other, self.old):
            if ident in side:
                return way(side, ident)
        return named_by(ident)


class _Meaning:
    """What no side did alone, and only both together make wrong."""

    def __init__(self, result: Merged) -> None:
        self.result = result
        _, self.mine, self.other = result.versions

    def run(self) -> None:
        """Look for duplicates and for references into nothing."""
        for idents in self._claims().values():
            if len(idents) > 1 and not self._alone(idents):
                self._dispute(idents)
        self._dangling()

    def _claims(self) -> dict[object, list[Ident]]:
        """Return who claims an id of the document, or a name within one set."""
        found: dict[object, list[Ident]] = {}
        for ident, record in self.result.merged.items():
            if ident.parent is None and ident.key.name:
                found.setdefault(ident.key.name, []).append(ident)
            name = record.values.get("name")
            if name and ident.key.tag == "nvpair":
                found.setdefault((record.parent, name), []).append(ident)
            if name and ident.key.tag == "op":
                interval = record.values.get("interval", "0")
                found.setdefault((record.parent, name, interval), []).append(ident)
        return found

    def _alone(self, idents: Iterable[Ident]) -> bool:
        """Say whether one side has all of these itself: then it is no matter of merging."""
        return any(set(idents) <= side.keys() for side in (self.mine, self.other))

    def _dispute(self, idents: list[Ident]) -> None:
        for ident in idents:
            self.result.choices.setdefault(
                ident, Choice(ident in self.mine, ident in self.other)
            )
        names = " and ".join(named_by(ident) for ident in idents)
        self._note(Reason.DUPLICATE, idents[0], f"each side added its own: {names}")

    def _dangling(self) -> None:
        known = names(self.result.merged)
        broken = {
            (ident_of(element), attribute, element.get(attribute, ""), target): None
            for found in self.result.by_values()
            for element, attribute, target in references(grow(found, ROOT))
            if target not in known
        }
        for each in broken:
            self._refers_to_nothing(*each)

    def _refers_to_nothing(
        self, ident: Ident, attribute: str, text: str, target: str
    ) -> None:
        """One side has what is referred to; the other deleted it, but not the reference."""
        if target not in names(self.mine) | names(self.other):
            return
        deleter = self.other if target in names(self.mine) else self.mine
        if ident in deleter and deleter[ident].values.get(attribute) == text:
            return  # it was broken before
        self.result.choices.setdefault(
            ident, Choice(ident in self.mine, ident in self.other)
        )
        who = "theirs" if deleter is self.other else "ours"
        self._note(
            Reason.DANGLING, ident, f"{who} deleted {target}, which it refers to"
        )

    def _note(self, reason: Reason, ident: Ident, sentence: str) -> None:
        address = way(self.result.merged, ident)
        self.result.conflicts.append(Conflict(reason, address, sentence))


def named_by(ident: Ident | None) -> str:
    """Return what an element is called: ``primitive vip``."""
    return named(ident.key) if ident else "nowhere"
