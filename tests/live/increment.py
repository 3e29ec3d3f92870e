"""A writer for test_writers: cibgit counts up a parameter, as often as it is told.

Run inside a node: ``python -m tests.live.increment REPOSITORY TIMES``. Each round pushes
an edit; where that is refused, live is exported first and the edit made again. Prints
one JSON object a push: its exit code, and what it answered.
"""

import contextlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

from cibgit.cli.app import run


def main() -> None:
    root, times = Path(sys.argv[1]), int(sys.argv[2])
    file = root / "clusters/prod/cib.xml"
    for _ in range(times):
        while _push(root, file) != 0:
            subprocess.run(["git", "restore", file], cwd=root, check=True)
            _cibgit(root, "export")


def _push(root: Path, file: Path) -> int:
    text = file.read_text()
    found = re.search(r'id="vip-fake" name="fake" value="(\d+)"', text)
    assert found
    number = int(found[1]) + 1
    file.write_text(
        text.replace(found[0], found[0].replace(f'"{found[1]}"', f'"{number}"'))
    )
    code, out = _cibgit(root, "push", "-m", f"count {number}", "--yes")
    print(
        json.dumps({"code": code, "number": number, "answer": json.loads(out)}),
        flush=True,
    )
    return code


def _cibgit(root: Path, *arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = run([*arguments, "--json", "-C", str(root)])
    return code, out.getvalue()


if __name__ == "__main__":
    main()
