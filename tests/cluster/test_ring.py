"""The shell programs of a ring, run for real on this machine: reading, staging, replacing."""

import os
import shutil
from pathlib import Path

import pytest

from cibgit.cluster import corosync_commands
from cibgit.cluster.ring import Copy, Ring, at_once
from cibgit.errors import (
    BadDataError,
    BusyError,
    CibgitError,
    StaleError,
    TimedOutError,
    UnreachableError,
)

from ..prerequisites import SYSTEM_PATH

MAP = "totem.token (u32) = 1000\nruntime.members.1.status (str) = joined\n"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Return a folder with a Corosync that takes every file and prints one map.

    The real ones need a daemon; tests/live has them.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    tool(folder, "corosync", "exit 0")
    tool(folder, "corosync-cmapctl", f"printf '{MAP}'")
    return folder


@pytest.fixture
def ring(tools: Path, tmp_path: Path) -> Ring:
    """Return a ring whose every node is this machine; its path is an unpleasant one."""
    etc = tmp_path / "it's $HOME; exit"
    etc.mkdir()
    file = etc / "corosync.conf"
    file.write_bytes(b"old\n")
    file.chmod(0o640)
    path = f"{tools}:/usr/bin:/bin"
    return Ring(("env", "NODE={node}"), str(file), {"PATH": path})


