"""Rules about how much a plan may do: to which elements, to how many, to which nodes."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from ..cib.canonical import canonical
from ..cib.digest import Dialect, dump
from ..cib.document import Cib, Element
from ..cib.identity import address, label
from ..compare.text import few
from .context import Context, resources
from .effect import INTERRUPTS, Kind
from .finding import Finding, Severity, refused
from .settings import Limit

_AGENT = ("class", "provider", "type", "template")


def protected(context: Context) -> Iterator[Finding]:
    """Refuse any change of what ``protected`` names, and of anything inside it."""
    patterns = context.policy.protected
    if not patterns:
        return
    yield from _idle("protected", patterns, context)
    old, new = _chosen(context.live, patterns), _chosen(context.target, patterns)
    for name in {**old, **new}:
        if name not in new or name not in old or _differ(old[name], new[name]):
            done = (
                "removed" if name not in new
                else "added" if name not in old else "changed"
            )  # fmt: skip
            yield refused("protected", name, f"{name} is protected and would be {done}")


def keep(context: Context) -> Iterator[Finding]:
    """Refuse to remove what ``keep`` names, or to give it another agent."""
    patterns = context.policy.keep
    if not patterns:
        return
    yield from _idle("keep", patterns, context)
    old, new = _chosen(context.live, patterns), _chosen(context.target, patterns)
    for name, element in old.items():
        if name not in new:
            yield refused("keep", name, f"{name} is to be kept and would be removed")
        elif _agent(element) != _agent(new[name]):
            yield refused("keep", name, f"{name} is to be kept and would be replaced")


def max_deleted(context: Context) -> Iterator[Finding]:
    """Refuse to delete more resources at once than ``max-deleted``."""
    old = {str(one.get("id")) for one in resources(context.live)}
    gone = sorted(old - {str(one.get("id")) for one in resources(context.target)})
    limit = context.policy.max_deleted
    if not limit.allows(len(gone), len(old)):
        yield _too_many("max-deleted", "deleted", gone, len(old), limit)


def max_restarted(context: Context) -> Iterator[Finding]:
    """Refuse to interrupt more running instances at once than ``max-restarted``.

    Interrupted is what stops, restarts, moves, is recovered or demoted; what is deleted
    counts for ``max-deleted``.
    """
    simulation = context.effects.simulation
    if simulation is None:
        return
    kept = {str(one.get("id")) for one in resources(context.target)}
    hit = sorted(
        one.subject
        for one in context.effects.happens
        if one.kind in INTERRUPTS and not one.blocked and one.subject in kept
    )
    running = sum(one.is_active for one in simulation.instances)
    limit = context.policy.max_restarted
    if not limit.allows(len(hit), running):
        yield _too_many("max-restarted", "interrupted", hit, running, limit)


def never_empty(context: Context) -> Iterator[Finding]:
    """Refuse to empty a section that ``never-empty`` names."""
    for name in context.policy.never_empty:
        old = context.live.configuration.find(name)
        new = context.target.configuration.find(name)
        if old is not None and len(old) and (new is None or not len(new)):
            yield refused(
                "never-empty",
                name,
                f"the section {name} would be empty; live has {len(old)} in it",
            )


def no_fencing_action(context: Context) -> Iterator[Finding]:
    """Refuse a change because of which a node is fenced."""
    if not context.policy.no_fencing_action:
        return
    for effect in context.effects.happens:
        if effect.kind is Kind.FENCE:
            why = f": {effect.reason}" if effect.reason else ""
            yield refused(
                "no-fencing-action",
                effect.subject,
                f"node {effect.subject} would be fenced ({effect.role}){why}",
            )


def _chosen(cib: Cib, patterns: tuple[str, ...]) -> dict[str, Element]:
    """Return the elements that a pattern fits, by what they are called.

    A pattern fits an id (``vip``), an element (``primitive vip``) or the whole way to it
    (``resources / group web / *``).
    """
    return {
        label(element) if element.get("id") else address(element): element
        for element in canonical(cib).configuration.iter("*")
        if any(fits(element, pattern) for pattern in patterns)
    }


def _idle(rule: str, patterns: tuple[str, ...], context: Context) -> Iterator[Finding]:
    """Tell of patterns that fit nothing: a typo would protect nothing, silently."""
    for pattern in patterns:
        if not any(_chosen(cib, (pattern,)) for cib in (context.live, context.target)):
            yield Finding(
                Severity.WARNING,
                rule,
                pattern,
                f"the pattern {pattern!r} of {rule} fits no element",
                "",
            )


def fits(element: Element, pattern: str) -> bool:
    """Say whether a pattern means an element: by its id, its name or its whole address."""
    names = (element.get("id", ""), label(element), address(element))
    return any(fnmatchcase(name, pattern) for name in names)


def _differ(old: Element, new: Element) -> bool:
    """Say whether two elements differ, inside or in what they stand in."""
    homes = old.getparent(), new.getparent()
    names = {label(home) for home in homes if home is not None}
    return len(names) > 1 or dump(old, Dialect.NEW) != dump(new, Dialect.NEW)


def _agent(element: Element) -> list[str | None]:
    return [element.get(name) for name in _AGENT]


def _too_many(
    rule: str, done: str, names: list[str], total: int, limit: Limit
) -> Finding:
    shown = few(names, 5)
    percent = f" ({len(names) * 100 // total}%)" if total and limit.is_percent else ""
    return refused(
        rule,
        shown,
        f"{len(names)} of {total}{percent} would be {done}, {rule} is {limit}: {shown}",
    )
