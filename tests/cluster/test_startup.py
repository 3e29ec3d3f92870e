"""The foretold start against the table of situations, for releases of every kind."""

import os
import pwd
import socket
from pathlib import Path

import pytest

from cibgit.cib.schema import is_installed
from cibgit.cluster.inventory import Inventory, Kind
from cibgit.cluster.judgement import Daemon, Verdict, judge
from cibgit.cluster.release import Release
from cibgit.cluster.startup import Outcome, predict
from cibgit.errors import UsageError
from tests.situations import (
    EMPTY,
    INVALID,
    NEW,
    OLD,
    REFUSED,
    SINGLE,
    SITUATIONS,
    Situation,
    build,
    cib,
)

WORDS = {Outcome.EMPTY: EMPTY, Outcome.INVALID: INVALID, Outcome.REFUSED: REFUSED}
VERSIONS = ("2.0.5", OLD, "2.1.9", SINGLE, "3.0.1", NEW, "3.0.3")
IS_ROOT = os.geteuid() == 0
HAS_SCHEMAS = is_installed("pacemaker-3.0")
"""Without them nobody can tell what is invalid."""
KNOWN = [
    each
    for each in SITUATIONS
    if (IS_ROOT or not each.needs_root) and (HAS_SCHEMAS or each.expected != INVALID)
]


@pytest.fixture(scope="module")
def owner() -> tuple[int, int]:
    if not IS_ROOT:
        return os.getuid(), os.getgid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


@pytest.fixture(scope="module")
def places(
    tmp_path_factory: pytest.TempPathFactory, owner: tuple[int, int]
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("situations")
    return build(KNOWN, folder, Release.of("2.1.5"), owner if IS_ROOT else None)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("situation", KNOWN, ids=lambda each: each.name)
def test_the_table(
    situation: Situation, version: str, places: dict[str, Path], owner: tuple[int, int]
) -> None:
    with Inventory.taken(places[situation.name]) as files:
        found = predict(files, Release.of(version), Daemon(*owner), is_installed=False)
    result = WORDS.get(found.outcome)
    if result is None:
        assert found.used is not None
        assert found.used.version is not None
        result = found.used.version.epoch
    # of the releases before 3.0, only those from 2.1.8 on escape as 3.0 does
    like = SINGLE if version == "2.1.9" and "apostrophe" in situation.name else version
    assert result == situation.result(like)


@pytest.mark.parametrize("version", ["3.0.1", "3.0.2"])
def test_within_a_second_the_order_is_that_of_the_directory(
    version: str, tmp_path: Path
) -> None:
    for number in range(3):
        (tmp_path / f"cib-{number}.raw").write_bytes(cib(number))
    listed = [name.name for name in os.scandir(tmp_path)]
    with Inventory.taken(tmp_path) as files:
        changed = {entry.changed for entry in files.entries.values()}
        found = predict(files, Release.of(version), None, is_installed=False)
    if len(changed) > 1:
        pytest.skip("the second changed while the files were written")
    expected = listed[::-1] if version == "3.0.1" else listed
    assert [judged.name for judged in found.files[1:]] == expected


def test_a_heartbeat_directory_has_one_backup(tmp_path: Path) -> None:
    release = Release.of("0.6.0")
    good = b'<cib epoch="1"><configuration/></cib>\n'
    (tmp_path / "cib.xml").write_bytes(good.replace(b"1", b"2"))
    (tmp_path / "cib.xml.sig").write_text("0" * 32)
    (tmp_path / "cib.xml.last").write_bytes(good)
    (tmp_path / "cib.xml.sig.last").write_text(release.signer.digest(good))
    (tmp_path / "cib-0.raw").write_bytes(good)
    with Inventory.taken(tmp_path) as files:
        found = predict(files, release, None, is_installed=False)
    assert [each.name for each in found.files] == ["cib.xml", "cib.xml.last"]
    assert found.files[1].verdict is Verdict.USED


def test_a_link_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(cib(1))
    folder = tmp_path / "cib"
    folder.mkdir()
    (folder / "cib.xml").symlink_to(outside)
    with Inventory.taken(folder) as files:
        found = judge(files, "cib.xml", Release.of("2.1.5"))
        start = predict(files, Release.of("2.1.5"), None, is_installed=False)
    assert found.verdict is Verdict.UNKNOWN
    assert found.root is None
    assert start.outcome is Outcome.UNKNOWN


def test_a_socket_counts_up_to_3_0_1(tmp_path: Path) -> None:
    """It takes the place of the oldest, which is never tried."""
    (tmp_path / "cib-0.raw").write_bytes(cib(1))
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "cib-x"))
    with Inventory.taken(tmp_path) as files:
        assert files.entries["cib-x"].kind is Kind.SOCKET
        for version, count in (("3.0.1", 2), ("3.0.2", 1)):
            found = predict(files, Release.of(version), None, is_installed=False)
            assert len(found.files) == count + 1


@pytest.mark.parametrize(
    ("version", "name", "known"),
    [
        ("2.1.5", "pacemaker-3.9", True),
        ("2.1.5", "pacemaker-3.10", False),
        ("2.1.8", "pacemaker-3.10", True),
        ("3.0.0", "pacemaker-4.0", True),
        ("2.1.9", "pacemaker-4.0", False),
        ("2.0.4", "pacemaker-3.3", True),
        ("1.1.24", "pacemaker-2.10", True),
        ("1.1.24", "pacemaker-3.0", False),
        ("2.1.5", "pacemaker-next", True),
        ("3.0.0", "pacemaker-next", False),
        ("2.1.5", "none", True),
        ("2.1.5", "../pacemaker-3.0", False),
    ],
)
def test_which_release_knows_which_schema(version: str, name: str, known: bool) -> None:
    assert Release.of(version).knows_schema(name) is known


@pytest.mark.parametrize("wrong", ["", "2", "two", "2.1.5; rm", "-1.2", "2.1.5 "])
def test_what_is_no_release(wrong: str) -> None:
    with pytest.raises(UsageError):
        Release.of(wrong)


def test_names_of_a_release() -> None:
    assert str(Release.of("2.1.5-a3f44794f94")) == "2.1.5"
    assert str(Release.of("3.0")) == "3.0.0"