def tool(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def names(ring: Ring) -> list[str]:
    return sorted(path.name for path in Path(ring.path).parent.iterdir())


def test_reads_the_file_and_the_map(ring: Ring) -> None:
    own = ring.read_own()
    assert own.data == b"old\n"
    assert own.runtime is not None
    assert own.runtime.keys["totem.token"] == "1000"
    assert ring.read(["node1", "node2"]) == {"node1": own, "node2": own}


def test_tells_a_missing_file_and_a_silent_daemon(ring: Ring, tools: Path) -> None:
    Path(ring.path).unlink()
    tool(tools, "corosync-cmapctl", "echo 'Could not connect'; exit 1")
    copy = ring.read_own()
    assert copy == Copy(None, None, silent="Could not connect")
    assert copy.digest == "missing"


def test_replaces_a_file_and_keeps_the_old_one(ring: Ring) -> None:
    file = Path(ring.path)
    before = ring.read_own()
    ring.stage("node1", b"new\xff\0'\n", own=False)
    assert file.read_bytes() == b"old\n"
    ring.install("node1", before.digest, own=False)
    ring.discard("node1", own=False)
    assert file.read_bytes() == b"new\xff\0'\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.with_name("corosync.conf.cibgit").read_bytes() == b"old\n"
    assert names(ring) == ["corosync.conf", "corosync.conf.cibgit"]


@pytest.mark.parametrize("line", [b"\tkey: k3y", b"totem.key: k3y", b"KEY :k3y"])
def test_a_file_with_a_key_is_for_its_owner_only(ring: Ring, line: bytes) -> None:
    file, before = Path(ring.path), ring.read_own()
    ring.stage("node1", b"totem {\n" + line + b"\n}\n", own=False)
    ring.install("node1", before.digest, own=False)
    kept = file.with_name("corosync.conf.cibgit")
    assert {each.stat().st_mode & 0o777 for each in (file, kept)} == {0o600}
    ring.stage("node1", b"totem {\n\tkeyfile: /etc/corosync/authkey\n}\n", own=False)
    ring.install("node1", ring.read_own().digest, own=False)
    assert file.stat().st_mode & 0o777 == 0o600, "the mode is kept"


def test_a_symbolic_link_leads_to_what_is_replaced(ring: Ring, tmp_path: Path) -> None:
    real = tmp_path / "real.conf"
    real.write_bytes(b"old\n")
    Path(ring.path).unlink()
    Path(ring.path).symlink_to(real)
    ring.stage("a", b"new\n", own=True)
    ring.install("a", ring.read_own().digest, own=True)
    assert Path(ring.path).is_symlink()
    assert real.read_bytes() == b"new\n"


def test_a_new_node_has_no_file_to_keep(ring: Ring) -> None:
    Path(ring.path).unlink()
    ring.stage("a", b"new\n", own=True)
    ring.install("a", "missing", own=True)
    assert names(ring) == ["corosync.conf"]


def test_nothing_is_replaced_that_changed_meanwhile(ring: Ring) -> None:
    before = ring.read_own()
    ring.stage("a", b"new\n", own=True)
    Path(ring.path).write_bytes(b"other\n")
    with pytest.raises(StaleError, match="on a was changed by somebody else"):
        ring.install("a", before.digest, own=True)
    assert Path(ring.path).read_bytes() == b"other\n"
    assert names(ring) == ["corosync.conf"]


def test_what_corosync_refuses_is_not_staged(ring: Ring, tools: Path) -> None:
    tool(tools, "corosync", "echo 'parser error: no' >&2; exit 8")
    with pytest.raises(BadDataError, match="Corosync on a refuses the file: parser"):
        ring.stage("a", b"new\n", own=True)
    assert names(ring) == ["corosync.conf"]


@pytest.mark.parametrize("known", ["", "t"])
def test_a_corosync_that_cannot_test_is_no_obstacle(
    ring: Ring, tools: Path, known: str
) -> None:
    """Older ones know no ``-c``, or no ``-t`` either; the name is in the environment."""
    script = f"""\
while getopts ':{known}' option; do
    [ "$option" != '?' ] || {{ echo "corosync: invalid option -- '$OPTARG'"; exit 1; }}
done
grep -q new "$COROSYNC_MAIN_CONFIG_FILE\""""
    tool(tools, "corosync", script)
    ring.stage("a", b"new\n", own=True)
    assert names(ring) == ["corosync.conf", "corosync.conf.cibgit-new"]
    ring.discard("a", own=True)
    assert names(ring) == ["corosync.conf"]


@pytest.mark.skipif(
    not shutil.which("corosync", path=SYSTEM_PATH), reason="no Corosync"
)
def test_the_installed_corosync_says_why(ring: Ring, tools: Path) -> None:
    (tools / "corosync").unlink()
    with pytest.raises(BadDataError, match="Missing closing brace"):
        ring.stage("a", b"totem {\n", own=True)


@pytest.mark.skipif(
    not shutil.which("corosync", path=SYSTEM_PATH), reason="no Corosync"
)
@pytest.mark.parametrize("to_stderr", ["no", "off", "maybe"])
def test_it_says_why_although_the_file_sends_that_to_a_log(
    ring: Ring, tools: Path, tmp_path: Path, to_stderr: str
) -> None:
    (tools / "corosync").unlink()
    log = f"to_stderr: {to_stderr}\nto_syslog: no\nto_logfile: yes\nlogfile: {tmp_path}/log"
    data = f"logging {{\n{log}\n}}\nquorum {{\nprovider: no\n}}\n".encode()
    why = (
        "No interfaces defined"
        if to_stderr != "maybe"
        else "unknown value for to_stderr"
    )
    with pytest.raises(BadDataError, match=why) as caught:
        ring.stage("a", data, own=True)
    assert "MAIN" not in caught.value.message
    assert names(ring) == ["corosync.conf"]


def installed(ring: Ring, data: bytes) -> str:
    """Replace the file, and return the digest of the old one."""
    old = ring.read_own().digest
    ring.stage("a", data, own=True)
    ring.install("a", old, own=True)
    return old


def test_what_was_installed_is_taken_back_with_what_was_kept(ring: Ring) -> None:
    installed(ring, b"second\n")
    ring.discard("a", own=True)
    kept = Path(ring.path).with_name("corosync.conf.cibgit")
    old = installed(ring, b"third\n")
    assert kept.read_bytes() == b"second\n"
    ring.restore("a", b"third\n", old, own=True)
    assert (Path(ring.path).read_bytes(), kept.read_bytes()) == (b"second\n", b"old\n")
    assert Path(ring.path).stat().st_mode & 0o777 == 0o640
    assert names(ring) == ["corosync.conf", "corosync.conf.cibgit"]
    ring.restore("a", b"third\n", old, own=True)
    assert (Path(ring.path).read_bytes(), kept.read_bytes()) == (b"second\n", b"old\n")


def test_a_new_node_is_left_without_a_file_again(ring: Ring) -> None:
    Path(ring.path).unlink()
    old = installed(ring, b"new\n")
    ring.restore("a", b"other\n", old, own=True)
    assert names(ring) == ["corosync.conf"]
    ring.restore("a", b"new\n", old, own=True)
    assert names(ring) == []


def test_a_file_that_was_kept_by_somebody_else_is_not_put_back(ring: Ring) -> None:
    old = installed(ring, b"new\n")
    Path(ring.path).with_name("corosync.conf.cibgit").write_bytes(b"other\n")
    with pytest.raises(UnreachableError, match=r"^a: "):
        ring.restore("a", b"new\n", old, own=True)
    assert Path(ring.path).read_bytes() == b"new\n"


def test_a_full_disk_leaves_everything_as_it_was(ring: Ring, tools: Path) -> None:
    installed(ring, b"second\n")
    ring.discard("a", own=True)
    full = "cp: error writing: No space left on device"
    tool(tools, "cp", f': > "$4"; echo "{full}" >&2; exit 1')
    with pytest.raises(BusyError, match=r"^a: .*No space left on device$") as caught:
        installed(ring, b"third\n")
    assert "Make room" in caught.value.hint
    ring.restore("a", b"third\n", ring.read_own().digest, own=True)
    kept = Path(ring.path).with_name("corosync.conf.cibgit")
    assert (Path(ring.path).read_bytes(), kept.read_bytes()) == (b"second\n", b"old\n")
    assert names(ring) == ["corosync.conf", "corosync.conf.cibgit"]


def test_a_node_that_hangs_is_named(
    ring: Ring, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cibgit.cluster.ring.TIMEOUT", 0.2)
    tool(tools, "slow", "exec sleep 60")
    hanging = Ring(("slow", "{node}"), ring.path, ring.environment)
    with pytest.raises(TimedOutError, match=r"^node7: slow did not answer"):
        hanging.stage("node7", b"new\n", own=False)


def test_a_folder_that_cannot_be_written_is_told(ring: Ring) -> None:
    lost = Ring(ring.reach, "/proc/nowhere/corosync.conf", ring.environment)
    with pytest.raises(UnreachableError, match=r"^a: "):
        lost.stage("a", b"new\n", own=True)


def test_half_a_program_runs_nothing(ring: Ring) -> None:
    program = corosync_commands.install(ring.path, ring.read_own().digest)
    Path(f"{ring.path}.cibgit-new").write_bytes(b"new\n")
    for length in range(0, program.index(b"main < /dev/null"), 7):
        ring._run(corosync_commands.SHELL, program[:length])
    assert Path(ring.path).read_bytes() == b"old\n"


@pytest.mark.parametrize("node", ["-oProxyCommand=x", "", "a b", "$(x)", "a\n"])
def test_no_node_is_an_option(ring: Ring, node: str) -> None:
    assert "cannot be the name" in ring.read([node])[node].problem


def test_what_reaches_no_node_says_why(ring: Ring) -> None:
    deaf = Ring(("false", "{node}"), ring.path, ring.environment)
    absent = Ring(("no-such-program", "{node}"), ring.path, ring.environment)
    assert "exit code 1" in deaf.read(["a"])["a"].problem
    assert "not installed" in absent.read(["a"])["a"].problem


def test_the_agent_of_ssh_is_reached(ring: Ring) -> None:
    found = Ring.connect((), ring.path, {"SSH_AUTH_SOCK": "/s", "CIB_file": "/x"})
    assert found.environment["SSH_AUTH_SOCK"] == "/s"
    assert "CIB_file" not in found.environment
    assert ring.host() == os.uname().nodename.partition(".")[0]


def test_all_that_failed_is_returned() -> None:
    def work(node: str) -> None:
        if node != "b":
            raise CibgitError(node)

    assert sorted(at_once(work, "abc")) == ["a", "c"]
    assert at_once(work, []) == {}
