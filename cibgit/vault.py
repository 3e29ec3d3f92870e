"""What a vault holds: the key of the fingerprints, and a value for each sealed secret.

The file is ``clusters/NAME/secrets.age``; :mod:`cibgit.age` encrypts and opens it. Inside
is JSON, so that ``age --decrypt`` shows it to people::

    {"format": 1, "key": "BASE64", "recipients": ["age1...", "ssh-ed25519 ..."],
     "secrets": [{"owner": "fence-a", "element": "fence-a-passwd",
                  "parameter": "passwd", "value": "..."}]}
"""

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from .cib.placeholders import KEY_BYTES
from .cib.secrets import Slot
from .errors import BadDataError, BusyError

FORMAT = 1

_T = TypeVar("_T")


@dataclass(frozen=True)
class Vault:
    """The content of one vault. ``recipients`` are those whom it is encrypted to."""

    key: bytes = field(repr=False)
    values: Mapping[Slot, str] = field(default_factory=dict, repr=False)
    recipients: tuple[str, ...] = ()

    @classmethod
    def new(cls) -> "Vault":
        """Return an empty vault with a fresh key."""
        return cls(os.urandom(KEY_BYTES))

    def to_bytes(self) -> bytes:
        """Return the content as it is encrypted: equal content gives equal bytes."""
        secrets = [
            {**slot._asdict(), "value": value}
            for slot, value in sorted(self.values.items())
        ]
        content = {
            "format": FORMAT,
            "key": base64.b64encode(self.key).decode(),
            "recipients": list(self.recipients),
            "secrets": secrets,
        }
        return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> "Vault":
        """Read the content; raises ``BadDataError``, which never quotes it."""
        try:
            found = json.loads(data)
            if found["format"] != FORMAT:
                raise BadDataError(
                    f"{source}: it is of a format that this cibgit does not know",
                    "A newer cibgit wrote it.",
                )
            key = base64.b64decode(found["key"], validate=True)
            values = {
                Slot(each["owner"], each["element"], each["parameter"]): each["value"]
                for each in found["secrets"]
            }
            recipients = tuple(found["recipients"])
            texts = [
                *recipients,
                *values.values(),
                *(t for slot in values for t in slot),
            ]
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise BadDataError(
                f"{source}: what it holds is no vault of cibgit"
            ) from None
        if len(key) != KEY_BYTES or not all(isinstance(text, str) for text in texts):
            raise BadDataError(f"{source}: what it holds is no vault of cibgit")
        return cls(key, values, recipients)


class Lock(Protocol):
    """How the file of a vault is opened and made; raises ``CibgitError`` only."""

    @property
    def made(self) -> Path | None:
        """The file of a key that was made in this run, because there was none."""
        ...

    def open(self, data: bytes, source: str) -> Vault:
        """Decrypt with the keys of whoever runs cibgit."""
        ...

    def close(self, vault: Vault, source: str) -> bytes:
        """Encrypt to the vault's recipients, and prove that it opens again."""
        ...

    def recipients(self) -> tuple[str, ...]:
        """Return the public keys of whoever runs cibgit; a key is made if there is none."""
        ...

    def checked(self, recipient: str) -> str:
        """Return a public key, or refuse it."""
        ...


def merge(base: Vault | None, ours: Vault, theirs: Vault, source: str) -> Vault:
    """Return the vault that has what either side changed since ``base``, by element.

    Raises :class:`~cibgit.errors.BusyError` where both changed the same in different
    ways: which of two passwords is right only people know.
    """
    base = base or Vault(b"", {}, ())
    slots = sorted({*base.values, *ours.values, *theirs.values})
    values = {}
    for slot in slots:
        was, mine, other = (side.values.get(slot) for side in (base, ours, theirs))
        value = _merged(was, mine, other, f"{source}: {slot} was changed on both sides")
        if value is not None:
            values[slot] = value
    key = _merged(
        base.key,
        ours.key,
        theirs.key,
        f"{source}: both sides have another key (rotate)",
    )
    names = dict.fromkeys([*ours.recipients, *theirs.recipients])
    kept = [
        name
        for name in names
        if (name in ours.recipients and name in theirs.recipients)
        or name not in base.recipients
    ]
    return Vault(key or ours.key, values, tuple(kept))


def _merged(base: _T, ours: _T, theirs: _T, conflict: str) -> _T:
    if theirs in (ours, base):
        return ours
    if ours == base:
        return theirs
    raise BusyError(
        conflict, "Keep one side with git checkout --ours or --theirs, then secret set."
    )
