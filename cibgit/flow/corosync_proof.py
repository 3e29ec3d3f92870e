"""The proof of a push of ``corosync.conf``: what each node has and runs, after the reload."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..corosync.meaning import Difference, differences, settings
from ..errors import CibgitError, DigestError, UnknownOutcomeError
from .corosync_plan import CorosyncPlan
from .members import Node, read_nodes

LOOK = (
    "What was replaced last lies beside the file as corosync.conf.cibgit. Look with:"
    " cibgit corosync drift"
)


@dataclass(frozen=True)
class CorosyncPushed:
    """A push that is done: the version of the file, and which members have loaded it.

    ``pending`` are settings that only a restart of Corosync brings into effect, by node;
    ``wrong`` such that a reload should have, and did not.
    """

    commit: str
    version: int
    loaded: list[str]
    pending: Mapping[str, list[Difference]] = field(default_factory=dict)
    wrong: Mapping[str, list[Difference]] = field(default_factory=dict)


def read_back(planned: CorosyncPlan, commit: str, data: bytes) -> CorosyncPushed:
    """Compare each file with what was pushed, and what runs with the file, everywhere.

    A version alone proves no content: somebody may have changed a file between its
    replacement and the reload, and left its version as it was. Raises
    :class:`~cibgit.errors.DigestError` for that, and
    :class:`~cibgit.errors.UnknownOutcomeError` for a node that cannot be read.
    """
    nodes = _now(planned)
    unread, other = [], []
    pending: dict[str, list[Difference]] = {}
    wrong: dict[str, list[Difference]] = {}
    for target in planned.targets:
        node = nodes.get(target.nodeid)
        problem = _unproven(node, must_run=target.name not in planned.added)
        if node is None or problem:
            unread.append(f"{target.name} ({problem})")
            continue
        if node.copy.data != data:
            other.append(f"{target.name} ({_told(planned, node)})")
        if late := node.late():
            pending[node.name] = late
        if failed := node.reloadable():
            wrong[node.name] = failed
    _refuse_unproven(unread, other)
    loaded = [node.name for node in planned.targets if node.name not in planned.added]
    return CorosyncPushed(commit, planned.version, loaded, pending, wrong)


def _now(planned: CorosyncPlan) -> dict[str, Node]:
    """Read the nodes again, by id: the push may have changed what one is called."""
    try:
        found = read_nodes(planned.layer, planned.desired)
    except CibgitError as error:
        raise UnknownOutcomeError(
            f"version {planned.version} is loaded, but the files could not be read back:"
            f" {error.message}",
            LOOK,
        ) from None
    return {node.nodeid: node for node in found}


def _unproven(node: Node | None, *, must_run: bool) -> str:
    """Return what keeps a node from being compared, or ''."""
    if node is None:
        return "it is not in the list of nodes any more"
    if must_run and node.copy.runtime is None:
        return node.copy.problem or f"Corosync does not answer: {node.copy.silent}"
    return node.copy.problem


def _told(planned: CorosyncPlan, node: Node) -> str:
    """Say how the file of a node differs from the one that was pushed."""
    if node.conf is None:
        return node.broken or "it is gone"
    found = differences(settings(planned.desired), settings(node.conf))
    return "; ".join(each.sentence for each in found[:5]) or "no setting differs"


def _refuse_unproven(unread: Sequence[str], other: Sequence[str]) -> None:
    """Raise for nodes that were told to load the file, and may run with something else."""
    changed = "somebody changed the file after it was put in place"
    if unread:
        more = f"; on {', '.join(other)} {changed}" if other else ""
        raise UnknownOutcomeError(
            f"the file was pushed, but nobody can say what {', '.join(unread)} runs"
            f" with{more}",
            LOOK,
        )
    if other:
        raise DigestError(
            f"the file was pushed, but not all nodes have it: {changed} on"
            f" {', '.join(other)}",
            "That may be what runs there. Look with: cibgit corosync drift",
        )
