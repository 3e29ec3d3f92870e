"""The files of a vault in the work tree: ``secrets.age``, and ``recipients`` beside it."""

from collections.abc import Iterable
from pathlib import Path

from ..errors import BadConfigError, CibgitError, PermissionDeniedError
from ..vault import Lock, Vault

_HEADER = """\
# Who can open secrets.age: public keys of age or ssh, one a line.
# Change it with: cibgit secret recipients
"""


class VaultFile:
    """One vault and the list of those who can open it.

    ``file`` is the vault, ``label`` how messages call it, ``lock`` what opens it.
    """

    def __init__(self, file: Path, label: str, lock: Lock) -> None:
        self.file = file
        self.label = label
        self.lock = lock
        self._opened: dict[bytes, Vault | CibgitError] = {}
        self._recipients: tuple[tuple[str, ...], bytes] | None = None

    @property
    def recipients_file(self) -> Path:
        """The file with the public keys, beside the vault."""
        return self.file.with_name("recipients")

    def read(self) -> bytes | None:
        """Return the file, None where there is none."""
        try:
            return self.file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise PermissionDeniedError(f"{self.file}: {error.strerror}") from None

    def open(self, data: bytes, label: str) -> Vault | CibgitError:
        """Return what any version of the file holds, or what keeps it closed."""
        if data not in self._opened:
            try:
                self._opened[data] = self.lock.open(data, label)
            except CibgitError as error:
                self._opened[data] = error
        return self._opened[data]

    def admit(self, keys: Iterable[str], text: bytes) -> None:
        """Let the next vault be for these recipients; ``text`` is the file for them."""
        self._recipients = tuple(keys), text

    def read_recipients(self) -> tuple[tuple[str, ...], bytes]:
        """Return the recipients and the file that lists them; a first one is made."""
        if self._recipients is not None:
            return self._recipients
        try:
            data = self.recipients_file.read_bytes()
            lines = data.decode().splitlines()
        except FileNotFoundError:
            keys = self.lock.recipients()
            return keys, recipients_text(keys)
        except (OSError, UnicodeDecodeError) as error:
            raise BadConfigError(f"{self.recipients_file}: {error}") from None
        return self.checked(lines), data

    def checked(self, lines: Iterable[str]) -> tuple[str, ...]:
        """Return the public keys of a file of recipients, or refuse it with the line."""
        keys = []
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.startswith("#"):
                try:
                    keys.append(self.lock.checked(line))
                except BadConfigError as error:
                    where = f"{self.recipients_file}:{number}"
                    raise BadConfigError(
                        f"{where}: {error.message}", error.hint
                    ) from None
        if not keys:
            raise BadConfigError(f"{self.recipients_file} lists no public key")
        return tuple(keys)


def recipients_text(keys: Iterable[str]) -> bytes:
    """Return the file that lists the recipients."""
    return (_HEADER + "".join(f"{key}\n" for key in keys)).encode()
