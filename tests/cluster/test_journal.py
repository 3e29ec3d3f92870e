"""Reading what Pacemaker logged and kept: bounded, strict, and silent where it cannot."""

import gzip
import json
import os
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cibgit.cib.document import LastChange, Version
from cibgit.cluster import commands, journal, variables
from cibgit.cluster.journal import history, log_file, read
from cibgit.cluster.logged import Logged

NOW = datetime(2026, 11, 24, 12, 0, 0)
VIP = "/cib/configuration/resources/primitive[@id='vip']"
NAME = "n1 pacemaker-based     [51]"


def operation(
    epoch: int, client: str = "cibadmin", at: str = "Nov 24 09:10:57.52"
) -> str:
    """Return what a node logs of one operation, with others' messages between."""
    return (
        f"{at}2 {NAME} (cib_perform_op) \tinfo: Diff: --- 0.{epoch - 1}.2 2\n"
        f"{at}2 {NAME} (cib_perform_op) \tinfo: Diff: +++ 0.{epoch}.0 (null)\n"
        f"{at}3 n1 pacemaker-fenced    [52] (cib_devices_update) \tinfo: Diff: --- x\n"
        f"{at}3 {NAME} (cib_perform_op) \tinfo: +  {VIP}:  @description={epoch}\n"
        f"{at}4 {NAME} (cib_process_request) \tinfo: Completed cib_modify operation for"
        f" section 'all': OK (rc=0, origin=n2/{client}/2, version=0.{epoch}.0)\n"
    )


def log(folder: Path, *epochs: int, name: str = "pacemaker.log") -> Path:
    path = folder / name
    path.write_text("".join(map(operation, epochs)))
    return path


def epochs(found: list[Logged]) -> list[int]:
    return [each.after.epoch for each in found]


def keep(
    folder: Path, slot: int, epoch: int, user: str, client: str = "cibadmin"
) -> None:
    (folder / f"cib-{slot}.raw").write_text(
        f'<cib admin_epoch="0" epoch="{epoch}" num_updates="0" update-user="{user}"'
        f' update-client="{client}" update-origin="n2">\n  <configuration>\n'
    )


def test_a_line_of_each_release() -> None:
    told = (
        f"Nov  4 09:10:57 {NAME} (cib_perform_op) \tinfo: of 2.0.5\n"
        f"Nov 24 09:10:57.522 {NAME} (cib_perform_op) \tinfo: of 2.1.5\n"
        f"Dec 24 23:59:59.999 {NAME} (log_info@x.c:1) tag\tnotice: of 3.0.0: it\n"
        "Nov 24 09:10:57 [51] n1 cib: info: of 1.1\n"
    )
    assert [tuple(each) for each in read(told.encode())] == [
        ("Nov  4 09:10:57", "n1", "of 2.0.5"),
        ("Nov 24 09:10:57", "n1", "of 2.1.5"),
        ("Dec 24 23:59:59", "n1", "of 3.0.0: it"),
    ]


@pytest.mark.parametrize(
    ("logged", "expected"),
    [
        ("Nov  4 09:10:57", "Wed Nov  4 09:10:57 2026"),
        ("Nov 25 09:10:57", "Wed Nov 25 09:10:57 2026"),  # a clock that was put back
        ("Dec 24 23:59:59", "Wed Dec 24 23:59:59 2025"),
        ("Feb 29 09:10:57", ""),
        ("Feb 31 09:10:57", ""),
    ],
)
def test_the_year_is_the_latest_that_is_not_to_come(logged: str, expected: str) -> None:
    maker = LastChange("", "cibadmin", "n1", logged)
    found = Logged(Version(0, 1, 0), Version(0, 2, 0), (), maker)
    dated = journal._with_year(found, NOW).maker
    assert dated and dated.at == expected


@given(st.binary())
def test_garbage_in_a_log_raises_nothing(data: bytes) -> None:
    list(read(data))
    genuine = operation(9).encode()
    if b"pacemaker-based" not in data:
        assert len(list(read(data + b"\n" + genuine))) == 4


