"""One semantic difference between two CIBs, as a value."""

from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from typing import Any, NamedTuple

from ..cib.identity import Key, named


class Kind(Enum):
    """What happened to an element."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REPLACED = "replaced"
    MOVED = "moved"
    RENAMED = "renamed"


class Weight(IntEnum):
    """How much a change matters to the cluster and to those who run it."""

    NONE = 0
    """No meaning to Pacemaker: other bytes, same behaviour."""

    OPERATIONAL = 1
    """What is done while running a cluster: standby, maintenance, a move, a stop."""

    CONFIGURATION = 2
    """What is done to build a cluster."""

    DANGEROUS = 3
    """What can interrupt a service, lose protection or open a door."""


class OwnerKind(StrEnum):
    """What a change belongs to, as an administrator would name it."""

    CIB = "the CIB"
    OPTIONS = "cluster options"
    NODE = "node"
    RESOURCE = "resource"
    TEMPLATE = "template"
    CONSTRAINT = "constraint"
    RESOURCE_DEFAULTS = "resource defaults"
    OPERATION_DEFAULTS = "operation defaults"
    FENCING = "fencing"
    ACL = "acl"
    TAG = "tag"
    ALERT = "alert"


class Owner(NamedTuple):
    """The part of a cluster that a change belongs to.

    ``name`` is the id of a resource, template, constraint, tag, alert or ACL role or
    target, the name of a node, the target of fencing levels; empty where there is only
    one of its kind.
    """

    kind: OwnerKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


class Step(NamedTuple):
    """One step of the way to an element: its identity among its siblings.

    ``number`` tells siblings of equal tag and name apart, from 0.
    """

    tag: str
    name: str = ""
    number: int = 0

    def __str__(self) -> str:
        return named(Key(self.tag, self.name))


Path = tuple[Step, ...]
"""The way from ``<cib>`` (the empty path) down to an element."""


class Place(NamedTuple):
    """Where an element stands: the way to its parent, and its place among the elements."""

    parent: Path
    position: int


@dataclass(frozen=True)
class AttributeChange:
    """One attribute with its old and new value; None where there was or is none.

    The comments before an element and those at its end are the attributes ``#comment``
    and ``#comment at the end``. ``secret``: no rendering may show the values.
    """

    name: str
    old: str | None
    new: str | None
    secret: bool = False


@dataclass(frozen=True)
class Change:
    """One change, addressed by identity.

    ``path`` is the way to the element: as it was before all changes (but after the
    renames), for an added one as it is after them. ``owner`` is whom it belongs to and
    ``subject`` what of it changed, in words (``params.ip``, ``op monitor 10s``; empty:
    the owner itself). ``sentence`` says all of it; ``details`` list what came or went
    with an element; ``reason`` says why the weight is what it is. These never hold a
    secret value.

    ``attributes`` are what changed on the element. ``xml`` is an element that was added
    or removed, compact, with its comments and without what moved elsewhere. ``place``:
    where an added or moved element stands after all changes. ``renames``: the old and
    new ids, the renamed element's first; whatever refers to them follows. These hold
    real values: :func:`~cibgit.compare.apply.apply` needs them, and every rendering goes
    through :func:`~cibgit.compare.redact.redacted`.
    """

    kind: Kind
    path: Path
    owner: Owner
    weight: Weight
    sentence: str
    subject: str = ""
    reason: str = ""
    details: tuple[str, ...] = ()
    attributes: tuple[AttributeChange, ...] = ()
    xml: str = ""
    place: Place | None = None
    renames: tuple[tuple[str, str], ...] = ()

    @property
    def address(self) -> str:
        """The path in words: ``resources / primitive vip / operations``."""
        steps = [str(step) for step in self.path if step.tag != "configuration"]
        return " / ".join(steps) or ("configuration" if self.path else "cib")

    def to_dict(self) -> dict[str, Any]:
        """Return the change as JSON can hold it; :meth:`from_dict` reads it back."""
        place = self.place
        return {
            "kind": self.kind.value,
            "weight": self.weight.name.lower(),
            "owner": {"kind": self.owner.kind.value, "name": self.owner.name},
            "subject": self.subject,
            "sentence": self.sentence,
            "reason": self.reason,
            "details": list(self.details),
            "address": self.address,
            "path": [step._asdict() for step in self.path],
            "attributes": [vars(each).copy() for each in self.attributes],
            "xml": self.xml,
            "place": place
            and {
                "parent": [step._asdict() for step in place.parent],
                "position": place.position,
            },
            "renames": [{"old": old, "new": new} for old, new in self.renames],
        }

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> "Change":
        """Return the change that :meth:`to_dict` made this of."""
        place = found["place"]
        return cls(
            kind=Kind(found["kind"]),
            path=_path(found["path"]),
            owner=Owner(OwnerKind(found["owner"]["kind"]), found["owner"]["name"]),
            weight=Weight[found["weight"].upper()],
            sentence=found["sentence"],
            subject=found["subject"],
            reason=found["reason"],
            details=tuple(found["details"]),
            attributes=tuple(AttributeChange(**each) for each in found["attributes"]),
            xml=found["xml"],
            place=place and Place(_path(place["parent"]), place["position"]),
            renames=tuple((each["old"], each["new"]) for each in found["renames"]),
        )


def _path(steps: list[dict[str, Any]]) -> Path:
    return tuple(Step(**step) for step in steps)
