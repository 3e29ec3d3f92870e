"""A push against ``cibadmin --replace`` on a live cluster of three nodes."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cibgit.cib import canonical, digest, patchset
from cibgit.cib.document import parse
from tests.live.cluster import LiveCluster
from tests.live.workplace import Workplace

from .measure import Comparison, Cost, compare

NODE = "node1"
REPLACE = ("--replace", "-o", "configuration", "-p")
QUIET = b"""\
<crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="o-probes" name="enable-startup-probes" value="false"/>
</cluster_property_set></crm_config>"""
STOPPED = b"""\
<rsc_defaults><meta_attributes id="rd">
<nvpair id="rd-target-role" name="target-role" value="Stopped"/>
</meta_attributes></rsc_defaults>"""


def run() -> Iterator[Comparison]:
    """Yield the comparisons of this subject."""
    for resources in (10, 100, 1000):
        with LiveCluster(3) as cluster, tempfile.TemporaryDirectory() as folder:
            yield from _Race(cluster, Path(folder) / "repo", resources).run(resources)


class _Race:
    """One attribute changed, again and again, by one way and by the other."""

    def __init__(self, cluster: LiveCluster, root: Path, resources: int) -> None:
        self.cluster = cluster
        self.place = Workplace(cluster, root)
        self.value = 0
        cluster.cibadmin(NODE, "-M", "-c", "-o", "crm_config", "-p", input=QUIET)
        cluster.cibadmin(NODE, "-C", "-o", "configuration", "-p", input=STOPPED)
        cluster.cibadmin(
            NODE, "-R", "-o", "resources", "-p", input=_resources(resources)
        )
        cluster.wait(settle=True, timeout=300)
        self.place.in_node(NODE, "init", str(root), "--cluster", "prod")
        self.place.cibgit(NODE, "export")
        self._edit()
        first = self.place.cibgit(
            NODE, "push", "-m", "first", "--yes", "--no-wait", timeout=300
        )
        assert first.code == 0, first

    def run(self, resources: int) -> Iterator[Comparison]:
        size = f"{resources} resources, one attribute"
        yield compare(
            f"write of a push (--patch) / cibadmin --replace, {size}",
            self._patch, self._replace, runs=7,
        )  # fmt: skip
        self.place.cibgit(NODE, "export")
        yield compare(
            f"whole push with all proofs / cibadmin --replace, {size}",
            self._push, self._replace_and_export, runs=7,
        )  # fmt: skip
        yield compare(
            f"whole push with all proofs / --replace and proof by hand, {size}",
            self._push, self._replace_and_prove, runs=7,
        )  # fmt: skip

    def _edit(self) -> None:
        self.value += 1
        self.place.edit(f'value="v{self.value - 1}"', f'value="v{self.value}"')

    def _push(self) -> Cost:
        self._edit()
        self.place.git("commit", "-qam", "edit")
        return self._timed(
            lambda: self.place.cibgit(NODE, "push", "--yes", "--no-wait", timeout=120)
        )

    def _replace_and_export(self) -> Cost:
        found = self._replace()
        self.place.cibgit(NODE, "export")
        return found

    def _replace_and_prove(self) -> Cost:
        changed = self._changed()
        found = self._timed(lambda: self._by_hand(changed))
        self.place.cibgit(NODE, "export")
        return found

    def _by_hand(self, changed: bytes) -> None:
        """Do what a careful administrator does: save, replace, compare on every node."""
        self.cluster.cibadmin(NODE, "-Q")
        self.cluster.cibadmin(NODE, *REPLACE, input=changed)
        for node in self.cluster.nodes:
            found = self.cluster.cibadmin(node, "-Q", "-o", "configuration")
            self.cluster.cibadmin(NODE, "-5", "-p", input=found)
        self.cluster.cibadmin(NODE, "-5", "-x", "/var/lib/pacemaker/cib/cib.xml")

    def _replace(self) -> Cost:
        changed = self._changed()
        return self._timed(lambda: self.cluster.cibadmin(NODE, *REPLACE, input=changed))

    def _changed(self) -> bytes:
        now = self.cluster.cibadmin(NODE, "-Q", "-o", "configuration")
        self.value += 1
        old, new = f'"v{self.value - 1}"'.encode(), f'"v{self.value}"'.encode()
        return now.replace(old, new)

    def _patch(self) -> Cost:
        live = parse(self.cluster.cibadmin(NODE, "-Q"), "live")
        desired = live.copy()
        pair = desired.configuration.find(".//nvpair[@id='r5-fake']")
        assert pair is not None
        self.value += 1
        pair.set("value", f"v{self.value}")
        target = canonical.target(desired, live, None)
        patch = patchset.build(live, target, digest.Dialect.MID).to_bytes()
        return self._timed(
            lambda: self.cluster.cibadmin(NODE, "--patch", "-p", input=patch)
        )

    def _timed(self, action: Callable[[], object]) -> Cost:
        """Time one action in a cluster at rest; CPU is the whole machine's, daemons too."""
        self.cluster.wait(settle=True, timeout=120)
        started, busy = time.monotonic(), _machine_busy()
        action()
        wall = time.monotonic() - started
        self.cluster.wait(settle=True, timeout=120)
        return Cost(wall, _machine_busy() - busy)


def _machine_busy() -> float:
    """CPU seconds that this machine has worked, all processes together."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()
    user, nice, system = (int(field) for field in fields[1:4])
    return (user + nice + system) / 100


def _resources(number: int) -> bytes:
    one = (
        '<primitive id="r{0}" class="ocf" provider="pacemaker" type="Dummy">'
        '<instance_attributes id="r{0}-params">'
        '<nvpair id="r{0}-fake" name="fake" value="v0"/></instance_attributes>'
        '<operations><op id="r{0}-monitor" name="monitor" interval="30s" timeout="20s"/>'
        "</operations></primitive>"
    )
    every = "".join(
        one.format(i).replace("v0", "v0" if i == 5 else "0") for i in range(number)
    )
    return f"<resources>{every}</resources>".encode()
