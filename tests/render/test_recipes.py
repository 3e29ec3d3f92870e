"""The printed commands, run with the real tool, make the new CIB out of the old one."""

import difflib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cibgit.cib.canonical import compact
from cibgit.cib.document import Cib, parse
from cibgit.render.crmsh import crmsh
from cibgit.render.pcs import pcs

from .recipes import CASES, Case, announced, base, edited, meaning, without

pytestmark = pytest.mark.pacemaker

PCS_CALLS = Path(__file__).with_name("pcs_calls.py")
SECRET = "n3w s'ecret"


# pcs takes 0.4 s to start, so the shell that reads the recipe only notes the calls
NOTE = r"""pcs() { printf '%s\0' "$@" >> "$CALLS"; printf '\n' >> "$CALLS"; }"""


def run(
    tool: str, recipe: str, old: Cib, new: Cib, folder: Path, *, force: str = ""
) -> Cib:
    """Run a recipe on a copy of the old CIB; every command must succeed.

    ``force``: the option that makes the tool do without the agents on this machine.
    """
    file, calls, script = (folder / name for name in ("cib.xml", "calls", "recipe.sh"))
    file.write_bytes(compact(old))
    calls.write_bytes(b"")
    crm = f'crm() {{ command crm {force} "$@"; }}\nexport CIB_file="$FILE"\n'
    script.write_text(f"set -e\n{NOTE if tool == 'pcs' else crm}\n{recipe}\n")
    files = {"FILE": str(file), "CALLS": str(calls), "HOME": str(folder)}
    files |= secrets(new)
    done = execute(["bash", str(script)], files)
    if tool == "pcs" and not done.returncode:
        with Path(str(shutil.which("pcs"))).open() as lines:
            interpreter = lines.readline().removeprefix("#!").split()
        python = [*interpreter, str(PCS_CALLS), str(file), str(calls)]
        python += [force] if force else []
        done = execute(python, files)
    assert done.returncode == 0, f"{recipe}\n{done.stdout}{done.stderr}"
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


def execute(
    command: list[str], files: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**os.environ, **files},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def difference(result: Cib, wanted: Cib) -> str:
    one, other = meaning(result).splitlines(), meaning(wanted).splitlines()
    return "\n".join(difflib.unified_diff(one, other, "result", "wanted", n=2))


def check(tool: str, make: Callable[[Cib, Cib], str], case: Case, folder: Path) -> None:
    old, new = base(), edited(case.edit)
    recipe = make(old, new)
    assert SECRET not in recipe
    told = announced(recipe)
    assert bool(told) != getattr(case, tool), recipe
    result = run(tool, recipe, old, new, folder)
    missed = difference(without(result, set(told)), without(new, set(told)))
    assert not missed, f"{recipe}\n{missed}"
    assert re.search("^[a-z]", recipe, re.M) or told


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_pcs_makes_the_change(case: Case, tmp_path: Path) -> None:
    check("pcs", pcs, case, tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_crmsh_makes_the_change(case: Case, tmp_path: Path) -> None:
    check("crmsh", crmsh, case, tmp_path)
