"""Values as JSON: one object a command, ``format`` counts incompatible changes."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..compare.change import Change
from ..compare.redact import redacted
from ..errors import CibgitError

if TYPE_CHECKING:
    from ..flow.adopt import Adopted
    from ..flow.digest import Digests, Verified
    from ..flow.divergence import Divergence
    from ..flow.drift import Drift
    from ..flow.export import Exported
    from ..flow.import_ import Imported
    from ..flow.plan import Plan
    from ..flow.push import Pushed
    from ..flow.secret import Listed
    from ..flow.status import Status

FORMAT = 1


def dumps(command: str, **values: Any) -> str:
    """Return one JSON object for the answer of a command."""
    return json.dumps({"format": FORMAT, "command": command, **values}, indent=2)


def changes(found: Iterable[Change]) -> list[dict[str, object]]:
    """Return changes as JSON shows them: without secrets."""
    return [redacted(each).to_dict() for each in found]


def error(problem: CibgitError) -> str:
    """Return an error; drift comes with its changes."""
    return dumps(
        "error",
        code=int(problem.code),
        name=problem.code.name,
        message=problem.message,
        hint=problem.hint,
        changes=changes(getattr(problem, "changes", [])),
        findings=[each.to_dict() for each in getattr(problem, "findings", [])],
    )


def planned(command: str, found: "Plan", **values: Any) -> str:
    """Return what a push would do: changes, effects and findings."""
    effects = found.effects
    return dumps(
        command,
        **values,
        live=str(found.live.version),
        commit=found.commit,
        digest=found.hidden_digests()[1] if found.is_final else None,
        forced=list(found.forced),
        changes=changes(found.changes),
        effects={
            "unknown": effects.unknown,
            "happens": [each.to_dict() for each in effects.happens],
            "averted": [each.to_dict() for each in effects.averted],
            "anyway": [each.to_dict() for each in effects.anyway],
        },
        findings=[each.to_dict() for each in found.verdict.findings],
    )


def diverged(found: "Divergence") -> str:
    """Return how git and live both left what is applied."""
    return dumps(
        "plan",
        live=str(found.live.version),
        applied=found.applied.commit,
        commit=found.commit,
        wanted=changes(found.wanted),
        moved=changes(found.moved),
        conflicts=[vars(each) for each in found.conflicts],
    )


def drifted(found: "Drift", name: str, corosync: dict[str, Any] | None = None) -> str:
    """Return how live stands to git, change by change; ``corosync`` is its own part."""
    return dumps(
        "drift",
        cluster=name,
        drift=found.is_drift,
        live={"version": str(found.live.version), **vars(found.live.last_change)},
        applied=found.applied.commit,
        desired=found.desired,
        entries=[
            {
                "standing": each.standing.value,
                "change": redacted(each.change).to_dict(),
                "conflicts": [vars(one) for one in each.conflicts],
                "maker": each.maker and vars(each.maker),
                "version": each.version and str(each.version),
            }
            for each in found.entries
        ],
        ignored=changes(found.ignored),
        lost=[
            {
                "version": str(each.state.version),
                **vars(each.state.last_change),
                "replaced_by": str(each.winner),
                "changes": changes(each.missing),
            }
            for each in found.lost
        ],
        findings=[each.to_dict() for each in found.findings],
        corosync=corosync,
    )


def adopted(done: "Adopted") -> str:
    """Return what was adopted, and what was left; no commit: nothing was adopted."""
    return dumps(
        "adopt",
        commit=done.commit,
        changes=changes(done.changes),
        left=changes(done.left),
    )


def nothing(left: Iterable[Change]) -> str:
    """Return that there was nothing to revert, and what was left."""
    return dumps("revert", commit=None, changes=[], left=changes(left))


def exported(result: "Exported") -> str:
    """Return what an export did."""
    return dumps(
        "export",
        outcome=result.outcome,
        commit=result.commit,
        version=str(result.version),
        ref=result.ref,
        obstacle=result.obstacle,
        unpushed=result.unpushed,
        sealed=[str(slot) for slot in result.sealed],
        changes=changes(result.changes),
    )


def imported(result: "Imported") -> str:
    """Return what an import did, or would do: then there is no commit."""
    return dumps(
        "import",
        branch=result.target.branch,
        reason=result.target.reason,
        commit=result.commit,
        files=result.files,
        states=[
            {
                "source": past.source,
                "version": str(past.version),
                "changed": str(past.change) if past.change.user else "",
                "at": past.when.isoformat(),
                "signature": past.signature,
            }
            for past in result.states
        ],
        findings=[each.to_dict() for each in result.findings],
    )


def pushed_fields(result: "Pushed") -> dict[str, Any]:
    """Return what a push did."""
    return {
        "commit": result.commit,
        "before": str(result.before),
        "after": str(result.after),
        "digest": result.digest,
        "attempts": result.attempts,
        "moved_on": result.moved_on,
        "changes": changes(result.changes),
        "proofs": [vars(proof) for proof in result.proofs],
    }


def status(found: "Status", name: str, corosync: dict[str, Any] | None = None) -> str:
    """Return how both sides stand; ``corosync`` is the part of the cluster layer."""
    last = found.live.last_change
    return dumps(
        "status",
        cluster=name,
        in_sync=found.in_sync,
        live={"version": str(found.live.version), **vars(last)},
        applied=found.applied
        and {"commit": found.applied.commit, "found": found.applied.found},
        head=found.head,
        missing=found.missing,
        edited=found.edited,
        waiting=found.waiting and vars(found.waiting),
        undone=found.undone and vars(found.undone),
        report=found.report and vars(found.report),
        suspended=found.suspended and vars(found.suspended),
        drift=changes(found.drift),
        unpushed=changes(found.unpushed),
        uncertain={str(slot): reason for slot, reason in found.uncertain.items()},
        corosync=corosync,
    )


def digests(found: "Digests") -> str:
    """Return the digests of one CIB."""
    return dumps(
        "digest",
        on_disk=found.on_disk,
        versioned=found.versioned,
        configuration=found.configuration,
        dialect=found.dialect.name,
        signature=found.signature,
        matches=found.matches,
        signed_by=found.signed_by and found.signed_by.name,
    )


def verified(found: "Verified", source: str) -> str:
    """Return who signed a file."""
    return dumps(
        "digest",
        file=source,
        signature=found.signature,
        signed_by=[
            {"era": each.era.value, "releases": each.releases}
            for each in found.signed_by
        ],
        accepted=found.is_accepted,
        on_disk=found.digest,
    )


def secrets(found: Iterable["Listed"]) -> str:
    """Return the secrets of a file, without their values."""
    return dumps(
        "secret list",
        secrets=[
            {**each.slot._asdict(), "where": each.where, "problem": each.problem}
            for each in found
        ],
    )
