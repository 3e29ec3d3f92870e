"""Run two commands in turn and compare what they cost."""

import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Prepare = Callable[[], object]


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds of one run of a whole process, children included."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Comparison:
    """Medians of ours and theirs, and the median of the ratios pair by pair."""

    name: str
    ours: Cost
    theirs: Cost
    wall_ratio: float
    cpu_ratio: float
    target: float | None

    def line(self) -> str:
        """Return the comparison as one line under :data:`HEADER`."""
        verdict = ""
        if self.target is not None:
            verdict = f"target {self.target}: {'met' if self.met else 'MISSED'}"
        return (
            f"{self.name:<58} {self.ours.cpu:7.3f} {self.theirs.cpu:7.3f}"
            f" {self.cpu_ratio:6.2f}   {self.ours.wall:7.3f} {self.theirs.wall:7.3f}"
            f" {self.wall_ratio:6.2f}   {verdict}"
        )

    @property
    def met(self) -> bool:
        """Whether the CPU ratio is within the target, if there is one."""
        return self.target is None or self.cpu_ratio <= self.target


HEADER = f"{'':<58} CPU s: ours theirs ratio   wall s: ours theirs ratio"


def cost(argv: Sequence[str], environment: dict[str, str] | None = None) -> Cost:
    """Run a command once; its exit code is the caller's business."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        argv, env=environment, check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.monotonic() - started, cpu)


def compare(
    name: str,
    ours: Callable[[], Cost],
    theirs: Callable[[], Cost],
    *,
    runs: int = 7,
    target: float | None = None,
) -> Comparison:
    """Run both in turn, A B A B, after one run of each to warm up."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(runs)]
    return Comparison(
        name,
        Cost(
            *(
                statistics.median(getattr(a, f) for a, _ in pairs)
                for f in ("wall", "cpu")
            )
        ),
        Cost(
            *(
                statistics.median(getattr(b, f) for _, b in pairs)
                for f in ("wall", "cpu")
            )
        ),
        statistics.median(a.wall / b.wall for a, b in pairs),
        statistics.median(a.cpu / max(b.cpu, 1e-3) for a, b in pairs),
        target,
    )
