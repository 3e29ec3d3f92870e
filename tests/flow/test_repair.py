"""Doctor and repair on directories of any kind: findings, laws, death in between."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cibgit.cib.document import parse
from cibgit.cluster.inventory import Inventory
from cibgit.cluster.release import Release
from cibgit.cluster.startup import Outcome, predict
from cibgit.errors import CibgitError, StaleError, UnsafeError
from cibgit.flow.doctor import Diagnosis, Patient, doctor
from cibgit.flow.prescribe import Kind, Treatment, prescribe
from cibgit.flow.repair import repair
from cibgit.render import care
from tests.situations import cib

VERSION = "2.1.5"
IS_ROOT = os.geteuid() == 0
RELEASE = Release.of(VERSION)


def sign(data: bytes, version: str = VERSION) -> bytes:
    return Release.of(version).signer.digest(data).encode()


def write(folder: Path, **files: bytes) -> Path:
    """Write files; ``cib_xml`` is ``cib.xml``, ``cib__1_raw`` is ``cib-1.raw``."""
    for name, data in files.items():
        path = folder / name.replace("__", "-").replace("_", ".")
        path.write_bytes(data)
        path.chmod(0o600)
    return folder


def signed(folder: Path, name: str, data: bytes) -> None:
    (folder / name).write_bytes(data)
    (folder / f"{name}.sig").write_bytes(sign(data))


def patient(
    folder: Path, version: str = VERSION, upgrade: str | None = None
) -> Patient:
    return Patient(folder, version, upgrade)


def rules(found: Diagnosis) -> set[str]:
    return {each.rule for each in found.findings}


# -- what it finds -------------------------------------------------------------------

RIGHT = cib(9)
SPACED = RIGHT.replace(b"<nodes/>", b"<nodes>\n </nodes>")
OPENED = sign(RIGHT)


def _opened() -> bytes:
    """Return what `cibadmin --md5-sum -p` makes of a file with space in <nodes>."""
    import hashlib

    text = (
        '<cib admin_epoch="0" epoch="9" num_updates="0" validate-with="pacemaker-3.0">'
        '<configuration><crm_config><cluster_property_set id="o"><nvpair id="o-x" name="x"'
        ' value="1"/></cluster_property_set></crm_config><nodes></nodes><resources/>'
        "<constraints/></configuration></cib>"
    )
    return hashlib.md5(f" {text}\n".encode()).hexdigest().encode()


def _md5sum(data: bytes) -> bytes:
    import hashlib

    return hashlib.md5(data).hexdigest().encode()


EXPLAINED = [
    (RIGHT, sign(RIGHT) + b"\n", "white space follows", True),
    (RIGHT, b" " + sign(RIGHT), "white space follows", True),
    (RIGHT, b"hello", "5 characters that are no 32 digits", False),
    (RIGHT, sign(RIGHT)[:-1], "31 characters that are no 32 digits", False),
    (RIGHT, _md5sum(RIGHT), "md5sum of the file", True),
    (SPACED, _opened(), "--md5-sum -p", True),
    (SPACED, Release.of("1.1.6").signer.digest(SPACED).encode(), "v1-libxml", True),
    (SPACED, Release.of("0.6.0").signer.digest(SPACED).encode(), "heartbeat", True),
    (
        cib(9, value="it's"),
        sign(cib(9, value="it's"), "2.1.9"),
        "v1 (2.1.8 and later)",
        True,
    ),
    (RIGHT, b"0" * 32, "changed after it had been signed", False),
]


@pytest.mark.parametrize(("data", "signature", "words", "proved"), EXPLAINED)
def test_a_mismatch_is_explained(
    data: bytes, signature: bytes, words: str, proved: bool, tmp_path: Path
) -> None:
    """And signed again without being asked only where it is proved."""
    folder = tmp_path / "cib"
    folder.mkdir()
    write(folder, cib_xml=data, cib_xml_sig=signature)
    found = doctor(patient(folder))
    [finding] = [each for each in found.findings if each.rule == "digest-mismatch"]
    assert words in finding.sentence
    if not proved:
        with pytest.raises(UnsafeError):
            prescribe(patient(folder))
        return
    done = repair(prescribe(patient(folder)))
    assert done.after.is_healthy, done.after.findings
    assert (folder / "cib.xml").read_bytes() == data
    assert (folder / "cib.xml.sig").read_bytes() == sign(data)
    assert (done.kept / "cib.xml.sig").read_bytes() == signature


def test_a_write_that_was_cut_short(tmp_path: Path) -> None:
    """Dead between the two renames: the new file, the old signature."""
    folder = tmp_path / "cib"
    folder.mkdir()
    signed(folder, "cib-1.raw", cib(8))
    write(folder, cib_xml=RIGHT, cib_xml_sig=sign(cib(8)))
    sentences = [each.sentence for each in doctor(patient(folder)).findings]
    assert any("that of cib-1.raw" in sentence for sentence in sentences)
    (folder / "cib.Ab12Cd").write_bytes(sign(RIGHT))
    found = doctor(patient(folder))
    assert any("the right one lies in cib.Ab12Cd" in f.sentence for f in found.findings)
    assert prescribe(patient(folder)).kind is Kind.SIGN


def test_the_edit_is_shown_against_the_newest_good_backup(tmp_path: Path) -> None:
    signed(tmp_path, "cib-1.raw", cib(8))
    edited = cib(8, value="2")
    write(tmp_path, cib_xml=edited, cib_xml_sig=sign(cib(8)))
    found = doctor(patient(tmp_path))
    assert found.reference == "cib-1.raw (0.8.0)"
    assert found.changes is not None
    [change] = found.changes
    assert change.attributes[0].new == "2"
    assert "~ cluster options: x: 1 -> 2" in care.diagnosis(found)


AROUND = [
    ("cib-lunch.xml", "stray-backup"),
    ("cib.Ab12Cd", "temporary"),
    ("cib.xml.cibgit", "temporary"),
    ("cib.auto.Xy12Zw", "rejected-before"),
]


@pytest.mark.parametrize(("name", "rule"), AROUND)
def test_what_lies_around(name: str, rule: str, tmp_path: Path) -> None:
    signed(tmp_path, "cib.xml", RIGHT)
    (tmp_path / name).write_bytes(cib(1))
    assert rule in rules(doctor(patient(tmp_path)))


@pytest.mark.parametrize("colour", [False, True])
def test_no_name_of_a_file_reaches_the_terminal_raw(
    colour: bool, tmp_path: Path
) -> None:
    signed(tmp_path, "cib.xml", RIGHT)
    for name in (b"cib-\x1b[31mred", b"cib-\xff", b"cib-\n"):
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(cib(1))
    found = doctor(patient(tmp_path))
    out = care.diagnosis(found, colour=colour)
    assert "\x1b[31mred" not in out
    assert "\udcff" not in out
    assert json.loads(care.diagnosis_json(found))


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (cib(9, schema=None), "no-validation"),
        (cib(9, schema="none"), "no-validation"),
        (cib(9, schema="pacemaker-99.0"), "invalid"),
        (cib(9, value="a&#10;b"), "mangled-value"),
        (cib(9)[:-8], "broken-xml"),
        (b"", "unusable"),
    ],
)
def test_what_is_in_it(data: bytes, rule: str, tmp_path: Path) -> None:
    (tmp_path / "cib.xml").write_bytes(data)
    found = doctor(patient(tmp_path))
    assert rule in rules(found)
    assert not found.is_healthy


def test_an_upgrade_is_judged_beforehand(tmp_path: Path) -> None:
    apostrophe = cib(9, value="it's")
    signed(tmp_path, "cib-1.raw", apostrophe)
    signed(tmp_path, "cib.xml", apostrophe)
    assert "upgrade" not in rules(doctor(patient(tmp_path)))
    found = doctor(patient(tmp_path, upgrade="2.1.9"))
    assert [each.element for each in found.findings if each.rule == "upgrade"] == [
        "cib.xml",
        "cib-1.raw",
    ]
    done = repair(prescribe(patient(tmp_path, "2.1.9"), kept=tmp_path / "kept"))
    assert {each.cause.name for each in done.after.start.files} == {"MATCHES"}


# -- any directory --------------------------------------------------------------------

NAMES = st.sampled_from(
    [
        *("cib.xml", "cib.xml.sig", "cib.last", "cib.xml.last", "cib.xml.sig.last"),
        *("cib-0.raw", "cib-0.raw.sig", "cib-1.raw", "cib-1.raw.sig", "cib-99.raw"),
        *(
            "cib-x",
            "cib-.sig",
            "cib.auto.abcdef",
            "cib.abcdef",
            "cib.xml.cibgit",
            "etc",
        ),
    ]
)
VALUES = (RIGHT, cib(3), cib(3, value="it's"), SPACED)
DATA = st.one_of(
    st.sampled_from(VALUES),
    st.sampled_from([sign(data) for data in VALUES]),
    st.sampled_from([sign(data, "2.1.9") for data in VALUES]),
    st.binary(max_size=40),
    st.builds(
        lambda data, cut: data[:cut], st.sampled_from(VALUES), st.integers(0, 300)
    ),
    st.builds(
        lambda data, at, junk: data[:at] + junk + data[at:],
        st.sampled_from(VALUES),
        st.integers(0, 300),
        st.binary(max_size=3),
    ),
    st.sampled_from(
        [
            b"<!DOCTYPE cib [<!ENTITY e 'x'>]><cib a='&e;'/>",
            b"<cib>" * 300,
            b"<cib><![CDATA[x]]>",
            b"<?xml version='1.0' encoding='utf-7'?><cib/>",
            "<cib/>".encode("utf-16"),
            b"<cib admin_epoch='x'/>",
            b"<cib xmlns='a:b'/>",
            b"<?x?>",
            b"100",
        ]
    ),
)
SPECIAL = st.sampled_from(
    ["folder", "pipe", "loop", "out", "dangling", "inside", "mode"]
)
CONTENTS = st.dictionaries(NAMES, st.one_of(DATA, DATA, DATA, SPECIAL), max_size=8)


def lay(folder: Path, contents: dict[str, bytes | str]) -> None:
    for name, content in contents.items():
        path = folder / name
        match content:
            case "folder":
                path.mkdir()
            case "pipe":
                os.mkfifo(path)
            case "loop":
                path.symlink_to(name)
            case "out":
                path.symlink_to("/etc/passwd")
            case "dangling":
                path.symlink_to("gone")
            case "inside":
                path.symlink_to("cib-1.raw")
            case "mode":
                path.write_bytes(RIGHT)
                path.chmod(0)
            case bytes():
                path.write_bytes(content)


def listing(folder: Path) -> list[tuple[str, int, int, int]]:
    return sorted(
        (path.name, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
        for path in [folder, *folder.iterdir()]
        for found in [path.lstat()]
    )


@settings(deadline=None)
@given(CONTENTS, st.sampled_from(["0.6.0", "1.1.6", "2.1.5", "3.0.3"]), st.booleans())
def test_any_directory_is_judged_and_nothing_is_written(
    contents: dict[str, bytes | str], version: str, as_node: bool
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        lay(folder, contents)
        before = listing(folder)
        found = doctor(Patient(folder, version, "3.0.3", VERSION, as_node))
        assert json.loads(care.diagnosis_json(found))["release"] == version
        assert care.diagnosis(found)
        if found.start.outcome is Outcome.LOADED:
            assert found.start.used is not None
        assert listing(folder) == before


@settings(deadline=None)
@given(
    CONTENTS,
    st.sampled_from([None, "cib.xml", "cib-0.raw", "cib-1.raw"]),
    st.booleans(),
)
def test_a_repair_ends_with_the_chosen_file_in_use(
    contents: dict[str, bytes | str], use: str | None, as_node: bool
) -> None:
    """Or is refused in a sentence, and then nothing is written."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "cib"
        folder.mkdir()
        lay(folder, contents)
        before = listing(folder)
        try:
            planned = prescribe(
                Patient(folder, VERSION, as_node=as_node and IS_ROOT), use
            )
        except CibgitError as error:
            assert error.message
            assert listing(folder) == before
            return
        assert listing(folder) == before
        assert care.treatment(planned)
        assert json.loads(care.repaired_json(planned, None))["done"] is False
        if not planned.is_needed:
            return
        try:
            done = repair(planned)
        except CibgitError as error:
            # somebody made a folder where a temporary file belongs
            assert "Is a directory" in error.message
            assert contents["cib.xml.cibgit"] == "folder"
            assert listing(folder) == before
            return
        assert json.loads(care.repaired_json(planned, done))["done"]
        assert done.after.start.outcome is Outcome.LOADED
        assert done.after.start.files[0].cause.name == "MATCHES"
        if planned.data:
            assert (folder / "cib.xml").read_bytes() == planned.data


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "cib.xml").open("wb") as file:
        file.truncate(1 << 34)
    found = doctor(patient(tmp_path))
    assert found.start.outcome is Outcome.UNKNOWN
    assert "unknown-start" in rules(found)


