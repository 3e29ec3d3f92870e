"""Channels: each is told once, whatever the others do, also after a restart."""

import socket
from email import message_from_string, policy
from pathlib import Path

import pytest

from cibgit.cli.app import run
from cibgit.flow.export import export
from cibgit.flow.notify import Channel

from ..cluster.test_webhook import Service
from .embedded import Embedded
from .watching import Bench

SENDMAIL = '#!/bin/sh\necho "$*" >> {log}; cat >> {log}; exit $(cat {code})\n'


class Post:
    """A sendmail that keeps what it gets: a real one would need a mail system, and send."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log, self.code = folder / "mails", folder / "code"
        folder.mkdir()
        self.exits(0)
        program = folder / "sendmail"
        program.write_text(SENDMAIL.format(log=self.log, code=self.code))
        program.chmod(0o755)

    def exits(self, code: int) -> None:
        self.code.write_text(str(code))

    @property
    def text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Post:
    found = Post(tmp_path / "mail")
    monkeypatch.setenv("PATH", f"{found.folder}:/usr/bin:/bin")
    return found


def test_one_that_fails_repeats_nothing_of_the_others(
    embedded: Embedded, post: Post, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    export(embedded.site())
    log, hook = tmp_path / "log", tmp_path / "hook"
    hook.write_text(f'#!/bin/sh\necho "$CIBGIT_EVENT" >> {log}\n')
    hook.chmod(0o755)
    with Service() as service:
        address = service.file(tmp_path / "webhook")
        watch = ["watch", "--once", "-C", str(embedded.root), "--hook", str(hook)]
        watch += ["--webhook", str(address)]
        watch += ["--mail", "ops@example.com", "--mail", "root"]
        embedded.change_live("loc@score", "1")
        service.answer, _ = 503, post.exits(75)
        assert [run(watch), run(watch)] == [69, 69]
        assert "failed: it answered 503" in capfd.readouterr().err
        service.answer, _ = 204, post.exits(0)
        assert [run(watch), run(watch)] == [1, 1]
        assert log.read_text().split() == ["drift"]
        assert [each.event for each in service.got] == ["drift"] * 3
        assert post.text.count("Subject: [cibgit] prod: drift") == 3
        embedded.change_live("loc@score", "100")
        assert [run(watch), run(watch)] == [0, 0]
        assert log.read_text().split() == ["drift", "settled"]
        assert [each.event for each in service.got][3:] == ["settled"]
        assert post.text.count("Subject: [cibgit] prod: settled") == 1


def test_a_mail_says_what_drift_prints(
    embedded: Embedded, post: Post, capfd: pytest.CaptureFixture[str]
) -> None:
    export(embedded.site())
    embedded.change_live("loc@score", "1")
    watch = ["watch", "--once", "-C", str(embedded.root), "--mail", "ops@example.com"]
    assert run(watch) == 1
    capfd.readouterr()
    assert run(["drift", "-C", str(embedded.root)]) == 1
    printed = capfd.readouterr().out
    arguments, _, text = post.text.partition("\n")
    mail = message_from_string(text, policy=policy.default)
    assert arguments == "-t -i"
    assert mail["To"] == "ops@example.com"
    assert mail.get_content() == printed


def test_without_sendmail_it_says_so_at_the_start(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    export(embedded.site())
    monkeypatch.setattr("cibgit.cluster.mail._PATHS", str(tmp_path))
    watch = ["watch", "-C", str(embedded.root), "--mail", "ops@example.com"]
    assert run(watch) == 69
    assert run([*watch, "--mail", "a@b\nBcc: c@d"]) == 64


def test_a_channel_that_comes_later_is_told_of_the_drift_that_stands(
    embedded: Embedded,
) -> None:
    export(embedded.site())
    embedded.change_live("loc@score", "1")
    first, second = Bench(embedded), Bench(embedded)
    with first.events:
        first.agent.once()
    second.agent.channels = [Channel("other", second.hook)]
    with second.events:
        second.agent.once()
        second.agent.once()
    assert [len(first.hooked), len(second.hooked)] == [1, 1]


def test_a_service_that_is_away_is_told_when_it_is_back(
    embedded: Embedded, tmp_path: Path
) -> None:
    export(embedded.site())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    file = tmp_path / "webhook"
    file.write_text(f"http://127.0.0.1:{port}/token\n")
    file.chmod(0o600)
    embedded.change_live("loc@score", "1")
    watch = ["watch", "--once", "-C", str(embedded.root), "--webhook", str(file)]
    assert run(watch) == 69
    with Service(port) as service:
        assert run(watch) == 1
        assert run(watch) == 1
    assert len(service.got) == 1
