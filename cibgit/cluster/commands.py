"""Pacemaker's command-line tools: their exact arguments, and what their exit codes mean.

Exit codes are Pacemaker's ``CRM_EX_*`` (``include/crm/common/results.h``); messages
differ between releases and are never parsed. XML goes in by standard input only: an
argument would show it to everybody on the node.
"""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import CibgitError, TimedOutError, UnreachableError
from ..programs import found

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where the tools are looked for besides the user's PATH."""

QUERY = ("cibadmin", "--query")
"""Print the whole CIB as this node's CIB manager has it."""

PATCH = ("cibadmin", "--patch", "--xml-pipe")
"""Apply the patchset on standard input."""

REWRITE = ("cibadmin", "--replace", "--local", "--xml-pipe")
"""Replace this node's CIB by the one on standard input, which is refused (103) where its
version is older than the present one. Every replacement is written to disk, even one that
changes nothing (``cib_process_command``, ``daemons/based/based_callbacks.c``)."""

VERSION = ("cibadmin", "--version")
"""Print ``Pacemaker 2.1.5`` and more."""

QUORUM = ("crm_node", "--quorum")
"""Print 1 or 0: does this node's partition have quorum?"""

MEMBERS = ("crm_node", "--partition")
"""Print the names of the cluster nodes in this node's partition."""

OWN_NAME = ("crm_node", "--name")
"""Print the name of this node, which need not be its host name."""

SIMULATE = ("crm_simulate", "--run", "--xml-pipe", "--output-as=xml", "--save-graph")
"""Print what the scheduler decides for the CIB on standard input; the graph goes to a file.

Needs no cluster. It writes the CIB to a shadow file in ``CIB_shadow_dir`` (by default the
CIB manager's own directory) and removes it again. Its ``--simulate`` executes the graph on
that file, too: a second for each ten resources that start (experiment, 2.1.5).
"""

VERIFY = ("crm_verify", "--xml-pipe", "-V")
"""Check the CIB on standard input; complaints go to standard error.

It ends with 78 for errors and warnings, old ones too; needs no cluster.
"""

AGENTS = ("crm_resource", "--list-agents")
"""Print the types of the agents of a class, ``ocf:PROVIDER`` or ``stonith``."""

METADATA = ("crm_resource", "--show-metadata")
"""Print the metadata of the agent that follows; 105 where it is not installed."""
MONITOR = ("crm_mon", "--one-shot", "--output-as=xml")
"""Print nodes, resources, failures and the history of operations."""

PENDING = ("crm_simulate", "--live-check", "--quiet", "--save-graph", "/dev/stdout")
"""Print the transition that the cluster still has to go through; empty: it is there."""

JOURNAL = (
    *("journalctl", "--identifier", "pacemaker-based", "--no-pager", "--lines", "5000"),
    *("--output", "json", "--output-fields", "MESSAGE,_HOSTNAME"),
)
"""Print the newest messages of the CIB manager in the system's journal, oldest first.

The journal has its changes only where ``PCMK_logpriority`` is ``info``.
"""

IDLE = b"S_IDLE"
"""The state of a controller that has nothing to do."""

OK = 0
ERROR = 1
INSUFFICIENT_PRIVILEGES = 4
DATA_ERROR = 65
UNAVAILABLE = 69
NO_PERMISSION = 77
CONFIG_ERROR = 78
FEATURE_SET_TOO_NEW = 76
DISCONNECTED = 102
OLD_DATA = 103
DIGEST_MISMATCH = 104
NO_SUCH_OBJECT = 105
NO_QUORUM = 106
TIMED_OUT = 124


@dataclass(frozen=True)
class Result:
    """What a tool answered: its exit code and its output, as bytes."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def reason(self) -> str:
        """The first line that the tool wrote to standard error, for a message."""
        lines = self.stderr.decode(errors="replace").strip().splitlines()
        return lines[0] if lines else f"exit code {self.code}"


def query_configuration(node: str) -> tuple[str, ...]:
    """Print the ``<configuration>`` as another node's CIB manager has it.

    The request travels over the cluster's own messaging and is answered by that node, or
    times out where it is cut off (experiment, 2.1.5).
    """
    return (*QUERY, "--scope", "configuration", "--node", node, "--timeout", "10")


def controller_state(node: str) -> tuple[str, ...]:
    """Print the state of the controller of a node."""
    return ("crmadmin", "--status", node)


def cleanup(resource: str, node: str) -> tuple[str, ...]:
    """Forget the failed actions of a resource on a node, probe it there, and try again."""
    return ("crm_resource", "--cleanup", "--resource", resource, "--node", node)


def update_private(attribute: str, value: str) -> tuple[str, ...]:
    """Set an attribute of this node that lives in memory only, on all nodes."""
    return ("attrd_updater", "--private", "--name", attribute, "--update", value)


def delete_private(attribute: str) -> tuple[str, ...]:
    """Take that attribute away from this node."""
    return ("attrd_updater", "--private", "--name", attribute, "--delete")


def query_attribute(attribute: str) -> tuple[str, ...]:
    """Print the attribute of every node, one a line, with host and value."""
    return ("attrd_updater", "--query", "--all", "--name", attribute)


def run(
    argv: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: bytes = b"",
    timeout: float,
    cwd: str | None = None,
) -> Result:
    """Run one tool for at most ``timeout`` seconds and return what it answered.

    Raises :class:`~cibgit.errors.UnreachableError` when the tool is not installed,
    :class:`~cibgit.errors.TimedOutError` when it had to be killed.
    """
    try:
        done = subprocess.run(
            [found(argv[0], environment.get("PATH")), *argv[1:]],
            input=stdin,
            capture_output=True,
            timeout=timeout,
            env=environment,
            cwd=cwd,
            check=False,
        )
    except FileNotFoundError:
        raise UnreachableError(
            f"{argv[0]} is not installed on this machine",
            "It comes with Pacemaker's command-line tools (pacemaker-cli-utils or"
            " pacemaker-cli). Without them use --at dir:PATH.",
        ) from None
    except PermissionError:
        raise UnreachableError(f"{argv[0]} cannot be executed by this user") from None
    except subprocess.TimeoutExpired:
        raise TimedOutError(
            f"{argv[0]} did not answer within {timeout:.0f} seconds"
        ) from None
    return Result(done.returncode, done.stdout, done.stderr)


def environment(caller: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that the tools get: little of the caller's.

    ``PCMK_*`` variables are kept, for the IPC buffer of a client must be as large as the
    daemons'; what would redirect a tool (``CIB_*``) is not.
    """
    kept = {
        name: value
        for name, value in caller.items()
        if name in ("HOME", "TZ") or name.startswith("PCMK_")
    }
    path = f"{caller.get('PATH', '')}:{SEARCH_PATH}".lstrip(":")
    return {**kept, "PATH": path, "LC_ALL": "C.UTF-8"}


def installed_version(caller: Mapping[str, str]) -> str | None:
    """Return the installed release as ``2.1.5``, None where there is none."""
    try:
        result = run(VERSION, environment(caller), timeout=10)
    except CibgitError:
        return None
    found = re.search(rb"\d+\.\d+\.\d+", result.stdout)
    return found[0].decode() if found else None
