"""A patchset of two files, taken by the real ``cibadmin --patch``."""

import os
import subprocess
from pathlib import Path

import pytest

from cibgit.cib import patchset
from cibgit.cib.canonical import canonical, compact
from cibgit.cib.digest import dialect_of
from cibgit.cib.document import Cib, Version, parse
from cibgit.cluster.commands import installed_version
from cibgit.compare.unchanged import same
from cibgit.flow.patch import patch

from .. import generate
from ..render.recipes import CASES, Case, base, edited

EXIT_STALE = 103


def made(old: Cib, new: Cib) -> bytes:
    found = patch(old, new, dialect_of(installed_version(os.environ)))
    assert found is not None
    return found.to_bytes()


def take(file: Path, data: bytes) -> int:
    command = ["cibadmin", "--patch", "-p"]
    environment = {**os.environ, "CIB_file": str(file)}
    return subprocess.run(
        command, input=data, env=environment, capture_output=True, check=False
    ).returncode


@pytest.mark.pacemaker
@pytest.mark.parametrize("case", CASES[::4], ids=lambda case: case.name)
def test_cibadmin_makes_the_new_cib_of_the_old_one_once(
    case: Case, tmp_path: Path
) -> None:
    old, new, file = base(), edited(case.edit), tmp_path / "cib.xml"
    file.write_bytes(compact(old))
    data = made(old, new)
    assert take(file, data) == 0
    assert same(parse(file.read_bytes(), "result"), new)
    assert take(file, data) == EXIT_STALE


@pytest.mark.pacemaker
def test_a_file_from_git_has_version_zero_and_fits_itself_only(tmp_path: Path) -> None:
    old, new = canonical(base()), canonical(edited(CASES[0].edit))
    data = made(old, new)
    assert patchset.parse(data).source == Version(0, 0, 0)
    file = tmp_path / "cib.xml"
    file.write_bytes(compact(base()))
    assert take(file, data) == EXIT_STALE
    file.write_bytes(compact(old))
    assert take(file, data) == 0


def test_what_the_cluster_owns_stays_as_it_is_in_the_old_one() -> None:
    live = parse(generate.cib(8, 3, owned=True, status=True), "live")
    wanted = parse(generate.mutate(compact(canonical(live)), 5), "file")
    result = patchset.apply(patchset.parse(made(live, wanted)), live)
    assert result.option("dc-version") == live.option("dc-version") != ""
    assert dict(result.root.attrib) == dict(live.root.attrib)
    assert same(result, wanted)


def test_equal_meaning_needs_no_patch() -> None:
    data = generate.cib(8, 3)
    old, new = parse(data, "old"), parse(generate.shuffle(data, 1), "new")
    assert patch(old, new, dialect_of("2.1.5")) is None
