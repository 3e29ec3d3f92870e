"""The one way from a change to what may be shown of it."""

from dataclasses import replace

from ..cib.secrets import HIDDEN, masked, redacted_xml
from .change import AttributeChange, Change


def redacted(change: Change) -> Change:
    """Return the change as every rendering shows it: no secret value is in it.

    Redacting twice changes nothing. What is left can no longer be applied.
    """
    tag = change.path[-1].tag if change.path else "cib"
    return replace(
        change,
        attributes=tuple(_attribute(each, tag) for each in change.attributes),
        xml=redacted_xml(change.xml) if change.xml else "",
    )


def _attribute(one: AttributeChange, tag: str) -> AttributeChange:
    return replace(one, old=_value(one, one.old, tag), new=_value(one, one.new, tag))


def _value(one: AttributeChange, value: str | None, tag: str) -> str | None:
    if value is None:
        return None
    return HIDDEN if one.secret else masked(value, tag)
