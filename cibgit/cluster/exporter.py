"""Answering over HTTP how a watch is: ``/metrics`` for Prometheus, ``/healthz``.

Threads of their own, a few at a time; nothing can be changed from there.
"""

import re
import socket
import socketserver
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from ..errors import BusyError, PermissionDeniedError, UsageError

HOST = "127.0.0.1"
"""Where it listens unless it is told otherwise: at this machine only."""

AT_ONCE = 8
"""Connections that are answered at a time; more are closed at once."""

SILENT_SECONDS = 5
"""How long a client may say nothing."""

TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""

_PLACE = re.compile(
    r"(?:(?P<host>[^:\[\]\s]+|\[[0-9A-Fa-f:.%\w]+\]):)?(?P<port>\d{1,5})"
)
_PORTS = range(1, 65536)


def place(text: str) -> tuple[str, int]:
    """Return host and port of ``[ADDRESS:]PORT``; an IPv6 address is in brackets."""
    found = _PLACE.fullmatch(text)
    if found is None or int(found["port"]) not in _PORTS:
        raise UsageError(
            f"{text!r} is no place to listen at",
            "Write 9100, 10.0.0.1:9100 or [::1]:9100.",
        )
    return (found["host"] or HOST).strip("[]"), int(found["port"])


class Exporter(ThreadingHTTPServer):
    """Answers while the context lasts. ``pages`` are texts by path.

    A page returns its status and its text. Raises
    :class:`~cibgit.errors.BusyError` where the port is in use.
    """

    daemon_threads = True

    def __init__(
        self, at: tuple[str, int], pages: dict[str, Callable[[], tuple[int, str]]]
    ) -> None:
        self.pages = pages
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        try:
            family, *_, address = socket.getaddrinfo(*at, type=socket.SOCK_STREAM)[0]
            self.address_family = family
            super().__init__(address[:2], _Handler)  # type: ignore[arg-type]
        except socket.gaierror as error:
            raise UsageError(f"cannot listen at {at[0]}: {error.strerror}") from None
        except UnicodeError:  # a part of the name is empty, or too long
            raise UsageError(f"{at[0]} cannot be the name of a host") from None
        except PermissionError:
            raise PermissionDeniedError(
                f"this user may not listen at port {at[1]}", "Take one above 1023."
            ) from None
        except OSError as error:
            raise BusyError(
                f"cannot listen at {at[0]} port {at[1]}: {error.strerror}"
            ) from None

    def server_bind(self) -> None:
        """Bind without asking the DNS what this machine is called, as its parent would."""
        socketserver.TCPServer.server_bind(self)

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.shutdown()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, or not at all where too many are under way."""
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room for the next."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up."""


class _Handler(BaseHTTPRequestHandler):
    timeout = SILENT_SECONDS
    server_version = "cibgit"
    sys_version = ""
    server: Exporter

    def do_GET(self) -> None:
        """Answer with a page."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with what a page would begin with."""
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        page = self.server.pages.get(self.path.partition("?")[0])
        status, text = page() if page else (HTTPStatus.NOT_FOUND, "not found\n")
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", TEXT)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if with_body:
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Write no line for each request."""
