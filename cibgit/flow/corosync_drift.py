"""Corosync drift: the file of each node against git, against the others, and against cmap.

Exit 0 of a reload says nothing of other nodes, and none of Corosync's own states tells
that a node could not parse its file: so every file is read, and every loaded version.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field

from ..cib.document import Cib
from ..corosync.document import Conf
from ..corosync.keys import needs_restart
from ..corosync.meaning import Difference, differences, settings
from ..errors import CibgitError
from ..policy.finding import Finding, Severity, count
from .layer import Layer
from .members import AS_ROOT, Node, joined, read_nodes

_RESTART = "Corosync reads this only when it starts: restart it on these nodes."
_RELOAD = "Load it with cibgit corosync push, or with corosync-cfgtool -R on a node."

_TAKE = (
    "No commit has this file, so a push is refused: take it into git with cibgit corosync"
    " export on that node, or put the file back there; then push."
)
BY_HAND = "Put that line right by hand: a push would not know what it overwrites."


@dataclass(frozen=True)
class Moved:
    """One difference between git and the files of some nodes."""

    nodes: tuple[str, ...]
    difference: Difference


@dataclass(frozen=True)
class CorosyncDrift:
    """How git, the files of the nodes and what they run with stand to each other.

    ``base`` is the commit whose file was common last, ``desired`` the one that git wants
    now; ``waiting`` leads from the one to the other. ``nodes`` are those that were read.
    """

    base: str | None
    desired: str | None
    nodes: list[Node]
    moved: list[Moved] = field(default_factory=list)
    waiting: list[Difference] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_drift(self) -> bool:
        """Whether anything is not as git last knew it; what waits in git is no drift."""
        return bool(self.moved or count(self.findings))


def drift(
    layer: Layer, cib: Cib | None = None, *, everywhere: bool = True
) -> CorosyncDrift:
    """Compare all that can be read; nothing is written.

    ``cib`` is the live one, where it has been read already. Not ``everywhere``: this node
    only, and what it knows of the others. Raises
    :class:`~cibgit.errors.NoInputError` where no commit has the file.
    """
    head = layer.site.repository.head()
    desired = layer.committed(head) if head else None
    nodes = read_nodes(layer, desired, everywhere=everywhere)
    base = layer.base(nodes[0].conf)
    known = layer.committed(base) if base else None
    if known is None and desired is None:
        layer.desired()  # says what is wrong with it
    conf = nodes[0].conf
    lost = {node.name for node in nodes if would_be_lost(layer, node, base, desired)}
    return CorosyncDrift(
        base,
        head if desired else None,
        nodes,
        list(_moved(nodes, known or desired)),
        differences(settings(known), settings(desired)) if known and desired else [],
        [*_findings(nodes, lost), *(_names(layer, conf, cib) if conf else ())],
    )


def _moved(nodes: Sequence[Node], known: Conf | None) -> Iterator[Moved]:
    """Tell what moved, once for all nodes on which it is the same."""
    where: dict[Difference, list[str]] = {}
    for node in nodes:
        if known and node.conf:
            for each in differences(settings(known), settings(node.conf)):
                where.setdefault(each, []).append(node.name)
    for difference, names in where.items():
        yield Moved(tuple(names), difference)


def would_be_lost(
    layer: Layer, node: Node, base: str | None, desired: Conf | None
) -> bool:
    """Say whether a push would overwrite a file of which git knows nothing.

    One that Corosync refuses is no such thing: nothing runs with it. One that only cibgit
    does not understand may hold somebody's change.
    """
    conf = node.conf
    if conf is None or node.has(desired) or (base and layer.has(base, conf)):
        return node.is_taken
    return not layer.commit_with(conf)  # an old one is of a node that was away, say


def _findings(nodes: Sequence[Node], lost: Set[str]) -> Iterator[Finding]:
    highest = max(joined(nodes[0]).values(), default=0)
    for node in nodes:
        yield from _of_file(node)
        yield from _of_version(node, highest, node.name in lost)
    yield from _of_runtime(nodes, lost)
    yield from _of_members(nodes)


def _of_file(node: Node) -> Iterator[Finding]:
    if node.copy.problem:
        yield _found(
            "corosync-unread",
            node,
            f"{node.name} could not be asked: {node.copy.problem}",
            AS_ROOT
            if node.is_own
            else "See [clusters.NAME.corosync] in cibgit.toml for how a node is reached.",
        )
    elif node.is_taken:
        yield _found(
            "corosync-strange",
            node,
            f"cibgit does not understand the file of {node.name}, although Corosync may"
            f" take it: {node.broken}",
            BY_HAND,
        )
    elif node.broken:
        yield _found(
            "corosync-broken",
            node,
            f"the file of {node.name} is broken: {node.broken}. It runs on with what it"
            " had loaded before, and would not start again",
            "cibgit corosync push writes it anew.",
            Severity.ERROR,
        )
    elif node.copy.data is None:
        yield _found(
            "corosync-missing",
            node,
            f"there is no corosync.conf on {node.name}",
            "cibgit corosync push writes it.",
        )


def _of_version(node: Node, highest: int, is_lost: bool) -> Iterator[Finding]:
    """Tell of a version in the file that is none, or not the one that is loaded.

    ``highest`` is what the members have loaded: what a Corosync that is down must say.
    """
    version, runtime = node.file_version, node.copy.runtime
    loaded = runtime.version if runtime else highest
    file = f"the file of {node.name} says a config_version"
    if runtime:
        hint = _TAKE if is_lost else "cibgit corosync push counts it up."
    else:
        hint = f"Write config_version: {loaded} there by hand, and start Corosync."
    if version is None:
        sentence = (
            f"{file} that is no number of 64 bits: Corosync aborts when it reads that,"
            " at a reload and at a start"
        )
        yield _found("corosync-counted", node, sentence, hint, Severity.ERROR)
    elif node.would_not_join(loaded):
        sentence = (
            f"{file} that is lower than the loaded one ({version}, not {loaded}): Corosync"
            " there would not start again while the others run"
        )
        yield _found("corosync-counted", node, sentence, hint, Severity.ERROR)
    elif not node.says_loaded_version:
        sentence = f"{file} that is not loaded ({version}, not {loaded})"
        yield _found("corosync-counted", node, sentence, _TAKE if is_lost else _RELOAD)


def _of_runtime(nodes: Sequence[Node], lost: Set[str]) -> Iterator[Finding]:
    """Tell what is not in effect, once for all nodes on which it is the same."""
    where: dict[Difference, list[str]] = {}
    late: set[Difference] = set()
    for node in nodes:
        runtime = node.copy.runtime
        if runtime is None:
            if not node.copy.problem:
                sentence = (
                    f"Corosync does not answer on {node.name}: {node.copy.silent}"
                )
                yield _found("corosync-down", node, sentence, "")
            continue
        for each in node.unloaded():
            where.setdefault(each, []).append(node.name)
            if needs_restart(each.address, runtime.transport):
                late.add(each)
    for each, names in where.items():
        told = ", ".join(names)
        if each in late:
            rule, hint = "corosync-restart", _RESTART
            sentence = f"{told}: in effect only after a restart: {each.sentence}"
        else:
            rule = "corosync-unloaded"
            hint = _RELOAD if lost.isdisjoint(names) else _TAKE
            sentence = f"{told}: the file is not loaded: {each.sentence}"
        yield Finding(Severity.WARNING, rule, names[0], sentence, hint)


def _of_members(nodes: Sequence[Node]) -> Iterator[Finding]:
    """Tell who is absent, and who loaded another version, as this node sees it."""
    own = nodes[0]
    if own.copy.runtime is None or own.conf is None:
        return
    members = own.copy.runtime.members
    listed = {each.get("nodeid"): each.get("name") for each in own.conf.nodes}
    for nodeid, name in listed.items():
        if nodeid not in members or not members[nodeid].is_joined:
            sentence = f"node {nodeid} ({name}) has not joined"
            yield Finding(Severity.WARNING, "corosync-absent", name or nodeid, sentence)
    joined = {nodeid: each for nodeid, each in members.items() if each.is_joined}
    if len({each.version for each in joined.values()}) > 1:
        told = ", ".join(
            f"{listed.get(nodeid) or nodeid} {each.version}"
            for nodeid, each in sorted(joined.items())
        )
        yield _found(
            "corosync-version",
            own,
            f"the members have loaded different versions of the file: {told}",
            "The ones behind could not read theirs, or had another one.",
        )


def _names(layer: Layer, conf: Conf, cib: Cib | None) -> Iterator[Finding]:
    """Compare with the CIB, which is no reason to stop where Pacemaker is down."""
    try:
        cib = cib or layer.site.live()
    except CibgitError as error:
        sentence = f"the names of the nodes were not compared: {error.message}"
        yield Finding(Severity.NOTE, "corosync-names", "", sentence)
    else:
        yield from names(conf, cib)


def names(conf: Conf, cib: Cib) -> Iterator[Finding]:
    """Tell where the list of nodes and the CIB do not name the same ones.

    Pacemaker takes the name of a node from ``name``, and its id is the ``nodeid``.
    """
    listed = {each.get("nodeid"): each.get("name") for each in conf.nodes}
    known = {
        node.get("id", ""): node.get("uname", "")
        for node in cib.configuration.iterfind("nodes/node")
        if node.get("type", "member") == "member"
    }
    for nodeid, uname in known.items():
        if nodeid not in listed:
            sentence = f"the CIB has node {uname} ({nodeid}), corosync.conf does not"
            hint = f"If it is gone for good: crm_node --remove {uname} --force"
            yield Finding(Severity.WARNING, "corosync-names", uname, sentence, hint)
        elif listed[nodeid] and listed[nodeid] != uname:
            name = listed[nodeid]
            sentence = f"node {nodeid} is {uname} in the CIB, {name} in corosync.conf"
            hint = "A node is renamed in both, while it is down."
            yield Finding(Severity.ERROR, "corosync-names", uname, sentence, hint)


def _found(
    rule: str,
    node: Node,
    sentence: str,
    hint: str,
    severity: Severity = Severity.WARNING,
) -> Finding:
    return Finding(severity, rule, node.name, sentence, hint)
