"""Corosync push: the file of git to all nodes, reloaded, and proven to be loaded.

Staged and tested on every node first, then put in place on all of them; only then are
they told to read it. Corosync itself says what each member has loaded: the version in the
file is counted up, and ``runtime.members.*.config_version`` of every member must follow.
"""

import time
from collections.abc import Callable, Mapping

from ..cluster.ring import at_once
from ..corosync.canonical import canonical, with_version
from ..corosync.document import Conf, parse, write
from ..errors import (
    CibgitError,
    RevertedError,
    UnknownOutcomeError,
    UnreachableError,
)
from .corosync_plan import CorosyncPlan
from .corosync_proof import LOOK, CorosyncPushed, read_back
from .members import Node, read_nodes

LOAD_SECONDS = 10.0
"""How long the members may take to have loaded a file; it takes them milliseconds."""

POLL_SECONDS = 0.2

Sleep = Callable[[float], None]


def push(
    planned: CorosyncPlan, make: Callable[[], str], sleep: Sleep = time.sleep
) -> CorosyncPushed:
    """Carry out a plan, and prove it.

    ``make`` returns the commit that has the desired file, and makes it if need be: once
    the Corosync of every node has taken the file.

    Raises :class:`~cibgit.errors.StaleError` when a file was changed meanwhile and
    :class:`~cibgit.errors.BadDataError` when a Corosync refuses the new one: nothing is
    changed then. :class:`~cibgit.errors.RevertedError` says that a node did not load it
    and all have the old one again, :class:`~cibgit.errors.UnknownOutcomeError` that
    nobody can say what they have. :class:`~cibgit.errors.DigestError`: all have loaded
    that version, and a node has another file under it.
    """
    layer, version = planned.layer, planned.version
    real = layer.revealed(canonical(planned.desired))
    data = write(with_version(real, version))
    files = {node.name: data for node in planned.targets}
    try:
        _stage(planned, files)
        commit = make()
    except BaseException:  # somebody who presses Ctrl-C, too
        _discard(planned, files)
        raise
    _install(planned, files)
    try:
        _load(planned, sleep)
        layer.site.repository.set_ref(layer.ref, commit, f"corosync push {version}")
        return read_back(planned, commit, data)
    finally:
        _discard(planned, files)


def _load(planned: CorosyncPlan, sleep: Sleep) -> None:
    """Have all members load the files that are in place, or put back the old ones."""
    try:
        behind = _reloaded(planned, planned.version, sleep)
        if behind:
            _put_back(planned, behind, sleep)
    except (RevertedError, UnknownOutcomeError):
        raise
    except CibgitError as error:
        raise UnknownOutcomeError(
            f"{error.message}; every node has the new file, and nobody can say which of"
            " them have loaded it",
            LOOK,
        ) from None


def _stage(planned: CorosyncPlan, files: Mapping[str, bytes]) -> None:
    """Lay the new files beside the old ones, or raise what kept a node from it."""
    ring, own = planned.layer.ring, planned.nodes[0].name
    failed = at_once(lambda name: ring.stage(name, files[name], own=name == own), files)
    if failed:
        raise _with(next(iter(failed.values())), "nothing was changed on any node")


def _discard(planned: CorosyncPlan, files: Mapping[str, bytes]) -> None:
    ring, own = planned.layer.ring, planned.nodes[0].name
    at_once(lambda name: ring.discard(name, own=name == own), files)


