"""``make bench``: all comparisons; ``ARGS=startup``, ``ARGS=history``,
``ARGS=check`` or ``ARGS=live`` for a part."""

import os
import sys

from . import check, history, live, startup
from .measure import HEADER


def main() -> None:
    """Print every comparison as soon as it is measured."""
    parts = {"startup": startup.run, "history": history.run, "live": live.run}
    everywhere = ["startup", "history", "check"]
    chosen = sys.argv[1:] or [*everywhere, *(["live"] if os.geteuid() == 0 else [])]
    print(HEADER)
    for name in chosen:
        if name == "check":
            for line in check.run():
                print(line, flush=True)
            continue
        for comparison in parts[name]():
            print(comparison.line(), flush=True)


if __name__ == "__main__":
    main()
