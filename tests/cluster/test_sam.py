"""Supervision by Corosync, where there is none; ``tests/live`` has the real one."""

import os

import pytest

from cibgit.cluster import sam
from cibgit.cluster.sam import supervised
from cibgit.errors import PermissionDeniedError, UnreachableError


def test_it_is_for_root_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PermissionDeniedError, match="only root"):
        supervised(1)


def test_without_the_library_it_says_which_package_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sam, "LIBRARY", "libno-such-thing.so.4")
    with pytest.raises(UnreachableError, match="is not installed"):
        supervised(1)
