"""Which changes have no meaning to Pacemaker, and why: one small function a rule."""

from collections import Counter
from collections.abc import Callable

from ..cib.document import SECTIONS, Cib, Element
from ..cib.identity import key
from ..cib.references import references
from .change import AttributeChange, Kind
from .edits import CDATA, COMMENT, LAST_COMMENT, Edit
from .owners import RESOURCES
from .values import SYNONYMS, default_of, equal, known_as, score, type_of
from .words import SETS


class Surroundings:
    """What must be known of both documents to judge one edit."""

    def __init__(self, *cibs: Cib) -> None:
        self._cibs = cibs
        self._times: Counter[str] | None = None

    def mentioned(self) -> set[str]:
        """Return the ids that the new document refers to, whether they are there or not."""
        return {found.target for found in references(self._cibs[-1].root)}

    def times(self, name: str) -> int:
        """Return how often a meta attribute or cluster option is set, in either document."""
        if self._times is None:
            found: Counter[str] = Counter()
            for cib in self._cibs:
                here = Counter(
                    known_as(pair.get("name", ""))
                    for block in cib.root.iter(
                        "meta_attributes", "cluster_property_set"
                    )
                    for pair in block.iterchildren("nvpair")
                )
                found |= here
            self._times = found
        return self._times[known_as(name)]


Rule = Callable[[Edit, Surroundings], str | None]
"""Returns the reason where it holds, None where it does not."""


def commentary(edit: Edit, _: Surroundings) -> str | None:
    """Comments and descriptions."""
    notes = {COMMENT, LAST_COMMENT, CDATA, "description"}
    names = {each.name for each in edit.attributes}
    if edit.kind is Kind.CHANGED and names and names <= notes:
        return "Pacemaker reads neither comments nor descriptions"
    return None


def same_value(edit: Edit, _: Surroundings) -> str | None:
    """Another way to write the same value (see below)."""
    if edit.kind is not Kind.CHANGED or edit.old is None or edit.new is None:
        return None
    if _renamed_option(edit) or all(_same(edit, each) for each in edit.attributes):
        return "another way to write the same value"
    return None


def _same(edit: Edit, one: AttributeChange) -> bool:
    assert edit.old is not None
    assert edit.new is not None
    if one.name in (COMMENT, LAST_COMMENT, CDATA, "description"):
        return True
    was, now = one.old, one.new
    if edit.new.tag != "nvpair":
        was = default_of(edit.old, one.name) if was is None else was
        now = default_of(edit.new, one.name) if now is None else now
    if was is None or now is None:
        return False
    kind = type_of(edit.old, one.name)
    return kind is type_of(edit.new, one.name) and equal(kind, was, now)


def _renamed_option(edit: Edit) -> bool:
    """Say whether only an older name of a meta attribute became its newer one."""
    if edit.old is None or edit.new is None or edit.new.tag != "nvpair":
        return False
    parent = edit.new.getparent()
    names = [e.get("name", "") for e in (edit.old, edit.new)]
    return (
        parent is not None
        and parent.tag == "meta_attributes"
        and {each.name for each in edit.attributes} == {"name"}
        and len({SYNONYMS.get(name, name) for name in names}) == 1
    )


def frame(edit: Edit, _: Surroundings) -> str | None:
    """A section, a set or ``operations`` without content."""
    element = edit.element
    holds = (*SECTIONS, *SETS, "operations")
    if edit.kind not in (Kind.ADDED, Kind.REMOVED) or element.tag not in holds:
        return None
    if element.get("id-ref") is not None:
        return None
    if edit.cut:
        return "it only holds what is told on its own"
    return "an empty section or set means nothing"


def default_written_out(edit: Edit, around: Surroundings) -> str | None:
    """What holds anyway, written out where nothing else sets it: ``is-managed=true``."""
    element = edit.element
    if edit.kind not in (Kind.ADDED, Kind.REMOVED) or element.tag != "nvpair":
        return None
    default = default_of(element, "value")
    name, value = element.get("name", ""), element.get("value")
    if default is None or value is None or around.times(name) > 1:
        return None
    if not equal(type_of(element, "value"), default, value):
        return None
    return "that is the default, and nothing else sets it"


def free_order(edit: Edit, _: Surroundings) -> str | None:
    """Another order of what has none: alerts, recipients, rules, sets of other score."""
    new = same_parent(edit)
    if new is None:
        return None
    tag = edit.element.tag
    if tag in SETS:
        return _of_other_score(edit.element, new)
    ordered = {"resources", "group", "resource_set", "tag", "network", "storage",
               "constraints", "operations", "fencing-topology", *SETS}  # fmt: skip
    if new.tag in ordered or tag == "resource_set":
        return None
    return "their order has no meaning"


def _of_other_score(block: Element, parent: Element) -> str | None:
    same = [
        other
        for other in parent.iterchildren(block.tag)
        if other is not block
        and score(other.get("score", "0")) == score(block.get("score", "0"))
    ]
    return None if same else "their scores decide, not their order"


def renamed_part(edit: Edit, _: Surroundings) -> str | None:
    """Another id of anything but a resource; references to it follow."""
    if edit.kind is not Kind.RENAMED or edit.element.tag in RESOURCES:
        return None
    return "an id is only a name, and what refers to it follows"


def same_parent(edit: Edit) -> Element | None:
    """Return the parent of what moved, as it is now, if that stayed the same."""
    if edit.kind is not Kind.MOVED or edit.old is None or edit.new is None:
        return None
    old, new = edit.old.getparent(), edit.new.getparent()
    return new if old is not None and new is not None and key(old) == key(new) else None


RULES: tuple[Rule, ...] = (
    commentary,
    same_value,
    frame,
    default_written_out,
    free_order,
    renamed_part,
)
"""Every rule, in the order in which they are asked."""
