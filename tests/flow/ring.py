"""A ring in memory: for what no real one does at will, a step that fails halfway, say.

It reloads as Corosync does (tests/live/test_corosync.py has the real one): each node reads
its own file, one that is broken leaves it as it was, and some keys wait for a restart.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cibgit.cluster.ring import Copy, Ring
from cibgit.corosync.canonical import version_of
from cibgit.corosync.document import parse
from cibgit.corosync.keys import RESTART
from cibgit.corosync.meaning import settings
from cibgit.corosync.runtime import Runtime
from cibgit.errors import BadDataError, CibgitError, StaleError

KEY = "hunter2hunter2hunter2hunter2"
CONF = """\
totem {
	version: 2
	cluster_name: prod
	token: 1000
}
nodelist {
	node {
		nodeid: 1
		name: alice
		ring0_addr: 192.0.2.1
	}
	node {
		nodeid: 2
		name: bob
		ring0_addr: 192.0.2.2
	}
}
quorum {
	provider: corosync_votequorum
	two_node: 1
}
"""
CAROL = """\
	node {
		nodeid: 3
		name: carol
		ring0_addr: 192.0.2.3
	}
"""


@dataclass(frozen=True)
class FakeRing(Ring):
    """``alice`` is this node. ``before`` is called with step and node, and may raise."""

    files: dict[str, bytes] = field(default_factory=dict)
    staged: dict[str, bytes] = field(default_factory=dict)
    running: dict[str, dict[str, str]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    before: list[Callable[[str, str], None]] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)
    own: Copy | None = None
    down: set[str] = field(default_factory=set)
    reloads: list[str] = field(default_factory=list)

    @classmethod
    def create(cls, conf: str = CONF) -> "FakeRing":
        ring = cls((), "/etc/corosync/corosync.conf", {})
        for name in re.findall(r"name: (alice|bob|carol)", conf):
            ring.files[name] = conf.encode()
            ring.running[name] = settings(parse(conf.encode(), name))
            ring.versions[name] = 0
        return ring

    def edit(self, node: str, old: str, new: str) -> None:
        text = self.files[node].decode()
        assert old in text
        self.files[node] = text.replace(old, new).encode()

    def read_own(self) -> Copy:
        if self.own:
            return self.own
        if self.reloads:  # it is asked what the members have loaded, then read back
            self._about(
                "read back" if self.reloads.pop() == "asked" else "ask", "alice"
            )
            self.reloads.append("asked")
        return self._copy("alice")

    def read(self, nodes: Iterable[str]) -> dict[str, Copy]:
        """Read the others, which is what a proof begins with after a reload."""
        found = {}
        for node in nodes:
            try:
                if self.reloads:
                    self._about("read back", node)
                found[node] = self._copy(node)
            except CibgitError as error:
                found[node] = Copy(problem=error.message)
        return found

    def stage(self, node: str, data: bytes, *, own: bool) -> None:
        assert own is (node == "alice")
        self._about("stage", node)
        self.staged[node] = data

    def install(self, node: str, expected: str, *, own: bool) -> None:
        assert own is (node == "alice")
        self._about("install", node)
        if self._copy(node).digest != expected:
            raise StaleError(f"the file of {node} was changed by somebody else")
        if node in self.files:
            self.kept[node] = self.files[node]
        self.files[node] = self.staged.pop(node)
        self._about("installed", node)

    def restore(self, node: str, new: bytes, old: str, *, own: bool) -> None:
        assert own is (node == "alice")
        self._about("restore", node)
        self.staged.pop(node, None)
        if self.files.get(node) == new:
            del self.files[node]
            if old != "missing":
                self.files[node] = self.kept.pop(node)

    def discard(self, node: str, *, own: bool) -> None:
        assert own is (node == "alice")
        self.staged.pop(node, None)

    def reload(self) -> str:
        self._about("reload", "")
        for node in self.running:
            try:
                conf = parse(self.files[node], node, of_node=True)
            except BadDataError:
                continue
            kept = {key: self.running[node].get(key) for key in RESTART}
            old = {key: value for key, value in kept.items() if value is not None}
            new = {k: v for k, v in settings(conf).items() if k not in RESTART}
            self.running[node] = {**new, **old}
            version = version_of(conf)
            assert version is not None, "Corosync would have ended"
            self.versions[node] = version
        self.reloads.append("")
        self._about("reloaded", "")
        return ""

    def check_quorum(self) -> None:
        self._about("quorum", "")

    def host(self) -> str:
        return "alice"

    def _about(self, step: str, node: str) -> None:
        for each in self.before:
            each(step, node)

    def _copy(self, node: str) -> Copy:
        if node not in self.running and node != "carol":
            return Copy(problem=f"ssh: no route to {node}")
        return Copy(self.files.get(node), self._runtime(node))

    def _runtime(self, node: str) -> Runtime | None:
        if node not in self.running or node in self.down:
            return None
        ids = {"alice": "1", "bob": "2", "carol": "3"}
        keys = {}
        order = re.findall(r"nodeid: (\d+)", self.files[node].decode(errors="replace"))
        for address, value in self.running[node].items():
            found = re.fullmatch(r"nodelist\.node\[(\d+)\]\.(.+)", address)
            if found and found[1] in order:
                keys[f"nodelist.node.{order.index(found[1])}.{found[2]}"] = value
            elif not found:
                keys[address] = value
        if ids[node] in order:
            keys["nodelist.local_node_pos"] = str(order.index(ids[node]))
        for name in self.running:
            status = "left" if name in self.down else "joined"
            keys[f"runtime.members.{ids[name]}.status"] = status
            version = str(self.versions[name])
            keys[f"runtime.members.{ids[name]}.config_version"] = version
        return Runtime(keys)
