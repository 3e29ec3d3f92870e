"""An embedded cluster for tests: a directory as the live side, a repository beside it."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from cibgit.age import Age
from cibgit.cib import patchset
from cibgit.cib.document import Cib
from cibgit.cluster.directory import Directory
from cibgit.config import ClusterConfig, SecretsConfig
from cibgit.flow.init import init
from cibgit.flow.keeper import Keeper
from cibgit.flow.site import Site
from cibgit.flow.vaultfile import VaultFile
from cibgit.providers import Providers
from cibgit.repository import Repository

CIB = """\
<cib admin_epoch="0" epoch="5" num_updates="0" validate-with="pacemaker-3.0" \
crm_feature_set="3.16.1" update-user="root" update-client="crmsh" update-origin="alice" \
cib-last-written="Mon Nov 23 10:21:05 2026">
<configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="o-cluster-name" name="cluster-name" value="prod"/>
<nvpair id="o-dc-version" name="dc-version" value="2.1.5"/>
</cluster_property_set></crm_config>
<nodes><node id="1" uname="alice"/><node id="2" uname="bob"/></nodes>
<resources>
<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2">
<operations><op id="vip-monitor" name="monitor" interval="30s"/></operations>
</primitive>
<primitive id="db" class="ocf" provider="heartbeat" type="Dummy"/>
</resources>
<constraints><rsc_location id="loc" rsc="vip" node="alice" score="100"/></constraints>
</configuration>
</cib>
"""


@dataclass
class Embedded:
    """A cluster that is a folder, and a repository for it."""

    node: Path
    root: Path
    secrets: SecretsConfig = field(default_factory=SecretsConfig)
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, folder: Path, cib: str = CIB) -> "Embedded":
        node, root = folder / "node", folder / "repo"
        Directory.create(node, cib.encode())
        init(root, ClusterConfig("prod", f"dir:{node}"))
        return cls(node, root)

    def site(self, root: Path | None = None, *, marker: bool = True) -> Site:
        root = root or self.root
        config = ClusterConfig(
            "prod", f"dir:{self.node}", marker=marker, secrets=self.secrets
        )
        repository = Repository.open(root)
        file = root / config.path
        keeper = Keeper(
            config.secrets.rules,
            Providers(config.secrets.providers, self.environment).value,
            VaultFile(
                root / config.vault,
                config.vault,
                Age([self.identity], self.identity, chosen=False),
            ),
        )
        return Site(config, repository, Directory(self.node), file, config.path, keeper)

    @property
    def identity(self) -> Path:
        """The key of whoever works there."""
        return self.root.parent / "identity.txt"

    @property
    def file(self) -> Path:
        return self.root / "clusters/prod/cib.xml"

    def edit(self, old: str, new: str) -> None:
        """Edit the desired state in the work tree."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def commit(self, message: str = "edit") -> str:
        return self.site().repository.commit_file(
            "clusters/prod/cib.xml",
            self.file.read_bytes(),
            message,
            author=None,
            trailers={},
        )

    def change_live(self, old: str, new: str) -> Cib:
        """Change the cluster past git, as another tool would."""
        directory = Directory(self.node)
        live = directory.read()
        changed = live.copy()
        configuration = changed.configuration
        element = configuration.find(f".//*[@id='{old.partition('@')[0]}']")
        assert element is not None
        element.set(old.partition("@")[2], new)
        directory.apply(patchset.build(live, changed, directory.dialect()))
        return directory.read()

    def git(self, *arguments: str, check: bool = True) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            check=check,
            capture_output=True,
            text=True,
        ).stdout

    def live_text(self) -> str:
        return (self.node / "cib.xml").read_text()
