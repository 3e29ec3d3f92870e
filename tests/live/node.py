"""One node: a machine of its own as far as Corosync and Pacemaker can see.

It is a set of namespaces (processes, mounts, network, host name, IPC) whose first
process only waits. The file system is the host's, save for what the daemons write:
that is bound over from the node's directory, where the host can read and edit it.
"""

import contextlib
import os
import pwd
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ..prerequisites import SYSTEM_PATH
from .watcher import Process

PRIVATE = ("etc/corosync", "var/lib/corosync", "var/lib/pacemaker", "var/log")
PACEMAKER_WRITES = (
    *(f"var/lib/pacemaker/{name}" for name in ("blackbox", "cib", "cores", "pengine")),
    *("var/log/pacemaker", "var/log/pacemaker/bundles"),
)
# crmsh ends in a traceback without a folder for its log.
OTHERS_WRITE = ("var/log/corosync", "var/log/cluster", "var/log/crmsh", "home")

# The first process of a node. Until the new /proc is mounted, "self" is the id that
# the host knows, and that is what the host has to be told.
INIT = r"""
set -e
read -r pid rest < /proc/self/stat
mount -t proc proc /proc
for folder in $PRIVATE; do mount --bind "$NODE/$folder" "/$folder"; done
for file in etc/hosts etc/hostname; do
    if [ -e "/$file" ]; then mount --bind "$NODE/$file" "/$file"; fi
done
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mkdir /run/lock /run/crm /run/resource-agents
chown hacluster:haclient /run/crm
echo "$NAME" > /proc/sys/kernel/hostname
ip link set lo up
cd /
echo "$pid"
exec > /dev/null
while :; do sleep infinity & wait $!; done
"""


# All of a node. --root and --wd have no value: with one, the host's folder is meant.
ENTER = ("--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd")


class LiveClusterError(Exception):
    """The cluster did not do what the harness asked of it."""


