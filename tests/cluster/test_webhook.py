"""Web hooks against a real server: what it gets, and what is said where it fails."""

import json
import os
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import pytest

from cibgit.cluster import webhook
from cibgit.cluster.webhook import Webhook
from cibgit.errors import (
    BadConfigError,
    CibgitError,
    NoInputError,
    PermissionDeniedError,
    UnreachableError,
)

TOKEN = "s3cret-t0ken"


class Got(NamedTuple):
    """One request, as the server had it."""

    path: str
    event: str
    headers: dict[str, str]
    json: object


class Service:
    """A web service on this machine that keeps what it gets and answers ``answer``."""

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.got: list[Got] = []
        self.answer = 204
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = dict(self.headers.items())
                event = headers.get("X-Cibgit-Event", "")
                service.got.append(Got(self.path, event, headers, json.loads(body)))
                self.send_response(service.answer)
                if 300 <= service.answer < 400:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", port), Handler)
        self.scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port

    def __enter__(self) -> Self:
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def file(self, file: Path, user: str = "") -> Path:
        """Write a file with the address, and return it."""
        file.write_text(f"{self.scheme}://{user}127.0.0.1:{self.port}/{TOKEN}?x=1\n")
        file.chmod(0o600)
        return file


def test_it_posts_json_with_headers(tmp_path: Path) -> None:
    with Service() as service:
        found = Webhook.load(service.file(tmp_path / "url", "me:p%40ss@"))
        found.post(b'{"a": 1}', {"X-Cibgit-Event": "drift"})
    [got] = service.got
    assert got.path == f"/{TOKEN}?x=1"
    assert got.json == {"a": 1}
    assert got.event == "drift"
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["Authorization"] == "Basic bWU6cEBzcw=="
    assert TOKEN not in repr(found)
    assert "p@ss" not in repr(found)


@pytest.mark.parametrize("answer", [301, 302, 307, 404, 500])
def test_whatever_is_not_two_hundred_fails(tmp_path: Path, answer: int) -> None:
    """A redirect too: followed, a POST would become a GET that succeeds."""
    with Service() as service:
        service.answer = answer
        found = Webhook.load(service.file(tmp_path / "url"))
        with pytest.raises(UnreachableError, match=f"it answered {answer}") as failed:
            found.post(b"{}", {})
    assert len(service.got) == 1
    assert TOKEN not in failed.value.message


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    key, cert = tmp_path / "key", tmp_path / "cert"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    make += ["-subj", "/CN=127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(make, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    with Service(tls=context) as service:
        found = Webhook.load(service.file(tmp_path / "url"))
        with pytest.raises(UnreachableError, match="certificate verify failed"):
            found.post(b"{}", {})
    assert service.got == []


def test_a_service_that_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    monkeypatch.setattr(webhook, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        file = tmp_path / "url"
        file.write_text(f"http://127.0.0.1:{silent.getsockname()[1]}/{TOKEN}")
        file.chmod(0o600)
        with pytest.raises(UnreachableError, match=r"127\.0\.0\.1 failed: timed out"):
            Webhook.load(file).post(b"{}", {})


@pytest.mark.parametrize("host", ["a..example.com", "x" * 64 + ".example.com"])
def test_a_host_that_cannot_be_one_fails_as_any_other(
    tmp_path: Path, host: str
) -> None:
    file = tmp_path / "url"
    file.write_text(f"https://{host}/{TOKEN}")
    file.chmod(0o600)
    with pytest.raises(UnreachableError, match="cannot be an address") as failed:
        Webhook.load(file).post(b"{}", {})
    assert TOKEN not in failed.value.message


def test_a_proxy_that_cannot_be_one_fails_as_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http:/me:pass@proxy:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    file = tmp_path / "url"
    file.write_text(f"http://example.com/{TOKEN}")
    file.chmod(0o600)
    with pytest.raises(UnreachableError, match="cannot be an address") as failed:
        Webhook.load(file).post(b"{}", {})
    assert "pass" not in failed.value.message


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "url"
    file.write_text(f"https://example.com/{TOKEN}")
    file.chmod(mode)
    with pytest.raises(PermissionDeniedError, match="others may read"):
        Webhook.load(file)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/x",
        "ftp://example.com/x",
        f"https://example.com/{TOKEN} x",
        f"https://example.com/{TOKEN}\nhttps://example.com/",
        f"https://example.com:{TOKEN}/",
        f"https:///{TOKEN}",
        f"https://ex\u00e4mple.com/{TOKEN}",
        f"https://[::1/{TOKEN}",
        "https://example.com/" + "x" * 10_000,
    ],
)
def test_anything_but_one_address_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "url"
    file.write_bytes(text.encode())
    file.chmod(0o600)
    with pytest.raises(BadConfigError, match="does not hold one address") as failed:
        Webhook.load(file)
    assert TOKEN not in str(failed.value)


def test_a_file_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="is not there"):
        Webhook.load(tmp_path / "none")
    with pytest.raises(PermissionDeniedError, match="Is a directory"):
        Webhook.load(tmp_path)
    if os.geteuid() == 0:
        return
    file = tmp_path / "url"
    file.touch(0o000)
    with pytest.raises(CibgitError):
        Webhook.load(file)