def test_a_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "cib-1.raw"))
    assert doctor(patient(tmp_path)).start.outcome is Outcome.EMPTY


# -- changes and death in between ---------------------------------------------------------


def broken(folder: Path) -> Path:
    """An edited file, and two good backups."""
    folder.mkdir()
    signed(folder, "cib-0.raw", cib(1))
    signed(folder, "cib-1.raw", cib(2))
    return write(folder, cib_xml=cib(9), cib_xml_sig=b"0" * 32)


def test_what_changed_since_is_not_touched(tmp_path: Path) -> None:
    folder = broken(tmp_path / "cib")
    planned = prescribe(patient(folder))
    (folder / "cib.xml").write_bytes(cib(10, value="longer"))
    with pytest.raises(StaleError):
        repair(planned)
    assert not planned.kept.exists()


class DeadError(BaseException):
    """The process is killed here."""


STEPS = ("rename", "unlink", "fsync")


def die_at(monkeypatch: pytest.MonkeyPatch, turn: int) -> Iterator[int]:
    """Let the process die before its ``turn``-th step; yields how many there were."""
    count = 0

    def step(name: str) -> None:
        real = getattr(os, name)

        def counted(*args: object, **kwargs: object) -> object:
            nonlocal count
            count += 1
            if count == turn:
                raise DeadError
            return real(*args, **kwargs)

        monkeypatch.setattr(os, name, counted)

    for name in STEPS:
        step(name)
    yield count
    monkeypatch.undo()
    yield count


