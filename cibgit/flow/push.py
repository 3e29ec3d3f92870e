"""Push: git to live, as one compare-and-swap that the CIB manager itself verifies.

The steps, as ``docs/one-push.md`` tells them: read live; build the target; stop if live
moved past git; check; send one patchset whose source version is the live one and whose
digest is that of the planned result; read back, here and elsewhere.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..cib import canonical, digest, patchset
from ..cib.document import Cib, Version
from ..cib.owned import marker_commit
from ..cib.pending import Pending, pending, with_pending
from ..compare.change import Change
from ..errors import (
    BusyError,
    CibgitError,
    StaleError,
    TimedOutError,
    UnknownOutcomeError,
    UnreachableError,
    told_when_interrupted,
)
from .plan import Plan, drifted, refuse_unsafe
from .readback import RECOVERY_SECONDS, Expected, Proof, Sleep, content, read_back
from .site import Site

RETRY_SECONDS = 30.0
"""How long a push goes on trying while only the status of the cluster moves."""


@dataclass(frozen=True)
class Pushed:
    """A push that is done: what the cluster had, what it has, and where that was seen.

    ``moved_on`` says who changed the configuration again before it was read back.
    """

    commit: str
    before: Version
    after: Version
    digest: str
    attempts: int
    changes: list[Change]
    proofs: list[Proof] = field(default_factory=list)
    moved_on: str = ""

    @property
    def is_proven(self) -> bool:
        """Whether no place that could be read holds anything else."""
        return all(proof.is_settled(self.digest) for proof in self.proofs)


def refuse_pending(live: Cib) -> None:
    """Refuse a push while another one waits for confirmation.

    Raises :class:`~cibgit.errors.BusyError`.
    """
    waiting = pending(live)
    if waiting:
        until = datetime.fromtimestamp(waiting.confirm_by, UTC)
        raise BusyError(
            f"{live.source}: the push of {(marker_commit(live) or '')[:10]} by"
            f" {waiting.by} waits for confirmation until {until:%Y-%m-%d %H:%M:%S} UTC",
            "Keep it with cibgit confirm, or put the cluster back with cibgit cancel.",
        )


def rehearse(planned: Plan) -> None:
    """Refuse now what :func:`push` would refuse later, before a commit is made for it."""
    refuse_unsafe(planned)
    refuse_pending(planned.live)
    if planned.changes:
        target = planned.target()
        build_verified(planned.live, target, planned.dialect)
        planned.site.cluster.check_writable(target)


def push(
    planned: Plan, sleep: Sleep = time.sleep, waiting: Pending | None = None
) -> Pushed:
    """Carry out a plan and prove that the cluster runs exactly its target.

    ``waiting`` goes into the same write, where the push has to be confirmed.
    Raises :class:`DriftError` when the configuration moved meanwhile (nothing was
    written), :class:`~cibgit.errors.UnknownOutcomeError` when nobody can say what
    happened, :class:`~cibgit.errors.DigestError` when something else came out,
    :class:`~cibgit.flow.plan.PolicyError` when a rule refuses the plan.
    """
    refuse_unsafe(planned)
    site, commit = planned.site, planned.commit
    if commit is None or planned.applied is None:
        raise CibgitError("a push needs a commit, and a state to start from")
    if not planned.changes:
        planned.target()  # without its key nobody can say that there is nothing to do
        site.repository.set_refs(site.refs(), commit, _reason(planned))
        return _nothing_to_do(planned, commit)
    site.repository.set_ref(site.ref("live"), planned.applied.commit, "push: before")
    places = site.cluster.places()
    with told_when_interrupted("while the change was sent: it may be applied"):
        target, attempts = _send(planned, sleep, waiting)
    expected = digest.on_disk(target.configuration, planned.dialect)
    with told_when_interrupted("after the cluster accepted the push: not read back"):
        site.repository.set_refs(site.refs(), commit, _reason(planned))
        seen = read_back(Expected(planned, target, expected, places), sleep)
    return Pushed(
        commit,
        planned.live.version,
        seen.version,
        expected,
        attempts,
        planned.changes,
        seen.proofs,
        seen.moved_on,
    )


def _reason(planned: Plan) -> str:
    """Return what the reflog says: which rules had to be forced belongs there."""
    forced = ", ".join(planned.forced)
    return f"push, forced: {forced}" if forced else "push"


def _nothing_to_do(planned: Plan, commit: str) -> Pushed:
    version = planned.live.version
    found = digest.on_disk(planned.live.configuration, planned.dialect)
    return Pushed(commit, version, version, found, 0, [])


def _send(planned: Plan, sleep: Sleep, waiting: Pending | None) -> tuple[Cib, int]:
    """Send the patchset until it is applied; return what live must be now."""
    cluster, wait, attempts = planned.site.cluster, 0.0, 0
    target = planned.target()
    if waiting:
        target = with_pending(target, waiting)
    patch = build_verified(planned.live, target, planned.dialect)
    cluster.check_writable(target)
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        attempts += 1
        if waiting and time.time() >= waiting.confirm_by:
            raise TimedOutError(
                "the time to confirm was over before the push could be written;"
                " nothing was written",
                "Give it more time: --confirm-within",
            )
        try:
            cluster.apply(patch)
            break
        except (UnknownOutcomeError, TimedOutError) as error:
            _find_out(planned, target, error, sleep)
            break
        except StaleError:
            if time.monotonic() > deadline:
                raise _restless(attempts) from None
        # wait first: from the next reading on every moment counts
        sleep(wait)
        wait = min(wait + 0.01, 0.2)
        live = _same_configuration(planned)
        target = canonical.with_configuration(live, target.configuration, target.source)
        patch = patchset.restamp(patch, live, target, planned.dialect)
    return _with_version(target, patch.target), attempts


def _restless(attempts: int) -> BusyError:
    return BusyError(
        f"the status of the cluster changed {attempts} times in a row while the push was"
        " under way; nothing was written",
        "Push again when the cluster is quieter.",
    )


def build_verified(
    live: Cib, target: Cib, dialect: digest.Dialect
) -> patchset.Patchset:
    """Build the patchset from live to target, and check it by applying it ourselves."""
    patch = patchset.build(live, target, dialect)
    result = patchset.apply(patchset.parse(patch.to_bytes()), live)
    if canonical.compact(result) != canonical.compact(target):
        raise CibgitError("the patchset does not yield the planned configuration")
    return patch


def _same_configuration(planned: Plan) -> Cib:
    """Read live again; only its status may have moved."""
    live = planned.site.cluster.read()
    before, now = planned.live.configuration, live.configuration
    if content(before) == content(now) and _settings(planned.live) == _settings(live):
        return live
    live.source = planned.live.source
    hidden = planned.site.hidden
    raise drifted(planned.site, hidden(planned.live), hidden(live))


def _settings(cib: Cib) -> dict[str, str | None]:
    """What of the root no change of status touches: the schema, say."""
    return {
        name: cib.root.get(name) for name in ("validate-with", "admin_epoch", "epoch")
    }


def _find_out(planned: Plan, target: Cib, error: CibgitError, sleep: Sleep) -> None:
    """Return when the change was applied after all; raise when it was not, or nobody knows.

    A CIB manager that was restarted may hold what its disk had until it joins again, so
    "not applied" is believed only when the other nodes say so too.
    """
    old, new = content(planned.live.configuration), content(target.configuration)
    deadline = time.monotonic() + RECOVERY_SECONDS
    found: set[bytes] = set()
    while time.monotonic() < deadline:
        try:
            planned.site.cluster.check_writable(target)
            live = planned.site.read()
            found = {content(live.configuration), *_elsewhere(planned.site)}
        except CibgitError:
            sleep(0.5)
            continue
        if content(live.configuration) == new:
            return
        if found == {old}:
            raise UnreachableError(
                f"the change was not applied: {error.message}",
                "The live configuration is as it was; push again.",
            )
        sleep(0.5)
    raise UnknownOutcomeError(
        f"{error.message}; "
        + (
            "live now is neither what it was nor what was planned"
            if found
            else "nobody could be asked since, so whether it was applied is not known"
        ),
        "Look when the cluster answers again: cibgit status, cibgit diff",
    )


def _elsewhere(site: Site) -> list[bytes]:
    places = [place for place in site.cluster.places() if place != "disk"]
    return [content(site.cluster.read_copy(place)) for place in places]


def _with_version(target: Cib, version: Version) -> Cib:
    root = target.root
    for name, number in version._asdict().items():
        root.set(name, str(number))
    return target
