"""Vaults as age files (https://age-encryption.org/v1): keys, recipients, encryption.

The only module that imports pyrage. Keys are age's own (``AGE-SECRET-KEY-1...``) or the
ssh keys that people and hosts have anyway (ed25519, RSA; age has no use for ECDSA).
"""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage

from .errors import (
    BadConfigError,
    BadDataError,
    NoInputError,
    PermissionDeniedError,
    UnsafeError,
)
from .vault import Vault

Identity = Any
"""``pyrage.x25519.Identity`` or ``pyrage.ssh.Identity``: pyrage has no types."""

Recipient = Any
"""``pyrage.x25519.Recipient`` or ``pyrage.ssh.Recipient``."""

_HEADERS = (b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----")
_ARMOR = _HEADERS[1]
_PRIVATE = "AGE-SECRET-KEY-1"
_NO_KEY_FITS = "No matching keys found"
_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Key:
    """One private key of whoever runs cibgit, and its public half where that is known."""

    identity: Identity
    public: str


class Age:
    """The keys of whoever runs cibgit.

    ``files`` are where they are looked for; ``chosen`` says that somebody named them, so
    that one that cannot be used is an error. ``new`` is the file that gets a new key
    where there is none at all.
    """

    def __init__(
        self, files: Sequence[Path], new: Path | None, *, chosen: bool
    ) -> None:
        self._files = files
        self._new = new
        self._chosen = chosen
        self._keys: list[Key] | None = None
        self._unusable: list[str] = []
        self.made: Path | None = None
        """The file of the key that was made because there was none."""

    def open(self, data: bytes, source: str) -> Vault:
        """Decrypt a vault.

        Raises ``PermissionDeniedError`` when no key fits, ``BadDataError`` when the file
        is damaged.
        """
        return Vault.from_bytes(self._decrypted(data, source), source)

    def close(self, vault: Vault, source: str) -> bytes:
        """Encrypt a vault to its recipients.

        Raises ``UnsafeError`` when the one who does it could not open it again.
        """
        recipients = [_recipient(each) for each in vault.recipients]
        data: bytes = pyrage.encrypt(vault.to_bytes(), recipients)
        try:
            again = self._decrypted(data, source)
        except PermissionDeniedError:
            raise UnsafeError(
                f"{source} would be closed to you: no recipient is a key of yours",
                " ".join(["Add your public key to the recipients.", *self._notes()]),
            ) from None
        if again != vault.to_bytes():
            raise BadDataError(f"{source} does not read back the same")
        return data

    def recipients(self) -> tuple[str, ...]:
        """Return the public keys of whoever runs cibgit; make a key where there is none."""
        keys = self._read()
        if not keys:
            keys = [self._make()]
        public = tuple(key.public for key in keys if key.public)
        if not public:
            raise PermissionDeniedError(
                "the public half of your key is not there, so nothing can be encrypted to"
                " it",
                "Put it beside the key: ssh-keygen -y -f KEY > KEY.pub",
            )
        return public

    def checked(self, recipient: str) -> str:
        """Return a public key with what follows it taken for a comment, or refuse it."""
        _recipient(recipient)
        return " ".join(recipient.split())

    def _decrypted(self, data: bytes, source: str) -> bytes:
        if not data.startswith(_HEADERS):
            raise BadDataError(f"{source} is damaged: it is no age file")
        keys = self._read()
        try:
            return bytes(pyrage.decrypt(data, [key.identity for key in keys]))
        except pyrage.DecryptError as error:
            if str(error) == _NO_KEY_FITS:
                raise self._locked(source) from None
            raise BadDataError(
                f"{source} is damaged: {error}",
                "Take the file of an earlier commit: git log -- FILE",
            ) from None

    def _locked(self, source: str) -> PermissionDeniedError:
        found = self._keys or []
        why = "none of your keys fits" if found else "there is no key"
        hint = [
            "Name one with --identity FILE or CIBGIT_IDENTITY, or let somebody who has"
            " one add yours: cibgit secret recipients --add KEY."
        ]
        hint += self._notes()
        return PermissionDeniedError(f"{source} stays closed: {why}", " ".join(hint))

    def _notes(self) -> list[str]:
        return [f"{each}." for each in self._unusable]

    def _read(self) -> list[Key]:
        if self._keys is None:
            self._keys = [key for file in self._files for key in self._keys_of(file)]
        return self._keys

    def _keys_of(self, file: Path) -> list[Key]:
        try:
            data = file.read_bytes()[:_MAX_BYTES]
        except OSError as error:
            if self._chosen:
                raise NoInputError(f"{file}: {error.strerror}") from None
            return []
        try:
            return _parsed(data, file)
        except BadConfigError as error:
            if self._chosen:
                raise
            self._unusable.append(error.message)
            return []

    def _make(self) -> Key:
        """Make a key for whoever has none: the first export shall need one command."""
        if self._new is None:
            raise PermissionDeniedError(
                "there is no key to close the vault with, and no place to keep a new one",
                "Make one with age-keygen -o FILE, and name it in CIBGIT_IDENTITY.",
            )
        identity = pyrage.x25519.Identity.generate()
        text = f"# public key: {identity.to_public()}\n{identity}\n"
        try:
            self._new.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(self._new, flags, 0o600), "w") as file:
                file.write(text)
        except OSError as error:
            raise PermissionDeniedError(
                f"{self._new}: a key cannot be kept there: {error.strerror}"
            ) from None
        self._keys, self.made = [Key(identity, str(identity.to_public()))], self._new
        return self._keys[0]


