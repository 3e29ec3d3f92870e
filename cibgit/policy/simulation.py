"""What a simulation cannot know, said where it matters. Never a reason to refuse."""

from collections.abc import Iterator

from .context import Context, is_true, option
from .effect import Effects, Kind, Simulation
from .finding import Finding, Severity

RULE = "simulation"

_PROMOTED = ("Promoted", "Master")


def doubts(context: Context) -> Iterator[Finding]:
    """Yield why the effects may be incomplete, or are not known at all."""
    effects = context.effects
    if effects.unknown:
        yield _told(f"effects are not known: {effects.unknown}", "", Severity.NOTE)
        return
    simulation = effects.simulation
    if simulation is None:
        return
    yield from _cluster(context)
    yield from _nodes(simulation)
    yield from _resources(context, simulation)
    yield from _agents(effects, simulation)


def _cluster(context: Context) -> Iterator[Finding]:
    target = context.target
    if is_true(option(target, "maintenance-mode"), False):
        yield _told(
            "maintenance-mode is on: resources stay as they are until it ends, and what"
            " happens then is not foretold",
            "maintenance-mode",
        )
    elif not is_true(option(target, "fencing-enabled", "stonith-enabled"), True):
        yield _told(
            "fencing is off: where a stop fails, the resource blocks and no node is"
            " fenced",
            "stonith-enabled",
            Severity.NOTE,
        )


def _nodes(simulation: Simulation) -> Iterator[Finding]:
    for node in simulation.nodes:
        if node.trouble:
            yield _told(f"node {node.name} is {node.trouble}", node.name)


def _resources(context: Context, simulation: Simulation) -> Iterator[Finding]:
    unmanaged = _names(
        one.resource for one in simulation.instances if not one.is_managed
    )
    if unmanaged and not is_true(option(context.target, "maintenance-mode"), False):
        yield _told(
            f"unmanaged, so Pacemaker neither starts nor stops it: {unmanaged}",
            unmanaged,
        )
    blocked = _names(one.subject for one in context.effects.happens if one.blocked)
    if blocked:
        yield _told(f"the scheduler wants more than it can do now: {blocked}", blocked)


def _agents(effects: Effects, simulation: Simulation) -> Iterator[Finding]:
    """Tell where the agent has a say that no simulation asks for."""
    probed = _names(
        one.resource
        for one in effects.operations
        if one.task == "monitor" and not one.interval
    )
    if probed:
        yield _told(
            f"to be probed first, and where it is found running the cluster acts on that:"
            f" {probed}",
            probed,
            Severity.NOTE,
        )
    undecided = _names(_undecided(effects, simulation))
    if undecided:
        yield _told(
            f"which instance is promoted is for the agent's scores, once it runs:"
            f" {undecided}",
            undecided,
        )
    reloaded = _names(one.subject for one in effects.happens if one.kind is Kind.RELOAD)
    if reloaded:
        yield _told(
            f"reloaded, not restarted, if the agent still allows what it did at the last"
            f" start: {reloaded}",
            reloaded,
            Severity.NOTE,
        )


def _undecided(effects: Effects, simulation: Simulation) -> Iterator[str]:
    """Yield promotable resources that start, and of which nobody is or gets promoted."""
    promotable = {one.resource for one in simulation.instances if one.is_promotable}
    decided = {one.resource for one in simulation.instances if one.role in _PROMOTED}
    decided |= {one.subject for one in simulation.actions if one.role in _PROMOTED}
    for one in effects.happens:
        if one.kind is Kind.START and one.subject in promotable - decided:
            yield one.subject


def _names(found: Iterator[str]) -> str:
    return ", ".join(sorted(set(found)))


def _told(
    sentence: str, element: str, severity: Severity = Severity.WARNING
) -> Finding:
    return Finding(severity, RULE, element, sentence, "")
