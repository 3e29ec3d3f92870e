"""Every rule that a plan is judged by, in one table, and the verdict.

A rule is a function from a :class:`Context` to findings. Its name is the option of
``[policy]`` that sets or turns it off, and what ``--force`` takes. An ``ERROR`` refuses
the plan; forced, it is a warning that says so.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ..errors import UsageError
from . import (
    agents,
    guards,
    limits,
    moment,
    references,
    simulation,
    suspended,
    verify,
)
from .context import Context
from .finding import Finding, Severity

Check = Callable[[Context], Iterable[Finding]]


@dataclass(frozen=True)
class Rule:
    """One rule: its name, what it refuses in one line, and the check."""

    name: str
    refuses: str
    check: Check
    can_be_forced: bool = True


RULES = (
    Rule("quorum", "a push without quorum", moment.quorum, can_be_forced=False),
    Rule("all-nodes", "a push while a node is not there", moment.all_nodes),
    Rule("suspended", "a push while the cluster is suspended", suspended.suspended),
    Rule("windows", "a push outside the allowed times", moment.windows),
    Rule("protected", "a change of a protected element", limits.protected),
    Rule("keep", "the removal of an element that is to be kept", limits.keep),
    Rule("max-deleted", "deleting too many resources at once", limits.max_deleted),
    Rule("max-restarted", "interrupting too many resources at once", limits.max_restarted),
    Rule("never-empty", "emptying a section", limits.never_empty),
    Rule("guard-fencing", "taking fencing away", guards.guard_fencing),
    Rule("guard-quorum", "ignoring the loss of quorum", guards.guard_quorum),
    Rule("guard-maintenance", "taking all resources out of Pacemaker's hands",
         guards.guard_maintenance),
    Rule("no-fencing-action", "a change that gets a node fenced", limits.no_fencing_action),
    Rule("references", "a reference to what does not exist", references.references),
    Rule("agents", "a resource whose agent is not installed", agents.agents),
    Rule("agent-parameters", "a parameter that the agent does not know, or lacks",
         agents.agent_parameters),
    Rule("verify", "what crm_verify newly complains of", verify.verify),
)  # fmt: skip
"""The rules that can refuse a plan, in the order in which findings are told."""


@dataclass(frozen=True)
class Verdict:
    """What all rules say. ``forced`` names the rules that ``--force`` had to relax."""

    findings: tuple[Finding, ...] = ()
    forced: tuple[str, ...] = ()

    @property
    def refusals(self) -> list[Finding]:
        """The findings that refuse the plan."""
        return [one for one in self.findings if one.severity is Severity.ERROR]


def check_names(force: Sequence[str]) -> None:
    """Raise :class:`~cibgit.errors.UsageError` for a name that no rule has."""
    names = [rule.name for rule in RULES if rule.can_be_forced]
    for name in force:
        if name not in names:
            raise UsageError(
                f"{name!r} is no rule that can be forced",
                f"Rules are: {', '.join(names)}.",
            )


def judge(
    context: Context, force: Sequence[str] = (), among: Sequence[str] | None = None
) -> Verdict:
    """Ask every rule, or those ``among`` alone; relax those in ``force``.

    Findings about what the simulation cannot know come last; they never refuse.
    """
    check_names(force)
    found: list[Finding] = []
    forced = []
    for rule in RULES:
        if among is not None and rule.name not in among:
            continue
        mine = list(rule.check(context))
        if rule.name in force and any(one.severity is Severity.ERROR for one in mine):
            forced.append(rule.name)
            mine = [_relaxed(one) for one in mine]
        found += mine
    if among is None:
        found += simulation.doubts(context)
    return Verdict(tuple(found), tuple(forced))


def _relaxed(finding: Finding) -> Finding:
    if finding.severity is not Severity.ERROR:
        return finding
    hint = f"Allowed by --force {finding.rule}."
    return replace(finding, severity=Severity.WARNING, hint=hint)
