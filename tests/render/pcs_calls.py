"""Run many commands of pcs with the cost of one start: fork after the import.

``pcs_calls.py FILE CALLS``: CALLS holds one call a line, its words with NUL between. It
runs under the interpreter that pcs itself runs under. Ends with the first failure.
"""

import os
import sys
from pathlib import Path

from pcs import app  # type: ignore[import-not-found]


def main() -> int:
    file, calls = sys.argv[1:]
    for call in Path(calls).read_text().split("\0\n")[:-1]:
        words = call.split("\0")
        child = os.fork()
        if not child:
            app.main(["-f", file, *words])
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status:
            sys.stderr.write(f"exit {status}: pcs {words}\n")
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
