"""The process that ends a cluster once its test runner is gone, however it went.

A runner that is killed cannot clean up after itself, so it does not own what could be
left over. This process does: the *hub*, a namespace of process ids in which every
process of every node lives, and the cluster's directory. It prints the hub's process id
and the directory, then waits for its standard input to end. Only the runner holds the
other end of that pipe, so one path covers an orderly end, Ctrl-C, a crash and
``kill -9``. A child that the runner forked could hold the pipe open by accident:
therefore the runner's process id and start time are looked at as well.

The kernel does the rest: when the first process of the hub dies, all others in it are
killed, nodes that are just being created included; with them go their mounts and
networks. If this process itself is killed, the hub dies with it (``pdeathsig``).
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

SECONDS_BETWEEN_LOOKS = 0.5

# /proc is still the host's here: its "self" is the process id that the host knows.
HUB = 'read -r pid rest < /proc/self/stat && echo "$pid" && exec sleep infinity'


class Process(NamedTuple):
    """A process for good: ids are used again, an id with its start time is not.

    Nothing may ever be killed or entered that merely has the id of something gone.
    """

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Process":
        return cls(pid, _start_time(pid))

    @property
    def alive(self) -> bool:
        return self.started != "" and _start_time(self.pid) == self.started

    def kill(self) -> None:
        """End it at once, unless it is gone already."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def _start_time(pid: int) -> str:
    """Return when a process started, or '' if it is gone (a zombie counts as gone)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]


def _start_hub() -> tuple[subprocess.Popen[bytes], Process]:
    """Start the hub: namespaces for process ids and for the bridges of the nodes."""
    unshare = ["unshare", "--net", "--pid", "--fork", "--kill-child"]
    parent = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *unshare, "sh", "-c", HUB],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd="/",
    )
    assert parent.stdout
    return parent, Process.of(int(parent.stdout.readline()))


def _wait_for_the_end_of(runner: Process) -> None:
    while runner.alive:
        if select.select([sys.stdin], [], [], SECONDS_BETWEEN_LOOKS)[0]:
            return


def main(runner: Process) -> None:
    """Own a cluster for as long as the runner lives."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.umask(0o022)
    parent, hub = _start_hub()
    directory = Path(tempfile.mkdtemp(prefix="cibgit-live-"))
    try:
        directory.chmod(0o755)
        print(hub.pid, directory, flush=True)
        _wait_for_the_end_of(runner)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        hub.kill()
        # Its parent returns only when nothing lives in the hub any more.
        parent.wait()
        shutil.rmtree(directory)


if __name__ == "__main__":
    main(Process(int(sys.argv[1]), sys.argv[2]))
