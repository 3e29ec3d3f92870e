"""What a plan foretells is what the cluster does: one cluster, one change after another.

Foretold are the effects of ``cibgit plan --json``; done is what the controllers of all
nodes logged as executed (``Result of start operation for db on node1: ok``).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .cluster import LiveCluster
from .workplace import Workplace

BASE = b"""\
<configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="dc-deadtime" name="dc-deadtime" value="200ms"/>
<nvpair id="stonith-enabled" name="stonith-enabled" value="false"/>
</cluster_property_set></crm_config>
<nodes><node id="1" uname="node1"/><node id="2" uname="node2"/><node id="3" uname="node3"/>
</nodes>
<resources>
<primitive id="db" class="ocf" provider="pacemaker" type="Dummy">
<instance_attributes id="db-p"><nvpair id="db-fake" name="fake" value="1"/>
<nvpair id="db-state" name="state" value="/run/db.state"/></instance_attributes>
<operations><op id="db-mon" name="monitor" interval="30s" timeout="20s"/></operations>
</primitive>
<primitive id="vip" class="ocf" provider="pacemaker" type="Dummy"/>
<primitive id="old" class="ocf" provider="pacemaker" type="Dummy"/>
<group id="web">
<primitive id="fs" class="ocf" provider="pacemaker" type="Dummy"/>
<primitive id="ip" class="ocf" provider="pacemaker" type="Dummy"/>
<primitive id="httpd" class="ocf" provider="pacemaker" type="Dummy"/>
</group>
<clone id="agents"><meta_attributes id="agents-m">
<nvpair id="agents-max" name="clone-max" value="3"/></meta_attributes>
<primitive id="agent" class="ocf" provider="pacemaker" type="Dummy"/></clone>
<clone id="pg-clone"><meta_attributes id="pg-m">
<nvpair id="pg-promotable" name="promotable" value="true"/></meta_attributes>
<primitive id="pg" class="ocf" provider="pacemaker" type="Stateful"/></clone>
<primitive id="fence" class="stonith" type="null"><instance_attributes id="fence-p">
<nvpair id="fence-hosts" name="hostlist" value="node1 node2 node3"/></instance_attributes>
</primitive>
</resources>
<constraints>
<rsc_location id="db-1" rsc="db" node="node1" score="200"/>
<rsc_location id="vip-2" rsc="vip" node="node2" score="200"/>
<rsc_location id="web-3" rsc="web" node="node3" score="200"/>
<rsc_location id="old-2" rsc="old" node="node2" score="200"/>
<rsc_location id="fence-1" rsc="fence" node="node1" score="200"/>
</constraints>
<rsc_defaults><meta_attributes id="defaults">
<nvpair id="stickiness" name="resource-stickiness" value="100"/></meta_attributes>
</rsc_defaults>
</configuration>
"""

Edit = Callable[[str], str]


class Operation(NamedTuple):
    task: str
    resource: str
    node: str


def swap(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        changed, count = re.subn(old, new, text, count=1, flags=re.DOTALL)
        assert count == 1, old
        return changed

    return edit


def append(section: str, element: str) -> Edit:
    def edit(text: str) -> str:
        if f"</{section}>" in text:
            return text.replace(f"</{section}>", f"{element}</{section}>")
        whole = f"<{section}>{element}</{section}>"
        if f"<{section}/>" in text:
            return text.replace(f"<{section}/>", whole)
        return text.replace("</configuration>", f"{whole}</configuration>")

    return edit


def standby(value: str) -> Edit:
    return swap(
        r'<node id="2" uname="node2"( type="member")?/>',
        '<node id="2" uname="node2"><instance_attributes id="n2">'
        f'<nvpair id="n2-standby" name="standby" value="{value}"/>'
        "</instance_attributes></node>",
    )


NEW_GROUP = (
    '<group id="mail">'
    '<primitive id="spool" class="ocf" provider="pacemaker" type="Dummy"/>'
    '<primitive id="smtp" class="ocf" provider="pacemaker" type="Dummy"/></group>'
)
SEPARATE = '<rsc_colocation id="apart" rsc="vip" with-rsc="db" score="INFINITY"/>'
ORDER = '<rsc_order id="first-db" first="db" then="web"/>'
PROMOTE = (
    '<rsc_location id="pg-3" rsc="pg-clone"><rule id="pg-3-rule" role="Master"'
    ' score="1000"><expression id="pg-3-where" attribute="#uname" operation="eq"'
    ' value="node3"/></rule></rsc_location>'
)
LEVEL = '<fencing-level id="level" target="node1" index="1" devices="fence"/>'
MIGRATION = (
    '<meta_attributes id="vip-m"><nvpair id="vip-migrate" name="allow-migrate"'
    ' value="true"/></meta_attributes></primitive>'
)

CHANGES: dict[str, Edit] = {
    "a parameter": swap("/run/db.state", "/run/db-2.state"),
    "a parameter that can be reloaded": swap(
        'name="fake" value="1"', 'name="fake" value="2"'
    ),
    "a timeout": swap('timeout="20s"', 'timeout="25s"'),
    "an interval": swap('interval="30s"', 'interval="25s"'),
    "a move by a location score": swap(
        'node="node1" rsc="db" score="200"|rsc="db" score="200" node="node1"'
        '|rsc="db" node="node1" score="200"',
        'rsc="db" node="node3" score="2000"',
    ),
    "the order of a group": swap(
        r'(<primitive id="fs"[^>]*/>)(\s*)(<primitive id="ip"[^>]*/>)', r"\3\2\1"
    ),
    "fewer clones": swap('name="clone-max" value="3"', 'name="clone-max" value="2"'),
    "more clones": swap('name="clone-max" value="2"', 'name="clone-max" value="3"'),
    "a node in standby": standby("on"),
    "a node back from standby": swap(
        'name="standby" value="on"', 'name="standby" value="off"'
    ),
    "a deletion": lambda text: swap('<primitive id="old".*?/>', "")(
        swap('<rsc_location id="old-2".*?/>', "")(text)
    ),
    "a new group": append("resources", NEW_GROUP),
    "live migration allowed": swap(r'(<primitive id="vip"[^>]*)/>', r"\1>" + MIGRATION),
    "a colocation, by live migration": append("constraints", SEPARATE),
    "an order": append("constraints", ORDER),
    "another promoted instance": append("constraints", PROMOTE),
    "a fencing level": append("fencing-topology", LEVEL),
    "no stickiness": swap(
        'name="resource-stickiness" value="100"',
        'name="resource-stickiness" value="0"',
    ),
    "another agent": swap(
        '(<primitive id="httpd" class="ocf" )provider="pacemaker"',
        r'\1provider="heartbeat"',
    ),
    "maintenance": swap(
        '(<nvpair id="stonith-enabled"[^>]*/>)',
        r'\1<nvpair id="maintenance" name="maintenance-mode" value="true"/>',
    ),
    "a parameter under maintenance": swap("/run/db-2.state", "/run/db-3.state"),
    "the end of maintenance": swap(
        'name="maintenance-mode" value="true"', 'name="maintenance-mode" value="false"'
    ),
}

FORCED = {"maintenance": ["--force", "guard-maintenance"]}


@pytest.fixture
def place(cluster3: LiveCluster, tmp_path: Path) -> Iterator[Workplace]:
    workplace = Workplace.create(cluster3, tmp_path / "repo", configuration=BASE)
    yield workplace


def test_effects_are_what_the_cluster_does(place: Workplace) -> None:
    wrong = {}
    idle = 0
    for name, edit in CHANGES.items():
        place.file.write_text(edit(place.file.read_text()))
        force = FORCED.get(name, [])
        planned = place.cibgit("node1", "plan", "--json", *force)
        assert planned.code == 1, (name, planned)
        seen = log_sizes(place.cluster)
        pushed = place.cibgit("node1", "push", "-m", name, "--yes", "--json", *force)
        assert pushed.code == 0, (name, pushed)
        place.cluster.wait(settle=True)
        foretold = Counter(expected(planned.json["effects"]["happens"]))
        done = Counter(executed(place.cluster, seen))
        idle += not done
        if foretold != done:
            wrong[name] = (sorted(foretold - done), sorted(done - foretold))
    assert wrong == {}
    assert 0 < idle < len(CHANGES) / 2  # most changes really did something


def expected(effects: list[dict[str, Any]]) -> Iterator[Operation]:
    """Yield the operations that effects stand for."""
    for one in effects:
        assert not one["blocked"], one
        name, at, to = one["subject"], one["source"], one["target"]
        promoted = one["role"] in ("Promoted", "Master")
        match one["kind"]:
            case "start":
                tasks = [("start", to)] + [("promote", to)] * promoted
            case "stop":
                tasks = [("demote", at)] * promoted + [("stop", at)]
            case "restart" | "move":
                tasks = [("stop", at), ("start", to or at)]
            case "migrate":
                tasks = [("migrate_to", at), ("migrate_from", to), ("stop", at)]
            case "reload":
                tasks = [("reload-agent", at)]
            case "promote" | "demote" as task:
                tasks = [(task, at)]
            case "monitor" | "unmonitor":
                tasks = []
            case other:
                raise AssertionError(f"no test of {other}")
        yield from (Operation(task, name, node) for task, node in tasks)


LOGGED = re.compile(
    r"Result of (start|stop|promote|demote|reload-agent|migrate_\w+) operation"
    r" for ([\w:-]+) on (\w+): ok"
)


def log_sizes(cluster: LiveCluster) -> dict[Path, int]:
    paths = (log(cluster, node) for node in cluster.nodes)
    return {path: path.stat().st_size for path in paths}


def log(cluster: LiveCluster, node: str) -> Path:
    return cluster.directory / node / "var/log/pacemaker/pacemaker.log"


def executed(cluster: LiveCluster, seen: dict[Path, int]) -> Iterator[Operation]:
    """Yield what the nodes executed since their logs had these sizes."""
    for path, size in seen.items():
        with path.open(errors="replace") as file:
            file.seek(size)
            for task, resource, node in LOGGED.findall(file.read()):
                yield Operation(task, resource.partition(":")[0], node)
