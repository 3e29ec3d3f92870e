"""An embedded cluster with a past: edits of its cib.xml, one commit each."""

import re
from pathlib import Path

from cibgit.flow.export import export

from .embedded import CIB, Embedded

CANARY = "CaNaRy"

STORED = CIB.replace(
    '<operations><op id="vip-monitor"',
    '<instance_attributes id="vip-params">'
    '<nvpair id="vip-ip" name="ip" value="10.0.0.1"/>'
    f'<nvpair id="vip-passwd" name="passwd" value="{CANARY}-1"/>'
    '</instance_attributes><operations><op id="vip-monitor"',
)
DB = '<primitive id="db" class="ocf" provider="heartbeat" type="Dummy"/>'


class Past(Embedded):
    """A repository in which :meth:`change` makes one commit after another."""

    @classmethod
    def begin(cls, folder: Path) -> "Past":
        past = cls.create(folder, STORED)
        export(past.site())
        return past

    @property
    def sealed(self) -> str:
        """The placeholder that the first export put in the place of the password."""
        [found] = re.findall("secret:v1:[0-9a-f]+", self.file.read_text())
        return str(found)

    def change(self, *pairs: tuple[str, str], message: str = "edit") -> str:
        """Replace texts in cib.xml, and commit."""
        for old, new in pairs:
            self.edit(old, new)
        return self.commit(message)

    def write(self, text: str, message: str) -> str:
        """Commit any text as cib.xml."""
        self.file.write_text(text)
        return self.commit(message)
