"""Saved plans: a plan as a file, reviewed by people and carried out as it was, or not.

The file names commits, versions and digests; the content stays in git. It holds no value
of a parameter that looks secret.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..compare.change import Change
from ..compare.diff import compare
from ..compare.redact import redacted
from ..errors import BadDataError, StaleError, UnsafeError, UsageError, unwritten
from .plan import Plan, plan
from .site import Site

MARK = "cibgit-plan"
"""The key that makes a JSON file a saved plan; its value is the format's version."""

VERSION = 1


class StalePlanError(StaleError):
    """A saved plan is no longer what would happen; ``changes`` are what moved since."""

    def __init__(self, message: str, hint: str, changes: list[Change]) -> None:
        super().__init__(message, hint)
        self.changes = changes


@dataclass(frozen=True)
class SavedPlan:
    """What has to be true for a plan to be still the one that was reviewed.

    ``revision`` is what the user asked for (``HEAD``), ``commit`` what that was. ``base``
    is the commit that was live. ``effects`` are the sentences of all effects, None where
    they were not known.
    """

    cluster: str
    revision: str
    commit: str
    base: str
    live_version: str
    live_digest: str
    target_digest: str
    effects: list[str] | None
    forced: list[str]


def save(planned: Plan, revision: str, file: Path) -> None:
    """Write a plan to a file that only its owner can read; a link is replaced.

    Raises :class:`~cibgit.errors.UnsafeError` when there is no commit to push yet,
    :class:`~cibgit.errors.PermissionDeniedError` when the file cannot be written.
    """
    if planned.commit is None or planned.applied is None:
        raise UnsafeError(
            f"{planned.desired.source} is not committed, so a plan for it cannot be kept",
            "Commit it with git first.",
        )
    text = json.dumps({MARK: VERSION, **to_dict(planned, revision)}, indent=2)
    try:
        _write(file, f"{text}\n".encode())
    except OSError as error:
        raise unwritten(file, error) from None


def _write(file: Path, data: bytes) -> None:
    """Put a file there at once, with mode 0600 from its first byte on."""
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as new:
        try:
            new.write(data)
            new.flush()
            Path(new.name).replace(file)
        except BaseException:
            Path(new.name).unlink()
            raise


def to_dict(planned: Plan, revision: str) -> dict[str, Any]:
    """Return a plan as JSON shows it: the facts, then what people judge it by."""
    effects, base = planned.effects, planned.applied
    live_digest, target_digest = planned.hidden_digests()
    return {
        "cluster": planned.site.name,
        "revision": revision,
        "commit": planned.commit,
        "base": base and base.commit,
        "live_version": str(planned.live.version),
        "live_digest": live_digest,
        "target_digest": target_digest,
        "forced": list(planned.forced),
        "changes": [redacted(change).to_dict() for change in planned.changes],
        "effects": {
            "unknown": effects.unknown,
            **{
                group: [one.to_dict() for one in getattr(effects, group)]
                for group in ("happens", "averted", "anyway")
            },
        },
        "findings": [finding.to_dict() for finding in planned.verdict.findings],
    }


def load(file: Path) -> SavedPlan | None:
    """Read a saved plan; None where the file is not there or is something else.

    Raises :class:`~cibgit.errors.BadDataError` for a plan that this release cannot read.
    """
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or MARK not in found:
        return None
    if found[MARK] != VERSION:
        raise BadDataError(
            f"{file}: the plan has format {found[MARK]!r}, this cibgit reads {VERSION}"
        )
    try:
        return _read(found)
    except (KeyError, TypeError, AttributeError):
        raise BadDataError(f"{file}: the plan is incomplete or was edited") from None


def _read(found: dict[str, Any]) -> SavedPlan:
    names = ("cluster", "revision", "commit", "base", "live_version", "live_digest",
             "target_digest")  # fmt: skip
    texts = {name: found[name] for name in names}
    forced, effects = found["forced"], found["effects"]
    happens = [one["sentence"] for one in effects["happens"]]
    if not all(isinstance(text, str) for text in (*texts.values(), *forced, *happens)):
        raise TypeError
    return SavedPlan(
        **texts, effects=None if effects["unknown"] else happens, forced=list(forced)
    )


def planned_again(site: Site, saved: SavedPlan) -> Plan:
    """Plan again what was saved, and refuse it unless it is the very same plan.

    Raises :class:`StalePlanError` or :class:`~cibgit.flow.plan.DriftError` (103) when
    live, desired or the effects moved since, :class:`~cibgit.errors.UnsafeError` when it
    is another cluster's plan.
    """
    if site.name != saved.cluster:
        raise UnsafeError(
            f"the plan was made for cluster {saved.cluster!r}, not for {site.name!r}"
        )
    if not site.repository.has_commit(saved.commit):
        raise StalePlanError(
            f"this clone does not have commit {saved.commit[:12]} that was planned",
            f"Fetch it: {site.repository.fetching}",
            [],
        )
    desired = site.desired(saved.commit)
    _check_desired(site, saved)
    planned = plan(site, desired, saved.commit, saved.forced)
    _check_live(planned, saved)
    if saved.effects is not None and not planned.effects.unknown:
        check_effects(planned, saved.effects)
    return planned


def _check_desired(site: Site, saved: SavedPlan) -> None:
    now = site.repository.resolve(saved.revision)
    changes = compare(site.desired(saved.commit), site.desired(now))
    if changes:
        raise StalePlanError(
            f"the plan is stale: {saved.revision} was {saved.commit[:10]} when it was"
            f" made and is {now[:10]} now",
            "Plan again: cibgit plan. Nothing was written.",
            changes,
        )


def _check_live(planned: Plan, saved: SavedPlan) -> None:
    live, base = planned.live, planned.site.committed(saved.base)
    now = planned.hidden_digests()
    if now != (saved.live_digest, saved.target_digest):
        raise StalePlanError(
            f"the plan is stale: {live.source} was {saved.live_version} when it was made"
            f" and is {live.version} now, changed by {live.last_change}",
            "Plan again: cibgit plan. Nothing was written.",
            compare(base, planned.site.hidden(live)) if base else [],
        )


def check_effects(planned: Plan, before: list[str]) -> None:
    """Refuse a plan whose effects are no longer those that were reviewed."""
    now = [effect.sentence for effect in planned.effects.happens]
    if sorted(now) != sorted(before):
        news = [one for one in now if one not in before]
        gone = [f"not: {one}" for one in before if one not in now]
        raise StalePlanError(
            "the plan is stale: the cluster would do something else now than when it was"
            f" made: {'; '.join(news + gone) or 'the same, another number of times'}",
            "Plan again: cibgit plan. Nothing was written.",
            [],
        )


def check_force(saved: SavedPlan, force: list[str]) -> None:
    """Refuse to force what was not forced when the plan was made and reviewed."""
    if set(force) - set(saved.forced):
        raise UsageError(
            "a saved plan is carried out as it was made; --force belongs to cibgit plan"
        )
