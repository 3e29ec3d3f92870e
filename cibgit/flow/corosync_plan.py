"""The plan of a push of ``corosync.conf``: what would change, and what speaks against it.

Everything is read before anything is decided, and everything is decided before a single
file is touched.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ..cib.document import Cib
from ..corosync.canonical import HIGHEST_VERSION
from ..corosync.document import Conf
from ..corosync.keys import needs_restart
from ..corosync.meaning import Difference, differences, settings
from ..errors import StaleError, UnsafeError, UsageError
from ..policy.corosync import judged
from ..policy.finding import Finding, Severity, refused
from ..policy.suspended import RULE as SUSPENDED
from ..policy.suspended import told
from .corosync_drift import BY_HAND, names, would_be_lost
from .layer import Layer
from .members import Node, joined, read_nodes, require_readable

RESTART = "restart"
ONLINE = "online-node"
ROOM = 1
"""How far a version is counted up once more, where all nodes get their old file back."""

RULES = (RESTART, ONLINE, SUSPENDED)
"""What ``--force`` can relax."""


class CorosyncDriftError(StaleError):
    """The file of a node is not what git last knew, and nothing was written."""


class CorosyncPolicyError(UnsafeError):
    """A push that would do harm; ``findings`` say what and where."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        first = findings[0]
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        super().__init__(f"{first.sentence}{more}; nothing was written", first.hint)
        self.findings = list(findings)


