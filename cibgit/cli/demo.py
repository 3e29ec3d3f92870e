"""The demonstration: one story, played with the real commands on a made-up cluster."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path

import typer

from ..cib.digest import on_disk
from ..cib.document import parse
from ..cluster.directory import Directory

_CIB = """\
<cib admin_epoch="0" epoch="41" num_updates="0" validate-with="pacemaker-3.0" \
crm_feature_set="3.16.1" update-user="root" update-client="crmsh" update-origin="alice" \
cib-last-written="Mon Nov 23 10:21:05 2026">
<configuration>
<crm_config>
<cluster_property_set id="cib-bootstrap-options">
<nvpair name="stonith-enabled" value="true" id="cib-bootstrap-options-stonith-enabled"/>
<nvpair name="cluster-name" value="demo" id="cib-bootstrap-options-cluster-name"/>
<nvpair name="dc-version" value="2.1.5" id="cib-bootstrap-options-dc-version"/>
</cluster_property_set>
</crm_config>
<nodes><node id="1" uname="alice"/><node id="2" uname="bob"/></nodes>
<resources>
<primitive id="fence" class="stonith" type="fence_ipmilan"/>
<group id="web">
<primitive type="IPaddr2" class="ocf" provider="heartbeat" id="vip">
<instance_attributes id="vip-params"><nvpair name="ip" value="192.0.2.10" id="vip-ip"/>
</instance_attributes>
<operations><op name="monitor" interval="30s" id="vip-monitor"/></operations>
</primitive>
<primitive type="nginx" class="ocf" provider="heartbeat" id="server"/>
</group>
</resources>
<constraints>
<rsc_location id="web-on-alice" rsc="web" node="alice" score="100"/>
</constraints>
</configuration>
</cib>
"""


Run = Callable[[list[str]], int]
"""How the demonstration runs one command line of cibgit."""


def play(run: Run, *, keep: bool) -> int:
    """Play the story in a temporary folder and return the exit code of the run."""
    folder = Path(tempfile.mkdtemp(prefix="cibgit-demo-"))
    try:
        _Story(folder, run).play()
        if keep:
            typer.echo(f"\nThe folder is still there: {folder}")
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


class _Story:
    def __init__(self, folder: Path, cibgit: Run) -> None:
        self.cibgit = cibgit
        self.node = folder / "node"
        self.repository = folder / "repository"
        self.file = self.repository / "clusters/demo/cib.xml"

    def play(self) -> None:
        self.tell("A cluster keeps its configuration in one XML file with a signature.")
        Directory.create(self.node, _CIB.encode())
        self.run(
            "init",
            str(self.repository),
            "--cluster",
            "demo",
            "--at",
            f"dir:{self.node}",
        )
        self.run("export")

        self.tell("A change is an edit of cib.xml: check the address every 10 seconds.")
        self.edit(self.file, 'interval="30s"', 'interval="10s"')
        self.run("diff", expect=1)
        self.run("push", "-m", "vip: monitor every 10 s", "--yes")
        self.tell("What was planned, what is on disk, and its signature are one:")
        self.run("digest", "live")
        self.show(self.node / "cib.xml.sig")

        self.tell(
            "Somebody edits the file on the node by hand. Pacemaker would not tell,"
        )
        self.tell(
            "and drop the configuration at its next start. cibgit refuses to use it:"
        )
        good = (self.node / "cib.xml").read_bytes()
        self.edit(self.node / "cib.xml", "192.0.2.10", "192.0.2.99")
        self.run("status", expect=104)
        (self.node / "cib.xml").write_bytes(good)

        self.tell("Somebody changes the cluster with other tools: that is drift.")
        self.drift()
        self.run("status", expect=1)
        self.tell("A push would overwrite it, so it is refused, and shown:")
        self.edit(self.file, 'score="100"', 'score="200"')
        self.run("push", "-m", "web: prefer alice more", "--yes", expect=103)
        self.tell("Take it into git first, then make the edit again, and push:")
        self.git("restore", str(self.file.relative_to(self.repository)))
        self.run("export")
        self.edit(self.file, 'score="100"', 'score="200"')
        self.run("push", "-m", "web: prefer alice more", "--yes")

        self.tell("And back, two commits: a commit that restores, and a push.")
        self.run("rollback", "HEAD~2", "--yes")
        self.run("status")
        self.git("log", "--format=%h  %<(16,trunc)%an  %s")

    def tell(self, text: str) -> None:
        typer.echo(f"\n# {text}" if not text.startswith("and") else f"# {text}")

    def run(self, *arguments: str, expect: int = 0) -> None:
        typer.echo(f"\n$ cibgit {' '.join(_quoted(each) for each in arguments)}")
        where = () if arguments[0] == "init" else ("-C", str(self.repository))
        with redirect_stderr(sys.stdout):
            code = self.cibgit([*arguments, *where])
        if code != expect:
            typer.echo(f"[exit {code}, expected {expect}]", err=True)
            raise typer.Exit(code or 1)
        if code:
            typer.echo(f"[exit {code}]")

    def git(self, *arguments: str) -> None:
        typer.echo(f"\n$ git {' '.join(_quoted(each) for each in arguments)}")
        sys.stdout.flush()
        subprocess.run(
            ["git", "--no-pager", *arguments],
            cwd=self.repository,
            check=True,
            timeout=30,
        )

    def show(self, file: Path) -> None:
        typer.echo(f"\n$ cat {file.name}\n{file.read_text()}")

    def edit(self, file: Path, old: str, new: str) -> None:
        typer.echo(f"\n$ sed -i 's/{old}/{new}/' {file.name}")
        file.write_text(re.sub(re.escape(old), new, file.read_text()))

    def drift(self) -> None:
        """Change the made-up cluster as another tool would: the file and its signature."""
        file = self.node / "cib.xml"
        text = file.read_text().replace('epoch="42"', 'epoch="43"')
        text = text.replace('update-client="cibgit"', 'update-client="crm_attribute"')
        text = text.replace("192.0.2.10", "192.0.2.20")
        file.write_text(text)
        digest = on_disk(
            parse(text.encode(), "cib.xml").root, Directory(self.node).dialect()
        )
        (self.node / "cib.xml.sig").write_text(digest)


def _quoted(argument: str) -> str:
    return f'"{argument}"' if " " in argument else argument
