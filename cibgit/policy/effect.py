"""Effects: what the cluster would do because of a change, from two simulations.

A simulation is the answer of ``crm_simulate --run --output-as=xml`` (api schema
``crm_simulate-2.24.rng``, Pacemaker 2.1.5): the cluster as it is and the scheduler's
decisions with their reasons; and the transition graph, with every operation. What both
simulations hold would have happened anyway.
"""

import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum

from ..cib.document import Element, parse_tree
from ..errors import BadDataError

Wanted = Counter[tuple[object, ...]]

_INSTANCE = re.compile(r":\d+$")


class Kind(Enum):
    """What happens to a resource, or to a node."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    MOVE = "move"
    MIGRATE = "migrate"
    RECOVER = "recover"
    RELOAD = "reload"
    PROMOTE = "promote"
    DEMOTE = "demote"
    REPROMOTE = "re-promote"
    FENCE = "fence"
    UNFENCE = "unfence"
    MONITOR = "monitor"
    UNMONITOR = "unmonitor"


INTERRUPTS = frozenset(
    {
        Kind.STOP,
        Kind.RESTART,
        Kind.MOVE,
        Kind.RECOVER,
        Kind.DEMOTE,
        Kind.REPROMOTE,
    }
)
"""Kinds that take a service away from its users, be it for a moment."""

_WORDS = {
    Kind.START: "starts on {to}",
    Kind.STOP: "stops on {at}",
    Kind.RESTART: "restarts on {at}",
    Kind.MOVE: "moves from {at} to {to}",
    Kind.MIGRATE: "migrates live from {at} to {to}",
    Kind.RECOVER: "is recovered on {at}",
    Kind.RELOAD: "reloads its parameters on {at}",
    Kind.PROMOTE: "is promoted on {to}",
    Kind.DEMOTE: "is demoted on {at}",
    Kind.REPROMOTE: "is demoted and promoted again on {at}",
    Kind.FENCE: "is fenced",
    Kind.UNFENCE: "is unfenced",
    Kind.MONITOR: "is monitored anew on {at}",
    Kind.UNMONITOR: "is no longer monitored on {at}",
}


@dataclass(frozen=True)
class Effect:
    """One thing that the cluster does.

    ``subject`` is a resource by the name that the CIB gives it, or a fenced node;
    ``source`` the node where it is, ``target`` the node where it will be (either may be
    empty); ``role`` the role that it gets. ``reason`` is the scheduler's own, ``blocked``
    says that the scheduler wants it and cannot have it.
    """

    kind: Kind
    subject: str
    source: str = ""
    target: str = ""
    role: str = ""
    reason: str = ""
    blocked: bool = False

    @property
    def sentence(self) -> str:
        """The effect in words: ``vip moves from node1 to node2``."""
        at, to = self.source or self.target, self.target or self.source
        words = _WORDS[self.kind].format(at=at, to=to)
        if self.kind is Kind.RECOVER and to != at:
            words = f"is recovered from {at} to {to}"
        if self.role and self.kind in (Kind.START, Kind.MOVE, Kind.MIGRATE):
            words += f" as {self.role}"
        blocked = " (blocked: it does not happen now)" if self.blocked else ""
        return f"{self.subject} {words}{blocked}"

    def to_dict(self) -> dict[str, object]:
        """Return the effect as JSON shows it."""
        return {**vars(self), "kind": self.kind.value, "sentence": self.sentence}


@dataclass(frozen=True)
class Operation:
    """One operation that a node executes for a resource.

    ``interval`` is in milliseconds, 0 for what is done once; a ``monitor`` of 0 is a
    probe.
    """

    resource: str
    task: str
    node: str
    interval: int = 0


@dataclass(frozen=True)
class Instance:
    """One instance of a resource as it is, with the configuration of the simulation."""

    resource: str
    role: str
    is_active: bool
    is_managed: bool
    is_promotable: bool


@dataclass(frozen=True)
class Node:
    """One node as the scheduler sees it; ``trouble`` names what makes it doubtful."""

    name: str
    is_online: bool
    trouble: str


@dataclass(frozen=True)
class Simulation:
    """What one run of ``crm_simulate`` says."""

    nodes: tuple[Node, ...]
    instances: tuple[Instance, ...]
    actions: tuple[Effect, ...]
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Effects:
    """What a change brings about.

    ``happens`` are its effects, ``averted`` what would have happened and no longer will,
    ``anyway`` what happens with it or without. ``unknown`` says why nothing is known;
    it is empty where the simulations ran, and then ``simulation`` is the later one.
    """

    happens: tuple[Effect, ...] = ()
    averted: tuple[Effect, ...] = ()
    anyway: tuple[Effect, ...] = ()
    operations: tuple[Operation, ...] = ()
    simulation: Simulation | None = None
    unknown: str = ""


def read(output: bytes, graph: bytes) -> Simulation:
    """Read the XML output of one ``crm_simulate --run`` and the graph that it saved.

    Raises :class:`~cibgit.errors.BadDataError` when they are not XML, or tell of an action
    that no release known so far has.
    """
    root = parse_tree(output, "the output of crm_simulate")
    transition = parse_tree(graph, "the graph of crm_simulate")
    found = transition.iterfind("synapse/action_set/rsc_op")
    operations = tuple(map(_operation, found))
    decided = [_action(found) for found in root.iterfind("actions/rsc_action")]
    return Simulation(
        tuple(_node(found) for found in root.iterfind("cluster_status/nodes/node")),
        _instances(root),
        (*_fencing(root, transition), *decided, *_monitors(operations, decided)),
        operations,
    )


def delta(before: Simulation, after: Simulation) -> Effects:
    """Return what ``after`` has and ``before`` has not; reasons make no difference."""
    was, will = Counter(map(_key, before.actions)), Counter(map(_key, after.actions))
    done = Counter(before.operations)
    return Effects(
        happens=_only(after.actions, will - was),
        averted=_only(before.actions, was - will),
        anyway=_only(after.actions, will & was),
        operations=tuple((Counter(after.operations) - done).elements()),
        simulation=after,
    )


def _key(effect: Effect) -> tuple[object, ...]:
    one = effect
    return one.kind, one.subject, one.source, one.target, one.role, one.blocked


def _only(effects: tuple[Effect, ...], wanted: Wanted) -> tuple[Effect, ...]:
    left, found = wanted.copy(), []
    for effect in effects:
        if left[_key(effect)] > 0:
            left[_key(effect)] -= 1
            found.append(effect)
    return tuple(found)


def _plain(name: str) -> str:
    """Return a resource's name in the CIB: instances of a clone have a number."""
    return _INSTANCE.sub("", name)


