"""The rule about references: to what does not exist, or is of the wrong kind.

The schema checks that a reference names some id; it does not check of what kind, and not
at all those that are free text: nodes in constraints, devices and targets of fencing
levels (experiment, 2.1.5). Pacemaker ignores such a reference with a line in the log.
Only what a plan brings counts.
"""

from collections.abc import Iterator

from ..cib.document import Cib, Element
from ..cib.identity import label
from .context import Context, by_id
from .finding import Finding, Severity
from .guards import is_device

_RESOURCES = ("primitive", "group", "clone", "master", "bundle", "template", "tag")
_CONSTRAINTS = {
    "rsc_location": ("rsc",),
    "rsc_colocation": ("rsc", "with-rsc"),
    "rsc_order": ("first", "then"),
    "rsc_ticket": ("rsc",),
    "resource_ref": ("id",),
}


def references(context: Context) -> Iterator[Finding]:
    """Refuse new references to nothing; new ones to an unknown node are told."""
    if not context.policy.references:
        return
    old = {found for _, found in broken(context.live)}
    yield from (found for _, found in broken(context.target) if found not in old)


def broken(cib: Cib) -> Iterator[tuple[Element, Finding]]:
    """Yield every reference of a configuration that leads nowhere, by its element."""
    known = by_id(cib)
    nodes = _nodes(cib, known)
    for element in cib.configuration.iter("*"):
        for found in (
            *_of_constraint(element, known),
            *_of_definition(element, known),
            *_of_fencing(element, known, nodes),
            *_of_node(element, nodes),
        ):
            yield element, found


def _of_constraint(element: Element, known: dict[str, Element]) -> Iterator[Finding]:
    for attribute in _CONSTRAINTS.get(element.tag, ()):
        name = element.get(attribute)
        if name is not None and not _is_resource(name, known):
            yield _nowhere(element, attribute, name, "resource, tag or template")


def _is_resource(name: str, known: dict[str, Element]) -> bool:
    """Say whether a constraint may name this: parts of a bundle have no element."""
    found = known.get(name)
    if found is not None:
        return found.tag in _RESOURCES
    starts = (name[:end] for end, letter in enumerate(name) if letter == "-")
    return any(start in known and known[start].tag == "bundle" for start in starts)


def _of_definition(element: Element, known: dict[str, Element]) -> Iterator[Finding]:
    if element.tag == "obj_ref" and element.get("id") not in known:
        yield _nowhere(element, "id", element.get("id", ""), "element")
    template = element.get("template")
    if element.tag == "primitive" and template is not None:
        found = known.get(template)
        if found is None or found.tag != "template":
            yield _nowhere(element, "template", template, "template")
    reference = element.get("id-ref")
    if reference is not None:
        found = known.get(reference)
        if found is None or found.tag != element.tag:
            yield _nowhere(element, "id-ref", reference, element.tag)


def _of_fencing(
    element: Element, known: dict[str, Element], nodes: set[str]
) -> Iterator[Finding]:
    if element.tag != "fencing-level":
        return
    for name in element.get("devices", "").split(","):
        device = known.get(name.strip())
        if device is None or device.tag != "primitive" or not is_device(device, known):
            yield _nowhere(element, "devices", name.strip(), "fencing device")
    target = element.get("target")
    if target is not None and target not in nodes:
        yield _no_node(element, "target", target)


def _of_node(element: Element, nodes: set[str]) -> Iterator[Finding]:
    if element.tag == "rsc_location" and element.get("node", "") not in {"", *nodes}:
        yield _no_node(element, "node", element.get("node", ""))
    if (
        element.tag == "expression"
        and element.get("attribute") == "#uname"
        and element.get("operation") == "eq"
        and element.get("value", "") not in nodes
    ):
        yield _no_node(element, "value", element.get("value", ""))


def _nodes(cib: Cib, known: dict[str, Element]) -> set[str]:
    """Return the names of all nodes: cluster, remote and guest nodes, and bundles'."""
    names = set(cib.nodes().values())
    for name, element in known.items():
        if element.get("type") == "remote" and element.get("provider") == "pacemaker":
            names.add(name)
        elif element.tag == "nvpair" and element.get("name") == "remote-node":
            names.add(element.get("value", ""))
        elif element.tag == "bundle":
            count = max(
                (
                    int(part.get(amount, "1"))
                    for part in element.iterchildren("*")
                    for amount in ("replicas", "promoted-max", "masters")
                    if part.get(amount, "1").isdigit()
                ),
                default=1,
            )
            names.update(f"{name}-{number}" for number in range(count))
    return names


def _nowhere(element: Element, attribute: str, name: str, kind: str) -> Finding:
    return Finding(
        Severity.ERROR,
        "references",
        label(element),
        f"{_called(element)}: {attribute} names {name!r}, and there is no such {kind}",
        "Correct the name, or: --force references",
    )


def _no_node(element: Element, attribute: str, name: str) -> Finding:
    return Finding(
        Severity.WARNING,
        "references",
        label(element),
        f"{_called(element)}: {attribute} names {name!r}, and there is no such node",
        "It has no effect until a node of that name joins.",
    )


def _called(element: Element) -> str:
    """Return what to call an element: with its parent where its id is another's."""
    parent = element.getparent()
    if parent is None or element.tag not in ("resource_ref", "obj_ref", "expression"):
        return label(element)
    return f"{label(parent)} / {label(element)}"
