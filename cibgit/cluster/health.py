"""How a cluster is: nodes, what runs where, what failed, what is under way.

Read from ``crm_mon --output-as=xml`` (its schema is ``crm_mon-*.rng`` of Pacemaker). A
member of a clone has the id of the clone's child; of unique ones ``:0`` is cut off.
"""

import re
from dataclasses import dataclass, field

from ..cib.document import Element, parse_tree

BAD_RESULTS = frozenset({"2", "3", "4", "5", "6"})
"""Results of an agent that forbid it to run here (``ocf_rc``: 5 is not installed)."""

_INSTANCE = re.compile(r":\d+$")
_PROMOTED = ("Promoted", "Master")
_UNPROMOTED = ("Unpromoted", "Slave")


@dataclass(frozen=True)
class Failure:
    """One failed action: what failed, where, how, and the number of the call.

    A probe that says "not installed" fails nothing by itself: the resource may run
    elsewhere. Pacemaker does not list it as failed (experiment, 2.1.5), nor does
    :attr:`Health.failures`; it stands in :attr:`Health.refusals`.
    """

    resource: str
    action: str
    node: str
    reason: str
    call: str

    def __str__(self) -> str:
        """Return the failure as people say it."""
        return f"{self.action} of {self.resource} on {self.node}: {self.reason}"


@dataclass(frozen=True)
class Health:
    """One look at a cluster.

    ``nodes`` are all that are configured, ``joined`` those that are members, ``active``
    those of them that may run resources (no standby). ``running``, ``promoted`` and
    ``unpromoted`` name the nodes of each resource, ``target_roles`` what people want it
    to be where they said so. ``failed`` are resources that Pacemaker calls failed or
    blocked now. ``under_way`` says which actions run where.
    """

    dc: str
    nodes: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()
    active: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    running: dict[str, frozenset[str]] = field(default_factory=dict)
    promoted: dict[str, frozenset[str]] = field(default_factory=dict)
    unpromoted: dict[str, frozenset[str]] = field(default_factory=dict)
    target_roles: dict[str, str] = field(default_factory=dict)
    failed: frozenset[str] = frozenset()
    failures: tuple[Failure, ...] = ()
    refusals: tuple[Failure, ...] = ()
    under_way: tuple[str, ...] = ()

    def wants(self, resource: str) -> bool:
        """Whether a resource is there and meant to run, and a node may run anything."""
        return resource in self.resources and bool(
            self.active and self.target_roles.get(resource) != "Stopped"
        )

    @property
    def broken(self) -> list[str]:
        """The resources that are failed, or meant to run and kept from it by a failure."""
        known = {each.resource for each in (*self.failures, *self.refusals)}
        down = {each for each in known - self.running.keys() if self.wants(each)}
        return sorted(self.failed | down)


def parse(data: bytes) -> Health:
    """Read what ``crm_mon -1 --output-as=xml`` printed.

    Raises :class:`~cibgit.errors.BadDataError` for anything that is no XML.
    """
    root = parse_tree(data, "crm_mon")
    dc = root.find("summary/current_dc")
    nodes = root.findall("nodes/node")
    joined = [n for n in nodes if _is(n, "online") and not _is(n, "unclean", "pending")]
    resources = [
        r for r in root.findall("resources//resource") if not _is(r, "orphaned")
    ]
    return Health(
        dc="" if dc is None else dc.get("name", ""),
        nodes=frozenset(n.get("name", "") for n in nodes),
        joined=frozenset(n.get("name", "") for n in joined),
        active=frozenset(n.get("name", "") for n in joined if not _is(n, "standby")),
        resources=frozenset(map(_name, resources)),
        running=_where(resources, (*_PROMOTED, *_UNPROMOTED, "Started")),
        promoted=_where(resources, _PROMOTED),
        unpromoted=_where(resources, _UNPROMOTED),
        target_roles={
            _name(r): role for r in resources if (role := r.get("target_role"))
        },
        failed=frozenset(_name(r) for r in resources if _is(r, "failed", "blocked")),
        failures=tuple(map(_failure, root.findall("failures/failure"))),
        refusals=tuple(_refusals(root)),
        under_way=tuple(_under_way(root, {n.get("name", "") for n in joined})),
    )


def _is(element: Element, *names: str) -> bool:
    return any(element.get(name) == "true" for name in names)


def _name(resource: Element) -> str:
    return _INSTANCE.sub("", resource.get("id", ""))


def _where(
    resources: list[Element], roles: tuple[str, ...]
) -> dict[str, frozenset[str]]:
    """Return the nodes of each resource that has one of the roles, and has not failed."""
    found: dict[str, frozenset[str]] = {}
    for resource in resources:
        if resource.get("role") not in roles or _is(resource, "failed"):
            continue
        nodes = {node.get("name", "") for node in resource.iterchildren("node")}
        name = _name(resource)
        found[name] = found.get(name, frozenset()) | nodes
    return found


def _failure(failure: Element) -> Failure:
    # bad_start_0; a failure without an operation is one of fencing
    key = failure.get("op_key", failure.get("id", "")).rsplit("_", 2)
    reason = failure.get("exitstatus", "failed")
    more = failure.get("exitreason", "")
    if failure.get("status", "complete") not in ("complete", "Error"):
        more = more or failure.get("status", "")
    return Failure(
        _INSTANCE.sub("", key[0]),
        failure.get("task", key[1] if len(key) > 1 else "action"),
        failure.get("node", ""),
        f"{reason} ({more})" if more and more != "none" else reason,
        failure.get("call", ""),
    )


def _history(root: Element) -> list[tuple[str, str, Element]]:
    """Return node, resource and element of every operation in the history."""
    return [
        (node.get("name", ""), _name(resource), operation)
        for node in root.findall("node_history/node")
        for resource in node.iterchildren("resource_history")
        for operation in resource.iterchildren("operation_history")
    ]


def _refusals(root: Element) -> list[Failure]:
    return list(
        dict.fromkeys(
            Failure(
                resource,
                operation.get("task", ""),
                node,
                operation.get("rc_text", ""),
                operation.get("call", ""),
            )
            for node, resource, operation in _history(root)
            if operation.get("rc") in BAD_RESULTS
        )
    )


def _under_way(root: Element, joined: set[str]) -> list[str]:
    """Name what runs right now: the controller notes an action before it starts it.

    What a node that is gone was doing is never going to end.
    """
    return list(
        dict.fromkeys(
            f"{operation.get('task')} {resource} on {node}"
            for node, resource, operation in _history(root)
            if operation.get("call") == "-1" and node in joined
        )
    )
