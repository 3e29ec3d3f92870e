"""A hook is bounded, and ends with all that it started."""

import os
import time
from pathlib import Path

import pytest

from cibgit.cluster import hook
from cibgit.cluster.hook import call
from cibgit.errors import TimedOutError, UnreachableError


def script(folder: Path, text: str) -> list[str]:
    """Return a command that notes the process that it starts, and waits for ever."""
    file = folder / "hook"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return [str(file), str(folder / "pid")]


HANGS = 'sleep 600 & echo $! > "$1"; wait'


def is_gone(file: Path) -> bool:
    """Say whether the noted process ended, if only its parent has yet to hear of it."""
    state = Path(f"/proc/{file.read_text().strip()}/stat")
    for _ in range(200):
        if not state.exists() or state.read_text().split()[2] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_it_gets_its_input_and_environment(tmp_path: Path) -> None:
    argv = script(tmp_path, '(echo "$WHO"; cat) > "$1"')
    call(argv, {**os.environ, "WHO": "ops"}, b"drift")
    assert (tmp_path / "pid").read_text() == "ops\ndrift"


def test_one_that_takes_too_long_ends_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "SECONDS", 0.5)
    with pytest.raises(TimedOutError, match="was stopped after"):
        call(script(tmp_path, HANGS), os.environ, b"")
    assert is_gone(tmp_path / "pid")


def test_one_that_nobody_waits_for_ends_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "LAST_SECONDS", 0.1)
    pid = tmp_path / "pid"
    with pytest.raises(TimedOutError):
        call(script(tmp_path, HANGS), os.environ, b"", is_over=pid.exists)
    assert is_gone(pid)


def test_its_failure_is_told_and_input_that_it_does_not_read_is_none(
    tmp_path: Path,
) -> None:
    call(script(tmp_path, "exit 0"), os.environ, b"x" * 10**6)
    with pytest.raises(UnreachableError, match="failed: exit 3"):
        call(script(tmp_path, "exit 3"), os.environ, b"x" * 10**6)
    with pytest.raises(UnreachableError, match="cannot be started"):
        call([str(tmp_path / "none")], os.environ, b"")