def _parsed(data: bytes, file: Path) -> list[Key]:
    """Return the keys in a file: lines as age-keygen writes them, or one of ssh."""
    if b"PRIVATE KEY-----" in data:
        return [_ssh_key(data, file)]
    if data.startswith(_HEADERS):
        raise BadConfigError(
            f"{file} is protected by a passphrase, and nobody is asked"
        )
    lines = data.decode("ascii", "replace").splitlines()
    found = [line.strip() for line in lines if line.strip() and line[0] != "#"]
    if not found or not all(line.startswith(_PRIVATE) for line in found):
        raise BadConfigError(f"{file} holds no key that age knows")
    try:
        identities = [pyrage.x25519.Identity.from_str(line) for line in found]
    except pyrage.IdentityError:
        raise BadConfigError(f"{file} holds no key that age knows") from None
    return [Key(each, str(each.to_public())) for each in identities]


def _ssh_key(data: bytes, file: Path) -> Key:
    try:
        identity = pyrage.ssh.Identity.from_buffer(data)
    except pyrage.IdentityError as error:
        protected = "decrypted" in str(error)
        why = (
            "is protected by a passphrase, and nobody is asked"
            if protected
            else "is no ssh key that age knows (ed25519 or RSA)"
        )
        raise BadConfigError(f"{file} {why}") from None
    public = ""
    with contextlib.suppress(OSError, UnicodeDecodeError, BadConfigError):
        text = file.with_name(f"{file.name}.pub").read_text().strip()
        _recipient(text)
        public = text
    return Key(identity, public)


def _recipient(text: str) -> Recipient:
    word, _, rest = text.strip().partition(" ")
    try:
        if word.startswith("age1"):
            return pyrage.x25519.Recipient.from_str(word)
        if word.startswith("ssh-"):
            return pyrage.ssh.Recipient.from_str(f"{word} {rest.split(' ')[0]}")
    except pyrage.RecipientError:
        pass
    if _PRIVATE in text.upper() or "PRIVATE KEY" in text:
        raise BadConfigError("that is a private key; recipients are public ones")
    raise BadConfigError(
        f"{word[:20]!r} is no public key that age knows",
        "Use one of age (age1...) or of ssh (ssh-ed25519 AAAA...).",
    )
