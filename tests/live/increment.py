"""A writer for test_writers: cibgit counts up a parameter, as often as it is told.

Run inside a node: ``python -m tests.live.increment REPOSITORY TIMES``. Each round edits
the file and pushes. Where that is refused, it does what an administrator would: export,
merge where the edit is committed already, and push again. Prints one JSON object a push.
"""

import contextlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from cibgit.cli.app import run

COUNTER = 'id="vip-fake" name="fake" value="{}"'


def main() -> None:
    root, times = Path(sys.argv[1]), int(sys.argv[2])
    for number in range(2, times + 2):
        _round(root, number)


def _round(root: Path, number: int) -> None:
    done = _edit_and_push(root, number)
    while not done:
        _git(root, "restore", ".")
        exported = _cibgit(root, "export")[1]
        if exported.get("outcome") == "recorded":
            _git(root, "merge", "--quiet", "--no-edit", exported["ref"])
        if COUNTER.format(number) in (root / "clusters/prod/cib.xml").read_text():
            done = _push(root, number)
        else:
            done = _edit_and_push(root, number)


def _edit_and_push(root: Path, number: int) -> bool:
    file = root / "clusters/prod/cib.xml"
    pattern = COUNTER.format(r"\d+")
    file.write_text(re.sub(pattern, COUNTER.format(number), file.read_text()))
    return _push(root, number, "-m", f"count {number}")


def _push(root: Path, number: int, *more: str) -> bool:
    code, answer = _cibgit(root, "push", "--yes", "--no-wait", *more)
    print(json.dumps({"code": code, "number": number, "answer": answer}), flush=True)
    return code == 0


def _cibgit(root: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = run([*arguments, "--json", "-C", str(root)])
    return code, json.loads(out.getvalue())


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


if __name__ == "__main__":
    main()
