"""Placeholders: what stands in git in the place of a secret.

``secret:v1:FINGERPRINT``
    The value is in the vault. The fingerprint is keyed with the vault's key, over the
    place and the value: another password gives another one, the same password at two
    places gives two, and nobody without the key can try passwords against it.

``secret:PROVIDER:REFERENCE``
    The value is with a provider that ``cibgit.toml`` names.
"""

import hashlib
import hmac
import re

from ..errors import BadDataError
from .secrets import LRM, PREFIX, Slot

KEY_BYTES = 32

_SEALED = re.compile(r"secret:v1:[0-9a-f]{32}")
_PROVIDED = re.compile(
    r"secret:(?!v\d+:)([a-z][a-z0-9_-]*):([A-Za-z0-9_][A-Za-z0-9._/@+=:%-]*)"
)
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DIGITS = 32
"""128 bits: what is kept of the HMAC."""


def sealed(key: bytes, slot: Slot, value: str) -> str:
    """Return the placeholder of a value that the vault holds.

    The place is part of it, so a placeholder that was copied to another parameter, where
    the value would be logged or sent away, does not open there.
    """
    message = "\0".join(("cibgit secret v1", *slot, value)).encode()
    return f"{PREFIX}v1:{hmac.new(key, message, hashlib.sha256).hexdigest()[:_DIGITS]}"


def is_sealed(value: str) -> bool:
    """Say whether a value is a placeholder for what the vault holds."""
    return bool(_SEALED.fullmatch(value))


def provided(value: str) -> tuple[str, str] | None:
    """Return provider and reference of a placeholder that names a provider, or None."""
    found = _PROVIDED.fullmatch(value)
    return (found[1], found[2]) if found else None


def check_value(value: str) -> str:
    """Return a secret that Pacemaker can store, or raise ``BadDataError``; never its text.

    Line ends and tabs are rewritten by releases before 2.1.8, and ``lrm://`` or a
    placeholder would mean something else than themselves.
    """
    if not value:
        raise BadDataError("the secret is empty")
    if "\n" in value or "\r" in value:
        raise BadDataError(
            "a secret cannot have a line break: Pacemaker would not store it as it is"
        )
    if _UNFIT.search(value):
        raise BadDataError("a secret cannot hold control characters")
    if value == LRM or value.startswith(PREFIX):
        raise BadDataError(
            f"a secret cannot begin with {PREFIX} or be {LRM}: these only refer to one",
            "Write such a reference into cib.xml yourself.",
        )
    return value
