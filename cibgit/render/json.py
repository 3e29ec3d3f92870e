"""Values as JSON: one object a command, ``format`` counts incompatible changes."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..compare.change import Change
from ..errors import CibgitError

if TYPE_CHECKING:
    from ..flow.digest import Digests
    from ..flow.export import Exported
    from ..flow.push import Pushed
    from ..flow.status import Status

FORMAT = 1


def dumps(command: str, **values: Any) -> str:
    """Return one JSON object for the answer of a command."""
    return json.dumps({"format": FORMAT, "command": command, **values}, indent=2)


def changes(found: Iterable[Change]) -> list[dict[str, object]]:
    """Return changes as JSON shows them."""
    return [each.to_dict() for each in found]


def error(problem: CibgitError) -> str:
    """Return an error; drift comes with its changes."""
    return dumps(
        "error",
        code=int(problem.code),
        name=problem.code.name,
        message=problem.message,
        hint=problem.hint,
        changes=changes(getattr(problem, "changes", [])),
    )


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
        changes=changes(result.changes),
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


def status(found: "Status", name: str) -> str:
    """Return how both sides stand."""
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
        drift=changes(found.drift),
        unpushed=changes(found.unpushed),
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
