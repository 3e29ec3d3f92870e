"""Running what an administrator wants to be run when something happens."""

import subprocess
from collections.abc import Mapping, Sequence

from ..errors import CibgitError, TimedOutError, UnreachableError

SECONDS = 60.0
"""How long a hook may take."""


def call(argv: Sequence[str], environment: Mapping[str, str], data: bytes) -> None:
    """Run a command with ``data`` as its input; no shell is involved.

    Its output goes where ours goes. Raises a :class:`~cibgit.errors.CibgitError` when
    it fails, cannot be started or takes longer than :data:`SECONDS`.
    """
    try:
        done = subprocess.run(
            argv, input=data, env=environment, timeout=SECONDS, check=False
        )
    except OSError as error:
        raise UnreachableError(
            f"the hook {argv[0]} cannot be started: {error.strerror}"
        ) from None
    except subprocess.TimeoutExpired:
        raise TimedOutError(
            f"the hook {argv[0]} was stopped after {SECONDS:.0f} seconds"
        ) from None
    if done.returncode:
        raise CibgitError(
            f"the hook {argv[0]} failed: exit {done.returncode}",
            "It is called again at the next look.",
        )
