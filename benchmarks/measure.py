"""Run two commands in turn and compare what they cost."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Prepare = Callable[[], object]


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds of one run of a whole process, children included.

    ``memory`` is the largest resident size of the process itself, in MiB; 0 where it was
    not looked at.
    """

    wall: float
    cpu: float
    memory: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """Medians of ours and theirs, and the median of the ratios pair by pair."""

    name: str
    ours: Cost
    theirs: Cost
    wall_ratio: float
    cpu_ratio: float
    target: float | None
    memory_target: float | None = None

    def line(self) -> str:
        """Return the comparison as one line under :data:`HEADER`."""
        return (
            f"{self.name:<58} {self.ours.cpu:7.3f} {self.theirs.cpu:7.3f}"
            f" {self.cpu_ratio:6.3f}   {self.ours.wall:7.3f} {self.theirs.wall:7.3f}"
            f" {self.wall_ratio:6.2f}   {self.ours.memory:4.0f} {self.theirs.memory:5.0f}"
            f"   {self._verdict('CPU', self.cpu_ratio, self.target)}"
            f"{self._verdict('memory', self.memory_ratio, self.memory_target)}"
        ).rstrip()

    def _verdict(self, what: str, ratio: float, target: float | None) -> str:
        if target is None:
            return ""
        return f"{what} target {target}: {'met' if ratio <= target else 'MISSED'}  "

    @property
    def memory_ratio(self) -> float:
        """What ours takes of theirs at its peak."""
        return self.ours.memory / max(self.theirs.memory, 1.0)


HEADER = (
    f"{'':<58} CPU s: ours theirs ratio   wall s: ours theirs ratio   MiB: ours theirs"
)


def cost(argv: Sequence[str], environment: dict[str, str] | None = None) -> Cost:
    """Run a command once; its exit code is the caller's business.

    Python may keep its bytecode: whoever installs a package has it compiled.
    """
    chosen = dict(os.environ if environment is None else environment)
    chosen.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.monotonic()
    process = subprocess.Popen(
        argv, env=chosen, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def compare(
    name: str,
    ours: Callable[[], Cost],
    theirs: Callable[[], Cost],
    *,
    runs: int = 7,
    target: float | None = None,
    memory_target: float | None = None,
    warm: bool = True,
) -> Comparison:
    """Run both in turn, A B A B, after one run of each to ``warm`` up."""
    if warm:
        ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(runs)]
    return Comparison(
        name,
        _median([a for a, _ in pairs]),
        _median([b for _, b in pairs]),
        statistics.median(a.wall / b.wall for a, b in pairs),
        statistics.median(a.cpu / max(b.cpu, 1e-3) for a, b in pairs),
        target,
        memory_target,
    )


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.memory for cost in costs),
    )
