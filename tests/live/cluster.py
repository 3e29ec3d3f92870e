"""Real clusters for tests: Corosync and Pacemaker in namespaces of this machine.

Nothing of the machine is touched: the nodes have their own networks, joined by bridges
in a namespace apart, their own disks (below a temporary directory) and their own
processes. ``watcher.py`` says why none of it is left over, ``node.py`` what a node is.
"""

import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from .disk import FIRST_CIB, SCHEMA, first_files
from .hub import Hub
from .node import LiveClusterError, Node, wait_until

__all__ = ["LiveCluster", "LiveClusterError"]

# A change takes a moment to wake the controller up: idle means idle for this long.
IDLE_SECONDS = 0.5
# Nodes that come back need some 5 s, more on a busy machine.
JOIN_SECONDS = 60.0
# A cluster that is not itself again by then is better booted anew (5 s).
RESET_SECONDS = 15.0


class View(NamedTuple):
    """What one node says about the cluster."""

    dc: str
    online: frozenset[str]


class LiveCluster:
    """A cluster of ``node1`` to ``nodeN``, used as a context manager or up to down().

    ``environment`` gives a node variables (``PCMK_*``) for its daemons and commands:
    ``{"node2": {"PCMK_ipc_buffer": "1048576"}}``; daemons see a change of
    ``cluster.environment`` when they are started again. ``cib`` is what the nodes start
    with, ``token`` Corosync's in milliseconds.

    ``directory`` is the cluster's, ``shared`` a folder below it for files that all
    nodes and the host see at the same path.
    """

    def __init__(
        self,
        size: int,
        *,
        cluster_name: str = "live",
        environment: Mapping[str, Mapping[str, str]] | None = None,
        cib: bytes = FIRST_CIB,
        token: int = 1000,
    ) -> None:
        self.nodes = tuple(f"node{number}" for number in range(1, size + 1))
        self.cluster_name = cluster_name
        self.environment = {
            name: dict((environment or {}).get(name, {})) for name in self.nodes
        }
        self.directory = self.shared = Path()
        self.base = b""
        self._cib = cib
        self._token = token
        self._address = {
            name: f"10.99.0.{number}" for number, name in enumerate(self.nodes, 1)
        }
        self._up: Hub | None = None
        self._node: dict[str, Node] = {}

    def __enter__(self) -> Self:
        return self.up()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.down()

    # The whole cluster

    def up(self) -> Self:
        """Create and boot all nodes; return when the cluster is idle."""
        try:
            self._up = Hub(len(self.nodes))
            self.directory = self._up.directory
            self.shared = self.directory / "shared"
            self.shared.mkdir()
            files = first_files(self.cluster_name, self._token, self._address)
            for name in self.nodes:
                node = Node(name, self.directory / name, self.environment[name])
                node.prepare(files, self._cib)
                self._node[name] = node
            self.boot(*self.nodes)
            self.wait(settle=True)
            self.base = self.cibadmin(self.nodes[0], "-Q", "-o", "configuration")
        except BaseException:
            self.down()
            raise
        return self

    def down(self) -> None:
        """End every process of the cluster and remove its directory."""
        hub, self._up = self._up, None
        if not hub:
            return
        try:
            hub.end()
        finally:
            for node in self._node.values():
                node.reap()
            self._node.clear()

    def reset(self, configuration: bytes | None = None) -> None:
        """Bring every node back, and the configuration that the cluster had at first.

        Another configuration should keep ``dc-deadtime``: without it, the next start of
        the whole cluster takes 20 s longer. Transient node attributes stay.
        """
        absent = [name for name in self.nodes if not self._node[name].started]
        timeout = RESET_SECONDS
        if absent or self._hub.place:
            timeout = JOIN_SECONDS
            self.heal()
            self.boot(*absent)
        self.wait(timeout=timeout)
        first = self.nodes[0]
        replace = ["--replace", "--scope", "configuration", "--xml-pipe"]
        self.cibadmin(first, *replace, input=configuration or self.base)
        if configuration is None and self._root(first).get("validate-with") != SCHEMA:
            root = f'<cib validate-with="{SCHEMA}"/>'
            self.cibadmin(first, "--modify", "--xml-text", root)
        self.wait(settle=True, timeout=RESET_SECONDS)
        self._wait_for_disks()

    def renew(self) -> None:
        """Reset the cluster; boot it anew where a test broke it for good."""
        try:
            self.reset()
        except LiveClusterError:
            self.down()
            self.up()

    def wait(
        self,
        nodes: Iterable[str] | None = None,
        *,
        settle: bool = False,
        timeout: float = JOIN_SECONDS,
    ) -> str:
        """Wait until exactly these nodes (all started ones) are online; return the DC.

        Each of them has to see the same DC and nobody else: a node that was just killed
        or cut off still counts as online for two seconds. ``settle`` waits until the DC
        has nothing left to do as well.
        """
        names = sorted(nodes or self.running)
        deadline = time.monotonic() + timeout
        idle_since: float | None = None
        while True:
            dc = self._agreed_dc(names)
            now = time.monotonic()
            if dc and not settle:
                return dc
            if not dc or not self._is_idle(dc):
                idle_since = None
            elif idle_since is None:
                idle_since = now
            elif now - idle_since >= IDLE_SECONDS:
                return dc
            if now > deadline:
                raise LiveClusterError(self._diagnosis(names, timeout))
            time.sleep(0.05)

    # Nodes

    @property
    def running(self) -> list[str]:
        """The nodes whose daemons were started and not stopped or killed since."""
        return [name for name, node in self._node.items() if node.started]

    def boot(self, *names: str) -> None:
        """Power nodes on, where they are off, and start their daemons."""
        for name in names:
            if not self._node[name].powered:
                self._power_on(name)
        self.start(*names)

    def start(self, *names: str) -> None:
        """Start Corosync and Pacemaker on nodes that are powered on."""
        _at_once(lambda name: self._node[name].start(), names)

    def stop(self, *names: str, timeout: float = 60) -> None:
        """Shut Pacemaker and Corosync down in good order; the nodes stay powered on."""
        _at_once(lambda name: self._node[name].stop(timeout), names)

    def kill(self, *names: str) -> None:
        """Cut the power of nodes; their disks stay."""
        _at_once(lambda name: self._node[name].kill(), names)

    def partition(self, *groups: Iterable[str]) -> None:
        """Cut the network so that only the nodes of a group see each other.

        Nodes that no group names form the rest: ``partition(["node3"])`` isolates it.
        """
        place = {name: f"br{i}" for i, group in enumerate(groups) for name in group}
        rest = f"br{len(groups)}" if len(place) < len(self.nodes) else ""
        place = {name: place.get(name, rest) for name in self.nodes}
        self._move(place)

    def heal(self) -> None:
        """Join all parts of the network again."""
        self._move({})

    def run(
        self,
        node: str,
        argv: Sequence[str | Path],
        *,
        input: bytes | None = None,  # noqa: A002  (as in subprocess.run)
        timeout: float = 60,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command in a node; a ``TimeoutExpired`` leaves nothing of it behind.

        The command sees the host's files, a clean environment, a HOME of its own, and
        git's identity as the tests have it.
        """
        return self._node[node].run(
            argv, input=input, timeout=timeout, env=env, cwd=cwd
        )

    def start_process(
        self, node: str, argv: Sequence[str | Path]
    ) -> subprocess.Popen[bytes]:
        """Start a command in a node, as :meth:`run` would, and return at once."""
        return self._node[node].start_process(argv)

    def cibadmin(self, node: str, *args: str, input: bytes | None = None) -> bytes:  # noqa: A002
        """Run cibadmin in a node and return what it prints; raise where it fails."""
        done = self.run(node, ["cibadmin", *args], input=input)
        if done.returncode:
            said = done.stderr.decode(errors="replace")
            raise LiveClusterError(f"cibadmin {args} exits {done.returncode}: {said}")
        return done.stdout

    def cib_dir(self, node: str) -> Path:
        """Return where the host finds the node's ``/var/lib/pacemaker/cib``."""
        return self._node[node].directory / "var/lib/pacemaker/cib"

    def pids_of(self, node: str, comm: str) -> list[int]:
        """Return a node's processes of that name, as the host numbers them."""
        return self._node[node].pids_of(comm)

    def logs(self, node: str, lines: int = 40) -> str:
        """Return the end of what Corosync and Pacemaker wrote on a node."""
        folder = self.directory / node / "var/log"
        paths = (folder / "corosync/corosync.log", folder / "pacemaker/pacemaker.log")
        texts = (path.read_text(errors="replace") for path in paths if path.exists())
        return "\n".join(line for text in texts for line in text.splitlines()[-lines:])

    # Within

    @property
    def _hub(self) -> Hub:
        if not self._up:
            raise LiveClusterError("the cluster is down")
        return self._up

    def _power_on(self, name: str) -> None:
        self._node[name].power_on(self._hub.pid)
        self._hub.connect(self._node[name], self._address[name])

    def _move(self, place: Mapping[str, str]) -> None:
        powered = [name for name in self.nodes if self._node[name].powered]
        self._hub.move(place, powered)

    def _view(self, name: str) -> View | None:
        """Ask a node's crm_mon; None while it has no answer."""
        try:
            done = self.run(name, ["crm_mon", "-1", "--output-as=xml"], timeout=10)
            tree = ET.fromstring(done.stdout)
        except (subprocess.TimeoutExpired, ET.ParseError):
            return None
        dc = tree.find("summary/current_dc")
        if dc is None or dc.get("present") != "true":
            return None
        nodes = tree.findall("nodes/node")
        online = frozenset(str(node.get("name")) for node in nodes if _is_online(node))
        return View(str(dc.get("name")), online)

    def _agreed_dc(self, names: Sequence[str]) -> str:
        """Return the DC when all these nodes see it and exactly each other, or ''."""
        dcs = set()
        for name in names:
            view = self._view(name)
            if not view or view.online != set(names):
                return ""
            dcs.add(view.dc)
        return dcs.pop() if len(dcs) == 1 and dcs <= set(names) else ""

    def _is_idle(self, dc: str) -> bool:
        try:
            done = self.run(dc, ["crmadmin", "-S", dc], timeout=10)
        except subprocess.TimeoutExpired:
            return False
        return b"S_IDLE" in done.stdout

    def _diagnosis(self, names: Sequence[str], timeout: float) -> str:
        """Say what was waited for and what the nodes have to say about it."""
        said = [
            f"--- {name}: {self._view(name)}\n{self.logs(name, 12)}" for name in names
        ]
        return f"waited {timeout} s for {', '.join(names)}\n" + "".join(said)

    def _root(self, node: str) -> ET.Element:
        return ET.fromstring(self.cibadmin(node, "--query"))

    def _wait_for_disks(self) -> None:
        """Wait until each node has the live configuration on its disk.

        A node stops writing to a disk that was edited behind its back: then this fails.
        """
        live = _version(self._root(self.nodes[0]))
        wait_until(
            lambda: all(_version(self._disk(name)) == live for name in self.nodes),
            "the live configuration on the disk of every node",
            timeout=5,
        )

    def _disk(self, node: str) -> ET.Element:
        return ET.parse(self.cib_dir(node) / "cib.xml").getroot()


def _version(cib: ET.Element) -> tuple[str | None, str | None]:
    return cib.get("admin_epoch"), cib.get("epoch")


def _is_online(node: ET.Element) -> bool:
    """Read the states of one node in crm_mon's output."""
    return node.get("online") == "true" and not (
        node.get("pending") == "true" or node.get("unclean") == "true"
    )


def _at_once(action: Callable[[str], None], names: Sequence[str]) -> None:
    """Do the same on several nodes in parallel; raise the first error."""
    with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
        list(pool.map(action, names))
