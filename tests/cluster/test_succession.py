"""The states of a CIB directory in a row, while somebody writes there."""

import threading
import time
from pathlib import Path

import pytest

from cibgit.cib.document import Cib
from cibgit.cluster import succession
from cibgit.cluster.release import Release
from cibgit.cluster.succession import Succession
from cibgit.policy.finding import Finding

from ..situations import cib


def sign(data: bytes) -> str:
    return Release.of("2.1.5").signer.digest(data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory that has had three states."""
    for number in range(2):
        (tmp_path / f"cib-{number}.raw").write_bytes(cib(number + 1))
    (tmp_path / "cib.xml").write_bytes(cib(3))
    (tmp_path / "cib.last").write_text("2")
    return tmp_path


def epochs(folder: Path, mark: int | None) -> list[tuple[int, int | None]]:
    """Return the epochs that came after a mark, with the mark of each."""
    found = []
    for glimpse in Succession(folder).since(mark):
        assert isinstance(glimpse.found, Cib)
        found.append((glimpse.found.version.epoch, glimpse.mark))
    return found


def test_what_came_after_a_mark(folder: Path) -> None:
    assert epochs(folder, None) == [(1, 1), (2, 2), (3, 2)]
    assert epochs(folder, 1) == [(2, 2), (3, 2)]
    assert epochs(folder, 2) == [(3, 2)]


def test_a_number_that_is_being_written_is_waited_for(folder: Path) -> None:
    (folder / "cib.last").write_text("")

    def write() -> None:
        time.sleep(0.05)
        (folder / "cib.last").write_text("2")

    writer = threading.Thread(target=write)
    writer.start()
    assert epochs(folder, None) == [(1, 1), (2, 2), (3, 2)]
    writer.join()


def test_a_number_that_never_comes_is_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(succession, "WRITING", 0.05)
    (folder / "cib.last").write_text("")
    assert Succession(folder).number() is None
    assert epochs(folder, 1) == [(3, None)]
    (folder / "cib.last").unlink()
    assert Succession(folder).number() is None


def test_a_file_whose_signature_is_yet_to_come_is_waited_for(folder: Path) -> None:
    right = sign(cib(3))
    (folder / "cib.xml.sig").write_text(sign(cib(2)))

    def rename() -> None:
        time.sleep(0.05)
        (folder / "new").write_text(right)
        (folder / "new").rename(folder / "cib.xml.sig")

    writer = threading.Thread(target=rename)
    writer.start()
    assert epochs(folder, 2) == [(3, 2)]
    writer.join()


def test_a_file_that_was_edited_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(succession, "RENAMING", 0.05)
    (folder / "cib.xml.sig").write_text(sign(cib(2)))
    [glimpse] = Succession(folder).since(2)
    assert isinstance(glimpse.found, Finding)
    assert "does not match its signature" in glimpse.found.sentence
