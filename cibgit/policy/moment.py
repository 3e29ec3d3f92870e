"""Rules about the moment of a push: the time, and who of the cluster is there."""

from collections.abc import Iterator

from ..cib.document import Cib
from .context import Context, is_true
from .finding import Finding, Severity


def quorum(context: Context) -> Iterator[Finding]:
    """Refuse in a partition without quorum, whatever is forced.

    The CIB manager accepts the write, and a rejoin may drop it (experiment, 2.1.5).
    """
    status = context.live.root.find("status")
    has_status = status is not None and len(status)
    if has_status and not is_true(context.live.root.get("have-quorum", ""), True):
        yield Finding(
            Severity.ERROR,
            "quorum",
            "",
            "this partition has no quorum: a change made here may vanish when the"
            " cluster joins again",
            "Push from a node of the partition that has quorum.",
        )


def windows(context: Context) -> Iterator[Finding]:
    """Refuse a push outside the allowed times."""
    allowed = context.policy.windows
    now = context.policy.local(context.now)
    if allowed and not any(window.contains(now) for window in allowed):
        times = ", ".join(map(str, allowed))
        zone = context.policy.timezone or now.tzname()
        yield Finding(
            Severity.ERROR,
            "windows",
            f"{now:%a %H:%M}",
            f"it is {now:%a %H:%M} ({zone}); pushes are allowed {times}",
            "Wait, or: --force windows",
        )


def all_nodes(context: Context) -> Iterator[Finding]:
    """Refuse while a cluster node is not a member of this partition.

    Both halves of a split cluster of two nodes have quorum and accept writes; when they
    join again one side's configuration is dropped whole (experiment, 2.1.5).
    """
    if not context.policy.all_nodes:
        return
    absent = absent_nodes(context.live)
    if absent:
        yield Finding(
            Severity.ERROR,
            "all-nodes",
            ", ".join(absent),
            f"not all nodes are here: {', '.join(absent)}. If the cluster is split, what"
            " is written on one side vanishes when they join",
            "If they are really down: --force all-nodes",
        )


def absent_nodes(live: Cib) -> list[str]:
    """Return the cluster nodes that are not online here, by their status.

    A CIB without status (the files of a stopped cluster) tells nothing: none is absent.
    Remote nodes hold no CIB and do not count.
    """
    status = live.root.find("status")
    if status is None or not len(status):
        return []
    joined = {
        state.get("id")
        for state in status.iterchildren("node_state")
        if _is_yes(state.get("in_ccm", "")) and _is_yes(state.get("crmd", ""))
    }
    return [
        node.get("uname", "")
        for node in live.root.iterfind("configuration/nodes/node")
        if node.get("type", "member") == "member" and node.get("id") not in joined
    ]


def _is_yes(value: str) -> bool:
    """Read ``in_ccm`` and ``crmd``: words, or since 2.1.7 the time of joining (0: no)."""
    return value == "online" or is_true(value, False) or value.strip("0").isdigit()
