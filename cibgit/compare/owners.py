"""Whom a change belongs to: the resource, constraint, node ... around an element."""

from ..cib.document import Element
from .change import Owner, OwnerKind

RESOURCES = frozenset({"primitive", "group", "clone", "master", "bundle"})
"""Elements that are resources."""

CONSTRAINTS = frozenset({"rsc_location", "rsc_colocation", "rsc_order", "rsc_ticket"})
"""Elements that are constraints."""

_KINDS = {
    **dict.fromkeys(RESOURCES, OwnerKind.RESOURCE),
    **dict.fromkeys(CONSTRAINTS, OwnerKind.CONSTRAINT),
    "template": OwnerKind.TEMPLATE,
    "node": OwnerKind.NODE,
    "fencing-level": OwnerKind.FENCING,
    "acl_role": OwnerKind.ACL,
    "acl_target": OwnerKind.ACL,
    "acl_group": OwnerKind.ACL,
    "acl_user": OwnerKind.ACL,
    "tag": OwnerKind.TAG,
    "alert": OwnerKind.ALERT,
    "crm_config": OwnerKind.OPTIONS,
    "rsc_defaults": OwnerKind.RESOURCE_DEFAULTS,
    "op_defaults": OwnerKind.OPERATION_DEFAULTS,
    "nodes": OwnerKind.NODE,
    "resources": OwnerKind.RESOURCE,
    "constraints": OwnerKind.CONSTRAINT,
    "fencing-topology": OwnerKind.FENCING,
    "acls": OwnerKind.ACL,
    "tags": OwnerKind.TAG,
    "alerts": OwnerKind.ALERT,
}


def owning(element: Element) -> Element | None:
    """Return the element whose owner :func:`owner` names; None for the CIB itself."""
    for each in (element, *element.iterancestors()):
        if each.tag in _KINDS:
            return each
    return None


def owner(element: Element) -> Owner:
    """Return whom an element belongs to."""
    found = owning(element)
    if found is None:
        return Owner(OwnerKind.CIB)
    kind = _KINDS[found.tag]
    if kind is OwnerKind.FENCING:
        return Owner(kind, _target(found))
    if kind is OwnerKind.NODE:
        return Owner(kind, found.get("uname", "") or found.get("id", ""))
    return Owner(kind, found.get("id", ""))


def _target(level: Element) -> str:
    attribute = level.get("target-attribute")
    if attribute is not None:
        return f"{attribute}={level.get('target-value', '')}"
    pattern = level.get("target-pattern", "")
    return level.get("target", "") or (pattern and f"nodes like {pattern}")