def _install(planned: CorosyncPlan, files: Mapping[str, bytes]) -> None:
    """Put the staged files in place, or put back those that were."""
    ring, own = planned.layer.ring, planned.nodes[0].name
    digests = {node.name: node.copy.digest for node in planned.targets}
    failed = at_once(
        lambda name: ring.install(name, digests[name], own=name == own), files
    )
    if not failed:
        return

    def restore(name: str) -> None:
        ring.restore(name, files[name], digests[name], own=name == own)

    at_once(restore, files)
    now = _now(planned)
    stuck = [
        name
        for name in files
        if name not in now
        or now[name].copy.problem
        or now[name].copy.data == files[name]
    ]
    error = next(iter(failed.values()))
    if stuck:
        raise UnknownOutcomeError(
            f"{error.message}; nothing was loaded, but {', '.join(stuck)} may have the"
            " new file",
            LOOK,
        )
    raise _with(error, "nothing was loaded, and every other node has its old file")


def _with(error: CibgitError, more: str) -> CibgitError:
    """Return an error that says how far all nodes are, too."""
    return type(error)(f"{error.message}; {more}", error.hint)


def _now(planned: CorosyncPlan) -> dict[str, Node]:
    """Read the nodes again, as far as they can be."""
    try:
        found = read_nodes(planned.layer, planned.desired)
    except CibgitError:
        return {}
    return {node.name: node for node in found}


def _reloaded(planned: CorosyncPlan, version: int, sleep: Sleep) -> list[str]:
    """Have the nodes read their files; return what kept which of them from it."""
    ring = planned.layer.ring
    said = ring.reload()
    if said:
        return [f"{planned.nodes[0].name} ({said})"]
    waiting = {
        node.nodeid: node.name
        for node in planned.targets
        if node.name not in planned.added
    }
    deadline = time.monotonic() + LOAD_SECONDS
    while True:
        runtime = ring.read_own().runtime
        members = runtime.members if runtime else {}
        behind = [
            name
            for nodeid, name in waiting.items()
            if nodeid not in members or members[nodeid].version != version
        ]
        if not behind or time.monotonic() > deadline:
            return behind
        sleep(POLL_SECONDS)


def _put_back(planned: CorosyncPlan, behind: list[str], sleep: Sleep) -> None:
    """Give all nodes their old file under a higher version, and prove that; then raise."""
    names = ", ".join(behind)
    version = planned.version + 1
    why = f"{names} did not load the file"
    files = {}
    for node in planned.targets:
        old = _old(planned, node)
        if old is not None:
            files[node.name] = write(with_version(old, version))
    problem = _written(planned, files) or _unproven(planned, files, version, sleep)
    if problem:
        raise UnknownOutcomeError(
            f"{why}, and the old one could not be put back everywhere: {problem}",
            LOOK,
        )
    raise RevertedError(
        f"{why}; every node runs with the old one again, proven as version {version}",
        "The log of Corosync on that node says why.",
    )


def _unproven(
    planned: CorosyncPlan, files: Mapping[str, bytes], version: int, sleep: Sleep
) -> str:
    """Have the old files loaded; return what is not proven of that, or ''."""
    behind = _reloaded(planned, version, sleep)
    if behind:
        return f"{', '.join(behind)} did not load the old one either"
    now = _now(planned)
    other = [
        name
        for name, data in files.items()
        if name not in now or now[name].copy.data != data
    ]
    return f"{', '.join(other)}: not the file that was put back" if other else ""


def _old(planned: CorosyncPlan, node: Node) -> Conf | None:
    """Return what a node had, or where that was broken or missing, what this node had."""
    for each in (node, planned.nodes[0], *planned.targets):
        if each.conf is not None and each.copy.data is not None:
            return parse(each.copy.data, each.name, of_node=True)
    return None


def _written(planned: CorosyncPlan, files: Mapping[str, bytes]) -> str:
    """Write files over whatever stands there; return what kept a node from it."""
    ring, own = planned.layer.ring, planned.nodes[0].name
    now = _now(planned)

    def write_to(name: str) -> None:
        if name not in now:
            raise UnreachableError("it could not be read")
        ring.stage(name, files[name], own=name == own)
        ring.install(name, now[name].copy.digest, own=name == own)

    failed = at_once(write_to, files)
    return "; ".join(f"{name}: {error.message}" for name, error in failed.items())
