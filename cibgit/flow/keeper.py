"""The keeper of one cluster's secrets: between real values and what git may hold.

Three forms of a CIB exist. *Real*: as the cluster has it. *Hidden*: with a placeholder for
each secret; it is what is compared, shown and stored. *Authored*: what stands in a file or
a commit, where people may have typed a password beside the placeholders. All hidden forms
of one run are under one key, whatever vault their commit has, so they can be compared.

Without the key of the vault a real value cannot be compared with a placeholder. Then the
live value counts as the one that git names, and is listed as uncertain.

``corosync.conf`` has the same three forms, and its secrets are in the same vault.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ..cib.document import Cib
from ..cib.placeholders import is_sealed, provided, sealed
from ..cib.secrets import PREFIX, Rules, Slot
from ..cib.secrets import Found as InCib
from ..cib.secrets import find as find_in_cib
from ..corosync.document import Conf
from ..corosync.secrets import Found as InConf
from ..corosync.secrets import find as find_in_conf
from ..corosync.secrets import is_of_file
from ..errors import BadDataError, CibgitError, PermissionDeniedError
from ..vault import Vault
from .vaultfile import VaultFile

Provide = Callable[[str], str]
"""Returns what a placeholder of a provider stands for; raises ``CibgitError`` only."""

ReadVault = Callable[[], bytes | None]
"""Returns the file of the vault that belongs to a document, None without one."""

_Document = TypeVar("_Document", Cib, Conf)

Found = InCib | InConf
"""One secret of either document."""


class Keeper:
    """Hides and reveals the secrets of one cluster during one run.

    ``provide`` asks the providers, ``store`` is the vault in the work tree.
    """

    def __init__(self, rules: Rules, provide: Provide, store: VaultFile) -> None:
        self.rules = rules
        self.store = store
        self.uncertain: dict[Slot, str] = {}
        self._provide = provide
        self._values: dict[tuple[Slot, str], str] = {}
        self._problems: dict[tuple[Slot, str], CibgitError] = {}
        self._references: dict[Slot, str] = {}
        self._vault: Vault | None = None
        self._stored: Vault | None = None
        self._locked: CibgitError | None = None

    @property
    def vault(self) -> Vault:
        """The vault of the work tree; a new one where there is none or it stays closed."""
        if self._vault is None:
            data = self.store.read()
            found = (
                self.store.open(data, self.store.label)
                if data is not None
                else Vault.new()
            )
            if isinstance(found, Vault):
                self._vault = found
                self._stored = found if data is not None else None
                self._remember(found)
            else:
                self._vault, self._locked = Vault.new(), found
        return self._vault

    def known_values(self) -> set[str]:
        """Return every secret that this run has seen, for nothing to print one."""
        return set(self._values.values())

    def require_key(self) -> None:
        """Raise what keeps the vault closed, if anything does."""
        if self.vault and self._locked:
            raise self._locked

    def refuse_uncertain(self) -> None:
        """Raise when a live secret could not be compared with what git names."""
        for slot, reason in self.uncertain.items():
            self.require_key()
            raise PermissionDeniedError(
                f"cannot tell whether {slot} changed: {reason}", "Nothing was written."
            )

    def adopted(
        self, document: _Document, read_vault: ReadVault
    ) -> tuple[_Document, list[Slot]]:
        """Return the hidden form of an authored CIB, and the secrets in it in clear.

        ``read_vault`` returns the vault that was committed with it.
        """
        if not self.find(document):
            return document, []
        result, clear = document.copy(), []
        theirs = _once(read_vault)
        label = f"{self.store.label} of {document.source.partition(':')[0]}"
        for found in self.find(result):
            if not found.value.startswith(PREFIX):
                clear.append(found.slot)
                self._seal(found)
            elif is_sealed(found.value):
                self._translate(found, theirs, label)
            elif not provided(found.value):
                self._problems[found.slot, found.value] = BadDataError(
                    f"{document.source}: {found.slot} is no placeholder that this"
                    " cibgit knows"
                )
            self._references.setdefault(found.slot, found.current())
        return result, clear

    def hidden(self, document: _Document) -> _Document:
        """Return the hidden form of a real CIB.

        What stands there literally like a placeholder is a secret like any other: somebody
        loaded a file of git into the cluster past cibgit.
        """
        if not self.find(document):
            return document
        result = document.copy()
        for found in self.find(result):
            reference = self._references.get(found.slot)
            if reference is None or found.value == reference:
                self._seal(found)
            elif self._is_closed(found.slot, reference):
                self.uncertain[found.slot] = str(self._locked)
                self._see(found)
                found.replace(reference)
            elif provided(reference) and self._is_provided(found, reference):
                found.replace(reference)
            else:
                self._seal(found)
        return result

    def sealed(self, document: _Document) -> _Document:
        """Return a hidden or authored CIB with no secret in clear, for git to store."""
        if all(found.value.startswith(PREFIX) for found in self.find(document)):
            return document
        result = document.copy()
        for found in self.find(result):
            if not found.value.startswith(PREFIX):
                self._seal(found)
        return result

    def revealed(self, document: _Document) -> _Document:
        """Return the real form of a hidden CIB.

        Raises ``PermissionDeniedError`` without the key, ``BadDataError`` when vault and
        placeholders disagree.
        """
        if not self.find(document):
            return document
        result = document.copy()
        for found in self.find(result):
            found.replace(self.value(found, document.source))
        return result

    def is_stored(self, document: Cib | Conf) -> bool:
        """Say whether the vault of the work tree has all that a hidden form needs."""
        needed = self._needed(document)
        if not needed:
            return True
        self.require_key()
        stored = self._stored.values if self._stored else {}
        return all(stored.get(slot) == value for slot, value in needed.items())

    def files(self, document: Cib | Conf, *, keep: bool = False) -> dict[Path, bytes]:
        """Return the files that must be committed together with a hidden form.

        ``keep``: also where it needs none, for its history has placeholders of this key.

        The vault is encrypted anew only when its content changes, for age never gives
        the same bytes twice.
        """
        needed = self._needed(document)
        if not (needed or keep or self.store.file.exists()):
            return {}
        self.require_key()
        recipients, text = self.store.read_recipients()
        values = {**self._others(document), **needed}
        self._vault = replace(self.vault, values=values, recipients=recipients)
        data = self.store.read() if self._vault == self._stored else None
        if data is None:
            data = self.store.lock.close(self._vault, self.store.label)
        return {self.store.file: data, self.store.recipients_file: text}

    def placeholder(self, slot: Slot, value: str) -> str:
        """Return the placeholder of a new value, which the vault will hold."""
        self.require_key()
        made = sealed(self.vault.key, slot, value)
        self._values[slot, made] = value
        return made

    def rotate(self, cib: Cib, conf: Conf | None) -> tuple[Cib, Conf | None]:
        """Return hidden forms under a new key, which the next vault will have."""
        self.require_key()
        documents = cib.copy(), conf.copy() if conf else None
        values = [(found, self.value(found, cib.source))
                  for document in documents if document
                  for found in self.find(document) if is_sealed(found.value)]  # fmt: skip
        self._vault = replace(self.vault, key=Vault.new().key)
        for found, value in values:
            found.replace(self.placeholder(found.slot, value))
        return documents

    def find(self, document: Cib | Conf) -> Sequence[Found]:
        """Return the secrets of a document by the rules of the cluster.

        What was secret in a CIB before stays so.
        """
        if isinstance(document, Conf):
            return find_in_conf(document, self.rules)
        known = {*self._references}
        if self.store.file.exists():
            known |= self.vault.values.keys()
        return find_in_cib(document, self.rules, known)

    def _needed(self, document: Cib | Conf) -> dict[Slot, str]:
        return {
            found.slot: self.value(found, document.source)
            for found in self.find(document)
            if not provided(found.value)
        }

    def _others(self, document: Cib | Conf) -> dict[Slot, str]:
        """Return what the vault holds for the other document of the cluster."""
        return {
            slot: value
            for slot, value in self.vault.values.items()
            if is_of_file(slot) is not isinstance(document, Conf)
        }

    def value(self, found: Found, source: str) -> str:
        """Return what a placeholder in a hidden CIB stands for.

        Raises ``PermissionDeniedError`` without the key, ``BadDataError`` when vault and
        placeholder disagree.
        """
        if provided(found.value):
            answer = self._provide(found.value)
            self._values[found.slot, found.value] = answer
            return answer
        key = found.slot, found.value
        if key in self._values:
            return self._values[key]
        if key in self._problems:
            raise self._problems[key]
        self.require_key()
        raise BadDataError(f"{source}: {found.slot} has a placeholder without a value")

    def _seal(self, found: Found) -> None:
        """Put the placeholder of a real value in its place."""
        made = sealed(self.vault.key, found.slot, found.value)
        self._values[found.slot, made] = found.value
        found.replace(made)

    def _see(self, found: Found) -> None:
        self._values[found.slot, sealed(self.vault.key, found.slot, found.value)] = (
            found.value
        )

    def _remember(self, vault: Vault) -> None:
        for slot, value in vault.values.items():
            self._values[slot, sealed(vault.key, slot, value)] = value

    def _translate(self, found: Found, read_vault: ReadVault, label: str) -> None:
        """Bring a sealed placeholder of some commit under the key of this run."""
        known = self._values.get((found.slot, found.value))
        if known is not None:
            self._renew(found, known)
            return
        data = read_vault()
        vault = self.store.open(data, label) if data is not None else None
        if not isinstance(vault, Vault):
            self._problems[found.slot, found.value] = vault or BadDataError(
                f"{label} is missing: {found.slot} has a placeholder, and its value"
                " is nowhere",
                "Give the value again: cibgit secret set",
            )
            return
        self._remember(vault)
        value = vault.values.get(found.slot)
        if value is None or sealed(vault.key, found.slot, value) != found.value:
            self._problems[found.slot, found.value] = _disagree(found, vault, label)
        else:
            self._renew(found, value)

    def _renew(self, found: Found, value: str) -> None:
        if self.vault and not self._locked:
            found.replace(self.placeholder(found.slot, value))

    def _is_closed(self, slot: Slot, reference: str) -> bool:
        """Say whether what git names cannot be compared with a real value."""
        closed = self.vault and self._locked and is_sealed(reference)
        return bool(closed) and (slot, reference) not in self._values

    def _is_provided(self, found: Found, reference: str) -> bool:
        try:
            value = self._provide(reference)
        except CibgitError as error:
            self.uncertain[found.slot] = error.message
            self._see(found)
            return True
        self._values[found.slot, reference] = value
        return value == found.value


def _disagree(found: Found, vault: Vault, label: str) -> BadDataError:
    for slot, value in vault.values.items():
        if sealed(vault.key, slot, value) == found.value:
            return BadDataError(
                f"the placeholder at {found.slot} ({found.slot.element}) belongs to {slot}"
                f" ({slot.element})",
                "A placeholder opens only where it was made. Give the value again:"
                " cibgit secret set",
            )
    return BadDataError(
        f"{label} does not have the value that the placeholder at {found.slot} stands for",
        "One of the two files is of another commit. Restore it, or give the value again:"
        " cibgit secret set",
    )


def _once(read: ReadVault) -> ReadVault:
    seen: list[bytes | None] = []

    def answer() -> bytes | None:
        if not seen:
            seen.append(read())
        return seen[0]

    return answer
