"""Plan: what one push would do, and whether it may.

Nothing is written here. A plan names the state it starts from, so that it can only be
carried out while that state is live.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ..cib import canonical, digest
from ..cib.document import Cib, LastChange
from ..compare.change import Change, Weight
from ..compare.diff import compare
from ..compare.unchanged import same
from ..errors import (
    BadDataError,
    NoQuorumError,
    PermissionDeniedError,
    StaleError,
    UnsafeError,
)
from ..policy import rules
from ..policy.agents import touched
from ..policy.context import Context
from ..policy.effect import Effects
from ..policy.expired import expired
from ..policy.finding import Finding
from .applied import Applied, find_applied, missing_marker
from .divergence import Divergence, diverged
from .refusals import check_desired
from .site import Site


class DriftError(StaleError):
    """Live is not what git knew. ``changes`` lead from that to live; nothing was written."""

    def __init__(
        self, message: str, hint: str, changes: list[Change], last: LastChange
    ) -> None:
        super().__init__(message, hint)
        self.changes = changes
        self.last = last


class PolicyError(UnsafeError):
    """Rules refuse a plan; ``findings`` are their reasons."""

    def __init__(self, message: str, hint: str, findings: list[Finding]) -> None:
        super().__init__(message, hint)
        self.findings = findings


@dataclass(frozen=True)
class Plan:
    """What one push would do; nothing has been written yet.

    ``commit`` is the commit whose state is pushed, None when it is yet to be made.
    ``changes`` lead from ``live`` to ``desired``; empty: there is nothing to do.
    ``effects`` are what the cluster would do because of them, ``verdict`` what the
    policy's rules say.

    ``live`` is the real CIB, as the push starts from it, secrets and all: it is never
    compared, shown or stored. ``desired`` and ``changes`` have placeholders.
    """

    site: Site
    live: Cib
    applied: Applied | None
    desired: Cib
    commit: str | None
    changes: list[Change]
    dialect: digest.Dialect
    effects: Effects = field(default_factory=Effects)
    verdict: rules.Verdict = field(default_factory=rules.Verdict)

    @property
    def is_final(self) -> bool:
        """Whether all of the target is known: the marker will name the commit."""
        return self.commit is not None or not self.site.config.marker

    @property
    def forced(self) -> tuple[str, ...]:
        """The rules that had to be relaxed for this plan."""
        return self.verdict.forced

    def target(self) -> Cib:
        """Return the whole CIB that the push must produce, with its real secrets.

        Raises what keeps a placeholder from being opened (exit 77 or 65).
        """
        marked = self.commit or "0" * 40
        commit = marked if self.site.config.marker else None
        real = self.site.keeper.revealed(self.desired)
        return canonical.target(real, self.live, commit)

    def hidden(self) -> tuple[Cib, Cib]:
        """Return live and the target in the hidden form, which may be shown and kept."""
        live = self.site.hidden(self.live)
        marked = self.commit or "0" * 40
        commit = marked if self.site.config.marker else None
        return live, canonical.target(self.desired, live, commit)

    def hidden_digests(self) -> tuple[str, str]:
        """Return the digests of live and target ``<configuration>`` in the hidden form.

        The real ones would let anybody who has them try passwords. Without secrets the
        second is what :meth:`digest` returns.
        """
        live, target = self.hidden()
        return (
            digest.on_disk(live.configuration, self.dialect),
            digest.on_disk(target.configuration, self.dialect),
        )

    def digest(self) -> str:
        """Return the digest of the planned ``<configuration>``.

        After the push ``cibadmin -Q -o configuration | cibadmin -5 -p`` prints it. As long
        as there is no commit that the marker can name it is not yet :attr:`is_final`.
        """
        return digest.on_disk(self.target().configuration, self.dialect)


def plan(
    site: Site, desired: Cib, commit: str | None, force: Sequence[str] = ()
) -> Plan:
    """Work out a push of ``desired``, and refuse it where it must not run.

    ``force`` names the rules of the policy that are relaxed. What the others say stands
    in the plan: :func:`refuse_unsafe` has to be called before it is carried out.

    Raises :class:`DriftError` (103) when live is not what git last knew, and whatever
    :func:`~cibgit.flow.refusals.check_desired` refuses.
    """
    found = survey(site, desired, commit, force)
    if isinstance(found, Divergence):
        raise drifted(site, found.applied.cib, found.live)
    return found


def survey(
    site: Site, desired: Cib, commit: str | None, force: Sequence[str] = ()
) -> Plan | Divergence:
    """Work out a push of ``desired``, or how git and live diverged.

    Raises :class:`DriftError` when no commit is known to have been live, and what
    :func:`~cibgit.flow.refusals.check_desired` raises.
    """
    rules.check_names(force)
    real = site.read()
    live = site.hidden(real)
    check_desired(desired, live)
    desired = site.ignoring(desired, live).cib
    applied = find_applied(site, live)
    dialect = site.cluster.dialect()
    if same(live, desired):
        return Plan(site, real, applied, desired, commit, [], dialect)
    if applied is None:
        raise no_base(site, live)
    if not applied.is_live:
        return diverged(live, applied, desired, commit)
    changes = compare(live, desired)
    planned = Plan(site, real, applied, desired, commit, changes, dialect)
    return judged(planned, force)


def judged(planned: Plan, force: Sequence[str]) -> Plan:
    """Ask Pacemaker's tools, as far as a rule wants to know, and then the rules.

    All of them at once: whoever changes the cluster meanwhile makes the plan stale.
    """
    site = planned.site
    try:
        live, target = planned.live, planned.target()
    except (PermissionDeniedError, BadDataError):
        live, target = planned.hidden()  # to look no key is needed; a push needs it
    policy, tools = site.config.policy, site.tools
    asked = policy.agents or policy.agent_parameters
    with ThreadPoolExecutor(3) as pool:
        effects = pool.submit(tools.effects, live, target)
        known = pool.submit(tools.agents, touched(live, target) if asked else ())
        new = pool.submit(tools.complaints, live, target) if policy.verify else None
    context = Context(
        live=live,
        target=target,
        policy=policy,
        now=datetime.now(UTC),
        effects=effects.result(),
        agents=known.result(),
        complaints=new.result() if new else (),
    )
    verdict = rules.judge(context, force)
    ended = tuple(expired(site.config.ignore, context.now))
    verdict = replace(verdict, findings=(*verdict.findings, *ended))
    return replace(planned, effects=context.effects, verdict=verdict)


def refusal(planned: Plan) -> PolicyError | NoQuorumError | None:
    """Return the error of a plan that a rule refuses and nobody forced; else None."""
    refusals = planned.verdict.refusals
    if not refusals:
        return None
    if refusals[0].rule == "quorum":
        return NoQuorumError(refusals[0].sentence, refusals[0].hint)
    names = list(dict.fromkeys(finding.rule for finding in refusals))
    more = len(refusals) - 1
    others = f" (and {more} more)" if more else ""
    return PolicyError(
        f"refused by policy, rule {names[0]}: {refusals[0].sentence}{others}",
        f"To push all the same: {' '.join(f'--force {name}' for name in names)}",
        refusals,
    )


def refuse_unsafe(planned: Plan) -> None:
    """Raise what :func:`refusal` returns: exit 107, without quorum 106."""
    refused = refusal(planned)
    if refused is not None:
        raise refused


def no_base(site: Site, live: Cib) -> DriftError:
    """Return the error of a cluster of which git does not know any state."""
    missing = missing_marker(site, live)
    if missing:
        return DriftError(
            f"the live CIB was pushed from commit {missing[:12]}, which this clone does"
            " not have",
            "Fetch it from the remote that it was pushed from:"
            f" {site.repository.fetching}",
            [],
            live.last_change,
        )
    return DriftError(
        f"no commit is known to have been live in {site.name}, so a push could overwrite"
        " anything",
        "Take the live state into git first: cibgit export",
        [],
        live.last_change,
    )


def drifted(site: Site, known: Cib, live: Cib) -> DriftError:
    """Return the error that shows how live left what git knew, both in hidden form."""
    missing, moved = missing_marker(site, live), compare(known, live)
    weights = {change.weight for change in moved} - {Weight.NONE}
    option = " --operational" if weights == {Weight.OPERATIONAL} else ""
    hint = (
        f"Commit {missing[:12]} was pushed meanwhile: {site.repository.fetching}"
        if missing
        else f"Nothing was written. See cibgit drift, then take it into git (cibgit adopt"
        f"{option}, cibgit export) or back (cibgit revert{option})."
    )
    return DriftError(
        f"{live.source} is not what git knew: changed by {live.last_change}"
        f" (now {live.version})",
        hint,
        moved,
        live.last_change,
    )
