"""A git remote that gets what is recorded: away and back, locked, slow, or wrong."""

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cibgit.cli.app import run
from cibgit.errors import UnreachableError
from cibgit.flow.export import export
from cibgit.flow.mirror import Mirror
from cibgit.flow.tally import Seen
from cibgit.gitcall import forever

from .embedded import CIB, Embedded
from .watching import LIVE, Agent, Bench, wait_for

PASSWORD = "c4nary-passwd"
STONITH = f"""\
<primitive id="fence" class="stonith" type="fence_ipmilan"><instance_attributes id="fp">
<nvpair id="fp-passwd" name="passwd" value="{PASSWORD}"/></instance_attributes></primitive>
"""


def bare(embedded: Embedded, folder: Path) -> Path:
    """Create a bare repository and make it the remote ``origin``."""
    subprocess.run(["git", "init", "--quiet", "--bare", str(folder)], check=True)
    embedded.git("remote", "add", "origin", str(folder))
    return folder


def tip(folder: Path, ref: str) -> str:
    words = ["git", "-C", str(folder), "rev-parse", "--verify", "--quiet", ref]
    return subprocess.run(
        words, capture_output=True, text=True, check=False
    ).stdout.strip()


def here(embedded: Embedded, ref: str = LIVE) -> str:
    return embedded.git("rev-parse", ref).strip()


def test_a_remote_that_is_away_gets_all_of_it_when_it_is_back(
    embedded: Embedded, tmp_path: Path
) -> None:
    origin = bare(embedded, tmp_path / "origin")
    export(embedded.site())
    bench = Bench(embedded)
    bench.agent.slow = 0.1
    mirror = Mirror(bench.agent.site, "origin", "live", pause=0.1)
    bench.agent.mirror, bench.agent.branch = mirror, "live"
    away = origin.with_name("away")

    def between(count: int) -> None:
        if count == 2:
            wait_for(lambda: tip(origin, LIVE) == here(embedded))
            assert bench.agent.tally.is_mirrored is not None
            origin.rename(away)
            for value in ("1", "2", "3"):
                embedded.change_live("loc@score", value)
        elif away.exists() and len(bench.of(Seen)) == 3 and bench.troubles():
            # recording went on, and it was told
            assert bench.troubles()[0].sentence.startswith("git push origin: ")
            assert bench.agent.tally.is_mirrored is False
            assert "remote" in bench.agent.tally.standing
            away.rename(origin)
            wait_for(lambda: tip(origin, LIVE) == here(embedded))
        elif count > 2 and bench.agent.tally.is_mirrored and not away.exists():
            bench.events.stop()
        assert count < 1000

    bench.run(between)
    assert tip(origin, "refs/heads/live") == here(embedded)
    assert tip(origin, "refs/cibgit/prod/seen") == here(embedded)
    assert not tip(origin, "refs/cibgit/prod/told-output")
    assert "remote" not in bench.agent.tally.standing
    assert len(bench.troubles()) == 1


def test_the_last_state_gets_there_when_the_agent_is_stopped(
    embedded: Embedded, tmp_path: Path
) -> None:
    """A git server that is slow to answer does not keep a stop waiting for long."""
    origin = bare(embedded, tmp_path / "origin")
    hook = origin / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    slow = tmp_path / "slow"
    hook.write_text(
        f"#!/bin/sh\nif [ -e {slow} ]; then touch {slow}.on; sleep 60; fi\n"
    )
    hook.chmod(0o755)
    export(embedded.site())
    slow.touch()
    with Agent(embedded, "--remote", "origin") as agent:
        wait_for(Path(f"{slow}.on").exists)
        embedded.change_live("loc@score", "1")
        wait_for(lambda: "0.6.0" in embedded.git("log", "-1", "--format=%s", LIVE))
        slow.unlink()
        agent.stop()
    assert tip(origin, LIVE) == here(embedded)


def test_once_pushes_before_it_ends_and_says_why_it_could_not(
    embedded: Embedded, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    origin = bare(embedded, tmp_path / "origin")
    export(embedded.site())
    watch = ["watch", "--once", "-C", str(embedded.root), "--remote"]
    assert run([*watch, "origin"]) == 0
    assert tip(origin, LIVE) == here(embedded)
    origin.rename(tmp_path / "away")
    assert run([*watch, "origin"]) == 69
    assert "git push origin: " in capfd.readouterr().err


@pytest.mark.parametrize("name", ["upstream", "-u", "https://me:pw@host/x.git", "a b"])
def test_what_is_no_remote(embedded: Embedded, name: str) -> None:
    export(embedded.site())
    assert run(["watch", "-C", str(embedded.root), f"--remote={name}"]) == 66


def test_no_password_of_an_address_is_told(embedded: Embedded) -> None:
    export(embedded.site())
    embedded.git("remote", "add", "origin", "http://me:s3cret@127.0.0.1:1/x.git")
    with pytest.raises(UnreachableError) as failed:
        Mirror(embedded.site(), "origin").send(forever)
    assert "s3cret" not in failed.value.message


def test_nobody_is_asked(
    embedded: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither git nor ssh, whatever the environment would have them start."""
    export(embedded.site())
    embedded.git("remote", "add", "origin", "ssh://git@host.invalid/x.git")
    ssh, asked = tmp_path / "ssh", tmp_path / "asked"
    ssh.write_text(f'#!/bin/sh\necho "$@" >> {asked}\nexit 255\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_ASKPASS", str(ssh))
    with pytest.raises(UnreachableError):
        Mirror(embedded.site(), "origin", ssh=f"{ssh} -i key").send(forever)
    embedded.git("config", "core.sshCommand", f"{ssh} -i other")
    with pytest.raises(UnreachableError):
        Mirror(embedded.site(), "origin").send(forever)
    first, second = asked.read_text().splitlines()
    assert first.startswith("-i key -o BatchMode=yes -o ConnectTimeout=20 ")
    assert second.startswith("-i other -o BatchMode=yes ")


def test_no_secret_leaves(tmp_path: Path) -> None:
    embedded = Embedded.create(
        tmp_path, CIB.replace("</resources>", STONITH + "</resources>")
    )
    origin = bare(embedded, tmp_path / "origin")
    export(embedded.site())
    embedded.change_live("fp-passwd@value", PASSWORD + "2")
    bench = Bench(embedded)
    site = replace(bench.agent.site)
    bench.agent.mirror = Mirror(site, "origin")
    with bench.events:
        bench.agent.once()
    assert tip(origin, LIVE) == here(embedded)
    words = ["git", "-C", str(origin), "cat-file", "--batch-all-objects", "--batch"]
    objects = subprocess.run(words, capture_output=True, check=True).stdout
    assert b"secret:v1:" in objects or b"cibgit:" in objects or b"fp-passwd" in objects
    assert PASSWORD.encode() not in objects


def test_a_lock_that_a_push_cannot_take_is_no_end(
    embedded: Embedded, tmp_path: Path
) -> None:
    origin = bare(embedded, tmp_path / "origin")
    export(embedded.site())
    lock = origin / "refs/cibgit/prod/live.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    mirror = Mirror(embedded.site(), "origin", pause=0.1)
    mirror.start()
    with pytest.raises(UnreachableError):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            mirror.wake()
            time.sleep(0.05)
    assert mirror.is_behind
    lock.unlink()
    wait_for(lambda: not mirror.is_behind)
    assert tip(origin, LIVE) == here(embedded)
    mirror.close()
