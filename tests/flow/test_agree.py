"""An agent and what it tells the others: never a secret, and what it cannot do."""

from pathlib import Path

import pytest

from cibgit.cib.document import parse
from cibgit.cib.secrets import Rules
from cibgit.cli.app import run
from cibgit.cluster import cpg
from cibgit.cluster.directory import Directory
from cibgit.flow.agree import Agreement, Apart, Told, masked_digest

from .embedded import CIB, Embedded

SECRET = (
    '<operations><op id="vip-monitor" name="monitor" interval="30s"/></operations>'
    '<instance_attributes id="p"><nvpair id="p-pw" name="passwd" value="{}"/>'
    '<nvpair id="p-t" name="token_of_ours" value="{}"/></instance_attributes>'
)


def digest(password: str, own: str = "", rules: Rules | None = None) -> str:
    plain = (
        '<operations><op id="vip-monitor" name="monitor" interval="30s"/></operations>'
    )
    assert plain in CIB
    text = CIB.replace(plain, SECRET.format(password, own))
    return masked_digest(parse(text.encode(), "x"), rules or Rules())


def test_no_secret_has_an_influence_on_a_digest() -> None:
    assert digest("one") == digest("two")
    assert digest("one", "a") != digest("one", "b")
    ours = Rules(hide=("*_of_ours",))
    assert digest("one", "a", ours) == digest("two", "b", ours)


@pytest.fixture
def agreement(tmp_path: Path) -> Agreement:
    files = tmp_path / "cib"
    Directory.create(files, CIB.encode())
    events: list[Told | Apart] = []
    found = Agreement(
        *("prod", files, Rules(), lambda: parse(CIB.encode(), "live"), events.append),
        corosync=tmp_path / "corosync.conf",
    )
    found.events = events  # type: ignore[attr-defined]
    return found


def test_what_an_agent_sees(agreement: Agreement) -> None:
    files, conf = agreement.files, agreement.corosync
    view = agreement._look()
    assert (view.disk, view.epoch, view.corosync) == ("right", (0, 5), "")
    conf.write_text("totem {\n\tconfig_version: 7\n\tkey: abc\n}\n")
    first = agreement._look()
    assert first.config_version == 7
    conf.write_text("# it is the same\n\ntotem {\n  config_version: 7\n  key: def\n}")
    assert agreement._look() == first
    file = files / "cib.xml"
    right = file.read_text()
    for text, verdict in (
        (right.replace("30s", "31s"), "mismatch"),
        (right[:-9], "broken"),
        (None, "missing"),
    ):
        file.unlink()
        if text is not None:
            file.write_text(text)
        assert agreement._look().disk == verdict
        assert agreement._look().epoch is None
    file.mkdir()
    assert agreement._look().disk == "unreadable"


@pytest.mark.pacemaker
def test_without_corosync_it_says_so_once_and_tries_again(agreement: Agreement) -> None:
    agreement.join()
    for _ in range(3):
        assert agreement.heard() > 0
    [event] = agreement.events  # type: ignore[attr-defined]
    assert isinstance(event, Apart)
    assert "Corosync does not run here" in event.sentence
    assert agreement.descriptor is None


def test_it_is_refused_where_it_makes_no_sense(
    embedded: Embedded,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = ["-C", str(embedded.root)]
    assert run(["watch", "--agree", *there]) == 64
    said = capsys.readouterr().err
    assert "--agree needs a node of the cluster" in said
    assert embedded.site().cluster.address in said
    assert run(["watch", "--agree", "--once", *there]) == 64
    assert run(["watch", "--supervised", "9", "--once", *there]) == 64
    for seconds in ("0.5", "nan", "inf", "1e20"):
        assert run(["watch", "--supervised", seconds, *there]) == 64
        assert run(["watch", "--poll", seconds.replace("0.5", "0"), *there]) == 64
    monkeypatch.setattr(cpg, "LIBRARY", "libno-such-thing.so")
    assert run(["watch", "--agree", "--at", "local:", *there]) == 69
    assert "libno-such-thing.so is not installed" in capsys.readouterr().err
