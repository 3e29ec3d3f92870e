"""The start that is foretold, against the start of a real CIB manager."""

import grp
import os
import pwd
import subprocess
from pathlib import Path

import pytest

from cibgit.cluster.inventory import Inventory
from cibgit.cluster.judgement import Daemon, Verdict
from cibgit.cluster.release import Release
from cibgit.cluster.startup import Outcome, Prediction, predict

from ..prerequisites import SYSTEM_PATH
from ..situations import EMPTY, INVALID, REFUSED, SITUATIONS, Result, Situation, build
from .manager import Start, start

WORDS = {
    Outcome.EMPTY: EMPTY,
    Outcome.INVALID: INVALID,
    Outcome.REFUSED: REFUSED,
}


def foretold(
    directory: Path, release: Release, owner: tuple[int, int], *, installed: bool
) -> Prediction:
    with Inventory.taken(directory) as files:
        return predict(files, release, Daemon(*owner), is_installed=installed)


def result(prediction: Prediction) -> Result:
    if prediction.outcome is Outcome.LOADED:
        assert prediction.used is not None
        assert prediction.used.version is not None
        return prediction.used.version.epoch
    return WORDS[prediction.outcome]


def seen(started: Start) -> Result:
    """Return how it really started."""
    if started.is_refused:
        assert started.query, "nothing is to be had from a CIB manager that refuses"
        return REFUSED
    if started.query:
        return INVALID
    if "Continuing with an empty configuration" in started.log:
        return EMPTY
    assert started.epoch is not None
    return started.epoch


def tried(prediction: Prediction) -> list[str]:
    """Return the files that are read until one is used."""
    names = []
    for judged in prediction.files:
        # a missing cib.xml is tried as well
        if judged.verdict in (Verdict.USED, Verdict.REJECTED, Verdict.MISSING):
            names.append(judged.name)
        if judged.verdict is Verdict.USED:
            break
    return names


def listing(directory: Path) -> list[tuple[str, int, int, int]]:
    return sorted(
        (path.name, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
        for path in directory.iterdir()
        for found in [path.lstat()]
    )


def compare(
    situation: Situation,
    place: Path,
    release: Release,
    owner: tuple[int, int],
    root: Path = Path("/"),
) -> None:
    """Foretell, start, compare: what is loaded, what is tried, whether it can write."""
    before = listing(place)
    prediction = foretold(place, release, owner, installed=root == Path("/"))
    assert listing(place) == before
    writes = release.number < (3, 0, 0)
    started = start(place, root, writes=writes)
    assert seen(started) == result(prediction), started.log
    assert seen(started) == situation.result(str(release)), started.log
    if prediction.outcome is Outcome.REFUSED:
        # since 3.0.2 it runs on, but answers nobody
        assert started.exit_code == prediction.exit_code
        return
    assert started.tried == tried(prediction), started.log
    if writes and prediction.outcome is not Outcome.INVALID:
        assert started.wrote == prediction.writes == situation.writes, started.log


@pytest.fixture(scope="module")
def owner() -> tuple[int, int]:
    return pwd.getpwnam("hacluster").pw_uid, grp.getgrnam("haclient").gr_gid


@pytest.fixture(scope="module")
def installed() -> Release:
    done = subprocess.run(
        ["cibadmin", "--version"],
        env={"PATH": SYSTEM_PATH},
        capture_output=True,
        text=True,
        check=True,
    )
    return Release.of(done.stdout.split()[1])


@pytest.fixture(scope="module")
def places(
    tmp_path_factory: pytest.TempPathFactory,
    installed: Release,
    owner: tuple[int, int],
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("situations")
    for path in (folder, *folder.parents[:2]):
        os.chmod(path, 0o755)  # noqa: PTH101
    return build(SITUATIONS, folder, installed, owner)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.name)
def test_the_start_is_as_foretold(
    situation: Situation,
    places: dict[str, Path],
    installed: Release,
    owner: tuple[int, int],
) -> None:
    compare(situation, places[situation.name], installed, owner)
