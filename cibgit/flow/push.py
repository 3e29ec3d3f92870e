"""Push: git to live, as one compare-and-swap that the CIB manager itself verifies.

The steps, as ``docs/one-push.md`` tells them: read live; build the target; stop if live
moved past git; check; send one patchset whose source version is the live one and whose
digest is that of the planned result; read back, here and elsewhere.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..cib import canonical, digest, patchset
from ..cib.document import Cib, Element, Version
from ..cib.owned import marker_commit
from ..compare.change import Change
from ..errors import (
    BusyError,
    CibgitError,
    DigestError,
    StaleError,
    TimedOutError,
    UnknownOutcomeError,
    UnreachableError,
)
from .plan import Plan, drifted
from .site import Site

RETRY_SECONDS = 30.0
"""How long a push goes on trying while only the status of the cluster moves."""

RECOVERY_SECONDS = 90.0
"""How long a push of unknown outcome waits for a CIB manager that can be asked."""

COPY_SECONDS = 10.0
"""How long the disk and the other nodes may take to have what this node has."""

DISK = "disk"
"""The place that can always be read, so that a problem there is one of the cluster."""

Sleep = Callable[[float], None]


@dataclass(frozen=True)
class Proof:
    """One place where the configuration was read back; ``problem`` if it could not be."""

    place: str
    digest: str
    problem: str = ""

    def is_settled(self, expected: str) -> bool:
        """Whether there is nothing to wait for: the digest, or a node that is silent."""
        return self.digest == expected or bool(self.problem and self.place != DISK)


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


def rehearse(planned: Plan) -> None:
    """Refuse now what :func:`push` would refuse later, before a commit is made for it."""
    if planned.changes:
        target = planned.target()
        build_verified(planned.live, target, planned.dialect)
        planned.site.cluster.check_writable(target)


def push(planned: Plan, sleep: Sleep = time.sleep) -> Pushed:
    """Carry out a plan and prove that the cluster runs exactly its target.

    Raises :class:`DriftError` when the configuration moved meanwhile (nothing was
    written), :class:`~cibgit.errors.UnknownOutcomeError` when nobody can say what
    happened, :class:`~cibgit.errors.DigestError` when something else came out.
    """
    site, commit = planned.site, planned.commit
    if commit is None or planned.applied is None:
        raise CibgitError("a push needs a commit, and a state to start from")
    if not planned.changes:
        planned.target()  # without its key nobody can say that there is nothing to do
        _remember(planned, commit)
        return _nothing_to_do(planned, commit)
    site.repository.set_ref(site.ref("live"), planned.applied.commit, "push: before")
    target, attempts = _send(planned, sleep)
    result = Pushed(
        commit,
        planned.live.version,
        target.version,
        digest.on_disk(target.configuration, planned.dialect),
        attempts,
        planned.changes,
    )
    _remember(planned, commit)
    return _read_back(planned, target, result, sleep)


def _remember(planned: Plan, commit: str) -> None:
    site = planned.site
    for which in ("applied", "live"):
        site.repository.set_ref(site.ref(which), commit, "push")


def _nothing_to_do(planned: Plan, commit: str) -> Pushed:
    version = planned.live.version
    found = digest.on_disk(planned.live.configuration, planned.dialect)
    return Pushed(commit, version, version, found, 0, [])


def _send(planned: Plan, sleep: Sleep) -> tuple[Cib, int]:
    """Send the patchset until it is applied; return what live must be now."""
    cluster, wait, attempts = planned.site.cluster, 0.0, 0
    target = planned.target()
    patch = build_verified(planned.live, target, planned.dialect)
    cluster.check_writable(target)
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        attempts += 1
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
    if _bytes(before) == _bytes(now) and _settings(planned.live) == _settings(live):
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
    old, new = _bytes(planned.live.configuration), _bytes(target.configuration)
    deadline = time.monotonic() + RECOVERY_SECONDS
    found: set[bytes] = set()
    while time.monotonic() < deadline:
        try:
            planned.site.cluster.check_writable(target)
            live = planned.site.read()
            found = {_bytes(live.configuration), *_elsewhere(planned.site)}
        except CibgitError:
            sleep(0.5)
            continue
        if _bytes(live.configuration) == new:
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
    return [_bytes(site.cluster.read_copy(place)) for place in places]


def _read_back(planned: Plan, target: Cib, result: Pushed, sleep: Sleep) -> Pushed:
    """Prove by reading, for exit 0 of a tool is no proof."""
    live = _caught_up(planned, target, sleep)
    if not _runs(live, target):
        return _moved_on(planned, target, live, result)
    proofs = [Proof("live", result.digest)]
    deadline = time.monotonic() + COPY_SECONDS
    for place in planned.site.cluster.places():
        proof = _proof(planned, place, result.digest, sleep)
        while not proof.is_settled(result.digest) and time.monotonic() < deadline:
            # a copy may be behind for a moment, or ahead: somebody changed live again
            live = planned.site.read()
            if not _runs(live, target):
                return _moved_on(planned, target, live, replace(result, proofs=proofs))
            proof = _proof(planned, place, result.digest, sleep)
        proofs.append(proof)
    return replace(result, proofs=proofs, after=live.version)


def _caught_up(planned: Plan, target: Cib, sleep: Sleep) -> Cib:
    """Read live; wait for a CIB manager that died since, and for what it has yet to learn."""
    deadline = time.monotonic() + COPY_SECONDS
    while True:
        live = _read_patiently(planned, sleep)
        if live.version[:2] >= target.version[:2] or time.monotonic() > deadline:
            return live
        sleep(0.2)


def _read_patiently(planned: Plan, sleep: Sleep) -> Cib:
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            return planned.site.read()
        except (UnreachableError, TimedOutError) as error:
            if time.monotonic() > deadline:
                raise UnknownOutcomeError(
                    f"the change was accepted, but cannot be read back: {error.message}",
                    "Look when the cluster answers again: cibgit status, cibgit diff",
                ) from None
        sleep(0.5)


def _runs(live: Cib, target: Cib) -> bool:
    return _bytes(live.configuration) == _bytes(target.configuration)


def _moved_on(planned: Plan, target: Cib, live: Cib, result: Pushed) -> Pushed:
    """Tell a later change of somebody else from a push that went wrong."""
    site = planned.site
    if live.version[:2] > target.version[:2] and (
        marker_commit(live) == result.commit or not site.config.marker
    ):
        return replace(result, moved_on=f"{live.last_change} ({live.version})")
    raise DigestError(
        f"after the push {live.source} is not what was planned: digest "
        f"{digest.on_disk(live.configuration, planned.dialect)}, planned {result.digest}",
        "See what differs with: cibgit diff",
    )


def _proof(planned: Plan, place: str, expected: str, sleep: Sleep) -> Proof:
    """Read a place for half a second at most, until it has the configuration."""
    proof = Proof(place, "", "not read")
    for _ in range(20):
        try:
            copy = planned.site.cluster.read_copy(place)
            found, problem = digest.on_disk(copy, planned.dialect), ""
        except CibgitError as error:
            found, problem = "", error.message
        proof = Proof(place, found, problem)
        if proof.is_settled(expected):
            break
        sleep(0.025)
    return proof


def _with_version(target: Cib, version: Version) -> Cib:
    root = target.root
    for name, number in version._asdict().items():
        root.set(name, str(number))
    return target


def _bytes(configuration: Element) -> bytes:
    return canonical.compact(Cib(configuration, ""))
