"""Rules that guard what protects the cluster: fencing, quorum, Pacemaker's own care."""

from collections.abc import Iterator

from ..cib.document import Cib, Element
from .context import Context, by_id, is_true, option
from .finding import Finding, refused

_FENCING = ("fencing-enabled", "stonith-enabled")
_QUORUM = ("no-quorum-policy",)


def guard_fencing(context: Context) -> Iterator[Finding]:
    """Refuse to turn fencing off, to remove the last device or all fencing levels."""
    if not context.policy.guard_fencing:
        return
    old, new = context.live, context.target
    if is_true(option(old, *_FENCING), True) and not is_true(
        option(new, *_FENCING), True
    ):
        yield refused("guard-fencing", "stonith-enabled", "fencing would be turned off")
    if _devices(old) and not _devices(new):
        last = ", ".join(_devices(old))
        yield refused(
            "guard-fencing", last, f"the last fencing device would go: {last}"
        )
    if _levels(old) and not _levels(new):
        yield refused(
            "guard-fencing", "fencing-topology", "all fencing levels would be removed"
        )


def guard_quorum(context: Context) -> Iterator[Finding]:
    """Refuse ``no-quorum-policy=ignore``: both halves of a split would run everything."""
    if not context.policy.guard_quorum:
        return
    before, after = option(context.live, *_QUORUM), option(context.target, *_QUORUM)
    if after == "ignore" != before:
        yield refused(
            "guard-quorum",
            "no-quorum-policy",
            f"no-quorum-policy would change from {before or 'stop (the default)'} to"
            " ignore: a partition without quorum would run resources",
        )


def guard_maintenance(context: Context) -> Iterator[Finding]:
    """Refuse to take everything out of Pacemaker's hands, or to stop everything."""
    if not context.policy.guard_maintenance:
        return
    old, new = context.live, context.target
    for name, consequence in (
        ("maintenance-mode", "nothing would be monitored or recovered"),
        ("stop-all-resources", "every resource would stop"),
    ):
        if is_true(option(new, name), False) and not is_true(option(old, name), False):
            yield refused(
                "guard-maintenance", name, f"{name} would be turned on: {consequence}"
            )
    if not _managed(new) and _managed(old):
        yield refused(
            "guard-maintenance",
            "is-managed",
            "rsc_defaults would set is-managed=false: nothing would be recovered",
        )


def is_device(element: Element, definitions: dict[str, Element]) -> bool:
    """Say whether a primitive is a fencing device, by itself or by its template."""
    template = definitions.get(element.get("template", ""))
    found = element if template is None else template
    return found.get("class") == "stonith"


def _devices(cib: Cib) -> list[str]:
    definitions = by_id(cib)
    return [
        name
        for name, element in definitions.items()
        if element.tag == "primitive" and is_device(element, definitions)
    ]


def _levels(cib: Cib) -> int:
    topology = cib.configuration.find("fencing-topology")
    return 0 if topology is None else len(list(topology.iterchildren("fencing-level")))


def _managed(cib: Cib) -> bool:
    return not any(
        pair.get("name") == "is-managed" and not is_true(pair.get("value", ""), True)
        for pair in cib.configuration.iterfind("rsc_defaults/meta_attributes/nvpair")
    )
