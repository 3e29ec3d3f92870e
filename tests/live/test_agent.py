"""The OCF agent on a live cluster: the cluster itself keeps one watch alive."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .cluster import LiveCluster
from .test_watch import LIVE, by_cibadmin, wait_for
from .workplace import Workplace

AGENT = Path(__file__).parents[2] / "packaging/ocf/watch"
CIBGIT = Path(sys.executable).with_name("cibgit")
INSTALL = """\
set -e
mkdir -p /run/resource.d
cp -a /usr/lib/ocf/resource.d/. /run/resource.d
mkdir -p /run/resource.d/cibgit
cp "$1" /run/resource.d/cibgit/watch
mount --bind /run/resource.d /usr/lib/ocf/resource.d
"""
RESOURCE = """\
<primitive id="git" class="ocf" provider="cibgit" type="watch">
<instance_attributes id="git-params">
<nvpair id="git-repository" name="repository" value="{root}"/>
<nvpair id="git-binary" name="binary" value="{binary}"/>
</instance_attributes>
<operations><op id="git-monitor" name="monitor" interval="2s" timeout="20s"/></operations>
</primitive>
"""


OPTIONS = ("branch=live", "remote=origin", "auto=revert", "attempts=2", "http=9100")


@pytest.fixture
def place(cluster3: LiveCluster, tmp_path: Path) -> Workplace:
    """Return a repository that all nodes share, on nodes that have the agent."""
    for node in cluster3.nodes:
        done = cluster3.run(node, ["sh", "-c", INSTALL, "sh", AGENT])
        assert done.returncode == 0, done.stderr.decode()
    return Workplace.create(cluster3, tmp_path / "repo")


def values(place: Workplace) -> list[str]:
    """Return what ``fake`` was in each commit of the chain, oldest first."""
    found = []
    for commit in place.git("rev-list", "--reverse", f"HEAD..{LIVE}").split():
        text = place.git("show", f"{commit}:clusters/prod/cib.xml")
        found.append(text.partition('name="fake" value="')[2].partition('"')[0])
    return found


def home(place: Workplace, node: str) -> str:
    argv = ["crm_resource", "--locate", "--resource", "git", "--quiet"]
    return place.cluster.run(node, argv).stdout.decode().strip()


def edit(place: Workplace, node: str, *numbers: int) -> None:
    for number in numbers:
        assert place.cluster.run(node, by_cibadmin(number)).returncode == 0
        time.sleep(0.05)


def test_another_node_takes_over_and_no_state_is_lost(place: Workplace) -> None:
    cluster = place.cluster
    xml = RESOURCE.format(root=place.root, binary=CIBGIT).encode()
    cluster.cibadmin("node1", "--create", "-o", "resources", "-p", input=xml)
    wait_for(lambda: home(place, "node1"))
    wait_for(lambda: values(place) == ["1"])
    first = home(place, "node1")
    others = [node for node in cluster.nodes if node != first]
    edit(place, others[0], 11, 12, 13)
    wait_for(lambda: values(place)[-1] == "13")
    cluster.kill(first)
    cluster.wait(others)
    edit(place, others[1], 21, 22, 23)
    wait_for(lambda: home(place, others[0]) in others)
    edit(place, others[0], 31)
    wait_for(lambda: values(place)[-1] == "31")
    assert values(place) == ["1", "11", "12", "13", "21", "22", "23", "31"]
    # a watch that dies is started again, and it stops when the cluster says so
    second = home(place, others[0])
    pids = cluster.run(second, ["sh", "-c", "cat /run/resource-agents/*.pid"])
    assert (
        cluster.run(second, ["kill", "-9", pids.stdout.decode().strip()]).returncode
        == 0
    )
    edit(place, others[0], 41)
    wait_for(lambda: values(place)[-1] == "41")
    cluster.cibadmin(others[0], "--delete", "-X", '<primitive id="git"/>')
    gone = ["sh", "-c", "! ls /run/resource-agents/*.pid"]
    wait_for(lambda: cluster.run(second, gone).returncode == 0)
    assert values(place)[:9] == ["1", "11", "12", "13", "21", "22", "23", "31", "41"]


def test_the_metadata_are_xml_and_name_every_parameter_that_is_read() -> None:
    from lxml import etree

    done = subprocess.run([AGENT, "meta-data"], capture_output=True, check=True)
    found = {
        each.get("name") for each in etree.fromstring(done.stdout).iter("parameter")
    }
    read = set(re.findall(r"OCF_RESKEY_([a-z]+)", AGENT.read_text()))
    assert found == read


@pytest.mark.skipif(not shutil.which("ocf-tester"), reason="of resource-agents-dev")
def test_it_passes_ocf_tester_with_all_options(
    cluster1: LiveCluster, tmp_path: Path
) -> None:
    place = Workplace.create(cluster1, tmp_path / "repo")
    origin = tmp_path / "origin"
    place.git("init", "--quiet", "--bare", str(origin))
    place.git("remote", "add", "origin", str(origin))
    webhook = tmp_path / "webhook"
    webhook.write_text("http://127.0.0.1:1/token")
    webhook.chmod(0o600)
    sendmail = tmp_path / "sendmail"  # ocf-tester starts it, and nothing drifts
    sendmail.symlink_to("/bin/true")
    metrics = tmp_path / "metrics"
    given = (
        *(f"repository={place.root}", f"binary={CIBGIT}", "cluster=prod"),
        *(f"webhook={webhook}", f"metrics={metrics}", "mail=root ops@example.com"),
        *("hook=/bin/true", "poll=5", *OPTIONS),
    )
    options = [word for each in given for word in ("-o", each)]
    # it also asks as nobody, who may not enter every folder of ours
    agent = Path(shutil.copy(AGENT, cluster1.shared))
    argv = ["ocf-tester", "-n", "git", *options, str(agent)]
    path = {"PATH": f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin"}
    done = cluster1.run("node1", argv, timeout=120, env=path)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    assert f"{agent} passed all tests" in said
    assert 'cibgit_watch_in_sync{cluster="prod"} 1' in metrics.read_text()
    assert place.git("rev-parse", "live") == place.git("rev-parse", LIVE)
    tip = ["git", "-C", str(origin), "rev-parse", "live"]
    assert subprocess.run(tip, capture_output=True, check=True).stdout
