"""The printed commands, run with the real tool, make the new CIB out of the old one."""

import difflib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from cibgit.cib.canonical import compact
from cibgit.cib.document import Cib, parse
from cibgit.render.crmsh import crmsh
from cibgit.render.pcs import pcs

from .. import generate
from ..prerequisites import must_run_all
from .recipes import CASES, Case, announced, base, edited, meaning, without

pytestmark = pytest.mark.pacemaker

PCS_CALLS = Path(__file__).with_name("pcs_calls.py")
SECRET = "n3w s'ecret"


# pcs takes 0.4 s to start, so the shell that reads the recipe only notes the calls
NOTE = r"""pcs() { printf '%s\0' "$@" >> "$CALLS"; printf '\n' >> "$CALLS"; }"""


def require(command: str) -> None:
    """Skip where the tool is not installed; where it ought to be, fail."""
    if not shutil.which(command):
        told = pytest.fail if must_run_all() else pytest.skip
        told(f"{command} is not installed")


@cache
def pcs_server() -> subprocess.Popen[str]:
    """Start pcs once; it ends with its standard input, so with this process."""
    with Path(str(shutil.which("pcs"))).open() as lines:
        interpreter = lines.readline().removeprefix("#!").split()
    return subprocess.Popen(
        [*interpreter, str(PCS_CALLS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_calls(*line: str) -> int:
    server = pcs_server()
    assert server.stdin
    assert server.stdout
    server.stdin.write("\t".join(filter(None, line)) + "\n")
    server.stdin.flush()
    return int(server.stdout.readline())


def run(
    tool: str, recipe: str, old: Cib, new: Cib, folder: Path, *, force: str = ""
) -> Cib:
    """Run a recipe on a copy of the old CIB; every command must succeed.

    ``force``: the option that makes the tool do without the agents on this machine.
    """
    require("pcs" if tool == "pcs" else "crm")
    file, calls, log, script = (
        folder / name for name in ("cib.xml", "calls", "log", "recipe.sh")
    )
    file.write_bytes(compact(old))
    calls.write_bytes(b"")
    crm = f'crm() {{ command crm {force} "$@"; }}\nexport CIB_file="$FILE"\n'
    script.write_text(f"set -e\n{NOTE if tool == 'pcs' else crm}\n{recipe}\n")
    files = {"FILE": str(file), "CALLS": str(calls)}
    files |= dict.fromkeys(("HOME", "TMPDIR"), str(folder))
    done = subprocess.run(
        ["bash", str(script)],
        env={**os.environ, **secrets(new), **files},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{recipe}\n{done.stdout}{done.stderr}"
    if tool == "pcs":
        status = run_calls(str(file), str(calls), str(log), force)
        assert status == 0, f"{recipe}\n{log.read_text()}"
    return parse(file.read_bytes(), "result")


def secrets(cib: Cib) -> dict[str, str]:
    """Return the variables that a recipe may want, with their values."""
    return {
        re.sub(r"\W", "_", f"{owner.get('id')}_password").upper(): str(
            pair.get("value")
        )
        for owner in cib.root.iter("primitive")
        for pair in owner.iter("nvpair")
        if pair.get("name") == "password"
    }


def difference(result: Cib, wanted: Cib) -> str:
    one, other = meaning(result).splitlines(), meaning(wanted).splitlines()
    return "\n".join(difflib.unified_diff(one, other, "result", "wanted", n=2))


MAKE: dict[str, Callable[[Cib, Cib], str]] = {"pcs": pcs, "crmsh": crmsh}
FORCE = {"pcs": "--force", "crmsh": "-F"}


def check(tool: str, case: Case, folder: Path) -> None:
    old, new = base(), edited(case.edit)
    recipe = MAKE[tool](old, new)
    assert SECRET not in recipe
    assert bool(announced(recipe)) != getattr(case, tool), recipe
    prove(tool, recipe, old, new, folder)


def prove(
    tool: str, recipe: str, old: Cib, new: Cib, folder: Path, *, force: str = ""
) -> None:
    """Whatever the commands leave different was announced."""
    told = set(announced(recipe))
    result = run(tool, recipe, old, new, folder, force=force)
    missed = difference(without(result, told), without(new, told))
    assert not missed, f"{recipe}\n{missed}"


def generated(tool: str, seed: int) -> tuple[Cib, Cib]:
    """Return a CIB and what six edits make of it.

    crmsh 4.4.1 stops with a traceback at podman and at comments among operations.
    """
    style: generate.Style = ("pcs", "crmsh", "random")[seed % 3]
    kinds = generate.KINDS
    if tool == "crmsh":
        kinds = tuple(kind for kind in kinds if "comment" not in kind)
    data = generate.cib(12, seed, style=style, comments=tool == "pcs")
    if tool == "crmsh":
        data = data.replace(b"<podman", b"<docker")
    edits = generate.mutate(data, seed, kinds, count=6)
    return parse(data, "old"), parse(edits, "new")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_pcs_makes_the_change(case: Case, tmp_path: Path) -> None:
    check("pcs", case, tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_crmsh_makes_the_change(case: Case, tmp_path: Path) -> None:
    check("crmsh", case, tmp_path)


@pytest.mark.parametrize("tool", MAKE)
@pytest.mark.parametrize("seed", range(4))
def test_of_any_edits_what_is_not_made_is_told(
    tool: str, seed: int, tmp_path: Path
) -> None:
    old, new = generated(tool, seed)
    prove(tool, MAKE[tool](old, new), old, new, tmp_path, force=FORCE[tool])
