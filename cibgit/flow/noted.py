"""Noted: what is wrong beside the CIB, in words, kept so that people hear of it once."""

from collections.abc import Iterable
from functools import cached_property
from typing import Generic, TypeVar

from .site import Site

T = TypeVar("T")


class Noted(Generic[T]):
    """How something stands, for people to hear once that it is wrong, and of its end.

    ``told`` is what they are told. ``lines`` say what is wrong, in words without a secret:
    what has the same words is the same. ``kind`` names the refs, ``file`` what a commit
    holds the words in.
    """

    def __init__(
        self, site: Site, told: T, kind: str, file: str, lines: Iterable[str]
    ) -> None:
        self.site = site
        self.told = told
        self._kind = kind
        self._file = file
        self._content = "".join(f"{line}\n" for line in sorted(lines)).encode()

    def ref(self, channel: str) -> str:
        """Return the ref that names what a channel was told last."""
        return self.site.ref(f"told-{self._kind}-{channel}")

    @property
    def is_wrong(self) -> bool:
        """Whether there is something to tell, or only its end."""
        return bool(self._content)

    def is_known(self, told: str) -> bool:
        """Say whether a commit that was told holds these very words."""
        repository = self.site.repository
        known = repository.blob_at(told, self._file)
        return self.is_wrong and known == repository.blob_id(self._content)

    @cached_property
    def state(self) -> str | None:
        """A commit off all branches that holds what is told; None where all is well.

        A reflog could not remember it: git lets its entries expire.
        """
        if not self.is_wrong:
            return None
        files, subject = {self._file: self._content}, self._file.replace("-", ": ")
        return self.site.repository.commit_tree_files(None, files, subject)
