"""How carefully to push, from options and environment; the timers of this node."""

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from ..flow.care import Care
    from ..flow.orders import Orders, Report

STATE = "CIBGIT_STATE"
"""The variable that names another folder for the timers of this node."""

_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_LONGEST = 7 * 86400


def seconds(text: str) -> float:
    """Return a time such as ``90s``, ``10m`` or ``2h`` in seconds."""
    found = re.fullmatch(r"(\d{1,6})\s*([a-z]*)", text.strip().lower())
    length = int(found[1]) * _UNITS.get(found[2], 0) if found else 0
    if not 1 <= length <= _LONGEST:
        raise UsageError(
            f"{text!r} is not a time between one second and a week",
            "Write it as 90s, 10m or 2h.",
        )
    return float(length)


def moment(text: str) -> "datetime":
    """Return when a time such as ``4h``, a date or an ISO 8601 time is over, in UTC.

    A number without a unit is refused: ``2027`` would be half an hour.
    """
    from datetime import UTC, datetime, timedelta

    from ..compare.ignore import ending

    text = text.strip()
    if not text.isdecimal():
        with suppress(UsageError):
            return datetime.now(UTC) + timedelta(seconds=seconds(text))
    with suppress(ValueError, OverflowError):
        return ending(_date_or_time(text)).astimezone(UTC)
    raise UsageError(
        f"{text!r} is not a time, or a length of more than a week",
        "Write it as 4h, 2027-01-31, 2027-01-31T18:00 or 2027-01-31T18:00Z.",
    )


def _date_or_time(text: str) -> "date | datetime":
    """Read ISO 8601; raises ``ValueError``."""
    from datetime import date, datetime

    try:
        return date.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text)


def orders(state: Path | None = None) -> "Orders":
    """Return the timers of this node and user: root's lie where all of the node look."""
    from ..flow.orders import Orders

    if state or os.environ.get(STATE):
        return Orders((state or Path(os.environ[STATE])).absolute())
    if os.geteuid() == 0:
        return Orders(Path("/var/lib/cibgit"))
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Orders(Path(home) / "cibgit")


def user() -> str:
    """Return who runs this, and who became that with sudo."""
    import getpass

    try:
        name = getpass.getuser() if os.geteuid() else "root"
    except (KeyError, OSError):
        name = f"uid {os.geteuid()}"
    before = os.environ.get("SUDO_USER")
    return f"{name} ({before})" if before and before != name else name


def care(
    settle_timeout: str, no_wait: bool, rollback: bool, confirm_within: str | None
) -> "Care":
    """Return how carefully to push; progress goes to standard error."""
    import platform

    import typer

    from ..flow.care import Care, Confirmation

    confirmation = None
    if confirm_within is not None:
        kept = orders()
        starter = timer_starter(kept)
        confirmation = Confirmation(seconds(confirm_within), kept, starter)
    return Care(
        holder=user(),
        host=platform.node(),
        settle_seconds=None if no_wait else seconds(settle_timeout),
        rollback=rollback,
        confirmation=confirmation,
        tell=lambda line: typer.echo(f"  {line}", err=True),
    )


def timer_command(kept: "Orders", *token: str) -> list[str]:
    """Return the command that runs one timer, or goes on with all of this node."""
    folder = str(kept.folder)
    return [sys.executable, "-m", "cibgit", "timer", *token, "--state", folder]


def timer_starter(kept: "Orders") -> "Callable[[str], None]":
    """Return what starts a timer so that it outlives this process."""
    from ..cluster import background

    def start(token: str) -> None:
        argv = timer_command(kept, token)
        background.start(argv, os.environ, f"cibgit-timer-{token}", os.geteuid())

    return start


def reboot_note(kept: "Orders") -> str:
    """See to it that timers go on after a reboot; return why they would not, or ''."""
    from ..cluster import background

    return background.survive_reboot(timer_command(kept), os.geteuid())


def run_timer(kept: "Orders", token: str) -> "Report | None":
    """Run one timer in the foreground, until it has done what it is there for."""
    from ..cluster.addresses import connect
    from ..flow.timer import timer

    return timer(kept, token, lambda at: connect(at, Path("/"), os.environ))
