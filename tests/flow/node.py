"""A node's files as Pacemaker leaves them: backups in slots, scheduler inputs."""

import bz2
import time
from dataclasses import dataclass, field
from pathlib import Path

from cibgit.cib.canonical import canonical, pretty
from cibgit.cib.digest import Dialect, on_disk
from cibgit.cib.document import parse
from cibgit.flow.site import Site

from .. import generate

START = 1_700_000_000


def states(
    count: int, *, resources: int = 6, seed: int = 1, **how: bool
) -> list[bytes]:
    """Return CIBs, each one edit after the one before, with the counters of a cluster."""
    data = generate.cib(resources, seed, owned=True, **how)
    found = []
    for number in range(1, count + 1):
        found.append(stamped(data, number))
        data = generate.mutate(data, seed=number)
    return found


def stamped(data: bytes, epoch: int, minutes: int | None = None, **more: str) -> bytes:
    """Return a CIB with the attributes that the CIB manager sets."""
    root = generate.parse(data)
    moment = time.ctime(START + 60 * (epoch if minutes is None else minutes))
    wanted = {
        "admin_epoch": "0", "epoch": str(epoch), "num_updates": "0",
        "cib-last-written": moment, "update-user": "root", "update-client": "crmsh",
        "update-origin": "node1", **more,
    }  # fmt: skip
    for name, value in wanted.items():
        root.set(name, value)
    return generate.serialize(root)


def forms(files: list[bytes], site: Site | None = None) -> list[bytes]:
    """Return the canonical forms of CIBs; of equal ones in a row the first.

    With a site they are as it stores them: its placeholders instead of secrets.
    """
    found: list[bytes] = []
    for data in files:
        cib = parse(data, "state")
        form = pretty(canonical(site.hidden(cib) if site else cib))
        if not found or found[-1] != form:
            found.append(form)
    return found


@dataclass
class Node:
    """One node's ``cib`` and ``pengine`` directories, empty at first."""

    root: Path
    inputs: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cib = self.root / "cib"
        self.pengine = self.root / "pengine"
        self.cib.mkdir(parents=True)
        self.pengine.mkdir()

    def write(self, data: bytes, *, signed: bool = True) -> None:
        """Write a new ``cib.xml``; what it replaces goes into the next slot."""
        now, number = self.cib / "cib.xml", self.last
        if now.exists():
            for name in (f"cib-{number}.raw", f"cib-{number}.raw.sig"):
                (self.cib / name).unlink(missing_ok=True)
            now.rename(self.cib / f"cib-{number}.raw")
            signature = self.cib / "cib.xml.sig"
            if signature.exists():
                signature.rename(self.cib / f"cib-{number}.raw.sig")
            self.last = (number + 1) % 100
        root = generate.parse(data)
        for status in root.findall("status"):
            root.remove(status)
        now.write_bytes(generate.serialize(root))
        if signed:
            tree = parse(now.read_bytes(), "written").root
            (self.cib / "cib.xml.sig").write_text(on_disk(tree, Dialect.MID))

    @property
    def last(self) -> int:
        file = self.cib / "cib.last"
        return int(file.read_text()) if file.exists() else 0

    @last.setter
    def last(self, number: int) -> None:
        (self.cib / "cib.last").write_text(str(number))

    def schedule(self, data: bytes, kind: str = "pe-input", limit: int = 4000) -> None:
        """Keep a scheduler input."""
        number = self.inputs.get(kind, 0)
        (self.pengine / f"{kind}-{number}.bz2").write_bytes(bz2.compress(data))
        self.inputs[kind] = (number + 1) % limit
        (self.pengine / f"{kind}.last").write_text(str(self.inputs[kind]))
