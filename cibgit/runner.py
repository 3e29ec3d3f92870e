"""What the parts of a :class:`~cibgit.repository.Repository` expect of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .commit import Author
from .gitcall import Answer, IsOver, forever


class Runner(ABC):
    """Runs git for one repository; ``root`` is git's top level."""

    root: Path

    @abstractmethod
    def resolve(self, rev: str) -> str:
        """Return the full commit id of what a user typed."""

    @abstractmethod
    def _run(
        self,
        *arguments: str,
        ok: Sequence[int] | None = (0,),
        stdin: bytes | Iterable[bytes] = b"",
        env: Mapping[str, str] | None = None,
        is_over: IsOver = forever,
    ) -> Answer:
        """Run git at the top level; ``ok=None`` leaves the exit code to the caller.

        Once ``is_over`` says so git is stopped, and ``TimedOutError`` raised.
        """

    @abstractmethod
    def _objects(self, *names: str) -> list[str | None]:
        """Return the full id of each name in git's syntax, None where there is none."""

    @abstractmethod
    def _sign(self, *arguments: str, text: bytes, author: Author | None) -> Answer:
        """Run a command that makes a commit; somebody stands in where nobody is set up."""
