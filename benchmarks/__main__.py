"""``make bench``: all comparisons; ``ARGS=startup`` or ``ARGS=live`` for a part."""

import os
import sys

from . import live, startup
from .measure import HEADER


def main() -> None:
    """Print every comparison as soon as it is measured."""
    parts = {"startup": startup.run, "live": live.run}
    chosen = sys.argv[1:] or ["startup", *(["live"] if os.geteuid() == 0 else [])]
    print(HEADER)
    for name in chosen:
        for comparison in parts[name]():
            print(comparison.line(), flush=True)


if __name__ == "__main__":
    main()
