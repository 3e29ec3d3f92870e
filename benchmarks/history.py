"""An import of backups and scheduler inputs, against a loop of git add and commit.

Run as a program it is the loop: ``python -m benchmarks.history FOLDER REPOSITORY``.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cibgit.cib.document import parse
from cibgit.flow.files import written
from tests import generate
from tests.flow.node import Node, stamped

from .measure import Comparison, Cost, compare, cost
from .startup import CIBGIT

BACKUPS = 100
INPUTS = 1000
FILE = "clusters/main/cib.xml"


def run() -> Iterator[Comparison]:
    """Yield the comparisons of this subject."""
    for resources, target in ((100, 0.30), (1000, 0.75)):
        with tempfile.TemporaryDirectory() as folder:
            node = _node(Path(folder) / "node", resources)
            place = _Place(Path(folder))
            yield compare(
                f"import of {BACKUPS} backups / git add, commit; {resources} resources",
                lambda place=place, node=node: place.imported(node.cib),
                lambda place=place, node=node: place.looped(node.cib),
                runs=3 if resources < 1000 else 1,
                target=target,
            )
            yield place.sizes(f"MiB of objects after that, {resources} resources")
    with tempfile.TemporaryDirectory() as folder:
        yield _growth(Path(folder))


def _growth(folder: Path) -> Comparison:
    """Compare an import of all scheduler inputs with one of a quarter of them."""
    whole = _node(folder / "whole", 100, inputs=INPUTS)
    part = _node(folder / "part", 100, inputs=INPUTS // 4)
    place = _Place(folder)
    return compare(
        f"import of {INPUTS} pe-input, 100 resources / of {INPUTS // 4}",
        lambda: place.imported(whole.pengine),
        lambda: place.imported(part.pengine),
        runs=3,
        target=4.4,
    )


class _Place:
    """Two repositories that are made anew for each run."""

    def __init__(self, folder: Path) -> None:
        self._ours, self._theirs = folder / "ours", folder / "theirs"

    def imported(self, source: Path) -> Cost:
        self._new(self._ours)
        return cost([CIBGIT, "import", str(source), "-C", str(self._ours)])

    def looped(self, source: Path) -> Cost:
        self._new(self._theirs)
        return cost([sys.executable, "-m", __name__, str(source), str(self._theirs)])

    def sizes(self, name: str) -> Comparison:
        ours, theirs = (
            _mebibytes(each / ".git/objects") for each in (self._ours, self._theirs)
        )
        ratio = ours.wall / theirs.wall
        return Comparison(name, ours, theirs, ratio, ratio, 0.10)

    def _new(self, root: Path) -> None:
        shutil.rmtree(root, ignore_errors=True)
        subprocess.run([CIBGIT, "init", str(root)], check=True, capture_output=True)


def _node(folder: Path, resources: int, inputs: int = 0) -> Node:
    node = Node(folder)
    data = generate.cib(resources, seed=1, status=bool(inputs))
    for number in range(BACKUPS):
        state = stamped(data, number)
        if not inputs:
            node.write(state)
        for place in range(inputs // BACKUPS):
            node.schedule(
                state.replace(b'num_updates="0"', b'num_updates="%d"' % place)
            )
        data = generate.mutate(data, seed=number, kinds=("attribute",))
    return node


def _mebibytes(folder: Path) -> Cost:
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Cost(size / 2**20, size / 2**20)


def _loop(source: Path, root: Path) -> None:
    """Do with git's own commands what an import does."""
    file = root / FILE
    file.parent.mkdir(parents=True)
    slots = sorted(source.glob("cib-*.raw"), key=lambda each: int(each.stem[4:]))
    for backup in [*slots, source / "cib.xml"]:
        file.write_bytes(written(parse(backup.read_bytes(), backup.name)))
        subprocess.run(["git", "add", FILE], cwd=root, check=True)
        commit = ["git", "commit", "--quiet", "-m", backup.name]
        subprocess.run(commit, cwd=root, check=True)


if __name__ == "__main__":
    _loop(Path(sys.argv[1]), Path(sys.argv[2]))
