"""The nodes of a ring as they are found: the file of each, and what it runs with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..cib.secrets import HIDDEN, PREFIX
from ..cluster.ring import Copy
from ..corosync.canonical import version_of
from ..corosync.document import Conf, GrammarError, Section, parse
from ..corosync.keys import needs_restart
from ..corosync.meaning import Difference, differences, node_name, settings
from ..errors import CibgitError, PermissionDeniedError
from .layer import Layer

AS_ROOT = "Only root may read it: run cibgit as root."

_OTHER = "(another secret)"


@dataclass(frozen=True)
class Node:
    """One node: its name and id in the list of nodes, and what was found there.

    ``conf`` is its file in the hidden form; where it cannot be read that is None, and
    ``broken`` says why. ``is_taken``: Corosync itself may take it as it is.
    """

    name: str
    nodeid: str
    is_own: bool
    copy: Copy
    conf: Conf | None = None
    broken: str = ""
    is_taken: bool = False

    @property
    def file_version(self) -> int | None:
        """The version that its file says: 0 where it says none, None where it is garbage."""
        return version_of(self.conf) if self.conf else 0

    @property
    def says_loaded_version(self) -> bool:
        """Whether its file says the version that is loaded, or none, which does no harm."""
        version, runtime = self.file_version, self.copy.runtime
        return version == 0 or (
            version is not None and (runtime is None or version == runtime.version)
        )

    def would_not_join(self, highest: int) -> bool:
        """Say whether its version keeps it from members who have loaded ``highest``.

        Corosync ends when it joins with a lower one, unless that is 0 (corosync.conf(5)).
        """
        version = self.file_version
        return version is None or 0 < version < highest

    def has(self, wanted: Conf | None) -> bool:
        """Say whether its file sets what another one sets."""
        if self.conf is None or wanted is None:
            return False
        return settings(self.conf) == settings(wanted)

    def reloadable(self) -> list[Difference]:
        """Return what a reload brings into effect of what the file says."""
        return [each for each in self.unloaded() if not self._is_late(each)]

    def late(self) -> list[Difference]:
        """Return what only a restart brings into effect of what the file says."""
        return [each for each in self.unloaded() if self._is_late(each)]

    def _is_late(self, each: Difference) -> bool:
        transport = self.copy.runtime.transport if self.copy.runtime else ""
        return needs_restart(each.address, transport)

    def unloaded(self) -> list[Difference]:
        """Return what leads from what runs to what the file says; secrets are hidden."""
        if self.conf is None or self.copy.data is None or self.copy.runtime is None:
            return []
        real = settings(parse(self.copy.data, self.name, of_node=True))
        running, asked = self.copy.runtime.compared(real)
        for address, value in settings(self.conf).items():
            if value.startswith(PREFIX) and address in asked:
                same = running.get(address) == asked[address]
                asked[address] = HIDDEN
                if address in running:
                    running[address] = HIDDEN if same else _OTHER
        return differences(running, asked)


def require_readable(copy: Copy) -> None:
    """Raise where only root may read the file of this node."""
    if copy.problem:
        raise PermissionDeniedError(copy.problem, AS_ROOT)


def read_nodes(
    layer: Layer, desired: Conf | None = None, *, everywhere: bool = True
) -> list[Node]:
    """Read this node, and all that its file or the desired one lists; this one first.

    Not ``everywhere``: this node only. Raises :class:`~cibgit.errors.CibgitError` where
    even this node cannot be read; where all are to be, its file must be readable, too.
    """
    copy = layer.ring.read_own()
    if everywhere:
        require_readable(copy)
    own = _understood(layer, Node("this node", "", True, copy))
    listed = list(_listed(desired, own.conf))  # what it is called now counts
    nodeid = _own_id(layer, copy, listed)
    names = {
        each.get("nodeid"): node_name(each)
        for each in listed
        if each.get("nodeid") and node_name(each)
    }
    name = names.pop(nodeid, layer.ring.host())
    found = [replace(own, name=name, nodeid=nodeid)]
    if everywhere:
        copies = layer.ring.read(names.values())
        found += [
            _understood(layer, Node(name, nodeid, False, copies[name]))
            for nodeid, name in names.items()
        ]
    return found


def joined(own: Node) -> dict[str, int]:
    """Return the ids of the members with the version that each has loaded."""
    members = own.copy.runtime.members if own.copy.runtime else {}
    return {each.nodeid: each.version for each in members.values() if each.is_joined}


def _listed(*confs: Conf | None) -> Iterator[Section]:
    for conf in confs:
        if conf is not None:
            yield from conf.nodes


def _own_id(layer: Layer, copy: Copy, listed: Sequence[Section]) -> str:
    """Return the id of this node: Corosync knows it, else the name of the machine does."""
    if copy.runtime and copy.runtime.nodeid:
        return copy.runtime.nodeid
    host = layer.ring.host()
    own = [each for each in listed if node_name(each).partition(".")[0] == host]
    return own[0].get("nodeid") if own else ""


def _understood(layer: Layer, node: Node) -> Node:
    if node.copy.data is None:
        return node
    source = f"{node.name}:{layer.ring.path}"
    try:
        if not node.copy.data.strip(b"\0 \t\r\n"):  # as a crash leaves it behind
            raise GrammarError(f"{source} is empty")
        conf = layer.hidden(node.copy.data, source)
        if not conf.root.items:
            raise GrammarError(f"{source} is empty")
    except CibgitError as error:
        is_taken = not isinstance(error, GrammarError)
        return replace(node, broken=error.message, is_taken=is_taken)
    return replace(node, conf=conf)
