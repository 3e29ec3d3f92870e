"""What an edit means: its sentence, its weight and why."""

from dataclasses import dataclass

from ..cib.identity import key, named
from .change import Kind, Weight
from .edits import Edit


@dataclass(frozen=True)
class Meaning:
    """An edit in words; nothing in it is secret."""

    sentence: str
    subject: str = ""
    weight: Weight = Weight.CONFIGURATION
    reason: str = ""
    details: tuple[str, ...] = ()


def meaning(edit: Edit) -> Meaning:
    """Say what an edit means to the cluster and to those who run it."""
    label = named(key(edit.element))
    if edit.kind is Kind.CHANGED:
        names = ", ".join(each.name for each in edit.attributes)
        return Meaning(f"{label}: {names} changed")
    return Meaning(f"{label} {edit.kind.value}")
