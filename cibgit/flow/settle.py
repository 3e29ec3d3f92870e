"""Settle: wait until the cluster has done what a push demands, and see whether it is well.

Well is relative: what was broken before the push is not the push's doing. What counts is
what is worse: new failed actions, resources down that ran, nodes lost.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..cluster.health import Failure, Health
from ..errors import CibgitError
from .readback import Sleep
from .site import Site

SETTLE_SECONDS = 300.0
"""How long a cluster may take until it has nothing left to do."""

_LONGEST_PAUSE = 1.0

Tell = Callable[[str], None]
"""Who is told, a line at a time, what the cluster is doing."""


@dataclass(frozen=True)
class Settled:
    """How a cluster is once it came to rest, against how it was before.

    ``health`` is the last look, ``problems`` what is worse: empty where all is well.
    ``at_rest`` is False when the wait ended first.
    """

    health: Health
    seconds: float
    problems: list[str]
    at_rest: bool = True

    @property
    def healthy(self) -> bool:
        """Whether the cluster came to rest and nothing is worse."""
        return self.at_rest and not self.problems


def settle(
    site: Site,
    before: Health,
    seconds: float = SETTLE_SECONDS,
    tell: Tell = lambda _: None,
    sleep: Sleep = time.sleep,
) -> Settled:
    """Wait until the cluster is at rest, for at most ``seconds``, and compare.

    ``tell`` hears which actions run on which node whenever that changes.
    """
    started, pause = time.monotonic(), 0.05
    told: tuple[str, ...] = ()
    health: Health = before
    problem = ""
    while True:
        try:
            health, problem = site.cluster.health() or before, ""
            if health.under_way and health.under_way != told:
                told = health.under_way
                tell(", ".join(told))
            if not health.under_way and site.cluster.is_settled(health):
                # what was seen before the cluster was at rest may be older than that
                health = site.cluster.health() or health
                if not health.under_way:
                    break
        except CibgitError as error:  # a CIB manager that restarts, say
            problem = error.message
        if time.monotonic() - started > seconds:
            return _restless(before, health, time.monotonic() - started, problem)
        sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return Settled(health, time.monotonic() - started, worse(before, health))


def worse(before: Health, after: Health) -> list[str]:
    """Return what is worse in one look at a cluster than in an earlier one.

    A resource that is gone from the configuration, or whose target role is Stopped, is
    down on purpose; so is everything when no node is left that may run anything.
    """
    failed = [each for each in after.failures if each not in before.failures]
    found = [f"node {name} is lost" for name in sorted(_lost(before, after))]
    found += [f"failed: {each}" for each in failed]
    down = _down(before, after)
    found += [f"{name} ran before and runs nowhere now" for name in down]
    told = {*down, *(each.resource for each in failed)}
    found += [f"cannot run: {each}" for each in _refused(before, after, told)]
    for name in sorted(before.promoted):
        wanted = after.target_roles.get(name) not in ("Unpromoted", "Slave")
        if wanted and name in after.unpromoted and name not in after.promoted:
            found.append(f"{name} was promoted before and is not any more")
    return found


def _lost(before: Health, after: Health) -> frozenset[str]:
    return (before.joined - after.joined) & after.nodes


def _down(before: Health, after: Health) -> list[str]:
    return [
        name
        for name in sorted(before.running)
        if name not in after.running and after.wants(name)
    ]


def _refused(before: Health, after: Health, told: set[str]) -> list[Failure]:
    return [
        each
        for each in after.refusals
        if each not in before.refusals
        and each.resource not in told
        and each.resource not in after.running
        and after.wants(each.resource)
    ]


def _restless(before: Health, health: Health, seconds: float, problem: str) -> Settled:
    doing = ", ".join(health.under_way) or problem or "nothing that it shows"
    text = f"not at rest after {seconds:.0f} s; under way: {doing}"
    return Settled(health, seconds, [text, *worse(before, health)], at_rest=False)
