"""The directory adapter, against Pacemaker's own tools and daemon where they are there.

Run as a program it is the writer that the tests kill or race (see ``main``).
"""

import errno
import fcntl
import itertools
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

import pytest
from lxml import etree

from cibgit.cib import patchset as patchsets
from cibgit.cib.digest import Dialect, dump, on_disk
from cibgit.cib.document import Cib, Version, parse
from cibgit.cluster import cibfiles, directory
from cibgit.cluster.cibwriter import NEW_CIB, NEW_LAST, NEW_SIGNATURE, CibWriter
from cibgit.cluster.directory import Directory
from cibgit.errors import (
    BadDataError,
    BusyError,
    CibgitError,
    DigestError,
    NoInputError,
    PermissionDeniedError,
    StaleError,
    UnknownOutcomeError,
    UnreachableError,
    UnsafeError,
    UsageError,
)

SEED = b"""\
<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" admin_epoch="0" epoch="7"
     num_updates="0"><configuration><crm_config>
  <cluster_property_set id="cib-bootstrap-options">
    <nvpair id="counter" name="counter" value="0"/>
    <nvpair id="text" name="text" value="a &lt; b"/>
  </cluster_property_set></crm_config>
  <nodes><node id="1" uname="n1"/></nodes>
  <resources><!-- one --><primitive id="d1" class="ocf" provider="pacemaker" type="Dummy"/>
  </resources><constraints/></configuration></cib>
"""

TEMPORARY = {NEW_CIB, NEW_SIGNATURE, NEW_LAST}
BASED = Path("/usr/lib/pacemaker/pacemaker-based")
NOBODY = 65534

pacemaker = pytest.mark.pacemaker
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def place() -> Iterator[Path]:
    """A path that every user can reach, unlike ``tmp_path``."""
    made = Path(tempfile.mkdtemp(prefix="cibgit-test-"))
    made.chmod(0o755)
    yield made / "cib"
    shutil.rmtree(made)


@pytest.fixture
def live(place: Path) -> Directory:
    return Directory.create(place, SEED)


def counter(cib: Cib) -> int:
    return int(cib.option("counter"))


def change(cib: Cib, name: str = "counter", value: str | None = None) -> Cib:
    """Return a copy in which one option is another, by default the counter one more."""
    new = cib.copy()
    pair = new.root.find(f".//nvpair[@id='{name}']")
    assert pair is not None
    pair.set("value", str(counter(cib) + 1) if value is None else value)
    return new


def patch(old: Cib, new: Cib, dialect: Dialect = Dialect.NEW) -> patchsets.Patchset:
    return patchsets.build(old, new, dialect)


def push(live: Directory) -> None:
    """Count one further."""
    old = live.read()
    live.apply(patch(old, change(old), live.dialect()))


def sign(path: Path, dialect: Dialect = Dialect.NEW) -> None:
    digest = on_disk(parse((path / "cib.xml").read_bytes(), "").root, dialect)
    (path / "cib.xml.sig").write_text(digest)


def pair_of(path: Path) -> tuple[bytes, bytes | None]:
    signature = path / "cib.xml.sig"
    return (
        (path / "cib.xml").read_bytes(),
        signature.read_bytes() if signature.exists() else None,
    )


# --- reading


def test_create_and_read(place: Path) -> None:
    live = Directory.create(place, SEED)
    assert live.address == f"dir:{place}"
    assert dump(live.read().root, Dialect.NEW) == dump(
        parse(SEED, "").root, Dialect.NEW
    )
    assert {p.name for p in place.iterdir()} == {"cib.xml", "cib.xml.sig", "cib.last"}
    assert (place / "cib.last").read_text() == "1"
    assert len((place / "cib.xml.sig").read_bytes()) == 32
    assert stat.S_IMODE((place / "cib.xml").stat().st_mode) == 0o600
    assert stat.S_IMODE((place / "cib.last").stat().st_mode) == 0o640
    with pytest.raises(UnsafeError, match="there already"):
        Directory.create(place, SEED)
    assert live.places() == ["disk"]
    assert live.read_copy("disk").find("resources") is not None
    with pytest.raises(UsageError, match="node2"):
        live.read_copy("node2")


def test_create_where_nothing_can_be(place: Path) -> None:
    place.write_text("a file")
    with pytest.raises(UnreachableError, match="File exists"):
        Directory.create(place, SEED)


