"""Run many commands of pcs with the cost of one start: fork after the import.

Each line of standard input names, with tabs between: a CIB file, a file of calls (one a
line, NUL between the words), a file for what pcs says, and perhaps ``--force``. The answer
is one line, the exit code of the last call. A call that fails is made once more with
``--force``, where that is given; else it ends the calls. This runs under the interpreter
that pcs itself runs under.
"""

import os
import sys
from pathlib import Path

from pcs import app  # type: ignore[import-not-found]


def run(words: list[str], said: int) -> int:
    child = os.fork()
    if not child:
        os.dup2(said, 1)
        os.dup2(said, 2)
        app.main(words)
        sys.stdout.flush()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_all(file: str, calls: str, said: int, force: list[str]) -> int:
    for call in Path(calls).read_text().split("\0\n")[:-1]:
        words = ["-f", file, *call.split("\0")]
        status = run(words, said)
        if status and force:
            status = run([*words, *force], said)
        if status:
            os.write(said, f"exit {status}: pcs {words}\n".encode())
            return status
    return 0


def main() -> None:
    for line in sys.stdin:
        file, calls, log, *force = line.rstrip("\n").split("\t")
        with Path(log).open("wb") as said:
            status = run_all(file, calls, said.fileno(), force)
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
