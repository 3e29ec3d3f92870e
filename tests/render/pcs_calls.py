"""Run many commands of pcs with the cost of one start: fork after the import.

``pcs_calls.py FILE CALLS [--force]``: CALLS holds one call a line, its words with NUL
between. A call that fails is made once more with ``--force``, where that is given; else
it ends the run. This runs under the interpreter that pcs itself runs under.
"""

import os
import sys
from pathlib import Path

from pcs import app  # type: ignore[import-not-found]


def run(words: list[str]) -> int:
    child = os.fork()
    if not child:
        app.main(words)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> int:
    file, calls, *force = sys.argv[1:]
    for call in Path(calls).read_text().split("\0\n")[:-1]:
        words = call.split("\0")
        status = run(["-f", file, *words])
        if status and force:
            status = run(["-f", file, *words, *force])
        if status:
            sys.stderr.write(f"exit {status}: pcs {words}\n")
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
