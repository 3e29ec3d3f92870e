"""Watches for tests: one in a process of its own, and one that is led look by look."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cibgit.cluster.events import Events
from cibgit.errors import CibgitError
from cibgit.flow.answer import Answered
from cibgit.flow.drift import Drift
from cibgit.flow.notify import Channel
from cibgit.flow.tally import Event, Tally, Trouble
from cibgit.flow.watch import Watch

from .embedded import Embedded

LIVE = "refs/cibgit/prod/live"


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def versions(embedded: Embedded) -> list[str]:
    """Return the versions of the chain, oldest first."""
    form = "--format=%(trailers:key=CIB-Version,valueonly,separator=)"
    found = embedded.git("log", "--reverse", form, LIVE, "--", "clusters").split()
    return [each.strip() for each in found]


class Agent:
    """A watch in a process of its own."""

    def __init__(self, embedded: Embedded, *options: str) -> None:
        argv = [sys.executable, "-m", "cibgit", "watch", "--json", *options]
        self.process = subprocess.Popen(
            [*argv, "-C", str(embedded.root)], stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "Agent":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> list[dict[str, object]]:
        """Stop it as systemd does, and return what it told."""
        self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=30)
        assert self.process.returncode == 0
        return [json.loads(line) for line in out.splitlines()]


def is_ready(file: Path) -> Callable[[], bool]:
    return lambda: file.exists() and "in_sync" in file.read_text()


class Bench:
    """A watch in this process, one look at a time."""

    def __init__(self, embedded: Embedded) -> None:
        self.told: list[Event] = []
        self.hooked: list[Drift | Answered] = []
        self.failing = False
        self.events = Events(embedded.node)
        self.agent = Watch(
            embedded.site(),
            self.events,
            self.told.append,
            [Channel("hook", self.hook)],
            60,
            self.after,
        )
        self.rounds = 0
        self.between: Callable[[int], None] = lambda _: None

    def hook(self, found: Drift | Answered) -> None:
        if self.failing:
            raise CibgitError("the hook failed")
        self.hooked.append(found)

    def after(self, tally: Tally) -> None:
        self.rounds += 1
        self.between(self.rounds)

    def run(self, between: Callable[[int], None]) -> None:
        """Run; ``between`` is called after each look and may do what comes next."""
        self.between = between
        with self.events:
            self.agent.run()

    def of(self, kind: type) -> list[Event]:
        return [each for each in self.told if isinstance(each, kind)]

    def troubles(self) -> list[Trouble]:
        return [each for each in self.told if isinstance(each, Trouble)]
