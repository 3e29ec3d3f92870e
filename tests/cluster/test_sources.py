"""What is found in folders and archives, in which order, and that nothing breaks it."""

import bz2
import gzip
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cibgit.cluster import archives
from cibgit.cluster.archives import Entry
from cibgit.cluster.kept import Job, Kept, plan, signature_of
from cibgit.cluster.sources import sources
from cibgit.errors import BadDataError
from cibgit.policy.finding import Finding, Severity

CIB = b'<cib epoch="1"><configuration><crm_config/></configuration></cib>'


def jobs(names: list[str], following: dict[str, int] | None = None) -> list[Job]:
    return plan([Entry(name, 1, 0.0) for name in names], following or {})


def series(found: list[Job], name: str) -> list[str]:
    return [job.name for job in found if job.series == name]


@pytest.mark.parametrize(
    ("following", "expected"),
    [
        (0, ["cib-0.raw", "cib-1.raw", "cib-98.raw", "cib-99.raw", "cib.xml"]),
        (1, ["cib-1.raw", "cib-98.raw", "cib-99.raw", "cib-0.raw", "cib.xml"]),
        (2, ["cib-98.raw", "cib-99.raw", "cib-0.raw", "cib-1.raw", "cib.xml"]),
        (99, ["cib-99.raw", "cib-0.raw", "cib-1.raw", "cib-98.raw", "cib.xml"]),
    ],
)
def test_slots_begin_at_the_next_one(following: int, expected: list[str]) -> None:
    found = jobs(sorted(expected), {"cib.last": following})
    assert series(found, "cib") == expected


def test_scheduler_inputs_begin_at_the_next_one_whatever_their_limit() -> None:
    names = [f"p/pe-input-{number}.bz2" for number in (0, 1, 2, 3, 10)]
    found = series(jobs(names, {"p/pe-input.last": 2}), "p/pe-input")
    assert found == [names[place] for place in (2, 3, 4, 0, 1)]


def test_without_the_next_number_there_is_no_order() -> None:
    assert {job.series for job in jobs(["cib-1.raw", "cib.xml", "pe-warn-3.bz2"])} == {
        ""
    }


def test_heartbeat_kept_one_predecessor() -> None:
    found = jobs(["crm/cib.xml", "crm/cib.xml.last", "crm/cib.xml.sig"])
    assert series(found, "crm/cib") == ["crm/cib.xml.last", "crm/cib.xml"]
    assert signature_of("crm/cib.xml.last") == "crm/cib.xml.sig.last"


def test_what_no_backup_is_is_passed_over() -> None:
    names = [
        "cib.xml",
        "cib.xml.sig",
        "cib.auto.x1",
        "shadow.test",
        "cib.AbC123",
        "cib.last",
    ]
    assert [job.name for job in jobs(names)] == ["cib.xml"]
    # a folder that no daemon writes to may hold anything
    assert [job.name for job in jobs(["cib.backup"])] == ["cib.backup"]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("pe-error-7.bz2", True), ("pe-input-7.raw", True), ("pengine-input-7.gz", True),
        ("cib-7.raw.gz", True), ("cib.xml.bz2", True), ("cib-x.raw", False),
        ("pe-input-.bz2", False), ("cib.xml.2019", False),
    ],
)  # fmt: skip
def test_names_that_promise_a_cib(name: str, wanted: bool) -> None:
    [job] = jobs([f"a/{name}"])
    assert job.wanted is wanted


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"<cib>", True), (b"<cib/>", True), (b"<cib\n a='1'>", True),
        (b"\xef\xbb\xbf <?xml version='1.0'?><!-- <a> --><!-- b -->\n<cib ", True),
        (b"<cibs>", False), (b"<!-- <cib> -->", False), (b"", False), (b"x<cib>", False),
        (b"<?xml?>" * 500, False), (b"<!-- a -->" * 400 + b"<x>", False),
    ],
)  # fmt: skip
def test_a_cib_is_told_by_its_beginning(head: bytes, expected: bool) -> None:
    assert archives.is_cib(head) is expected


def read_all(path: Path) -> tuple[list[Kept], list[Finding]]:
    found: list[Kept | Finding] = []
    for source in sources([path]):
        found += source.findings
        found += source.read()
    return (
        [each for each in found if isinstance(each, Kept)],
        [each for each in found if isinstance(each, Finding)],
    )


def archive(mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        for name, data in {
            "n1/cib.xml": CIB,
            "n1/cib.xml.sig": b"0" * 32,
            "n1/cib.last": b"3",
            "n1/cib-2.raw": CIB,
            "n1/" + "long/" * 60 + "ü/pe-input-1.bz2": bz2.compress(CIB),
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


PLAIN, PACKED = archive(), archive("w:bz2")


def test_the_archive_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(PACKED)
    kept, findings = read_all(tmp_path / "a")
    assert [len(kept), findings] == [3, []]


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from([PLAIN, PACKED, gzip.compress(PLAIN, mtime=0)]),
    st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 255)), max_size=8),
    st.none() | st.integers(0, 20_000),
)
def test_no_damage_breaks_it(
    tmp_path: Path, data: bytes, changes: list[tuple[int, int]], end: int | None
) -> None:
    damaged = bytearray(data[:end])
    for place, value in changes:
        if damaged:
            damaged[place % len(damaged)] = value
    file = tmp_path / "damaged"
    file.write_bytes(bytes(damaged))
    kept, findings = read_all(file)
    if damaged == data:
        assert (len(kept), findings) == (3, [])


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=2000) | st.binary(max_size=200).map(lambda x: b"<cib" + x))
def test_no_file_breaks_it(tmp_path: Path, data: bytes) -> None:
    for name in (
        "cib.xml",
        "cib-1.raw",
        "cib.last",
        "pe-input-1.bz2",
        "cib.xml.sig",
        "other",
    ):
        (tmp_path / name).write_bytes(data)
    _, findings = read_all(tmp_path)
    assert all(each.sentence for each in findings)


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(PACKED)
    monkeypatch.setattr(archives, "MAX_ENTRIES", 2)
    kept, [finding] = read_all(tmp_path / "a")
    assert len(kept) == 1
    assert "more than 2 members" in finding.sentence
    monkeypatch.undo()
    monkeypatch.setattr(archives, "MAX_ARCHIVE_BYTES", 3000)
    _, [finding] = read_all(tmp_path / "a")
    assert "unpacks to more than 3000 bytes" in finding.sentence


def test_a_document_larger_than_any_cib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 50)
    (tmp_path / "cib.xml").write_bytes(CIB)
    _, [finding] = read_all(tmp_path)
    assert (finding.severity, "more than 50 bytes" in finding.sentence) == (
        Severity.ERROR,
        True,
    )


def test_a_device_is_not_opened() -> None:
    with (
        pytest.raises(BadDataError, match="not a regular"),
        archives.opened(Path("/dev/null")),
    ):
        pass


def test_depth_is_bounded(tmp_path: Path) -> None:
    deep = tmp_path / "/".join("d" * 14)
    deep.mkdir(parents=True)
    (deep / "cib.xml").write_bytes(CIB)
    (deep.parents[3] / "cib.xml").write_bytes(CIB)
    kept, _ = read_all(tmp_path)
    assert len(kept) == 1