def test_relative_address(live: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(live.path.parent)
    assert Directory(Path("cib")).address == live.address


@pytest.mark.parametrize("what", ["directory", "cib.xml", "file"])
def test_read_nothing(place: Path, what: str) -> None:
    if what == "cib.xml":
        place.mkdir()
    elif what == "file":
        place.write_bytes(SEED)
    with pytest.raises(NoInputError, match=str(place)):
        Directory(place).read()


@pytest.mark.parametrize(
    "signature", ["{}\n", " {}", "{:.31}", "", "0" * 32, "{}\0", "\xe9" * 500]
)
def test_mismatch_is_refused(live: Directory, signature: str) -> None:
    right = (live.path / "cib.xml.sig").read_text()
    (live.path / "cib.xml.sig").write_text(signature.format(right))
    before = pair_of(live.path)
    with pytest.raises(DigestError, match=f"computed {right}") as refused:
        live.read()
    assert f"`cibgit repair {live.path}`" in refused.value.hint
    assert refused.value.message.isprintable()
    good = parse(SEED, "")
    with pytest.raises(DigestError):
        live.apply(patch(good, change(good)))
    with pytest.raises(DigestError):
        cibfiles.read_pair(live.path)
    assert pair_of(live.path) == before


@pytest.mark.parametrize("dialect", Dialect)
def test_any_dialect_signs(live: Directory, dialect: Dialect) -> None:
    text = (live.path / "cib.xml").read_text().replace("a &lt; b", "it's")
    (live.path / "cib.xml").write_text(text)
    sign(live.path, dialect)
    assert live.read().version == (0, 7, 0)


def test_upper_case_and_missing_signature(live: Directory) -> None:
    signature = live.path / "cib.xml.sig"
    signature.write_text(signature.read_text().upper())
    assert counter(live.read()) == 0
    signature.unlink()
    assert counter(live.read()) == 0
    assert counter(cibfiles.read_pair(live.path).cib) == 0
    assert not signature.exists()


@pytest.mark.parametrize("content", [b"", b"<cib", b"<nodes/>"])
def test_damaged_file(live: Directory, content: bytes) -> None:
    (live.path / "cib.xml").write_bytes(content)
    with pytest.raises(BadDataError, match=r"cib\.xml"):
        live.read()


def test_what_is_no_file(live: Directory) -> None:
    file = live.path / "cib.xml"
    old = live.read()
    file.rename(live.path / "elsewhere.xml")
    file.symlink_to("elsewhere.xml")
    assert counter(live.read()) == 0
    with pytest.raises(UnsafeError, match="not a regular file"):
        live.check_writable(old)
    with pytest.raises(UnsafeError, match="not a regular file"):
        live.apply(patch(old, change(old)))
    assert file.is_symlink()
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(BadDataError, match="not a regular file"):
        live.read()


def test_race_with_a_daemon(live: Directory) -> None:
    """The daemon renames the file first and then the signature, many times a second."""
    versions = []
    for value in ("1", "2"):
        cib = change(live.read(), value=value)
        data = etree.tostring(cib.root)
        versions.append((data, on_disk(cib.root, Dialect.NEW).encode()))
    stop = threading.Event()

    def daemon() -> None:
        for data, digest in itertools.cycle(versions):
            if stop.is_set():
                return
            for name, content in (("cib.xml", data), ("cib.xml.sig", digest)):
                (live.path / "cib.Ab12Cd").write_bytes(content)
                (live.path / "cib.Ab12Cd").rename(live.path / name)
                time.sleep(0.0005)
            time.sleep(0.002)

    thread = threading.Thread(target=daemon)
    thread.start()
    try:
        assert {counter(live.read()) for _ in range(100)} <= {0, 1, 2}
    finally:
        stop.set()
        thread.join()


def test_is_readable(live: Directory) -> None:
    assert cibfiles.is_readable(live.path)
    assert not cibfiles.is_readable(live.path / "none")


# --- dialect


def test_dialect(live: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked() -> str:
        return "2.1.5"

    def not_asked() -> str:
        raise AssertionError

    assert Directory(live.path, installed=not_asked).dialect() is Dialect.NEW
    assert Directory(live.path, "2.1.5", not_asked).dialect() is Dialect.MID
    assert Directory(live.path, installed=not_asked).pacemaker_version() is None
    link = live.path.with_name("link")
    link.symlink_to(live.path)
    monkeypatch.setattr(directory, "SYSTEM", link)
    assert Directory(live.path, installed=asked).pacemaker_version() == "2.1.5"
    assert Directory(live.path, installed=asked).dialect() is Dialect.MID
    assert Directory(live.path, "1.1.18", not_asked).dialect() is Dialect.OLD


@pytest.mark.parametrize(
    ("text", "signed", "expected"),
    [
        ("plain", Dialect.OLD, Dialect.NEW),  # all three agree
        ("it's", Dialect.NEW, Dialect.NEW),
        ("it's", Dialect.MID, Dialect.NEW),  # two of them agree
        ("\u00e9", Dialect.OLD, Dialect.OLD),
        ("it's \u00e9", Dialect.MID, Dialect.MID),
    ],
)
def test_dialect_by_evidence(
    live: Directory, text: str, signed: Dialect, expected: Dialect
) -> None:
    cib = change(live.read(), "text", text)
    (live.path / "cib.xml").write_bytes(etree.tostring(cib.root))
    sign(live.path, signed)
    assert live.dialect() is expected
    if expected is not Dialect.OLD:  # which destroys such text when it is pushed
        push(live)
        assert counter(live.read()) == 1
        assert live.dialect() is expected


# --- writing


def test_apply(live: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    old = live.read()
    live.check_writable(change(old))
    live.apply(patch(old, change(old)))
    new = live.read()
    assert new.version == (0, 8, 0)
    assert counter(new) == 1
    changed = new.last_change
    assert (changed.client, changed.origin) == ("cibgit", os.uname().nodename)
    assert changed.user
    assert time.strptime(changed.at)
    assert list(new.root.keys())[:5] == list(old.root.keys())
    assert pair_of(live.path)[0].endswith(b"  </configuration>\n</cib>\n")
    assert not TEMPORARY & {p.name for p in live.path.iterdir()}


def test_status_goes_and_num_updates_restarts(place: Path) -> None:
    data = SEED.replace(b'num_updates="0"', b'num_updates="5"').replace(
        b"</configuration>", b"</configuration><status><node_state id='1'/></status>"
    )
    live = Directory.create(place, data)
    assert live.read().version == (0, 7, 5)
    assert live.read().root.find("status") is not None
    push(live)
    assert live.read().version == (0, 8, 0)
    assert live.read().root.find("status") is None


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ("pacemaker-1.1", False),
        ("transitional-0.6", False),
        ("pacemaker-1.2", True),
        ("pacemaker-1.10", True),
        ("none", True),
    ],
)
def test_old_schemas_know_no_update_user(place: Path, schema: str, named: bool) -> None:
    live = Directory.create(place, SEED.replace(b"pacemaker-3.9", schema.encode()))
    push(live)
    assert bool(live.read().last_change.user) is named
    assert live.read().last_change.at


def test_no_change_writes_nothing(live: Directory) -> None:
    old = live.read()
    before = pair_of(live.path), (live.path / "cib.xml").stat().st_ino
    live.apply(patch(old, old))
    assert (pair_of(live.path), (live.path / "cib.xml").stat().st_ino) == before


@pytest.mark.parametrize("version", [(0, 6, 0), (0, 8, 0), (0, 7, 1), (1, 7, 0)])
def test_stale(live: Directory, version: tuple[int, int, int]) -> None:
    old = live.read()
    base = patch(old, change(old))
    before = pair_of(live.path)
    stale = patchsets.Patchset(
        Version(*version), base.target, base.digest, base.changes
    )
    with pytest.raises(StaleError, match=r"is at 0\.7\.0"):
        live.apply(stale)
    assert pair_of(live.path) == before


def test_refused_patchsets(live: Directory) -> None:
    old = live.read()
    good = patch(old, change(old))
    before = pair_of(live.path)
    wrong = patchsets.Patchset(good.source, good.target, "0" * 32, good.changes)
    with pytest.raises(DigestError, match="nothing was changed"):
        live.apply(wrong)
    unsigned = patchsets.Patchset(good.source, good.target, "", good.changes)
    with pytest.raises(BadDataError, match="no digest"):
        live.apply(unsigned)
    standing = patchsets.Patchset(good.source, good.source, good.digest, good.changes)
    with pytest.raises(StaleError, match="leads from"):
        live.apply(standing)
    assert pair_of(live.path) == before
    live.apply(
        patchsets.Patchset(good.source, good.target, good.digest.upper(), good.changes)
    )


def test_backups_wrap_around(live: Directory) -> None:
    (live.path / "cib.last").write_text("98")
    (live.path / "cib-99.raw").write_text("of old")
    (live.path / "cib-99.raw.sig").write_text("of old")
    for number, following in ((98, "99"), (99, "0"), (0, "1"), (1, "2")):
        replaced = pair_of(live.path)
        identity = (live.path / "cib.xml").stat().st_ino
        push(live)
        backup = live.path / f"cib-{number}.raw"
        assert (live.path / "cib.last").read_text() == following
        assert backup.stat().st_ino == identity
        signature = backup.with_name(backup.name + ".sig")
        assert (backup.read_bytes(), signature.read_bytes()) == replaced


@pytest.mark.parametrize("last", [None, "", "x", "-1", "100", "4294967295", " 7\n"])
def test_odd_cib_last(live: Directory, last: str | None) -> None:
    (live.path / "cib.last").unlink()
    if last is not None:
        (live.path / "cib.last").write_text(last)
    push(live)
    number = 7 if last == " 7\n" else 0
    assert (live.path / f"cib-{number}.raw").exists()
    assert (live.path / "cib.last").read_text() == str(number + 1)


def test_unsigned_file_becomes_an_unsigned_backup(live: Directory) -> None:
    edited = (live.path / "cib.xml").read_text().replace("a &lt; b", "by hand")
    (live.path / "cib.xml").write_text(edited)
    (live.path / "cib.xml.sig").unlink()
    (live.path / "cib-1.raw.sig").write_text("0" * 32)
    push(live)
    assert (live.path / "cib-1.raw").read_text() == edited
    assert not (live.path / "cib-1.raw.sig").exists()
    assert live.read().option("text") == "by hand"
    assert pair_of(live.path)[1] is not None


def test_values_survive_the_disk(live: Directory) -> None:
    for text in ('it\'s "q" <&>', "tab\tnl\ncr\r", "\u00e9\u6f22\U0001f600", "\x7f"):
        old = live.read()
        live.apply(patch(old, change(old, "text", text)))
        assert live.read().option("text") == text
    old = live.read()
    assert [c.tag for c in old.root.iter() if not isinstance(c.tag, str)]


def test_leftovers_are_cleaned(live: Directory) -> None:
    for name in TEMPORARY:
        (live.path / name).write_text("half a")
    foreign = live.path / "cib.Xy12Zz"
    foreign.write_text("Pacemaker's")
    push(live)
    assert not TEMPORARY & {p.name for p in live.path.iterdir()}
    assert foreign.exists()


@needs_root
def test_owner_and_mode_are_kept(live: Directory) -> None:
    modes = {"cib.xml": 0o640, "cib.xml.sig": 0o604, "cib.last": 0o600}
    for number, (name, mode) in enumerate(modes.items()):
        os.chown(live.path / name, 4000 + number, 5000 + number)
        (live.path / name).chmod(mode)
    push(live)
    for number, (name, mode) in enumerate(modes.items()):
        status = (live.path / name).stat()
        assert (status.st_uid, status.st_gid) == (4000 + number, 5000 + number)
        assert stat.S_IMODE(status.st_mode) == mode
    assert (live.path / "cib-1.raw").stat().st_uid == 4000
    (live.path / "cib.xml.sig").unlink()
    (live.path / "cib.last").unlink()
    push(live)
    for name in ("cib.xml.sig", "cib.last"):
        assert (live.path / name).stat().st_uid == 4000


@needs_root
def test_new_files_belong_to_the_owner_of_the_directory(place: Path) -> None:
    place.mkdir()
    os.chown(place, 4000, 5000)
    Directory.create(place, SEED)
    owners = {(p.stat().st_uid, p.stat().st_gid) for p in place.iterdir()}
    assert owners == {(4000, 5000)}


# --- refusals of the operating system


@contextmanager
def as_nobody() -> Iterator[None]:
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


@needs_root
def test_other_users(live: Directory) -> None:
    old = live.read()
    with as_nobody(), pytest.raises(PermissionDeniedError, match="Permission denied"):
        live.read()
    live.path.chmod(0o755)
    (live.path / "cib.xml").chmod(0o644)
    (live.path / "cib.xml.sig").chmod(0o644)
    with as_nobody():
        assert counter(live.read()) == 0
        with pytest.raises(PermissionDeniedError, match="cannot be written"):
            live.check_writable(old)
    live.path.chmod(0o777)
    with as_nobody():
        with pytest.raises(PermissionDeniedError, match="keep the owner"):
            live.check_writable(old)
        with pytest.raises(PermissionDeniedError, match="keep the owner"):
            live.apply(patch(old, change(old)))
    os.chown(live.path / "cib.xml", NOBODY, 0)
    with as_nobody(), pytest.raises(PermissionDeniedError, match="keep the owner"):
        live.check_writable(old)
    for name in ("", "cib.xml", "cib.xml.sig", "cib.last"):
        os.chown(live.path / name, NOBODY, NOBODY)
    with as_nobody():
        push(live)
    assert counter(live.read()) == 1


@needs_root
def test_reader_cannot_put_the_signature_back(live: Directory) -> None:
    live.path.chmod(0o755)
    (live.path / "cib.xml").chmod(0o644)
    (live.path / "cib.xml.sig").chmod(0o644)
    (live.path / "cib.xml.sig").rename(live.path / NEW_SIGNATURE)
    with as_nobody():
        assert counter(live.read()) == 0
    assert pair_of(live.path)[1] is None
    live.read()
    assert pair_of(live.path)[1] is not None


def failing(monkeypatch: pytest.MonkeyPatch, name: str, call: int, code: int) -> None:
    """Let one call of a function of ``os`` fail."""
    calls = itertools.count()
    real = getattr(os, name)

    def fail(*args: object, **kwargs: object) -> object:
        if next(calls) == call:
            raise OSError(code, os.strerror(code))
        return real(*args, **kwargs)

    monkeypatch.setattr(os, name, fail)


@pytest.mark.parametrize(
    ("name", "call", "code", "error"),
    [
        *(("fsync", n, errno.ENOSPC, BusyError) for n in range(5)),
        *(("link", n, errno.EPERM, PermissionDeniedError) for n in range(2)),
        ("rename", 0, errno.EROFS, PermissionDeniedError),
        ("rename", 1, errno.EIO, UnreachableError),
        ("unlink", 5, errno.EROFS, PermissionDeniedError),
        ("fchmod", 0, errno.EDQUOT, BusyError),
    ],
)
def test_failure_before_the_file_changes(
    live: Directory,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    call: int,
    code: int,
    error: type[CibgitError],
) -> None:
    old = live.read()
    before = pair_of(live.path)
    with monkeypatch.context() as patched:
        failing(patched, name, call, code)
        with pytest.raises(error, match=os.strerror(code)) as failed:
            live.apply(patch(old, change(old)))
    assert "Nothing was changed" in failed.value.hint
    assert pair_of(live.path) == before
    assert not TEMPORARY & {p.name for p in live.path.iterdir()}
    push(live)


@pytest.mark.parametrize(("name", "call"), [("fsync", 5), ("rename", 2), ("fsync", 6)])
def test_failure_after_the_file_changed(
    live: Directory, monkeypatch: pytest.MonkeyPatch, name: str, call: int
) -> None:
    old = live.read()
    with monkeypatch.context() as patched:
        failing(patched, name, call, errno.EIO)
        with pytest.raises(UnknownOutcomeError, match="is the new one"):
            live.apply(patch(old, change(old)))
    assert counter(live.read()) == 1
    assert pair_of(live.path)[1] is not None


@needs_root
def test_full_and_read_only_file_systems(place: Path) -> None:
    """On real file systems, mounted in a namespace of their own."""
    script = """
    mount -t tmpfs -o size=256k tmpfs "$1" && cp -a "$2" "$1/cib" || exit 9
    "$0" "$3" fill "$1/cib" || exit 1
    mount -o remount,ro "$1" && "$0" "$3" read-only "$1/cib"
    """
    Directory.create(place, SEED)
    mount = place.with_name("mount")
    mount.mkdir()
    argv = ["unshare", "--mount", "bash", "-c", script]
    done = subprocess.run(
        [*argv, sys.executable, mount, place, __file__], check=False, env=environment()
    )
    assert done.returncode in (0, 9)
    if done.returncode:
        pytest.skip("cannot mount here")


def fill(path: Path) -> None:
    live = Directory(path)
    old = live.read()
    before = pair_of(path)
    large = change(old, "text", "x" * 300_000)
    with pytest.raises(BusyError, match="no room"):
        live.check_writable(large)
    with pytest.raises(BusyError, match="No space left"):
        live.apply(patch(old, large))
    assert pair_of(path) == before
    push(live)


def read_only(path: Path) -> None:
    live = Directory(path)
    old = live.read()
    with pytest.raises(PermissionDeniedError, match="read-only"):
        live.check_writable(old)
    (signature,) = (pair_of(path)[1],)
    assert signature


# --- the lock


def test_lock_is_bounded_and_leaves_nothing(live: Directory) -> None:
    impatient = Directory(live.path, patience=0.1)
    old = live.read()
    names = {p.name for p in live.path.iterdir()}
    with CibWriter.opened(live.path) as files, files.locked(0):
        with pytest.raises(BusyError, match="another cibgit"):
            impatient.apply(patch(old, change(old)))
        (live.path / "cib.xml.sig").rename(live.path / NEW_SIGNATURE)
        assert counter(impatient.read()) == 0  # readers do not fail
        (live.path / NEW_SIGNATURE).rename(live.path / "cib.xml.sig")
    assert {p.name for p in live.path.iterdir()} == names
    impatient.apply(patch(old, change(old)))


def test_lock_of_the_dead(live: Directory) -> None:
    child = subprocess.Popen(
        [sys.executable, __file__, "hold", live.path],
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(BusyError):
        push(Directory(live.path, patience=0.05))
    child.kill()
    child.communicate()
    push(live)


def test_replaced_directory(live: Directory) -> None:
    with CibWriter.opened(live.path) as files:
        live.path.rename(live.path.with_name("old"))
        live.path.mkdir()
        with pytest.raises(BusyError, match="replaced"), files.locked(0):
            pass


def test_no_lost_update(live: Directory) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, __file__, "count", live.path, "50"],
            stdout=subprocess.PIPE,
            env=environment(),
        )
        for _ in range(2)
    ]
    conflicts = [int(writer.communicate()[0]) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert counter(live.read()) == 100
    assert live.read().version == (0, 107, 0)
    assert sum(conflicts) > 0, "they did not meet"


# --- daemons


@pytest.fixture
def cluster_owned(live: Directory) -> Directory:
    """The directory as Pacemaker's daemon wants it."""
    if not BASED.exists() or os.geteuid() != 0:
        pytest.skip("needs root and pacemaker-based")
    for name in ("", *(p.name for p in live.path.iterdir())):
        shutil.chown(live.path / name, "hacluster", "haclient")
    return Directory(live.path, "2.1.5")


@contextmanager
def daemon(*arguments: str | Path, setup: str = ":") -> Iterator[int]:
    """Run a stand-alone CIB manager in namespaces of its own; yields its process id."""
    script = f"""
    mount -t tmpfs tmpfs /dev/shm && mount -t tmpfs tmpfs /run && {setup} || exit 9
    "$@" & echo $! ; wait
    """
    argv = ["unshare", "--mount", "--ipc", "--net", "bash", "-c", script, "bash"]
    child = subprocess.Popen(
        [*argv, BASED, "-s", "-w", *arguments], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    line = child.stdout.readline()
    if not line:
        child.wait()
        pytest.skip("cannot mount here")
    pid = int(line)
    try:
        for _ in range(200):
            if inside(pid, "cibadmin", "-Q").returncode == 0:
                break
            time.sleep(0.02)
        yield pid
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        child.communicate()


def inside(pid: int, *argv: str | Path) -> subprocess.CompletedProcess[bytes]:
    enter = ["nsenter", f"--target={pid}", "--mount", "--ipc", "--net"]
    return subprocess.run([*enter, *argv], capture_output=True, check=False)


@pacemaker
def test_daemon_with_this_directory(cluster_owned: Directory) -> None:
    live = cluster_owned
    old = live.read()
    with daemon("-r", live.path) as pid:
        with pytest.raises(BusyError, match=f"process {pid}"):
            live.check_writable(old)
        with pytest.raises(BusyError, match=f"process {pid}"):
            live.apply(patch(old, change(old), Dialect.MID))
        running = live.read()
        assert counter(running) == 0
        (live.path / "cib.xml.sig").rename(live.path / NEW_SIGNATURE)
        assert counter(live.read()) == 0  # and keeps its hands off
        assert pair_of(live.path)[1] is None
    assert live.read().version == running.version
    assert pair_of(live.path)[1] is not None
    push(live)


@pacemaker
def test_daemon_in_another_namespace(cluster_owned: Directory) -> None:
    """One whose default directory is ours, and one whose default directory is not."""
    live = cluster_owned
    other = live.path.with_name("other")
    shutil.copytree(live.path, other)
    for name in ("", *(p.name for p in other.iterdir())):
        shutil.chown(other / name, "hacluster", "haclient")
    with daemon(setup=f"mount --bind '{live.path}' {cibfiles.SYSTEM}") as pid:
        with pytest.raises(BusyError):
            live.check_writable(live.read())
        Directory(other).check_writable(live.read())
        with CibWriter.opened(cibfiles.SYSTEM) as files:
            assert directory.daemon_using(cibfiles.SYSTEM, files.status) != pid
    live.check_writable(live.read())


@pacemaker
def test_daemon_that_starts_meanwhile(
    cluster_owned: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = cluster_owned
    before = pair_of(live.path)
    answers = iter([None, 42])
    monkeypatch.setattr(directory, "daemon_using", lambda *_: next(answers))
    with pytest.raises(BusyError, match="process 42"):
        push(live)
    assert pair_of(live.path) == before
    answers = iter([None, None, 42])
    with pytest.raises(UnknownOutcomeError, match="process 42"):
        push(live)


@needs_root
@pacemaker
def test_daemon_that_cannot_be_looked_through(
    cluster_owned: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = cluster_owned
    live.path.chmod(0o755)
    (live.path / "cib.xml").chmod(0o644)
    link = live.path.with_name("link")
    link.symlink_to(live.path)
    with daemon("-r", live.path), as_nobody():
        for path in (live.path, link):
            status = path.stat()
            assert directory.daemon_using(path, status) is not None
        assert directory.daemon_using(live.path.parent, status) is None
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(BusyError, match="/proc is not mounted"):
        live.check_writable(live.read())


@pytest.mark.parametrize(
    ("comm", "argv", "expected"),
    [
        ("pacemaker-based", ["/usr/lib/pacemaker/pacemaker-based"], "default"),
        ("pacemaker-based", ["pacemaker-based", "-r", "/d"], "/d"),
        ("pacemaker-based", ["pacemaker-based", "-r/d"], "/d"),
        ("pacemaker-based", ["pacemaker-based", "-swr", "/d", "-V"], "/d"),
        ("pacemaker-based", ["pacemaker-based", "-V", "--cib-root=/d"], "/d"),
        ("pacemaker-based", ["pacemaker-based", "--cib-root", "/d"], "/d"),
        ("pacemaker-based", ["pacemaker-based", "--cib", "/d"], "/d"),
        ("pacemaker-based", ["pacemaker-based", "-r", "/a", "-r", "/d"], "/d"),
        ("pacemaker-based", ["pacemaker-based", "--disk-writes", "-s"], "default"),
        ("pacemaker-based", [], ""),
        ("cib", ["/usr/libexec/pacemaker/cib"], "default"),
        ("cib", ["/usr/lib/heartbeat/cib", "-r", "/d"], "/d"),
        ("cib", ["/home/me/cib", "-r", "/d"], ""),
        ("pacemakerd", ["pacemakerd"], ""),
    ],
)
def test_what_counts_as_a_daemon(
    tmp_path: Path, comm: str, argv: list[str], expected: str
) -> None:
    (tmp_path / "comm").write_text(comm + "\n")
    (tmp_path / "cmdline").write_text("".join(a + "\0" for a in argv))
    answer = {"default": directory.DAEMON_DIRECTORIES, "": ()}.get(
        expected, (expected,)
    )
    assert directory._cib_directories(tmp_path) == answer
    assert directory._cib_directories(tmp_path / "gone") == ()


# --- Pacemaker's own tools


def digest_by_cibadmin(path: Path) -> str:
    done = subprocess.run(
        ["cibadmin", "--md5-sum", "-x", path], capture_output=True, check=True
    )
    return done.stdout.decode().strip()


@pacemaker
def test_real_tools_agree(place: Path) -> None:
    if not shutil.which("cibadmin"):
        pytest.skip("needs cibadmin")
    live = Directory.create(place, SEED, installed_version())
    live = Directory(place, installed_version())
    for text in ("plain", "it's", '<&>"', "\u00e9t\u00e9"):
        old = live.read()
        live.apply(patch(old, change(old, "text", text), live.dialect()))
        file = live.path / "cib.xml"
        assert digest_by_cibadmin(file) == (live.path / "cib.xml.sig").read_text()
        queried = subprocess.run(
            ["cibadmin", "-Q"],
            env={**os.environ, "CIB_file": str(file)},
            capture_output=True,
            check=True,
        )
        cib = parse(queried.stdout, "cibadmin")
        assert dump(cib.configuration, Dialect.NEW) == dump(
            live.read().configuration, Dialect.NEW
        )


def installed_version() -> str:
    done = subprocess.run(["cibadmin", "--version"], capture_output=True, check=True)
    return done.stdout.decode().split()[1]


@pacemaker
def test_same_result_as_pacemaker(cluster_owned: Directory) -> None:
    """One change, written by Pacemaker's own code to a copy and by cibgit here."""
    live = cluster_owned
    copy = live.path.with_name("copy")
    subprocess.run(["cp", "-a", live.path, copy], check=True)
    file = live.path.with_name("patch.xml")

    def cibadmin(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
        """Make the copy the live CIB, for then cibadmin writes as the daemon does."""
        script = f"mount --bind '{copy}' {cibfiles.SYSTEM} && exec cibadmin \"$@\""
        return subprocess.run(
            ["unshare", "--mount", "bash", "-c", script, "bash", *arguments],
            env={**os.environ, "CIB_file": str(cibfiles.SYSTEM / "cib.xml")},
            capture_output=True,
            check=False,
        )

    for _ in range(2):
        # an empty status comes with it, which the digest of the patchset covers
        before = parse(cibadmin("-Q").stdout, "cibadmin")
        file.write_bytes(patch(before, change(before), Dialect.MID).to_bytes())
        assert cibadmin("--patch", "-x", file).returncode == 0
        assert cibadmin("--patch", "-x", file).returncode == 103

        old = live.read()
        patchset = patch(old, change(old), Dialect.MID)
        live.apply(patchset)
        with pytest.raises(StaleError):
            live.apply(patchset)

        ours, theirs = live.read(), Directory(copy, "2.1.5").read()
        assert ours.version == theirs.version
        assert dump(ours.configuration, Dialect.MID) == dump(
            theirs.configuration, Dialect.MID
        )
        assert listing(live.path) == listing(copy)
    by_cibgit, by_pacemaker = (pair_of(p)[0].splitlines() for p in (live.path, copy))
    assert by_cibgit[1:] == by_pacemaker[1:], "but for who and when, byte for byte"


def listing(path: Path) -> list[tuple[str, int, int, int, int, bytes]]:
    """Return what can be seen of the files, and the content of ``cib.last``."""
    return [
        (
            file.name,
            status.st_mode,
            status.st_uid,
            status.st_gid,
            status.st_nlink,
            file.read_bytes() if file.name == "cib.last" else b"",
        )
        for file in sorted(path.iterdir())
        for status in [file.stat()]
    ]


# --- sudden death


def check_whole(path: Path) -> int:
    """Check what a dead writer left, and that reading makes it a signed pair again."""
    data, signature = pair_of(path)
    cib = parse(data, str(path))
    digest = on_disk(cib.root, Dialect.NEW).encode()
    assert signature in (None, digest)
    assert counter(Directory(path).read()) == counter(cib)
    assert pair_of(path) == (data, digest)
    return counter(cib)


def check_survival(path: Path) -> int:
    """Check what a dead writer left, and that life goes on."""
    found = check_whole(path)
    push(Directory(path))
    assert check_whole(path) == found + 1
    assert not TEMPORARY & {p.name for p in path.iterdir()}
    return found


def test_death_at_every_step(live: Directory) -> None:
    push(live)
    run("steps", live.path)
    deaths = sorted(live.path.parent.glob("cib.*"), key=lambda p: int(p.suffix[1:]))
    assert len(deaths) > 30
    states = [pair_of(path) for path in deaths]
    found = [check_survival(path) for path in deaths]
    assert found == sorted(found), "the new configuration never goes away again"
    assert {1, 2} == set(found)
    assert {
        (number, pair[1] is None) for number, pair in zip(found, states, strict=True)
    } == {(1, False), (1, True), (2, True), (2, False)}


@pacemaker
def test_what_a_starting_daemon_makes_of_death(cluster_owned: Directory) -> None:
    """Start the real one on each kind of directory that a death leaves."""
    push(cluster_owned)
    run("steps", cluster_owned.path)
    kinds = {}
    for path in cluster_owned.path.parent.glob("cib.*"):
        number = counter(parse((path / "cib.xml").read_bytes(), ""))
        names = frozenset(p.name for p in path.iterdir())
        kinds[number, names] = path
    assert len(kinds) >= 6
    for (number, _), path in kinds.items():
        with daemon("-r", path) as pid:
            cib = parse(inside(pid, "cibadmin", "-Q").stdout, "daemon")
            assert counter(cib) == number
            assert cib.version.epoch == 7 + number
        assert not list(path.glob("cib.auto.*"))


def test_sudden_death(live: Directory) -> None:
    """Kill a writer at random moments: all of its steps, those inside the kernel too."""
    assert "50 deaths" in run("deaths", live.path, "50")
    assert check_survival(live.path) > 10, "they died too early to tell"


def environment() -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1"}


def run(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, __file__, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


STEPS: list[tuple[ModuleType, str]] = [
    *((os, n) for n in ("open", "fdopen", "fchown", "fchmod", "fsync", "close")),
    *((os, n) for n in ("link", "unlink", "rename")),
    (fcntl, "flock"),
]


def die_before(step: int) -> None:
    """Let this process kill itself right before that call of the operating system."""
    calls = itertools.count()

    def deadly(module: ModuleType, name: str) -> None:
        real = getattr(module, name)

        def call(*args: object, **kwargs: object) -> object:
            if next(calls) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        setattr(module, name, call)

    for module, name in STEPS:
        deadly(module, name)


def steps(path: Path) -> None:
    """Die before the first step of a push, the second, ...; each in its own copy."""
    for step in itertools.count():
        copy = path.with_name(f"cib.{step}")
        subprocess.run(["cp", "-a", path, copy], check=True)
        live = Directory(copy)
        old = live.read()
        patchset = patch(old, change(old))
        child = os.fork()
        if child == 0:
            die_before(step)
            live.apply(patchset)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status == 0:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL


def deaths(path: Path, number: int) -> None:
    """Let a child write on and on and kill it after a random time; again and again."""
    dice = random.Random(1)
    started = time.monotonic()
    for _ in range(5):
        push(Directory(path))
    usual = (time.monotonic() - started) / 5
    reached = 0
    for _ in range(number):
        child = os.fork()
        if child == 0:
            while True:
                push(Directory(path))
        time.sleep(dice.uniform(0, 3 * usual))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found = check_whole(path)
        assert found >= reached
        reached = found
    print(f"{number} deaths, {reached} writes")


def count(path: Path, number: int) -> None:
    """Count on, as often as told, against others who do the same."""
    live = Directory(path)
    conflicts = 0
    for _ in range(number):
        while True:
            try:
                push(live)
                break
            except StaleError:
                conflicts += 1
    print(conflicts)


def main(command: str, path: str, *rest: str) -> None:
    """Do what a test asks for in a process of its own."""
    place = Path(path)
    match command:
        case "steps":
            steps(place)
        case "deaths":
            deaths(place, int(rest[0]))
        case "count":
            count(place, int(rest[0]))
        case "fill":
            fill(place)
        case "read-only":
            read_only(place)
        case "hold":
            with CibWriter.opened(place) as files, files.locked(0):
                print("held", flush=True)
                time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