def used(folder: Path) -> int:
    """Return the epoch that the node would start with, 0 for an empty configuration."""
    with Inventory.taken(folder) as files:
        found = predict(files, RELEASE, None, is_installed=False)
    assert found.outcome in (Outcome.LOADED, Outcome.EMPTY)
    if found.used is None:
        return 0
    assert found.used.version is not None
    return found.used.version.epoch


@pytest.mark.parametrize("use", [None, "cib.xml", "cib-0.raw"])
@pytest.mark.parametrize("state", ["edited", "unsigned", "right"])
def test_death_at_any_step_does_no_harm(
    use: str | None, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node starts with what it would have used before, or with what was chosen."""
    turn = 0
    while True:
        turn += 1
        folder = broken(tmp_path / f"cib{turn}")
        if state == "unsigned":
            (folder / "cib.xml.sig").unlink()
        elif state == "right":
            (folder / "cib.xml.sig").write_bytes(sign(cib(9)))
        before = used(folder)
        planned: Treatment = prescribe(patient(folder), use)
        if not planned.is_needed:
            return
        chosen = parse(planned.data, "chosen").version.epoch
        dying = die_at(monkeypatch, turn)
        next(dying)
        try:
            repair(planned)
            is_done = True
        except DeadError:
            is_done = False
        next(dying)
        assert used(folder) in (before, chosen), turn
        if is_done:
            assert used(folder) == chosen
            assert turn > 3
            return
