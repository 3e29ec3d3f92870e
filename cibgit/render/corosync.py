"""The cluster layer as text, Markdown and JSON values."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..compare.text import counted
from ..policy.finding import Finding, worst_first
from .difference import printable
from .drift import cell

if TYPE_CHECKING:
    from ..corosync.meaning import Difference
    from ..flow.corosync_drift import CorosyncDrift, Moved
    from ..flow.corosync_export import Exported
    from ..flow.corosync_plan import CorosyncPlan
    from ..flow.corosync_proof import CorosyncPushed
    from ..flow.members import Node

_PENDING = "still runs with another value until Corosync is restarted"


def exported(done: "Exported", commit: str) -> str:
    """Render what an export did; ``commit`` is the short form of its commit."""
    if done.outcome == "unchanged":
        return f"Git has it already: {commit}."
    lines = [] if done.first else [_change(each) for each in done.changes]
    lines.append(f"Exported as {commit}.")
    if done.first:
        lines.append(
            "It is tracked from now on: cibgit drift, status and watch look at it, too."
        )
    if done.sealed:
        names = ", ".join(str(slot) for slot in done.sealed)
        lines.append(f"In the vault, not in the file: {names}")
    return printable("\n".join(lines))


def drift(found: "CorosyncDrift") -> str:
    """Render how git, files and runtime stand to each other."""
    parts = [
        f"base      {_short(found.base)}\ndesired   {_short(found.desired)}",
        "\n".join(_nodes(found.nodes)),
        *section(found),
        summary(found),
    ]
    return printable("\n\n".join(parts))


def section(found: "CorosyncDrift") -> Iterator[str]:
    """Render the parts of a drift, without the nodes and the last line."""
    if found.moved:
        everywhere = len(found.nodes)
        lines = [_moved(each, everywhere) for each in found.moved]
        yield "\n".join(["Moved past git:", *lines])
    if found.waiting:
        lines = [_change(each) for each in found.waiting]
        yield "\n".join(["In git, not pushed:", *lines])
    for each in worst_first(found.findings):
        yield _finding(each)


def below(found: "CorosyncDrift") -> str:
    """Render what ``cibgit drift`` says of the cluster layer, below the CIB."""
    parts = ["Corosync:", *section(found), summary(found)]
    return printable("\n".join(parts))


def summary(found: "CorosyncDrift") -> str:
    """Render the last line: whether anything is not as git knows it."""
    if not found.is_drift:
        waiting = f" Not pushed: {len(found.waiting)}." if found.waiting else ""
        return f"corosync.conf: no drift.{waiting}"
    told = [
        f"{len(found.moved)} moved" if found.moved else "",
        counted(len(found.findings), "finding") if found.findings else "",
        f"{len(found.waiting)} not pushed" if found.waiting else "",
    ]
    return f"corosync.conf: {', '.join(filter(None, told))}."


def markdown(found: "CorosyncDrift") -> str:
    """Render a drift for an issue, a chat or a mail."""
    lines = [f"**{cell(summary(found))}**", ""]
    lines += ["| | node | what |", "|---|---|---|"]
    lines += [
        _row("moved", ", ".join(each.nodes), each.difference.sentence)
        for each in found.moved
    ]
    lines += [_row("not pushed", "", each.sentence) for each in found.waiting]
    lines += [
        _row(each.severity.value, each.element, each.sentence)
        for each in worst_first(found.findings)
    ]
    return "\n".join(
        lines if len(lines) > len(("title", "", "head", "rule")) else lines[:1]
    )


def drift_values(found: "CorosyncDrift") -> dict[str, Any]:
    """Return a drift as JSON shows it."""
    return {
        "drift": found.is_drift,
        "base": found.base,
        "desired": found.desired,
        "nodes": [
            {
                "name": node.name,
                "nodeid": node.nodeid,
                "problem": node.copy.problem or node.broken,
                "loaded": node.copy.runtime.version if node.copy.runtime else None,
            }
            for node in found.nodes
        ],
        "moved": [
            {"nodes": list(each.nodes), **change_values(each.difference)}
            for each in found.moved
        ],
        "waiting": [change_values(each) for each in found.waiting],
        "findings": [each.to_dict() for each in found.findings],
    }


def change_values(each: "Difference") -> dict[str, Any]:
    """Return a difference as JSON shows it."""
    return {**vars(each), "sentence": each.sentence}


def plan(made: "CorosyncPlan", name: str) -> str:
    """Render what a push would do."""
    lines = [_change(each) for each in made.changes] or ["  No setting changes."]
    parts = ["\n".join([f"corosync.conf of {name}, version {made.version}:", *lines])]
    if made.rewritten:
        parts.append(f"New file for: {', '.join(made.rewritten)}")
    if made.added:
        parts.append(f"No members yet: {', '.join(made.added)}")
    if made.left:
        parts.append(f"Left as it is, out of the list: {', '.join(made.left)}")
    parts += [_finding(each) for each in worst_first(made.findings)]
    if made.forced:
        parts.append(f"Forced: {', '.join(made.forced)}")
    return printable("\n".join(parts))


def nothing(made: "CorosyncPlan", commit: str) -> str:
    """Render that there is nothing to push, and what still waits for a restart."""
    lines = [f"Nothing to do: every node has loaded {commit}."]
    lines += _late(_PENDING, made.pending)
    return printable("\n".join(lines))


def nothing_values(made: "CorosyncPlan", commit: str) -> dict[str, Any]:
    """Return the same as JSON shows it."""
    return {"commit": commit, "version": None, "pending": _by_node(made.pending)}


def plan_values(made: "CorosyncPlan") -> dict[str, Any]:
    """Return a plan as JSON shows it."""
    return {
        "commit": made.commit,
        "version": made.version,
        "changes": [change_values(each) for each in made.changes],
        "rewritten": made.rewritten,
        "added": made.added,
        "left": made.left,
        "restart": [change_values(each) for each in made.restart],
        "findings": [each.to_dict() for each in made.findings],
        "forced": list(made.forced),
    }


def pushed(done: "CorosyncPushed", commit: str) -> str:
    """Render a push that is done."""
    lines = [
        f"Pushed {commit} as version {done.version}; loaded by: {', '.join(done.loaded)}."
    ]
    lines += _late(_PENDING, done.pending)
    lines += _late("! does not run with what its file says", done.wrong)
    if done.pending:
        lines.append(
            "Restart Corosync and Pacemaker: where the value must be the same on all nodes"
            " (transport, cluster_name, ip_version), on all of them at once."
        )
    return printable("\n".join(lines))


def _late(what: str, found: Mapping[str, Sequence["Difference"]]) -> Iterator[str]:
    for node, changes in found.items():
        yield f"{node} {what}: " + "; ".join(each.sentence for each in changes)


def pushed_values(done: "CorosyncPushed") -> dict[str, Any]:
    """Return a push as JSON shows it."""
    return {
        "commit": done.commit,
        "version": done.version,
        "loaded": done.loaded,
        "pending": _by_node(done.pending),
        "wrong": _by_node(done.wrong),
    }


def _by_node(
    found: Mapping[str, Sequence["Difference"]],
) -> dict[str, list[dict[str, Any]]]:
    return {
        node: [change_values(each) for each in changes]
        for node, changes in found.items()
    }


def _nodes(nodes: Sequence["Node"]) -> Iterator[str]:
    width = max((len(node.name) for node in nodes), default=0)
    for node in nodes:
        state = node.copy.problem or ("broken file" if node.broken else "")
        if not state:
            runtime = node.copy.runtime
            state = (
                f"loaded version {runtime.version}" if runtime else "Corosync is down"
            )
        yield f"{node.name:{max(width, 8)}}  {state}"


def _moved(each: "Moved", everywhere: int) -> str:
    where = "" if len(each.nodes) == everywhere else f" (on {', '.join(each.nodes)})"
    return _change(each.difference) + where


def _change(each: "Difference") -> str:
    return f"  {each.kind} {each.sentence}"


def _finding(each: Finding) -> str:
    mark = "!" if each.severity.value == "error" else "*"
    return f"{mark} {each.sentence}" + (f"\n    {each.hint}" if each.hint else "")


def _short(commit: str | None) -> str:
    return commit[:10] if commit else "unknown"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell(each) for each in cells) + " |"
