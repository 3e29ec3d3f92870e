"""Secrets that live elsewhere: in the environment, or behind a command such as ``pass``."""

import subprocess
from collections.abc import Mapping

from .cib.placeholders import check_value, provided
from .config import Provider
from .errors import BadConfigError, BadDataError, PermissionDeniedError

SECONDS = 120
"""How long a command may take: it may ask somebody for a passphrase."""

_MAX_BYTES = 64 * 1024


class Providers:
    """The providers of ``cibgit.toml``, each asked once for a secret in one run.

    ``environment`` is the caller's: commands get it whole, for it holds their own keys.
    """

    def __init__(
        self, known: Mapping[str, Provider], environment: Mapping[str, str]
    ) -> None:
        self._known = known
        self._environment = environment
        self._answers: dict[str, str] = {}

    def value(self, placeholder: str) -> str:
        """Return what ``secret:PROVIDER:REFERENCE`` stands for.

        Raises ``BadConfigError`` when there is no such provider,
        ``PermissionDeniedError`` when it does not give the value, ``BadDataError`` when
        the value cannot be stored in a CIB.
        """
        if placeholder not in self._answers:
            found = provided(placeholder)
            provider = self._known.get(found[0]) if found else None
            if found is None or provider is None:
                raise BadConfigError(
                    f"{placeholder}: cibgit.toml has no such provider",
                    "Define it: [secrets.providers] NAME = { command = [...] }",
                )
            value = self._asked(placeholder, provider, found[1])
            try:
                self._answers[placeholder] = check_value(value)
            except BadDataError as error:
                raise BadDataError(f"{placeholder}: {error.message}") from None
        return self._answers[placeholder]

    def _asked(self, placeholder: str, provider: Provider, reference: str) -> str:
        if provider.environment:
            name = provider.environment.replace("{}", reference)
            if name not in self._environment:
                raise PermissionDeniedError(f"{placeholder}: {name} is not set")
            return self._environment[name]
        argv = [word.replace("{}", reference) for word in provider.command]
        return _output(argv, self._environment, placeholder)


def _output(argv: list[str], environment: Mapping[str, str], placeholder: str) -> str:
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise PermissionDeniedError(
            f"{placeholder}: {argv[0]} cannot be started: {error.strerror}"
        ) from None
    except subprocess.TimeoutExpired:
        raise PermissionDeniedError(
            f"{placeholder}: {argv[0]} did not answer within {SECONDS} seconds"
        ) from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        said = f": {lines[0]}" if lines else ""
        raise PermissionDeniedError(
            f"{placeholder}: {argv[0]} ended with exit {done.returncode}{said}"
        )
    try:
        return done.stdout[:_MAX_BYTES].decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise BadDataError(f"{placeholder}: what it gave is no text") from None
