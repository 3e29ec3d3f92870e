"""A CIB manager that is started alone, on a directory, without a cluster.

``pacemaker-based -s`` reads its directory as on a node, answers ``cibadmin`` and, with
``-w``, writes to disk. It takes a tenth of a second. Its namespaces keep it apart from
everything else; ``root`` is that of another release, the machine's own by default.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..prerequisites import SYSTEM_PATH, UNSHARE

# What the daemon says in its log is awaited until it has written, or will not.
SCRIPT = r"""
set -u
mount -t proc proc /proc
mount -t tmpfs -o mode=1777 tmpfs "$ROOT/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$ROOT/run"
mkdir -p "$ROOT/run/crm" "$ROOT/run/log" "$ROOT/run/cib"
mount --bind "$DIRECTORY" "$ROOT/run/cib"
ip link set lo up
exec chroot "$ROOT" sh -c '
chown hacluster:haclient /run/crm /run/log
for daemon in /usr/lib/pacemaker/pacemaker-based /usr/libexec/pacemaker/pacemaker-based
do [ ! -x $daemon ] || break; done
PCMK_logfile=/run/log/log PCMK_logpriority=info $daemon -s -w -r /run/cib >/dev/null 2>&1 &
pid=$!
code=102 tries=0
while [ $code = 102 ] && [ $tries -lt 200 ] && kill -0 $pid 2>/dev/null; do
    code=0
    cibadmin -Q >/run/cib.out 2>/dev/null || code=$?
    [ $code != 102 ] || sleep 0.02
    tries=$((tries + 1))
done
tries=0
while [ $WRITES = 1 ] && [ $code = 0 ] && [ $tries -lt 200 ] &&
    ! grep -Eq "Wrote version|exited (with code )?[1-9]|isabling" /run/log/log; do
    sleep 0.01; tries=$((tries + 1))
done
kill $pid 2>/dev/null
wait $pid
echo "$? $code"
[ $code = 102 ] || cat /run/cib.out
echo =====
cat /run/log/log
'
"""


@dataclass(frozen=True)
class Start:
    """How a CIB manager started: exit codes of the daemon and of ``cibadmin -Q``."""

    exit_code: int
    query: int
    cib: str
    log: str

    @property
    def epoch(self) -> int | None:
        """The epoch of what it runs with, None where it does not answer."""
        found = re.search(r'<cib[^>]* epoch="(\d+)"', self.cib)
        return int(found[1]) if found else None

    @property
    def tried(self) -> list[str]:
        """The files that it read, in order; those of its own writes are left out."""
        start = self.log.partition("successfully started")[0]
        words = (
            r"Reading cluster configuration file |(?:Loaded|NOT using) CIB from "
            # 3.0.2 and later
            r"|last valid backup |next most recent CIB backup from "
        )
        # 3.0.0 logs each line twice
        return list(dict.fromkeys(re.findall(rf"(?:{words})\S*/(cib[^/ ]*)", start)))

    @property
    def is_refused(self) -> bool:
        """Whether a file or the directory was not the daemon's."""
        start = self.log.partition("successfully started")[0]
        return bool(re.search("must be (owned|a regular file)", start))

    @property
    def wrote(self) -> bool:
        """Whether it could write to its disk."""
        return "Wrote version" in self.log and "isabling" not in self.log


def start(directory: Path, root: Path = Path("/"), *, writes: bool = True) -> Start:
    """Start a CIB manager with this directory, wait for it, and end it again.

    ``writes`` says to wait until it wrote to disk; alone, 3.0 never does.
    """
    done = subprocess.run(
        [*UNSHARE, "--kill-child", "--propagation", "private", "sh", "-c", SCRIPT],
        env={
            "PATH": SYSTEM_PATH,
            "ROOT": str(root),
            "DIRECTORY": str(directory),
            "WRITES": str(int(writes)),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
    )
    first, _, rest = done.stdout.partition("\n")
    if not re.fullmatch(r"\d+ \d+", first):
        raise AssertionError(f"the CIB manager cannot be started: {done}")
    code, query = map(int, first.split())
    cib, _, log = rest.partition("=====\n")
    return Start(code, query, cib, log)