def test_the_user_is_who_the_file_of_that_epoch_names(tmp_path: Path) -> None:
    keep(tmp_path, 1, 8, "ann")
    keep(tmp_path, 2, 9, "ben", client="crm_resource")  # of another side of a split
    (tmp_path / "cib-3.raw").write_bytes(b"\x00garbage")
    (tmp_path / "cib-4.raw").mkdir()
    [eight, nine] = history(tmp_path, log(tmp_path, 8, 9), Version(0, 7, 0))
    year = datetime.now().year
    assert eight.maker
    assert (eight.maker.user, eight.maker.client, eight.maker.origin) == (
        *("ann", "cibadmin", "n2"),
    )
    assert eight.maker.at.endswith(("09:10:57 " + str(year), str(year - 1)))
    assert nine.maker == LastChange("", "cibadmin", "n2", eight.maker.at)


def test_two_users_for_one_epoch_are_none(tmp_path: Path) -> None:
    keep(tmp_path, 1, 8, "ann")
    keep(tmp_path, 2, 8, "ben")
    [found] = history(tmp_path, log(tmp_path, 8), None)
    assert found.maker and found.maker.user == ""


def test_old_logs_are_read_as_far_as_needed(tmp_path: Path) -> None:
    now = log(tmp_path, 8, 9)
    plain = log(tmp_path, 6, 7, name="pacemaker.log-20261122")
    packed = tmp_path / "pacemaker.log-20261115.gz"
    packed.write_bytes(gzip.compress((operation(4) + operation(5)).encode()))
    oldest = log(tmp_path, 3, name="pacemaker.log-20261108")
    for age, path in enumerate((oldest, packed, plain, now)):
        os.utime(path, (age, age))
    assert epochs(history(tmp_path, now, Version(0, 7, 5))) == [8, 9]
    assert epochs(history(tmp_path, now, Version(0, 5, 0))) == [6, 7, 8, 9]
    assert epochs(history(tmp_path, now, None)) == [4, 5, 6, 7, 8, 9]
    packed.write_bytes(packed.read_bytes()[:-9])
    assert epochs(history(tmp_path, now, None)) == [6, 7, 8, 9]


def test_only_the_end_of_a_log_is_read_and_more_where_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = len(operation(9))
    monkeypatch.setattr(journal, "TAILS", (one + 10, 3 * one + 10))
    path = log(tmp_path, *range(1, 10))
    assert epochs(history(tmp_path, path, Version(0, 8, 0))) == [9]
    assert epochs(history(tmp_path, path, None)) == [7, 8, 9]


def test_what_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    assert history(tmp_path, tmp_path, None) == []
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert history(tmp_path, pipe, None) == []
    assert history(tmp_path / "none", log(tmp_path, 9), None)[0].maker


def test_without_a_log_the_journal_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for journalctl: the nodes of the live tests run without systemd."""
    said = [
        line.partition("\t")[2] for line in operation(9).splitlines() if NAME in line
    ]
    entries: list[object] = [
        {"__REALTIME_TIMESTAMP": "1795511457522000", "_HOSTNAME": "n1", "MESSAGE": text}
        for text in (f" {each}" for each in said)
    ]
    entries[1:1] = [{"MESSAGE": None}, [], {"__REALTIME_TIMESTAMP": "x"}, 7]
    file = tmp_path / "entries"
    file.write_text("\n".join([*map(json.dumps, entries), "{"]))
    monkeypatch.setattr(commands, "JOURNAL", ("cat", str(file)))
    [found] = history(tmp_path, tmp_path / "no.log", None)
    assert found.maker and found.maker.client == "cibadmin"
    assert found.after == Version(0, 9, 0)
    for argv in (("false",), ("no-such-program",)):
        monkeypatch.setattr(commands, "JOURNAL", argv)
        assert history(tmp_path, None, None) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", journal.LOG),
        ("# PCMK_logfile=/a\n", journal.LOG),
        ("PCMK_logfile=/a\n", Path("/a")),
        ('export PCMK_logfile="/a b"\n', journal.LOG),
        ("PCMK_logfile='/a'\nPCMK_logfile=/b # now\n", Path("/b")),
        ("PCMK_logfile=none\n", None),
    ],
)
def test_where_the_log_is(
    text: str, expected: Path | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pacemaker").write_text(text)
    files = (tmp_path / "pacemaker", tmp_path / "absent")
    monkeypatch.setattr(variables, "FILES", files)
    assert log_file() == expected