class Node:
    """A node that can be powered on, started, stopped and killed.

    ``environment`` is given to the daemons when they start and to every command.
    """

    def __init__(self, name: str, directory: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.directory = directory
        self.environment = environment
        self.started = False
        self._boot: subprocess.Popen[bytes] | None = None
        self._init = Process(0, "")

    @property
    def powered(self) -> bool:
        return self._init.alive

    @property
    def pid(self) -> int:
        """The host's id of the node's first process; it names the namespaces."""
        if not self.powered:
            raise LiveClusterError(f"{self.name} is powered off")
        return self._init.pid

    def prepare(self, files: Mapping[str, str], cib: bytes) -> None:
        """Lay out the node's disk as a fresh installation with a first CIB.

        The CIB has no ``.sig`` beside it: Pacemaker then takes it as it is.
        """
        for folder in (*PRIVATE, *PACEMAKER_WRITES, *OTHERS_WRITE):
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            (self.directory / path).write_text(text)
        (self.directory / "etc/hostname").write_text(f"{self.name}\n")
        first = self.directory / "var/lib/pacemaker/cib/cib.xml"
        first.write_bytes(cib)
        first.chmod(0o600)
        user = pwd.getpwnam("hacluster")
        for path in ("var/lib/pacemaker", *PACEMAKER_WRITES):
            os.chown(self.directory / path, user.pw_uid, user.pw_gid)
        os.chown(first, user.pw_uid, user.pw_gid)

    def power_on(self, hub: int) -> None:
        """Create the namespaces, inside the hub so that they can never outlive it."""
        enter = ["nsenter", "--target", str(hub), "--net", "--pid"]
        unshare = ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork"]
        log = self.directory / "init.log"
        with log.open("ab") as errors:
            self._boot = subprocess.Popen(
                [*enter, *unshare, "--propagation", "private", "bash", "-c", INIT],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd="/",
                env={
                    "PATH": SYSTEM_PATH,
                    "NAME": self.name,
                    "NODE": str(self.directory),
                    "PRIVATE": " ".join(PRIVATE),
                },
                start_new_session=True,
            )
        line = read_line(self._boot, timeout=30)
        if not line:
            raise LiveClusterError(f"{self.name} does not boot: {log.read_text()}")
        self._init = Process.of(int(line))

    def kill(self) -> None:
        """Cut the power: every process of the node ends at once."""
        self._init.kill()
        self.reap()

    def reap(self) -> None:
        """Wait until the namespaces are empty."""
        self.started = False
        if self._boot:
            self._boot.wait(timeout=30)
            self._boot = None

    def start(self) -> None:
        """Start Corosync and Pacemaker."""
        done = self.run(["corosync"])
        if done.returncode:
            said = (done.stdout + done.stderr).decode(errors="replace")
            raise LiveClusterError(f"corosync does not start on {self.name}: {said}")
        # pacemakerd that comes too early looks again only after a second.
        ready = ["corosync-cmapctl", "-g", "totem.cluster_name"]
        wait_until(lambda: self.run(ready).returncode == 0, f"Corosync on {self.name}")
        # It never leaves the foreground by itself.
        log = "/var/log/pacemaker/pacemakerd.out"
        script = f"exec setsid --fork pacemakerd -f >>{log} 2>&1 </dev/null"
        self.run(["sh", "-c", script]).check_returncode()
        wait_until(lambda: self.pids_of("pacemakerd"), f"pacemakerd on {self.name}")
        self.started = True

    def stop(self, timeout: float) -> None:
        """Stop Pacemaker and Corosync as an orderly shutdown would."""
        self.started = False
        for daemon in ("pacemakerd", "corosync"):
            pids = self.pids_of(daemon)
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            _wait_for_the_end_of(pids, timeout)

    def pids_of(self, comm: str) -> list[int]:
        """Return the processes with that name, by the ids that the host knows."""
        namespace = Path(f"/proc/{self.pid}/ns/pid").readlink()
        return [
            int(process.name)
            for process in Path("/proc").iterdir()
            if process.name.isdigit() and _is(process, comm, namespace)
        ]

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        input: bytes | None = None,  # noqa: A002  (as in subprocess.run)
        timeout: float = 60,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command in the node, as ``subprocess.run`` would with pipes."""
        process = subprocess.Popen(
            [*self._enter(env or {}, cwd), *map(str, argv)],
            stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )
        with process:
            try:
                out, err = process.communicate(input, timeout)
            except BaseException:
                # nsenter alone would leave the command behind, and its pipes open.
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    def start_process(self, argv: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        """Start a command in the node, in a process group of its own."""
        return subprocess.Popen(
            [*self._enter({}, None), *map(str, argv)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )

    def _enter(self, env: Mapping[str, str], cwd: Path | None) -> list[str]:
        """Return the words before a command that runs it in the node.

        The environment is a clean one: the identity for git is all that is taken over.
        """
        variables = {
            # At the end, so that no program of the virtual environment hides a system's
            "PATH": f"{SYSTEM_PATH}:{Path(sys.executable).parent}",
            "HOME": str(self.directory / "home"),
            "CIBGIT_STATE": str(self.directory / "timers"),
            "LANG": "C.UTF-8",
            **{name: os.environ[name] for name in os.environ if name[:4] == "GIT_"},
            **self.environment,
            **env,
        }
        enter = ["nsenter", "--target", str(self.pid), *ENTER]
        chdir = [f"--chdir={cwd}"] if cwd else []
        pairs = [f"{name}={value}" for name, value in variables.items()]
        return [*enter, "env", "--ignore-environment", *chdir, *pairs]


def read_line(process: subprocess.Popen[bytes], timeout: float) -> str:
    """Return the one line that a process prints when it is ready; '' if it does not."""
    assert process.stdout
    poll = select.poll()
    poll.register(process.stdout, select.POLLIN)
    with process.stdout as pipe:
        return pipe.readline().decode() if poll.poll(timeout * 1000) else ""


def wait_until(condition: Callable[[], object], what: str, timeout: float = 10) -> None:
    """Look again and again, for what announces itself in no other way."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise LiveClusterError(f"waited {timeout} s for {what}")
        time.sleep(0.01)


def _wait_for_the_end_of(pids: Iterable[int], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        left = max(0.0, deadline - time.monotonic())
        ended = poll.poll(left * 1000)
        os.close(descriptor)
        if not ended:
            raise LiveClusterError(f"process {pid} did not end within {timeout} s")


def _is(process: Path, comm: str, namespace: Path) -> bool:
    """Say whether a folder of /proc is a living process of that name and namespace."""
    try:
        # The kernel keeps 15 characters of a name.
        named = (process / "comm").read_text().rstrip("\n") == comm[:15]
        return (
            named
            and (process / "ns/pid").readlink() == namespace
            and Process.of(int(process.name)).alive
        )
    except OSError:
        return False
