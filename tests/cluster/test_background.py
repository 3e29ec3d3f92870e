"""What outlives a session.

No systemd runs where tests do, so a program of its name stands in: it shows what it would
be told. The detached process is real.
"""

import os
import sys
import time
from pathlib import Path

import pytest

from cibgit.cluster import background
from cibgit.errors import UnreachableError

SCRIPT = (
    "import os, sys; open(sys.argv[1], 'w').write(' '.join(map(str, "
    "(os.getsid(0) == os.getpgid(0), os.getcwd(), os.umask(0), "
    "os.readlink('/proc/self/fd/0'), len(os.listdir('/proc/self/fd'))))))"
)


def content_of(file: Path) -> str:
    deadline = time.monotonic() + 30
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return file.read_text()


def test_a_detached_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "SYSTEMD", tmp_path / "no systemd")
    out = tmp_path / "out"
    argv = [sys.executable, "-c", SCRIPT, str(out)]
    background.start(argv, os.environ, "cibgit-timer-x", 0)
    # a session of its own, in /, private, reading nothing; open are the standard three,
    # and what it opens itself: the file and the folder of descriptors
    assert content_of(out) == f"True / {0o077} /dev/null 5"


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make it look as if systemd ran; return where its stand-in writes its arguments."""
    for name in ("bin", "run", "units"):
        (tmp_path / name).mkdir()
    told = tmp_path / "told"
    program = tmp_path / "bin/systemd-run"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {told}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setattr(background, "SYSTEMD", tmp_path / "run")
    monkeypatch.setattr(background, "UNIT", tmp_path / "units/cibgit-timer.service")
    return told


def test_a_service_of_systemd(systemd: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PCMK_ipc_buffer": "7", "SECRET": "x"}
    background.start(["cibgit", "timer", "a b"], environment, "cibgit-timer-x", 0)
    words = systemd.read_text().splitlines()
    assert words[words.index("--") + 1 :] == ["cibgit", "timer", "a b"]
    assert "--unit=cibgit-timer-x" in words
    assert "--setenv=PCMK_ipc_buffer=7" in words
    assert "SECRET" not in systemd.read_text()


def test_others_than_root_have_no_service(systemd: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    background.start(["sh", "-c", f"echo x > {out}"], os.environ, "unit", 1000)
    assert content_of(out) == "x\n"
    assert not systemd.exists()
    assert "root" in background.survive_reboot(["cibgit"], 1000)
    assert not background.UNIT.exists()


def test_the_unit_for_the_next_boot(systemd: Path) -> None:
    argv = ["/opt/a b/python", "-m", "cibgit", "timer", "--state", '/x"$y%z']
    for _ in range(2):
        assert background.survive_reboot(argv, 0) == ""
    unit = background.UNIT.read_text()
    assert 'ExecStart="/opt/a b/python" "-m" "cibgit" "timer"' in unit
    assert r'"/x\"$$y%%z"' in unit
    link = background.UNIT.parent / "multi-user.target.wants/cibgit-timer.service"
    assert link.resolve() == background.UNIT.resolve()


def test_no_systemd_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "SYSTEMD", tmp_path / "no systemd")
    assert "let the boot run cibgit timer" in background.survive_reboot(
        ["cibgit", "timer"], 0
    )


def test_a_starter_that_fails(systemd: Path, tmp_path: Path) -> None:
    (tmp_path / "bin/systemd-run").write_text("#!/bin/sh\necho no bus >&2\nexit 1\n")
    with pytest.raises(UnreachableError, match="no bus"):
        background.start(["x"], os.environ, "unit", 0)
