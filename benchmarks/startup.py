"""Start-up, and the commands that work on files."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import generate

from .measure import Comparison, Cost, compare, cost

BIN = Path(sys.executable).parent
CIBGIT = str(BIN / "cibgit")


def run() -> Iterator[Comparison]:
    """Yield the comparisons of this subject."""
    yield compare(
        "--version / python -c pass",
        lambda: cost([CIBGIT, "--version"]),
        lambda: cost([sys.executable, "-c", "pass"]),
        runs=15,
        target=1.5,
    )
    yield compare(
        "--help / pcs --help",
        lambda: cost([CIBGIT, "--help"]),
        lambda: cost(["pcs", "--help"]),
        target=0.25,
    )
    with tempfile.TemporaryDirectory() as folder:
        for resources in (10, 100, 1000, 10000):
            yield from _files(Path(folder), resources)


def _files(folder: Path, resources: int) -> Iterator[Comparison]:
    file = folder / f"{resources}.xml"
    file.write_bytes(generate.cib(resources, seed=1))
    runs = 7 if resources < 10000 else 3

    def run(*argv: str) -> Cost:
        return cost(argv)

    yield compare(
        f"digest / cibadmin -5 -x, {resources} resources",
        lambda: run(CIBGIT, "digest", str(file)),
        lambda: run("cibadmin", "-5", "-x", str(file)),
        runs=runs,
        target=1.35 if resources == 10000 else None,
    )
    yield compare(
        f"fmt --check / xmllint --c14n, {resources} resources",
        lambda: run(CIBGIT, "fmt", "--check", str(file)),
        lambda: run("xmllint", "--c14n", str(file)),
        runs=runs,
    )
    with _exported(folder / str(resources), file) as place:
        yield compare(
            f"export, nothing new / cibadmin -Q, {resources} resources",
            lambda: run(CIBGIT, "export", "-C", place),
            lambda: run("env", f"CIB_file={file}", "cibadmin", "-Q"),
            runs=runs,
            target={1000: 1.1, 10000: 0.35}.get(resources),
        )


@contextmanager
def _exported(folder: Path, file: Path) -> Iterator[str]:
    """Make a repository that has exported a CIB; yield its path."""
    live = folder / "live"
    live.mkdir(parents=True)
    (live / "cib.xml").write_bytes(file.read_bytes())
    place = str(folder / "repository")
    for argv in (
        ("init", place, "--cluster", "main", "--at", f"dir:{live}"),
        ("export", "-C", place),
    ):
        subprocess.run([CIBGIT, *argv], check=True, stdout=subprocess.DEVNULL)
    yield place
