"""Exit codes: a question answers 0 or 1, a failure is Pacemaker's own code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What cibgit exits with.

    64 and above are Pacemaker's ``CRM_EX_*`` values (``include/crm/common/results.h``),
    which in turn are those of ``sysexits.h``, so that scripts written for ``cibadmin``
    understand them.
    """

    OK = 0
    DIFFERS = 1
    USAGE = 64
    BAD_DATA = 65
    NO_INPUT = 66
    UNREACHABLE = 69
    BUG = 70
    BUSY = 75
    PERMISSION = 77
    BAD_CONFIG = 78
    STALE = 103
    DIGEST = 104
    NO_QUORUM = 106
    UNSAFE = 107
    REVERTED = 110
    UNKNOWN_OUTCOME = 112
    UNHEALTHY = 113
    TIMED_OUT = 124
    INTERRUPTED = 130
