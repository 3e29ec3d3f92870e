"""Annotated tags: what was true of a commit, when it was, and who says so.

Nothing here starts git; :mod:`cibgit.repository` gives the means to.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .commit import message_bytes
from .errors import NoInputError, UsageError
from .gitcall import Answer

_FORM = "%(refname:strip=2)%00%(*objectname)%00%(*subject)%00%(contents:subject)"


class Tag(NamedTuple):
    """An annotated tag on a commit; ``subject`` is the commit's, ``message`` the tag's."""

    name: str
    commit: str
    subject: str
    message: str


class Tags:
    """The annotated tags of a repository, by the folder that their names begin with.

    ``run`` runs git, ``sign`` runs a git command that needs to know who does it.
    """

    def __init__(self, run: Callable[..., Answer], sign: Callable[..., Answer]) -> None:
        self._run = run
        self._sign = sign

    def under(self, folder: str) -> list[Tag]:
        """Return the annotated tags of commits below a folder, newest name first."""
        refs = f"refs/tags/{_checked(folder)}/"
        command = ("for-each-ref", "--sort=-refname", f"--format={_FORM}", refs)
        lines = self._run(*command).text.splitlines()
        found = [Tag(*line.split("\0")) for line in lines]
        return [tag for tag in found if tag.commit]

    def create(
        self, name: str, commit: str, message: str, trailers: Mapping[str, str]
    ) -> None:
        """Tag a commit. Raises :class:`~cibgit.errors.CibgitError` where the name is taken."""
        text = message_bytes(message, trailers)
        command = ("tag", "--annotate", "--cleanup=verbatim", "--file=-")
        self._sign(*command, "--", _checked(name), commit, text=text, author=None)

    def remove(self, name: str) -> None:
        """Remove a tag; :class:`~cibgit.errors.NoInputError` where there is none."""
        ref = f"refs/tags/{_checked(name)}"
        if self._run("show-ref", "--verify", "--quiet", ref, ok=(0, 1)).code:
            raise NoInputError(f"there is no tag {name!r}")
        self._run("tag", "--delete", "--", name)


def _checked(name: str) -> str:
    if not name or name[0] in "-/" or not name.isprintable() or set(name) & set(" *?["):
        raise UsageError(f"{name!r} cannot be the name of a tag")
    return name
