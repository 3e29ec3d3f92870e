"""Confirm at the last moment: what a node runs, again and again, in one process.

    python -m tests.live.race REPOSITORY ROUNDS

Each round pushes an edit that waits two seconds for confirmation, and confirms around the
moment at which the timer fires. Prints one line of JSON a round.
"""

import contextlib
import io
import json
import random
import re
import sys
import time
from pathlib import Path

from cibgit.cli.app import run


def cibgit(*arguments: str) -> tuple[int, dict[str, object]]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([*arguments, "--json"])
    return code, json.loads(out.getvalue())


def main(root: Path, rounds: int) -> None:
    file = root / "clusters/prod/cib.xml"
    for number in range(rounds):
        text = re.sub(
            r'interval="\d+s"', f'interval="{number + 100}s"', file.read_text()
        )
        file.write_text(text)
        where = ("-C", str(root))
        push = ("push", "-m", f"round {number}", "--yes", "--no-wait")
        code, answer = cibgit(*push, "--confirm-within", "2s", *where)
        waiting = answer.get("waiting")
        if code == 0 and isinstance(waiting, dict):
            # the timer wakes at the deadline and reads first: 30 to 100 ms
            moment = waiting["confirm_by"] + random.uniform(-0.1, 0.2)
            time.sleep(max(0.0, moment - time.time()))
        confirmed, said = cibgit("confirm", *where)
        line = {
            "push": code,
            "confirm": confirmed,
            "said": said,
            "interval": number + 100,
        }
        print(json.dumps(line), flush=True)
        while cibgit("status", *where)[1]["waiting"]:
            time.sleep(0.05)
        _, status = cibgit("status", *where)
        print(json.dumps({"undone": status["undone"]}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
