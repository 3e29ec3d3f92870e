"""The lock between nodes, with an attribute manager that is made up.

Two real pushes meet in tests/live/; here are the moments that cannot be arranged there.
"""

import os
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from cibgit.cluster import commands, pushlock
from cibgit.cluster.pushlock import held
from cibgit.errors import BusyError, UnreachableError


@pytest.fixture(autouse=True)
def own_socket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A socket that no other test, and no cibgit of this machine, has."""
    monkeypatch.setattr(pushlock, "SOCKET", f"\0cibgit-test-{os.getpid()}".encode())
    yield


class Attributes:
    """An attribute manager; ``before`` is called before each answer."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.before: Callable[[], None] = lambda: None

    def at(self, node: str) -> Callable[..., commands.Result]:
        def run(*argv: str, timeout: float) -> commands.Result:
            self.before()
            if "--update" in argv:
                self.values[node] = argv[-1]
            elif "--delete" in argv:
                self.values[node] = ""
            lines = (
                f'name="cibgit-push" host="{host}" value="{value}"'
                for host, value in self.values.items()
            )
            return commands.Result(0, "\n".join(lines).encode(), b"")

        return run

    def claim(self, node: str, age: float = 0, silent: float = 0) -> None:
        now = time.time()
        self.values[node] = f"{int(now - age)} {int(now - silent)} bob"


def test_a_free_lock_is_taken_and_given_back() -> None:
    attributes = Attributes()
    with held(attributes.at("n1"), "n1", 'al"ice\n'):
        assert attributes.values["n1"].endswith(" al ice")
    assert attributes.values["n1"] == ""


def test_who_has_it_is_said() -> None:
    attributes = Attributes()
    attributes.claim("n2", age=60)
    with (
        pytest.raises(BusyError, match=r"bob on n2 since \d{4}-"),
        held(attributes.at("n1"), "n1", "alice"),
    ):
        pytest.fail("two hold it")
    assert "n1" not in attributes.values


def test_who_was_silent_is_dead() -> None:
    attributes = Attributes()
    attributes.claim("n2", age=60, silent=pushlock.STALE_SECONDS + 1)
    with held(attributes.at("n1"), "n1", "alice"):
        pass


def test_on_one_node_the_living_count() -> None:
    """A claim of this node without a process is what a kill -9 left behind."""
    attributes = Attributes()
    attributes.claim("n1", age=60)
    with held(attributes.at("n1"), "n1", "alice"):
        with (
            pytest.raises(BusyError, match="alice on n1 since"),
            held(attributes.at("n1"), "n1", "carol"),
        ):
            pytest.fail("two hold it")
        assert attributes.values["n1"].endswith(" alice")


def test_two_claims_at_once_are_both_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attributes = Attributes()
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        attributes.values.pop("n2", None)  # the other one withdrew too

    monkeypatch.setattr(pushlock.time, "sleep", sleep)
    asked = count()

    def claim_second() -> None:
        if next(asked) == 1:
            attributes.claim("n2")

    attributes.before = claim_second
    with held(attributes.at("n1"), "n1", "alice"):
        assert slept
        assert attributes.values["n1"]


def test_without_an_attribute_manager_there_is_no_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(*argv: str, timeout: float) -> commands.Result:
        raise UnreachableError("attrd_updater is not installed on this machine")

    monkeypatch.setattr(pushlock, "VISIBLE_SECONDS", 0.05)
    with held(run, "n1", "alice"):
        pass
