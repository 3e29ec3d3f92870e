"""Git's own configuration, of one repository or of one user.

Values are read and set one by one through git itself, so that includes, worktrees and
the way git quotes are its business.
"""

from pathlib import Path

from .gitcall import Answer
from .repository import run_git

_MISSING = (1, 5)
"""What ``git config`` exits with when there is no such value, or section, to read or unset."""


class GitConfig:
    """The configuration of the repository at ``root``, or of the user (None)."""

    def __init__(self, root: Path | None) -> None:
        self._root = root or Path.cwd()
        self._scope = "--global" if root is None else "--local"

    def get(self, name: str) -> str | None:
        """Return a value of this scope, None where there is none."""
        answer = self._config("--get", name)
        return None if answer.code in _MISSING else _checked(answer).text

    def path(self, name: str) -> Path | None:
        """Return a value that is the path of a file, ``~`` expanded by git."""
        answer = self._config("--type=path", "--get", name)
        return None if answer.code in _MISSING else Path(_checked(answer).text)

    def set(self, name: str, value: str) -> None:
        """Set a value, in place of all that there are of that name."""
        _checked(self._config("--replace-all", name, value))

    def remove(self, section: str) -> None:
        """Remove a section with all its values; it need not be there."""
        answer = self._config("--remove-section", section)
        if answer.code and "o such section" not in answer.err:
            _checked(answer)

    def _config(self, *arguments: str) -> Answer:
        return run_git(self._root, True, ["config", self._scope, *arguments])


def _checked(answer: Answer) -> Answer:
    if answer.code:
        raise answer.failure()
    return answer