def _action(found: Element) -> Effect:
    """Read one decision; which attributes it has depends on what moves and on the role."""
    try:
        kind = Kind(found.get("action", ""))
    except ValueError:
        raise BadDataError(
            f"crm_simulate tells of an unknown action {found.get('action')!r}"
        ) from None
    source, target = found.get("source", ""), found.get("dest", "")
    if kind is Kind.START:
        target = target or found.get("node", "")
    else:
        source = source or found.get("node", "")
    return Effect(
        kind,
        _plain(found.get("resource", "")),
        source,
        target,
        found.get("next-role", found.get("role", "")),
        found.get("reason", ""),
        found.get("blocked") == "true",
    )


def _operation(found: Element) -> Operation:
    """Read one operation; its interval is the last part of its key."""
    resource = found.find("*[@id]")
    name = "" if resource is None else resource.get("id", "")
    interval = found.get("operation_key", "").rpartition("_")[2]
    return Operation(
        _plain(name),
        found.get("operation", ""),
        found.get("on_node", ""),
        int(interval) if interval.isdigit() else 0,
    )


def _fencing(root: Element, transition: Element) -> list[Effect]:
    """Read what is fenced: from the graph, for a decision without reason is not printed.

    (``node_action_xml`` in ``lib/pacemaker/pcmk_output.c``, 2.1.5.)
    """
    reasons = {
        found.get("node"): found.get("reason", "")
        for found in root.iterfind("actions/node_action")
    }
    fenced = []
    for found in transition.iterfind("synapse/action_set/crm_event"):
        if found.get("operation") == "stonith":
            node = found.get("on_node", "")
            # stonith-NODE-ACTION
            action = found.get("operation_key", "").rpartition("-")[2]
            kind = Kind.UNFENCE if action == "on" else Kind.FENCE
            reason = reasons.get(node, "")
            fenced.append(Effect(kind, node, node, role=action, reason=reason))
    return fenced


def _monitors(operations: tuple[Operation, ...], decided: list[Effect]) -> list[Effect]:
    """Tell of recurring operations where nothing else happens to the resource."""
    busy = {effect.subject for effect in decided}
    begun: dict[tuple[str, str], Kind] = {}
    for each in operations:
        place = each.resource, each.node
        if each.resource in busy or not each.interval:
            continue
        if each.task == "cancel":
            begun.setdefault(place, Kind.UNMONITOR)
        else:
            begun[place] = Kind.MONITOR
    return [Effect(kind, name, node) for (name, node), kind in begun.items()]


def _instances(root: Element) -> tuple[Instance, ...]:
    return tuple(
        Instance(
            _plain(found.get("id", "")),
            found.get("role", ""),
            found.get("active") == "true",
            found.get("managed") == "true",
            any(
                parent.get("multi_state") == "true" for parent in found.iterancestors()
            ),
        )
        for found in root.iterfind("cluster_status/resources//resource")
    )


def _node(found: Element) -> Node:
    doubtful = ("unclean", "pending", "maintenance")
    trouble = [name for name in doubtful if found.get(name) == "true"]
    return Node(
        found.get("name", ""), found.get("online") == "true", ", ".join(trouble)
    )
