"""Corosync's process groups, where there are none; ``tests/live`` has real ones."""

import pytest

from cibgit.cluster import cpg
from cibgit.cluster.cpg import GoneError, Group
from cibgit.errors import UnreachableError


def test_without_the_library_it_says_which_package_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("libno-such-thing.so.4", "libc.so.6"):
        monkeypatch.setattr(cpg, "LIBRARY", name)
        with pytest.raises(UnreachableError, match="is not installed") as caught:
            Group("g")
        assert not isinstance(caught.value, GoneError)


@pytest.mark.pacemaker
def test_without_corosync_it_can_be_tried_again() -> None:
    with pytest.raises(GoneError, match="Corosync does not run here"):
        Group("g")
