"""Start-up, and the commands that work on files."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests import generate

from .measure import Comparison, Cost, compare, cost

CIBGIT = str(Path(sys.executable).parent / "cibgit")


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
    old, new = folder / f"{resources}-a.xml", folder / f"{resources}-b.xml"
    data = generate.cib(resources, seed=1)
    old.write_bytes(data)
    new.write_bytes(generate.mutate(data, seed=1, count=max(1, resources // 100)))

    def run(*argv: str) -> Cost:
        return cost(argv)

    runs = 7 if resources < 10000 else 3
    yield compare(
        f"digest / cibadmin -5 -x, {resources} resources",
        lambda: run(CIBGIT, "digest", str(old)),
        lambda: run("cibadmin", "-5", "-x", str(old)),
        runs=runs,
    )
    yield compare(
        f"diff / crm_diff, {resources} resources, 1 % changed",
        lambda: run(CIBGIT, "diff", str(old), str(new)),
        lambda: run("crm_diff", "-o", str(old), "-n", str(new)),
        runs=runs,
    )
    if resources <= 1000:
        yield compare(
            f"diff / pcs -f FILE config, {resources} resources",
            lambda: run(CIBGIT, "diff", str(old), str(new)),
            lambda: run("pcs", "-f", str(old), "config"),
            runs=3,
        )
