"""Pacemaker's command-line tools of this machine, for questions that need no cluster."""

from collections.abc import Iterable, Mapping

from ..cib.document import Cib
from ..errors import CibgitError
from ..policy.agent import Agent, Missing, NotAsked
from ..policy.complaint import Complaint
from ..policy.effect import Effects
from ..policy.finding import Severity
from . import agents, commands, simulate


class Tools:
    """What the installed Pacemaker says about a CIB; without one it says that.

    ``environment`` is the caller's; little of it is passed on. Answers about agents are
    kept.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = commands.environment(environment)
        self._agents: dict[str, Agent | Missing | NotAsked] = {}

    def effects(self, before: Cib, after: Cib) -> Effects:
        """Return what ``after`` brings about that ``before``, with its status, does not."""
        return simulate.effects(before, after, self._environment)

    def complaints(self, before: Cib, after: Cib) -> tuple[Complaint, ...]:
        """Return what ``crm_verify`` says of ``after`` and not of ``before``."""
        try:
            new = simulate.complaints(after, self._environment)
            old = simulate.complaints(before, self._environment) if new else ()
        except CibgitError as error:
            return (Complaint(Severity.NOTE, f"not asked: {error.message}"),)
        return tuple(complaint for complaint in new if complaint not in old)

    def agents(self, names: Iterable[str]) -> dict[str, Agent | Missing | NotAsked]:
        """Return what each agent, by its full name, says about itself."""
        names = list(names)
        unknown = [name for name in names if name not in self._agents]
        self._agents |= agents.metadata(unknown, self._environment)
        return {name: self._agents[name] for name in names}
