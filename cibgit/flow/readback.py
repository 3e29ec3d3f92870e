"""Reading back: what the cluster holds once a push was accepted, and where that was seen.

Exit 0 of a tool is no proof, and the disk follows the answer, not the other way round. All
places are asked at once: a cluster of many nodes takes no longer than its slowest one.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..cib import canonical, digest
from ..cib.document import Cib, Element, Version
from ..cib.owned import marker_commit
from ..errors import (
    CibgitError,
    DigestError,
    TimedOutError,
    UnknownOutcomeError,
    UnreachableError,
)
from .plan import Plan
from .site import Site

RECOVERY_SECONDS = 90.0
"""How long a CIB manager that died may take until it can be asked again."""

COPY_SECONDS = 10.0
"""How long the disk and the other nodes may take to have what this node has."""

DISK = "disk"
"""The place that can always be read, so that a problem there is one of the cluster."""

AT_ONCE = 16
"""How many places are read at the same time; Pacemaker's clusters have up to 32 nodes."""

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
class ReadBack:
    """What was found: the live version, the places, and who changed it again since."""

    version: Version
    proofs: list[Proof]
    moved_on: str = ""


@dataclass(frozen=True)
class Expected:
    """What a push promised: the plan, the whole CIB it leads to, its digest, and where.

    ``places`` were named before the push, by a cluster that was not busy with it: each
    member of the partition then must have the configuration now.
    """

    planned: Plan
    target: Cib
    digest: str
    places: list[str]

    @property
    def site(self) -> Site:
        """The cluster that was pushed to."""
        return self.planned.site

    def runs(self, live: Cib) -> bool:
        """Whether ``live`` has exactly the planned configuration."""
        return content(live.configuration) == content(self.target.configuration)


def read_back(expected: Expected, sleep: Sleep) -> ReadBack:
    """Prove by reading that the cluster runs what was planned.

    Raises :class:`~cibgit.errors.DigestError` when live is something else that nobody
    else made, :class:`~cibgit.errors.UnknownOutcomeError` when it cannot be read.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reading = pool.submit(_caught_up, expected, sleep)
        copies = pool.map(lambda place: _proof(expected, place, sleep), expected.places)
        live, away = reading.result()
        if not expected.runs(live):
            # whoever changed it after the push raised the version
            if away or live.version[:2] < expected.target.version[:2]:
                _refuse_lost(expected, live, away=away)
            return _moved_on(expected, live, [])
        seen, proofs = Proof("live", expected.digest), list(copies)
        deadline = time.monotonic() + COPY_SECONDS
        # a copy may be behind for a moment, or ahead: somebody changed live again
        while _unsettled(expected, proofs) and time.monotonic() < deadline:
            live = expected.site.read()
            if not expected.runs(live):
                same = [each for each in proofs if each.digest == expected.digest]
                return _moved_on(expected, live, [seen, *same])
            proofs = list(
                pool.map(lambda proof: _again(expected, proof, sleep), proofs)
            )
    return ReadBack(live.version, [seen, *proofs])


def content(configuration: Element) -> bytes:
    """Return a configuration as one line, to tell whether two are the same."""
    return canonical.compact(Cib(configuration, ""))


def _unsettled(expected: Expected, proofs: Iterable[Proof]) -> bool:
    return not all(proof.is_settled(expected.digest) for proof in proofs)


def _again(expected: Expected, proof: Proof, sleep: Sleep) -> Proof:
    if proof.is_settled(expected.digest):
        return proof
    return _proof(expected, proof.place, sleep)


def _proof(expected: Expected, place: str, sleep: Sleep) -> Proof:
    """Read a place for half a second at most, until it has the configuration."""
    proof = Proof(place, "", "not read")
    for _ in range(20):
        try:
            copy = expected.site.cluster.read_copy(place)
            found, problem = digest.on_disk(copy, expected.planned.dialect), ""
        except CibgitError as error:
            found, problem = "", error.message
        proof = Proof(place, found, problem)
        if proof.is_settled(expected.digest):
            break
        sleep(0.025)
    return proof


def _caught_up(expected: Expected, sleep: Sleep) -> tuple[Cib, bool]:
    """Read live; wait for a CIB manager that died since, and for what it has yet to learn.

    Return with it whether there was a time when it could not be read.
    """
    deadline, away = time.monotonic() + COPY_SECONDS, False
    while True:
        live, waited = _read_patiently(expected.site, sleep)
        away = away or waited
        if (
            live.version[:2] >= expected.target.version[:2]
            or time.monotonic() > deadline
        ):
            return live, away
        sleep(0.2)


def _read_patiently(site: Site, sleep: Sleep) -> tuple[Cib, bool]:
    deadline, waited = time.monotonic() + RECOVERY_SECONDS, False
    while True:
        try:
            return site.read(), waited
        except (UnreachableError, TimedOutError) as error:
            if time.monotonic() > deadline:
                raise UnknownOutcomeError(
                    f"the change was accepted, but cannot be read back: {error.message}",
                    "Look when the cluster answers again: cibgit status, cibgit diff",
                ) from None
        waited = True
        sleep(0.5)


def _moved_on(expected: Expected, live: Cib, seen: list[Proof]) -> ReadBack:
    """Tell a later change of somebody else from a push that went wrong."""
    planned, site = expected.planned, expected.site
    marked = marker_commit(live) == marker_commit(expected.target)
    if live.version[:2] > expected.target.version[:2] and (
        marked or not site.config.marker
    ):
        since = f"{live.last_change} ({live.version})"
        return ReadBack(expected.target.version, seen, since)
    raise DigestError(
        f"after the push {live.source} is not what was planned: digest "
        f"{digest.on_disk(live.configuration, planned.dialect)}, planned"
        f" {expected.digest}",
        "See what differs with: cibgit diff",
    )


def _refuse_lost(expected: Expected, live: Cib, *, away: bool) -> None:
    """Say it when nothing is left of an accepted change, here or on another node.

    Experiment (2.1.5): a CIB manager that is killed right after its answer comes back
    without the change, at times before the next query, so that it was never ``away``.
    """
    before = content(expected.planned.live.configuration)
    others = [place for place in expected.places if place != DISK]
    try:
        copies = [content(expected.site.cluster.read_copy(place)) for place in others]
    except CibgitError:
        return
    if any(each != before for each in (content(live.configuration), *copies)):
        return
    hint = "The live configuration is as it was; push again."
    if away:
        raise UnreachableError(
            "the change was accepted and is gone again: the CIB manager ended before its"
            " disk had it",
            hint,
        )
    raise DigestError(
        f"after the push {live.source} is not what was planned but what it was before:"
        " the change was accepted and not applied, or the CIB manager ended before its"
        " disk had it",
        hint,
    )
