"""The commands that look after the files of a CIB manager, as users type them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from cibgit.cli.app import run
from cibgit.cluster.release import Release
from tests.situations import cib

Output = pytest.CaptureFixture[str]
VERSION = "2.1.5"


def sign(data: bytes, version: str = VERSION) -> str:
    return Release.of(version).signer.digest(data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with a good pair and two good backups."""
    folder = tmp_path / "cib"
    folder.mkdir()
    for name, data in (
        ("cib-0.raw", cib(1)),
        ("cib-1.raw", cib(2)),
        ("cib.xml", cib(9)),
    ):
        (folder / name).write_bytes(data)
        (folder / f"{name}.sig").write_text(sign(data))
    return folder


def cibgit(folder: Path, capsys: Output, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    command, *rest = arguments
    code = run([command, str(folder), *rest, "--as-version", VERSION])
    said = capsys.readouterr()
    return code, said.out, said.err


def answer(folder: Path, capsys: Output, *arguments: str) -> tuple[int, Any]:
    code, out, _ = cibgit(folder, capsys, *arguments, "--json")
    return code, json.loads(out)


def edit(folder: Path) -> None:
    (folder / "cib.xml").write_bytes(cib(9, value="2"))


def test_a_healthy_directory(folder: Path, capsys: Output) -> None:
    code, out, _ = cibgit(folder, capsys, "doctor")
    assert code == 0
    assert "The node would start with cib.xml (0.9.0)." in out
    assert out.endswith("Healthy.\n")
    code, out, _ = cibgit(folder, capsys, "repair")
    assert (code, out) == (0, f"There is nothing to repair in {folder}.\n")


def test_the_story(folder: Path, capsys: Output) -> None:
    edit(folder)
    code, found = answer(folder, capsys, "doctor")
    assert code == 1
    assert (found["outcome"], found["healthy"]) == ("loaded", False)
    code, out, _ = cibgit(folder, capsys, "repair", "--dry-run")
    assert code == 0
    assert "--use cib.xml  take it as it is (0.9.0)" in out
    assert answer(folder, capsys, "doctor")[1]["findings"] == found["findings"]
    # nobody is there to be asked
    code, _, err = cibgit(folder, capsys, "repair")
    assert code == 64
    assert "Use --yes" in err
    code, done = answer(folder, capsys, "repair", "--use", "cib.xml", "--yes")
    assert (code, done["kind"], done["done"]) == (0, "sign", True)
    assert (folder / "cib.xml.sig").read_text() == sign(cib(9, value="2"))


def test_copies_go_where_the_user_says(folder: Path, capsys: Output) -> None:
    edit(folder)
    kept = folder.parent / "kept"
    code, out, _ = cibgit(folder, capsys, "repair", "--keep", str(kept), "--yes")
    assert code == 0
    assert str(kept) in out
    assert (kept / "cib.xml").read_bytes() == cib(9, value="2")
    assert (folder / "cib.xml").read_bytes() == cib(2)


def test_any_file_can_be_chosen(folder: Path, capsys: Output) -> None:
    other = folder.parent / "other.xml"
    other.write_bytes(cib(42))
    code, done = answer(folder, capsys, "repair", "--use", str(other), "--yes")
    assert (code, done["kind"]) == (0, "put")
    assert (folder / "cib.xml").read_bytes() == cib(42)


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", 65), (b"<cib", 65), (b"<bic/>", 65), (cib(1, schema="pacemaker-99.0"), 65)],
)
def test_a_bad_choice_is_refused(
    data: bytes, code: int, folder: Path, capsys: Output
) -> None:
    other = folder.parent / "other.xml"
    other.write_bytes(data)
    found, _, err = cibgit(folder, capsys, "repair", "--use", str(other), "--yes")
    assert found == code
    assert "other.xml" in err
    assert (folder / "cib.xml").read_bytes() == cib(9)


@pytest.mark.parametrize("use", ["gone.xml", "cib-7.raw", "/dev/null", "/"])
def test_a_choice_that_is_no_file(use: str, folder: Path, capsys: Output) -> None:
    assert cibgit(folder, capsys, "repair", "--use", use, "--yes")[0] == 66


@pytest.mark.parametrize("command", ["doctor", "repair"])
def test_what_is_not_there(command: str, tmp_path: Path, capsys: Output) -> None:
    assert cibgit(tmp_path / "gone", capsys, command)[0] == 66
    (tmp_path / "file").write_text("x")
    assert cibgit(tmp_path / "file", capsys, command)[0] == 66
    assert run([command, str(tmp_path), "--as-version", "two"]) == 64
    assert run([command, str(tmp_path), "--cluster", "prod"]) == 64


def test_the_files_of_a_cluster(folder: Path, capsys: Output) -> None:
    """Its release is the one that cibgit.toml names."""
    root = folder.parent
    (root / "cibgit.toml").write_text(
        '[clusters.prod]\nat = "dir:cib"\npacemaker = "3.0.2"\n'
    )
    capsys.readouterr()
    assert run(["doctor", "--cluster", "prod", "-C", str(root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["release"], found["directory"]) == ("3.0.2", str(folder))


def test_verify_says_who_signed(folder: Path, capsys: Output) -> None:
    file = folder / "cib.xml"
    assert run(["digest", "--verify", str(file)]) == 0
    assert "v1 (2.1.8 and later)" in capsys.readouterr().out
    data = cib(9, value="it's")
    file.write_bytes(data)
    (folder / "cib.xml.sig").write_text(sign(data))
    assert run(["digest", "--verify", str(file)]) == 0
    assert run(["digest", "--verify", str(file), "--as-version", "2.1.5"]) == 0
    capsys.readouterr()
    assert (
        run(["digest", "--verify", str(file), "--as-version", "2.1.9", "--json"]) == 1
    )
    found = json.loads(capsys.readouterr().out)
    assert found["accepted"] is False
    assert found["signed_by"][0]["releases"] == "2.1.3 to 2.1.7"
    assert run(["digest", "--verify", str(file), "--era", "heartbeat"]) == 1
    assert "only" in capsys.readouterr().out
    (folder / "cib.xml.sig").unlink()
    assert run(["digest", "--verify", str(file)]) == 1
    assert "there is no signature" in capsys.readouterr().out


def test_the_digest_of_an_era_alone(folder: Path, capsys: Output) -> None:
    file = folder / "cib.xml"
    for era in ("heartbeat", "v1-libxml", "v1"):
        assert run(["digest", "--era", era, str(file)]) == 0
        assert len(capsys.readouterr().out) == 33
    assert run(["digest", "--era", "v1", "--as-version", "1.0.9", str(file)]) == 64
    assert run(["digest", "--era", "v1"]) == 64
    assert run(["digest", "--era", "v2", str(file)]) == 64


def test_compact_is_what_is_hashed(folder: Path, capfdbinary: Any) -> None:
    file = folder / "cib.xml"
    before = file.stat().st_mtime_ns
    assert run(["fmt", "--compact", str(file)]) == 0
    out = capfdbinary.readouterr().out
    assert hashlib.md5(b" " + out).hexdigest() == sign(cib(9), "3.0.2")
    assert file.stat().st_mtime_ns == before
    assert run(["fmt", "--compact"]) == 64
    assert run(["fmt", "--compact", str(file), str(file)]) == 64
    assert run(["fmt", "--compact", "--check", str(file)]) == 64
    assert run(["fmt", "--compact", str(folder / "gone")]) == 66
