"""Making commits of files: written, committed alone, and put back when git refuses.

The part of a :class:`~cibgit.repository.Repository` that writes.
"""

import os
import tempfile
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from . import gitcall
from .commit import Author, SavedFile, message_bytes
from .errors import CibgitError
from .gitcall import file_name, pathspec
from .runner import Runner

_NO_TRAILERS: Mapping[str, str] = {}


class Commits(Runner):
    """Runs git by what its subclass provides."""

    _git_dir: Path

    def commit_file(
        self,
        path: str,
        data: bytes,
        message: str,
        *,
        author: Author | None = None,
        trailers: Mapping[str, str] = _NO_TRAILERS,
    ) -> str:
        """Write a file and commit it alone, as :meth:`commit_files` does."""
        return self.commit_files(
            {path: data}, message, author=author, trailers=trailers
        )

    def commit_files(
        self,
        files: Mapping[str, bytes],
        message: str,
        *,
        author: Author | None = None,
        trailers: Mapping[str, str] = _NO_TRAILERS,
    ) -> str:
        """Write files and commit them alone, in one commit; return the full commit id.

        What else is staged or changed stays as it is; hooks and signing run. Where HEAD
        has these bytes already nothing is committed and HEAD is returned. When anything
        refuses, the files are put back to what they were. A commit in which a hook
        changed the bytes is reported and left in place.
        """
        text = message_bytes(message, trailers)
        specs = [pathspec(path) for path in files]
        saved = {path: SavedFile(self.root / path) for path in files}
        gitcall.refuse_unfinished(self.root, self._git_dir)
        for path, data in files.items():
            self._refuse_filters(path, data)
        names = ("HEAD^{commit}", *(f"HEAD:{path}" for path in files))
        before = self._objects(*names)
        known = dict(zip(files, before[1:], strict=True))
        new = [
            path
            for path, blob in known.items()
            if blob is None and not self._run("ls-files", "--", pathspec(path)).out
        ]
        try:
            for path, data in files.items():
                if saved[path].data != data:
                    saved[path].replace(data)
            if all(known[path] == self.blob_id(data) for path, data in files.items()):
                self._run("add", "--force", "--", *specs)
                return str(before[0])
            if new:
                words = ("add", "--force", "--intent-to-add", "--")
                self._run(*words, *map(pathspec, new))
            commit = ("commit", "--only", "--quiet", "--cleanup=whitespace", "--file=-")
            self._sign(*commit, "--", *specs, text=text, author=author)
        except BaseException as error:
            now = before
            with suppress(CibgitError):
                now = self._objects(*names)
            if now == before:  # nothing was committed, as far as anybody can tell
                for each in saved.values():
                    each.put_back()
                if new:
                    self._run("update-index", "--force-remove", "--", *new, ok=None)
                raise
            if not isinstance(error, CibgitError):
                raise
        return self._made(files, first=before[0] is None)

    def commit_tree_files(  # noqa: PLR0913
        self,
        parent: str | None,
        files: Mapping[str, bytes],
        message: str,
        *,
        author: Author | None = None,
        trailers: Mapping[str, str] = _NO_TRAILERS,
        merged: Sequence[str] = (),
    ) -> str:
        """Make a commit with files replaced on top of ``parent``; return its full id.

        ``merged`` are further parents. HEAD, index, work tree and refs stay as they are;
        :meth:`set_ref` can keep it.
        """
        text = message_bytes(message, trailers)
        base = [] if parent is None else [self.resolve(parent)]
        entries = b""
        for path, data in files.items():
            blob = self._run("hash-object", "-w", "--stdin", stdin=data).text
            entries += os.fsencode(f"100644 {blob}\t{file_name(path)}\0")
        with tempfile.TemporaryDirectory(prefix="cibgit-") as folder:
            env = {"GIT_INDEX_FILE": f"{folder}/index"}
            alone = ("-c", "core.splitIndex=false")
            if base:
                self._run(*alone, "read-tree", *base, env=env)
            index = (*alone, "update-index", "-z", "--index-info")
            self._run(*index, stdin=entries, env=env)
            tree = self._run(*alone, "write-tree", env=env).text
        further = [self.resolve(each) for each in merged]
        parents = [word for each in [*base, *further] for word in ("-p", each)]
        return self._sign("commit-tree", *parents, tree, text=text, author=author).text

    def _refuse_filters(self, path: str, data: bytes) -> None:
        """Raise when git would store other bytes than it is given."""
        options = ("--stdin", f"--path={path}")
        if self._run("hash-object", *options, stdin=data).text != self.blob_id(data):
            raise gitcall.filtered(path)

    def _made(self, files: Mapping[str, bytes], first: bool) -> str:
        """Return the new commit, when it holds the bytes that it was made for."""
        names = [f"HEAD:{path}" for path in files]
        commit, *found = self._objects("HEAD^{commit}", *names)
        for (path, data), blob in zip(files.items(), found, strict=True):
            if commit is None or blob != self.blob_id(data):
                raise gitcall.rewritten(path, self.short("HEAD"), first)
        return str(commit)

    @abstractmethod
    def short(self, commit: str) -> str:
        """Return an abbreviated commit id, for messages."""

    @abstractmethod
    def blob_id(self, data: bytes) -> str:
        """Return the id that these bytes have in this repository; nothing is written."""
