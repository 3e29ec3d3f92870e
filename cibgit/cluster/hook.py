"""Running what an administrator wants to be run when something happens."""

import subprocess
from collections.abc import Mapping, Sequence

from ..errors import TimedOutError, UnreachableError

SECONDS = 60.0
"""How long a hook may take."""


def call(
    argv: Sequence[str],
    environment: Mapping[str, str],
    data: bytes,
    name: str = "the hook",
) -> None:
    """Run a command with ``data`` as its input; no shell is involved.

    Its output goes where ours goes. Raises :class:`~cibgit.errors.UnreachableError` when
    it fails or cannot be started, :class:`~cibgit.errors.TimedOutError` when it takes
    longer than :data:`SECONDS`; ``name`` says what it is then.
    """
    try:
        done = subprocess.run(
            argv, input=data, env=environment, timeout=SECONDS, check=False
        )
    except OSError as error:
        raise UnreachableError(
            f"{name} {argv[0]} cannot be started: {error.strerror}"
        ) from None
    except subprocess.TimeoutExpired:
        raise TimedOutError(
            f"{name} {argv[0]} was stopped after {SECONDS:.0f} seconds"
        ) from None
    if done.returncode:
        raise UnreachableError(
            f"{name} {argv[0]} failed: exit {done.returncode}",
            "It is called again at the next look.",
        )
