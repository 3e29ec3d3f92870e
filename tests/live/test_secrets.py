"""Secrets between a real cluster and git: what the CIB manager has, git never sees."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from cibgit.age import Age
from cibgit.cib.document import parse

from ..cli.test_canary import watched_processes
from .cluster import LiveCluster
from .workplace import Answer, Workplace

PASSWORD = "c4n\"ary'<&>] $(id) é"
RESOURCES = """\
<resources>
<primitive id="fence-a" class="stonith" type="fence_ipmilan">
<instance_attributes id="fence-a-params">
<nvpair id="fence-a-ip" name="ip" value="192.0.2.1"/>
<nvpair id="fence-a-passwd" name="passwd" value="c4n&quot;ary'&lt;&amp;&gt;] $(id) é"/>
</instance_attributes>
</primitive>
<primitive id="db" class="ocf" provider="pacemaker" type="Dummy">
<instance_attributes id="db-params">
<nvpair id="db-passwd" name="passwd" value="c4nary-too"/>
<nvpair id="db-fake" name="fake" value="1"/>
</instance_attributes>
</primitive>
</resources>
"""


class Desk:
    """A repository that works with one key, whichever node it is used from."""

    def __init__(self, cluster: LiveCluster, folder: Path) -> None:
        self.node = cluster.nodes[0]
        self.place = Workplace(cluster, folder / "repo")
        self.key = folder / "key.txt"
        self.said: list[str] = []
        Age([], self.key, chosen=False).recipients()
        cluster.cibadmin(
            self.node, "-R", "-o", "resources", "-p", input=RESOURCES.encode()
        )
        cluster.wait(settle=True)
        init = ("init", str(self.place.root), "--cluster", "prod")
        assert self.place.in_node(self.node, *init).code == 0
        assert self.cibgit("export").code == 0

    def cibgit(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Answer:
        named = ("--identity", str(self.key), *arguments)
        answer = self.place.cibgit(self.node, *named, stdin=stdin, env=env)
        self.said.append(answer.out + answer.err)
        return answer

    def live(self, resource: str) -> str:
        data = self.place.cluster.cibadmin(self.node, "-Q")
        path = f".//nvpair[@id='{resource}-passwd']"
        found = parse(data, "live").root.find(path)
        return "" if found is None else found.get("value", "")

    def set_live(self, resource: str, value: str) -> None:
        xml = f'<nvpair id="{resource}-passwd" value="{value}"/>'
        self.place.cluster.cibadmin(
            self.node, "-M", "-o", "resources", "-p", input=xml.encode()
        )

    def stored(self) -> bytes:
        """Return everything that git stores, and every file of the work tree."""
        objects = subprocess.run(
            ["git", "cat-file", "--batch", "--batch-all-objects"],
            cwd=self.place.root,
            check=True,
            capture_output=True,
        ).stdout
        files = [path for path in self.place.root.rglob("*") if path.is_file()]
        return objects + b"".join(path.read_bytes() for path in files)


@pytest.fixture
def desk(cluster1: LiveCluster, tmp_path: Path) -> Desk:
    return Desk(cluster1, tmp_path)


def noted_cibadmin(folder: Path) -> tuple[dict[str, str], Path]:
    """Return an environment in which the arguments of cibadmin get into a file."""
    told, noting = folder / "told", folder / "bin/cibadmin"
    noting.parent.mkdir()
    noting.write_text(f'#!/bin/sh\necho "$*" >> {told}\nexec /usr/sbin/cibadmin "$@"\n')
    noting.chmod(0o755)
    return {"PATH": f"{noting.parent}:/usr/sbin:/usr/bin:/sbin:/bin"}, told


def test_from_an_emptied_cluster_back_to_the_password(
    desk: Desk, tmp_path: Path
) -> None:
    place, node = desk.place, desk.node
    full = place.git("rev-parse", "HEAD")
    digest = place.digest(node)
    assert place.file.read_text().count('name="passwd" value="secret:v1:') == 2
    place.cluster.cibadmin(node, "-R", "-o", "resources", "-p", input=b"<resources/>")
    place.cluster.wait(settle=True)
    assert desk.live("fence-a") == ""
    env, told = noted_cibadmin(tmp_path)
    with watched_processes() as seen:
        assert desk.cibgit("export").code == 0
        back = desk.cibgit("rollback", full, "--yes", "--no-wait", "--json", env=env)
    assert back.code == 0, back
    # a patch is too short to be seen every time among the processes
    assert "--patch" in told.read_text()
    assert not [line for line in [*seen, told.read_text()] if "c4n" in line]
    assert desk.live("fence-a") == PASSWORD
    assert desk.live("db") == "c4nary-too"
    # the CIB manager checked the digest of the real configuration, and has it now
    assert place.digest(node) == back.json["digest"]
    assert {proof["digest"] for proof in back.json["proofs"]} == {back.json["digest"]}
    assert place.digest(node) != digest  # the marker is new, and the order canonical
    assert desk.cibgit("status").code == 0
    assert b"c4n" not in desk.stored()
    assert not [text for text in desk.said if "c4n" in text]


def test_a_password_changed_by_hand(desk: Desk) -> None:
    place = desk.place
    first = place.git("rev-parse", "HEAD")
    desk.set_live("fence-a", "c4nary-at-night")
    status = desk.cibgit("status", "--json")
    assert status.code == 1
    [change] = status.json["drift"]
    assert "fence-a-passwd" in change["address"]
    place.edit('name="fake" value="1"', 'name="fake" value="2"')
    refused = desk.cibgit("push", "-m", "x", "--yes")
    assert refused.code == 103
    assert "fence-a" in refused.err
    place.git("checkout", "-q", ".")
    # taken into git, it is in the vault
    assert desk.cibgit("export").code == 0
    shown = place.cibgit(
        desk.node, "--identity", str(desk.key), "secret", "show", "fence-a/passwd"
    )
    assert shown.out == "c4nary-at-night\n"
    # and git's own brings back what was
    assert desk.cibgit("rollback", first, "--yes", "--no-wait").code == 0
    assert desk.live("fence-a") == PASSWORD
    assert desk.cibgit("status").code == 0
    # a new one, from git to the cluster
    done = desk.cibgit("secret", "set", "db/passwd", stdin=b"c4nary-new\n")
    assert done.code == 0
    assert desk.cibgit("push", "--yes", "--no-wait").code == 0
    assert desk.live("db") == "c4nary-new"
    # without the key all can be read and nothing written
    before = place.epoch()
    place.edit('name="fake" value="1"', 'name="fake" value="3"')
    other = desk.key.with_name("other.txt")
    Age([], other, chosen=False).recipients()
    desk.key = other
    assert desk.cibgit("diff").code == 1
    assert desk.cibgit("push", "-m", "x", "--yes").code == 77
    assert place.epoch() == before
    assert b"c4n" not in desk.stored()
    assert not [text for text in desk.said if "c4n" in text]


def test_what_the_cluster_itself_calls_secure(desk: Desk) -> None:
    """The parameters that an agent's operation used and Pacemaker hides (2.1.5)."""
    data = desk.place.cluster.cibadmin(desk.node, "-Q")
    root = parse(data, "live").root
    secure = {op.get("op-secure-params", "").strip() for op in root.iter("lrm_rsc_op")}
    assert "passwd" in secure
