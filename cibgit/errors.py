"""The one family of errors that a user can cause or cure.

Every error carries the exit code of the process and, where there is one, a hint: what
to do next. Anything else that escapes is a bug (exit 70).
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from .exitcodes import ExitCode


class CibgitError(Exception):
    """Base of all errors that are told to people in one or two sentences.

    ``message`` says what is wrong and where; ``hint`` what to do next (may be empty).
    """

    code = ExitCode.BUG

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CibgitError):
    """The command line asks for something that does not exist or does not fit."""

    code = ExitCode.USAGE


class BadDataError(CibgitError):
    """A CIB, patch or other input that is refused whole."""

    code = ExitCode.BAD_DATA


class NoInputError(CibgitError):
    """A file, revision or repository that is not there."""

    code = ExitCode.NO_INPUT


class UnreachableError(CibgitError):
    """The cluster, or a tool needed to talk to it, is not there."""

    code = ExitCode.UNREACHABLE


class BusyError(CibgitError):
    """Somebody else holds what is needed; trying again later may help."""

    code = ExitCode.BUSY


class PermissionDeniedError(CibgitError):
    """The user may not read or write what is needed."""

    code = ExitCode.PERMISSION


FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system calls a full disk."""

MAKE_ROOM = "Make room on that disk, and repeat."


def unwritten(place: object, error: OSError) -> CibgitError:
    """Return the error for a place that could not be written: full, or not allowed."""
    message = f"{place}: {error.strerror or error}"
    if error.errno in FULL:
        return BusyError(message, MAKE_ROOM)
    return PermissionDeniedError(message)


class BadConfigError(CibgitError):
    """``cibgit.toml`` or the git configuration is wrong."""

    code = ExitCode.BAD_CONFIG


class StaleError(CibgitError):
    """The live configuration is not the one that the change was made for."""

    code = ExitCode.STALE


class DigestError(CibgitError):
    """A digest does not match what it signs."""

    code = ExitCode.DIGEST


class NoQuorumError(CibgitError):
    """The partition has no quorum."""

    code = ExitCode.NO_QUORUM


class UnsafeError(CibgitError):
    """A write that policy or plain sense forbids."""

    code = ExitCode.UNSAFE


class RevertedError(CibgitError):
    """The push in question was taken back."""

    code = ExitCode.REVERTED


class UnknownOutcomeError(CibgitError):
    """A write was sent and nobody can say whether it was applied."""

    code = ExitCode.UNKNOWN_OUTCOME


class StoppedError(UnknownOutcomeError):
    """A write was under way, or done, when somebody interrupted the run."""

    code = ExitCode.INTERRUPTED


@contextmanager
def told_when_interrupted(said: str) -> Iterator[None]:
    """Say how far a write has come, where the run is interrupted during it.

    Raises :class:`StoppedError`.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedError(
            f"interrupted {said}", "See how git and live stand: cibgit status"
        ) from None


class TimedOutError(CibgitError):
    """Something took longer than its bound."""

    code = ExitCode.TIMED_OUT
