"""The same situations against the daemons of other releases: ``make releases``.

Not part of ``make test``: it needs roots of other Debian releases, which
``.ci/releases`` lays down.
"""

import os
import subprocess
from pathlib import Path

import pytest

from cibgit.cluster.release import Release

from ..situations import SITUATIONS, Situation, build
from .test_start import compare

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
CACHE /= "cibgit/releases"
ROOTS = sorted(path.parent for path in CACHE.glob("*/.complete"))

Place = tuple[Path, dict[str, Path], Release, tuple[int, int]]


@pytest.fixture(scope="module", params=ROOTS, ids=lambda root: root.name)
def release(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Place:
    root: Path = request.param
    version = inside(root, "pacemakerd", "--version").split()[1]
    ids = inside(root, "sh", "-c", "id -u hacluster; getent group haclient").split()
    owner = int(ids[0]), int(ids[1].split(":")[2])
    folder = tmp_path_factory.mktemp(root.name)
    release = Release.of(version)
    return root, build(SITUATIONS, folder, release, owner), release, owner


def inside(root: Path, *argv: str) -> str:
    return subprocess.run(
        ["chroot", root, *argv], capture_output=True, text=True, check=True
    ).stdout


def test_there_are_other_releases() -> None:
    assert ROOTS, f"there is no root in {CACHE}: run .ci/releases"


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.name)
def test_the_start_is_as_foretold(situation: Situation, release: Place) -> None:
    root, places, version, owner = release
    compare(situation, places[situation.name], version, owner, root)
