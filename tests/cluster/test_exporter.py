"""What is served over HTTP, against real sockets."""

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest

from cibgit.cluster import exporter
from cibgit.cluster.exporter import Exporter, place
from cibgit.errors import BusyError, UsageError


def free_port(host: str = "127.0.0.1") -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as taken:
        return int(taken.getsockname()[1])


def ask(
    port: int, path: str, method: str = "GET", host: str = "127.0.0.1"
) -> tuple[int, str]:
    connection = http.client.HTTPConnection(host, port, timeout=30)
    connection.request(method, path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.fixture
def port() -> Iterator[int]:
    found = free_port()
    pages = {"/metrics": lambda: (200, "a 1\n"), "/healthz": lambda: (503, "stuck\n")}
    with Exporter(("127.0.0.1", found), pages):
        yield found


def test_pages(port: int) -> None:
    assert ask(port, "/metrics") == (200, "a 1\n")
    assert ask(port, "/metrics?x=1") == (200, "a 1\n")
    assert ask(port, "/metrics", "HEAD") == (200, "")
    assert ask(port, "/healthz") == (503, "stuck\n")
    assert ask(port, "/")[0] == 404
    assert ask(port, "/../etc/passwd")[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_nothing_else_is_answered(port: int, method: str) -> None:
    assert ask(port, "/metrics", method)[0] == 501


def test_a_port_that_is_in_use_is_a_sentence(port: int) -> None:
    with pytest.raises(BusyError, match=rf"port {port}: Address already in use"):
        Exporter(("127.0.0.1", port), {})


def test_too_many_at_a_time_are_sent_away_and_the_next_is_served(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter._Handler, "timeout", 1)
    before = threading.active_count()
    silent = [
        socket.create_connection(("127.0.0.1", port), timeout=30)
        for _ in range(3 * exporter.AT_ONCE)
    ]
    for each in silent:  # each is closed: for it is one too many, or says nothing
        assert each.recv(1) == b""
        assert threading.active_count() <= before + exporter.AT_ONCE
        each.close()
    assert ask(port, "/metrics")[0] == 200


def test_an_address_of_ipv6() -> None:
    try:
        found = free_port("::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    at = place(f"[::1]:{found}")
    with Exporter(at, {"/metrics": lambda: (200, "a 1\n")}):
        assert ask(found, "/metrics", host="::1") == (200, "a 1\n")


def test_places() -> None:
    assert place("9100") == ("127.0.0.1", 9100)
    assert place("0.0.0.0:9100") == ("0.0.0.0", 9100)
    assert place("[::1]:9100") == ("::1", 9100)
    assert place("[fe80::1%eth0]:1") == ("fe80::1%eth0", 1)
    assert place("node1:65535") == ("node1", 65535)


@pytest.mark.parametrize(
    "text",
    ["", "0", "65536", "x", "::1:9100", "[::1]", ":9100", "a b:1", "-1", "1:2:3"],
)
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(UsageError, match="is no place to listen at"):
        place(text)


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example.com"])
def test_a_name_that_cannot_be_one(host: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a host"):
        Exporter((host, 9100), {})


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(UsageError, match="cannot listen at"):
        Exporter(("no-such-host.invalid", 9100), {})
