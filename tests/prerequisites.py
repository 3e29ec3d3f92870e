"""What the machine must have for the tests that need more than Python and git."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

COMMAND_LINE = ("cibadmin", "crm_diff", "crm_resource", "crm_simulate", "crm_verify")
CLUSTER = ("corosync", "pacemakerd", "crm_mon", "crmadmin", "crm_node", "ssh", "sshd")
AGE = ("age", "age-keygen", "ssh-keygen")
NAMESPACES = ("bash", "ip", "mount", "nsenter", "setpriv", "unshare")

UNSHARE = ("unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork")
PROBE = (
    "mount -t proc proc /proc && mount -t tmpfs tmpfs /run && "
    "ip link add br0 type bridge && ip link add a0 type veth peer name a1"
)


@cache
def missing_for(marker: str) -> str:
    """Say what the tests with that marker lack on this machine, or '' for nothing."""
    match marker:
        case "pacemaker":
            return _missing_tools(COMMAND_LINE)
        case "age":
            return _missing_tools(AGE)
        case "live":
            return (
                _missing_rights()
                or _missing_tools((*COMMAND_LINE, *CLUSTER, *NAMESPACES))
                or _missing_user()
                or _missing_namespaces()
            )
    return ""


def must_run_all() -> bool:
    """Say whether a missing prerequisite is a failure: for root, and in CI."""
    return os.geteuid() == 0 or os.environ.get("CI") == "true"


def _missing_rights() -> str:
    return "" if os.geteuid() == 0 else "root"


def _missing_tools(tools: Sequence[str]) -> str:
    return ", ".join(t for t in tools if not shutil.which(t, path=SYSTEM_PATH))


def _missing_user() -> str:
    try:
        pwd.getpwnam("hacluster")
    except KeyError:
        return "the user hacluster"
    return ""


def _missing_namespaces() -> str:
    """Try what a node needs: root in a container may lack the capabilities for it."""
    probe = subprocess.run(
        [*UNSHARE, "sh", "-c", PROBE],
        env={"PATH": SYSTEM_PATH},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if not probe.returncode:
        return ""
    return f"the right to create namespaces and bridges ({probe.stderr.strip()})"
