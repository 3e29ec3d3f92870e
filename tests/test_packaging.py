"""The systemd units call what exists, and systemd understands them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parents[1] / "packaging"
UNITS = sorted([*PACKAGING.glob("*.service"), *PACKAGING.glob("*.timer")])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="it comes with systemd")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_the_unit(unit: Path, tmp_path: Path) -> None:
    for each in UNITS:
        text = each.read_text()
        text = re.sub("/usr/local/bin/cibgit", "/bin/true", text)
        (tmp_path / each.name.replace("@", "@x")).write_text(text)
    copy = tmp_path / unit.name.replace("@", "@x")
    verify = ["systemd-analyze", "verify", str(copy)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_agent_is_a_script_that_the_shell_can_read() -> None:
    agent = PACKAGING / "ocf/watch"
    assert agent.stat().st_mode & 0o111
    assert subprocess.run(["sh", "-n", agent], check=False).returncode == 0
