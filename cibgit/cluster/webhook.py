"""Telling a web service: one POST of JSON to one address, which is itself a secret.

The address stands in a file that only its owner may read, and in no message.
"""

import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from ..errors import (
    BadConfigError,
    NoInputError,
    PermissionDeniedError,
    UnreachableError,
)

SECONDS = 10.0
"""How long the service may be silent."""

_OTHERS = 0o077
_LONGEST = 8192


class _NoRedirect(HTTPRedirectHandler):
    """Follow nothing: urllib would make a GET of a POST, and call it success."""

    def redirect_request(self, *_: object) -> None:
        """Refuse, so that the answer counts as the failure that it is."""


@dataclass(frozen=True)
class Webhook:
    """Where to post; ``host`` is all of the address that may be told."""

    host: str
    _url: str = field(repr=False)
    _headers: Mapping[str, str] = field(repr=False)

    @classmethod
    def load(cls, file: Path) -> "Webhook":
        """Read the address from a file that holds nothing else.

        Raises :class:`~cibgit.errors.PermissionDeniedError` where others may read it,
        :class:`~cibgit.errors.BadConfigError` for anything but one address.
        """
        try:
            mode = file.stat().st_mode
            text = file.read_bytes()[: _LONGEST + 1].decode("ascii", "replace").strip()
        except FileNotFoundError:
            raise NoInputError(f"{file} is not there") from None
        except OSError as error:
            raise PermissionDeniedError(
                f"{file} cannot be read: {error.strerror}"
            ) from None
        if mode & _OTHERS:
            raise PermissionDeniedError(
                f"others may read {file}, and the address in it is as good as a password",
                f"chmod 600 {file}",
            )
        parts = _split(text)
        if parts is None:
            raise BadConfigError(f"{file} does not hold one address, https://...")
        return cls(str(parts.hostname), *_without_password(parts))

    def post(self, data: bytes, headers: Mapping[str, str]) -> None:
        """Post JSON; an answer of 200 to 299 is success.

        Raises :class:`~cibgit.errors.UnreachableError` otherwise.
        """
        told = {"Content-Type": "application/json", **headers, **self._headers}
        request = Request(self._url, data, told, method="POST")
        secured = HTTPSHandler(context=ssl.create_default_context())
        try:
            with build_opener(_NoRedirect, secured).open(request, timeout=SECONDS):
                return
        except HTTPError as error:
            error.close()
            said = f"it answered {error.code}"
        except HTTPException as error:
            said = f"it speaks no HTTP ({type(error).__name__})"
        except OSError as error:  # URLError is one; its reason says nothing of the path
            said = str(getattr(error, "reason", None) or error.strerror or error)
        except ValueError:  # a host name, or a proxy's, that cannot be one
            said = "its host, or a proxy of the environment, cannot be an address"
        raise UnreachableError(
            f"the web hook at {self.host} failed: {said}", "It is tried again."
        )


def _split(text: str) -> SplitResult | None:
    """Take an address apart; None for anything that urllib would stumble over."""
    if not text.isascii() or not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        return None
    return parts if is_usable and parts.hostname and len(text) <= _LONGEST else None


def _without_password(parts: SplitResult) -> tuple[str, dict[str, str]]:
    """Return the address and the header that has what stood before ``@``."""
    user, _, place = parts.netloc.rpartition("@")
    url = urlunsplit(parts._replace(netloc=place, fragment=""))
    if not user:
        return url, {}
    basic = base64.b64encode(unquote(user).encode()).decode()
    return url, {"Authorization": f"Basic {basic}"}
