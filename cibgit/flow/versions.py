"""The history of a cluster's cib.xml as pairs of neighbouring versions, newest first.

Each content is read and parsed once, each pair compared at most once, and only when its
changes are asked for. Merges count as one commit: the first line of history is followed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..cib.document import Cib, parse
from ..compare.change import Change
from ..compare.contents import contents, emptied
from ..compare.diff import compare
from ..errors import CibgitError
from ..revisions import Revision
from .site import Site

SHALLOW = "the history that this clone has ends here"


@dataclass
class Step:
    """One commit with the CIB before it and after it; None where there is no file.

    ``problem`` says why the CIB of the commit cannot be read; then it has no changes, and
    those of the next commit are told against the last readable version.
    """

    revision: Revision
    old: Cib | None
    new: Cib | None
    problem: str = ""

    @property
    def note(self) -> str:
        """What happened to the file as a whole, or an empty string."""
        if self.problem:
            return self.problem
        if self.revision.is_cut:
            return f"{SHALLOW}; what this commit changed is not known"
        if self.old is None:
            return "the file came into git"
        return "the file was removed from git" if self.new is None else ""

    @cached_property
    def changes(self) -> list[Change]:
        """What the commit changed; everything, where the file came or went."""
        if self.problem or self.revision.is_cut:
            return []
        if self.old is None:
            return [] if self.new is None else contents(self.new)
        if self.new is None:
            return compare(self.old, emptied(self.old))
        return compare(self.old, self.new)


def steps(site: Site, revisions: Sequence[Revision]) -> Iterator[Step]:
    """Yield the commits of one line of history with what they changed, newest first."""
    if not revisions:
        return
    versions = _versions(site, revisions)
    new = next(versions)
    pending: list[
        Step
    ] = []  # only the first is readable: what was before it, is sought
    for revision, old in zip(revisions, versions, strict=True):
        if isinstance(new, str):
            pending.append(Step(revision, None, None, new))
        else:
            pending.append(Step(revision, None, new))
        if not isinstance(old, str):
            pending[0].old = old
            yield from pending
            pending = []
        new = old
    if pending:
        pending[0].problem = (
            pending[0].problem or f"what was before cannot be read: {new}"
        )
    yield from pending


def _versions(
    site: Site, revisions: Sequence[Revision]
) -> "Iterator[Cib | str | None]":
    """Yield each version once, newest first: a CIB, why it is none, or None for no file."""
    blobs = [revisions[0].new, *(each.old for each in revisions)]
    read = site.repository.contents([blob for blob in blobs if blob])
    commits = [*(each.commit for each in revisions), "the parent"]
    for blob, commit in zip(blobs, commits, strict=True):
        data = next(read) if blob else b""
        if data is None:
            yield "its content is not in this clone"
        else:
            yield _parsed(data, f"{commit[:10]}:{site.path}") if blob else None


def _parsed(data: bytes, source: str) -> "Cib | str":
    try:
        found = parse(data, source)
        _ = found.configuration
    except CibgitError as error:
        return error.message
    return found
