"""A process that outlives the session and the connection of whoever started it.

Where systemd runs, it is a transient service: a session that ends may have all its
processes killed (``KillUserProcesses=`` of logind.conf), a service is in no session.
Elsewhere it is a process of its own session without a terminal.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import UnreachableError
from . import commands

SYSTEMD = Path("/run/systemd/system")
"""There if and only if systemd runs (``sd_booted(3)``)."""

UNIT = Path("/etc/systemd/system/cibgit-timer.service")
"""The unit that goes on with the timers of this node after it was started again."""

_UNIT = """\
[Unit]
Description=Timers of confirmed pushes (cibgit)
After=pacemaker.service

[Service]
Type=oneshot
RemainAfterExit=yes
UMask=0077
ExecStart={command}

[Install]
WantedBy=multi-user.target
"""


def start(
    argv: Sequence[str], environment: Mapping[str, str], unit: str, user: int
) -> None:
    """Start a program and return at once; ``unit`` is what systemd calls it.

    Raises :class:`~cibgit.errors.UnreachableError` when it cannot be started. Only root
    (``user`` 0) can have a service; a process of others may end with their session.
    """
    kept = commands.environment(environment)
    if SYSTEMD.is_dir() and user == 0:
        pairs = [f"--setenv={name}={value}" for name, value in kept.items()]
        command = [
            *("systemd-run", "--quiet", "--collect", f"--unit={unit}"),
            *("--property=UMask=0077", "--property=Restart=on-failure"),
            *("--property=RestartSec=5", *pairs, "--", *argv),
        ]
    else:
        # forks, and the child begins a session of its own: no terminal can end it
        command = ["setsid", "--fork", "sh", "-c", _DETACHED, "sh", *argv]
    done = commands.run(command, kept, timeout=30, cwd="/")
    if done.code:
        raise UnreachableError(f"{command[0]} could not start the timer: {done.reason}")


_DETACHED = 'umask 077; exec "$@" </dev/null >/dev/null 2>&1'


def survive_reboot(argv: Sequence[str], user: int) -> str:
    """See to it that ``argv`` runs at every boot; return why that is not so, or ''.

    The unit is written and enabled once, as ``systemctl enable`` would: by a link.
    """
    if user != 0:
        return "only root's timers go on after a reboot"
    if not SYSTEMD.is_dir():
        return f"systemd does not run here: let the boot run {' '.join(argv)}"
    text = _UNIT.format(command=" ".join(map(_quoted, argv)))
    link = UNIT.parent / "multi-user.target.wants" / UNIT.name
    try:
        if not UNIT.exists() or UNIT.read_text() != text:
            UNIT.write_text(text)
        link.parent.mkdir(exist_ok=True)
        if not os.path.lexists(link):
            link.symlink_to(UNIT)
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return ""


def _quoted(word: str) -> str:
    """Return a word as ``systemd.service(5)`` reads it in a command line."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'
