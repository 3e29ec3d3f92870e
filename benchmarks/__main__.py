"""``make bench``: what takes minutes; ``ARGS="diff large"`` chooses parts.

``startup`` and ``diff`` take three minutes, ``history`` some more, ``live`` (as root) boots
clusters; ``large`` and ``huge`` are long because ``crm_diff`` is.
"""

import os
import sys

from . import check, diff, history, live, startup
from .measure import HEADER

PARTS = {
    "startup": startup.run,
    "diff": diff.small,
    "history": history.run,
    "live": live.run,
    "large": diff.large,
    "huge": diff.huge,
}


def main() -> None:
    """Print every comparison as soon as it is measured."""
    default = ["startup", "diff", "history", "check"]
    default += ["live"] if os.geteuid() == 0 else []
    print(HEADER)
    for name in sys.argv[1:] or default:
        if name == "check":
            for line in check.run():
                print(line, flush=True)
            continue
        for comparison in PARTS[name]():
            print(comparison.line(), flush=True)


if __name__ == "__main__":
    main()
