"""What differs between two CIBs, as changes that people understand.

Both are compared in canonical form, so that what has no meaning makes no difference;
the list is empty if and only if the canonical forms are equal.
"""

from collections.abc import Iterable
from dataclasses import replace

from lxml import etree

from ..cib.canonical import arrange
from ..cib.document import Cib
from ..cib.references import rename
from ..cib.secrets import is_secret
from .change import Change, Kind
from .edits import Edit, comments_before, edits, pruned
from .meaning import meaning
from .meaningless import Surroundings
from .owners import owner
from .paths import Paths
from .renames import Renaming, renamings
from .unchanged import differing


def compare(old: Cib, new: Cib) -> list[Change]:
    """Return the changes that lead from ``old`` to ``new``, in the order of the document.

    Renames come first: the others lead on from what they made of ``old``. Status,
    volatile attributes and cluster-owned parts are no differences. Changes without
    meaning (:attr:`~cibgit.compare.change.Weight.NONE`) are in the list, so that
    :func:`~cibgit.compare.apply.apply` makes ``new`` of ``old`` with it.
    """
    pair = differing(old, new)
    return [] if pair is None else changes(*pair, Surroundings(old, new))


def changes(old: Cib, new: Cib, around: Surroundings) -> list[Change]:
    """Return the changes between two canonical documents, which need not be whole.

    What is said of the whole of both is looked up in their surroundings.
    """
    teller = _Teller(around)
    renamed = renamings(old.root, new.root, around.mentioned)
    found = [teller.rename(each) for each in renamed]
    if renamed:
        old = _with_renames(old, renamed)
    return found + [teller.change(edit) for edit in edits(old.root, new.root)]


def _with_renames(old: Cib, renamed: Iterable[Renaming]) -> Cib:
    copied = old.copy()
    rename(copied.root, dict(pair for each in renamed for pair in each.ids))
    arrange(copied.root)
    return copied


class _Teller:
    """Makes changes of edits; knows the ways to elements and what surrounds them."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._paths = Paths()

    def change(self, edit: Edit) -> Change:
        """Return the change that an edit is."""
        said = meaning(edit, self._around)
        came = edit.kind in (Kind.ADDED, Kind.MOVED) and edit.new is not None
        whole = edit.kind in (Kind.ADDED, Kind.REMOVED)
        return Change(
            kind=edit.kind,
            path=self._paths.path(edit.element if edit.old is None else edit.old),
            owner=owner(edit.element),
            weight=said.weight,
            sentence=said.sentence,
            subject=said.subject,
            reason=said.reason,
            details=said.details,
            attributes=tuple(
                replace(each, secret=_is_secret(edit, each.name))
                for each in edit.attributes
            ),
            xml=_xml(edit) if whole else "",
            place=self._paths.place(edit.element) if came else None,
        )

    def rename(self, renaming: Renaming) -> Change:
        """Return the change that a rename is."""
        edit = Edit(Kind.RENAMED, renaming.old, renaming.new)
        return replace(self.change(edit), renames=tuple(renaming.ids))


def _is_secret(edit: Edit, attribute: str) -> bool:
    sides = [side for side in (edit.old, edit.new) if side is not None]
    return any(is_secret(side, attribute) for side in sides)


def _xml(edit: Edit) -> str:
    """Return an element with its comments as XML, without what is elsewhere."""
    run = [*comments_before(edit.element), edit.element]
    if edit.cut:
        run[-1] = pruned(edit.element, edit.cut)
    return "".join(
        etree.tostring(each, encoding="unicode", with_tail=False) for each in run
    )