@dataclass(frozen=True)
class CorosyncPlan:
    """What a push would do.

    ``commit`` is None while it is still to be made. ``targets`` are the nodes that get
    the file, ``added`` those of them that are no members yet, ``left`` those that lose
    their place in the list. ``changes`` lead from the file of this node, or from what runs
    where a file was not loaded, to the desired one. ``rewritten`` names the nodes whose
    file is another one still, or says another version than is loaded. ``restart`` are the
    changes that a reload leaves as they are. ``version`` is what the file will say.
    """

    layer: Layer
    desired: Conf
    commit: str | None
    nodes: list[Node]
    targets: list[Node]
    added: list[str]
    left: list[str]
    changes: list[Difference]
    rewritten: list[str]
    restart: list[Difference]
    version: int
    findings: list[Finding] = field(default_factory=list)
    forced: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether any node has another file, or did not load the one that it has."""
        return bool(self.rewritten or self._behind())

    def _behind(self) -> bool:
        """Say whether a member has loaded less than its file says."""
        runtime = self.nodes[0].copy.runtime
        members = runtime.members.values() if runtime else ()
        versions = {each.version for each in members if each.is_joined}
        return len(versions) > 1 or any(node.reloadable() for node in self.targets)

    @property
    def pending(self) -> dict[str, list[Difference]]:
        """What the files say already, and waits for a restart of Corosync, by node."""
        found = {node.name: node.late() for node in self.targets}
        return {name: changes for name, changes in found.items() if changes}


def plan(
    layer: Layer,
    desired: Conf,
    commit: str | None,
    cib: Cib,
    force: Sequence[str] = (),
) -> CorosyncPlan:
    """Read all nodes, and say what a push of the desired file would do.

    Raises :class:`CorosyncDriftError` when a file moved past git,
    :class:`CorosyncPolicyError` for what would do harm, and
    :class:`~cibgit.errors.NoQuorumError` without quorum.
    """
    unknown = [rule for rule in force if rule not in RULES]
    if unknown:
        known = ", ".join(RULES)
        raise UsageError(
            f"--force {unknown[0]}: there is no such rule; there is: {known}"
        )
    layer.revealed(desired)  # without its key nobody can write it
    require_readable(layer.ring.read_own())
    layer.ring.check_quorum()
    nodes = read_nodes(layer, desired)
    _refuse_unreadable(nodes, desired)
    layer.site.keeper.refuse_uncertain()
    _refuse_moved(layer, nodes, desired)
    made = _made(layer, desired, commit, nodes)
    against = [*(each.finding for each in judged(desired)), *_harm(made, cib)]
    stop = [each for each in against if each.severity is Severity.ERROR]
    left = [each for each in stop if each.rule not in force]
    if left:
        raise CorosyncPolicyError(left)
    notes = [each for each in against if each not in stop]
    forced = tuple(rule for rule in RULES if any(each.rule == rule for each in stop))
    return replace(made, findings=notes, forced=forced)


def _made(
    layer: Layer, desired: Conf, commit: str | None, nodes: list[Node]
) -> CorosyncPlan:
    wanted = {each.get("nodeid") for each in desired.nodes}
    targets = [node for node in nodes if node.nodeid in wanted or node.is_own]
    own, members = nodes[0], joined(nodes[0])
    known = settings(own.conf) if own.conf else _of_others(nodes)
    changes = _effects(differences(known, settings(desired)), targets, desired)
    return CorosyncPlan(
        layer,
        desired,
        commit,
        nodes,
        targets,
        [node.name for node in targets if node.nodeid not in members],
        [node.name for node in nodes if node not in targets],
        changes,
        [
            node.name
            for node in targets
            if not (node.has(desired) and node.says_loaded_version)
        ],
        _late(own, desired, changes),
        _next_version(nodes),
    )


def _effects(
    changes: Sequence[Difference], targets: Sequence[Node], desired: Conf
) -> list[Difference]:
    """Return the changes, and those that the files have already and a reload would load.

    Such a file is left by a push that was interrupted, or by hand.
    """
    told = {each.address for each in changes}
    more = {
        each: None
        for node in targets
        if node.has(desired)
        for each in node.reloadable()
        if each.address not in told
    }
    return [*changes, *more]


def _late(own: Node, desired: Conf, changes: Sequence[Difference]) -> list[Difference]:
    """Return the changes that a reload leaves as they are, and that do not run already."""
    runtime = own.copy.runtime
    if runtime is None:
        return []
    running, asked = runtime.compared(settings(desired))
    return [
        each
        for each in changes
        if needs_restart(each.address, runtime.transport)
        and running.get(each.address) != asked.get(each.address)
    ]


def _of_others(nodes: Sequence[Node]) -> Mapping[str, str]:
    return next((settings(node.conf) for node in nodes if node.conf), {})


def _next_version(nodes: Sequence[Node]) -> int:
    """Return a version that is higher than all that run, and that all files say.

    One that nothing could follow is garbage, and counts only where it runs.
    """
    files = [node.file_version or 0 for node in nodes]
    running = [node.copy.runtime.version for node in nodes if node.copy.runtime]
    counted = [each for each in files if each < HIGHEST_VERSION - ROOM]
    return 1 + max(0, *counted, *running, *joined(nodes[0]).values())


def _refuse_unreadable(nodes: Sequence[Node], desired: Conf) -> None:
    """Refuse where a node cannot be read, but for one that is leaving and is off."""
    members = joined(nodes[0])
    wanted = {each.get("nodeid") for each in desired.nodes}
    found = [
        Finding(
            Severity.ERROR,
            "corosync-unread",
            node.name,
            f"{node.name} could not be asked: {node.copy.problem}",
            "Every node must get the file, or it would come back with the old one. Bring"
            " it back, or take it out of the list of nodes.",
        )
        for node in nodes
        if node.copy.problem and (node.nodeid in wanted or node.nodeid in members)
    ]
    if found:
        raise CorosyncPolicyError(found)


def _refuse_moved(layer: Layer, nodes: Sequence[Node], desired: Conf) -> None:
    """Refuse when a node has a file that git does not know: it would be lost.

    A broken one is kept beside the new one, as every other is.
    """
    base = layer.base(nodes[0].conf)
    for node in nodes:
        conf = node.conf
        if node.is_taken:
            raise CorosyncDriftError(
                f"cibgit does not understand the corosync.conf of {node.name}, although"
                f" Corosync may take it: {node.broken}. Nothing was written",
                BY_HAND,
            )
        if conf is None or not would_be_lost(layer, node, base, desired):
            continue
        known = layer.committed(base) if base else None
        moved = differences(settings(known), settings(conf)) if known else []
        told = "; ".join(each.sentence for each in moved[:5]) or "no commit has it"
        raise CorosyncDriftError(
            f"the corosync.conf of {node.name} is not what git last knew: {told}."
            " Nothing was written",
            "Take it into git with cibgit corosync export on that node, or put the file"
            " back there. All of it: cibgit corosync drift",
        )


def _absent(made: CorosyncPlan) -> Iterator[Finding]:
    """Tell which nodes of the file are no members, and how each can become one."""
    members = joined(made.nodes[0])
    present = {
        each.get("nodeid") for each in (made.nodes[0].conf or made.desired).nodes
    }
    highest = max(members.values(), default=0)
    for node in made.targets:
        if node.nodeid not in present or node.nodeid in members:
            continue
        hint = "Start Corosync there, or take the node out of the list."
        if node.would_not_join(highest):
            hint = (
                "Its Corosync does not start with the version that its file says: write"
                f" config_version: {highest} there by hand, and start it."
            )
        sentence = (
            f"{node.name} is no member, so nobody could see whether it loads the file"
        )
        yield Finding(Severity.ERROR, "corosync-absent", node.name, sentence, hint)


def _harm(made: CorosyncPlan, cib: Cib) -> Iterator[Finding]:
    yield from told(cib, datetime.now(UTC), Severity.ERROR)
    yield from _absent(made)
    members = joined(made.nodes[0])
    if made.version > HIGHEST_VERSION - ROOM:
        sentence = f"version {made.version - 1} is loaded: none can follow it"
        hint = (
            "Stop Corosync on all nodes, write config_version: 1 there, and start it."
        )
        yield Finding(Severity.ERROR, "corosync-counted", "", sentence, hint)
    for node in made.nodes:
        if node.nodeid in members and node not in made.targets:
            sentence = (
                f"{node.name} is online and would be taken out of the list of nodes"
            )
            yield refused(ONLINE, node.name, sentence)
    own = made.nodes[0]
    if own.nodeid not in {each.get("nodeid") for each in made.desired.nodes}:
        sentence = f"this node ({own.name}) would be taken out of the list of nodes"
        hint = "Push from a node that stays."
        yield Finding(Severity.ERROR, "corosync-own", own.name, sentence, hint)
    for each in made.restart:
        sentence = f"a reload cannot change this, only a restart: {each.sentence}"
        yield refused(RESTART, each.address, sentence)
    for found in names(made.desired, cib):
        # a node that the CIB still has is no reason against taking it out of the list
        is_gone = found.severity is Severity.WARNING
        yield replace(found, severity=Severity.NOTE) if is_gone else found
