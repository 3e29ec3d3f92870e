"""Running what an administrator wants to be run when something happens."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from subprocess import PIPE, Popen, TimeoutExpired

from ..errors import TimedOutError, UnreachableError

SECONDS = 60.0
"""How long a hook may take."""


LAST_SECONDS = 10.0
"""How much longer it may take once nobody waits for it any more."""

GLANCE_SECONDS = 0.2


def call(
    argv: Sequence[str],
    environment: Mapping[str, str],
    data: bytes,
    name: str = "the hook",
    is_over: Callable[[], bool] = lambda: False,
) -> None:
    """Run a command with ``data`` as its input; no shell is involved.

    Its output goes where ours goes. ``is_over`` says that whoever calls it has to end.
    Raises :class:`~cibgit.errors.UnreachableError` when it fails or cannot be started,
    :class:`~cibgit.errors.TimedOutError` when it takes too long: then it is stopped, with
    all that it started. ``name`` says what it is then.
    """
    try:
        process = Popen(argv, stdin=PIPE, env=environment, start_new_session=True)
    except OSError as error:
        raise UnreachableError(
            f"{name} {argv[0]} cannot be started: {error.strerror}"
        ) from None
    try:
        _wait(process, data, f"{name} {argv[0]}", is_over)
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode:
        raise UnreachableError(
            f"{name} {argv[0]} failed: exit {process.returncode}",
            "It is called again at the next look.",
        )


def _wait(
    process: Popen[bytes], data: bytes, name: str, is_over: Callable[[], bool]
) -> None:
    given: bytes | None = data
    start = time.monotonic()
    end = start + SECONDS
    while True:
        try:
            process.communicate(given, timeout=GLANCE_SECONDS)
            return
        except TimeoutExpired:
            given = None
        now = time.monotonic()
        if is_over():
            end = min(end, now + LAST_SECONDS)
        if now > end:
            raise TimedOutError(f"{name} was stopped after {now - start:.0f} seconds")
