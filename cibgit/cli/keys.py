"""Where the keys of whoever runs cibgit are, and age, imported when a vault needs it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadConfigError

if TYPE_CHECKING:
    from ..age import Age
    from ..vault import Vault

VARIABLE = "CIBGIT_IDENTITY"
HOST_KEY = Path("/etc/ssh/ssh_host_ed25519_key")

chosen: list[Path] = []
"""What ``--identity`` named."""


class AgeLater:
    """A :class:`~cibgit.vault.Lock` that costs nothing until it is used."""

    def __init__(self) -> None:
        self._age: Age | None = None

    @property
    def made(self) -> Path | None:
        """The file of a key that was made in this run, because there was none."""
        return self._age.made if self._age else None

    def open(self, data: bytes, source: str) -> "Vault":
        """Decrypt with the keys of whoever runs cibgit."""
        return self._lock().open(data, source)

    def close(self, vault: "Vault", source: str) -> bytes:
        """Encrypt to the vault's recipients, and prove that it opens again."""
        return self._lock().close(vault, source)

    def recipients(self) -> tuple[str, ...]:
        """Return the public keys of whoever runs cibgit; a key is made if there is none."""
        return self._lock().recipients()

    def checked(self, recipient: str) -> str:
        """Return a public key, or refuse it."""
        return self._lock().checked(recipient)

    def _lock(self) -> "Age":
        if self._age is None:
            try:
                from ..age import Age
            except ImportError as error:
                raise BadConfigError(
                    f"vaults of secrets need pyrage, which cannot be used: {error}",
                    "Install it beside cibgit: pip install pyrage",
                ) from None
            named = chosen or [
                Path(each) for each in (os.environ.get(VARIABLE),) if each
            ]
            own = own_file()
            self._age = Age(
                named or places(), None if named else own, chosen=bool(named)
            )
        return self._age


def own_file() -> Path | None:
    """Return where a key of cibgit's own is kept, None for a user without a home."""
    config, home = os.environ.get("XDG_CONFIG_HOME"), os.environ.get("HOME")
    if config:
        return Path(config) / "cibgit/identity.txt"
    return Path(home) / ".config/cibgit/identity.txt" if home else None


def places() -> list[Path]:
    """Return where keys are looked for: cibgit's own, the user's ssh key, the host's."""
    home, own = os.environ.get("HOME"), own_file()
    found = [own] if own else []
    if home:
        found.append(Path(home) / ".ssh/id_ed25519")
    return [*found, HOST_KEY]
