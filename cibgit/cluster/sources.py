"""Reading what a cluster kept: folders, archives and single files.

What cannot be read is a finding, and the rest goes on. Links are not followed, nothing
but regular files is opened, and nothing is written anywhere.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from stat import S_ISLNK, S_ISREG

from ..errors import CibgitError, NoInputError
from ..policy.finding import Finding, Severity
from . import archives, kept
from .archives import MAX_ENTRIES, Entry
from .kept import NEXT, NOW, SLOTS, Job, Kept

MAX_DEPTH = 12
"""Deepest folder, below the one that was named, in which files are looked for."""

_SMALL = 100
_NOT_ENTERED = (".git", "cib.auto.")


class Source:
    """One path that was named, or an archive in a folder.

    ``findings`` are those of the table of contents, ``jobs`` the files to be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.findings: list[Finding] = []
        self.jobs: list[Job] = []

    def read(self) -> Iterator[Kept | Finding]:
        """Yield what is found, file by file."""
        raise NotImplementedError

    def _tell(self, source: str, sentence: str) -> None:
        self.findings.append(Finding(Severity.WARNING, "not-read", source, sentence))


class File(Source):
    """One file: it must hold a CIB. Folders read theirs in the same way."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.parent)
        self.jobs = [Job(path.name, wanted=True)]

    def read(self) -> Iterator[Kept | Finding]:
        """Yield the CIB of the file."""
        yield from self._read(self.jobs[0])

    def _read(self, job: Job) -> Iterator[Kept | Finding]:
        path = self.path / job.name
        name = str(path)
        try:
            for _ in range(5):  # cib.xml and its signature are replaced one by one
                signature = self._small(kept.signature_of(job.name))
                with archives.told(name), archives.opened(path) as file:
                    data = archives.content(file, name, wanted=job.wanted)
                    modified = os.fstat(file.fileno()).st_mtime
                if signature == self._small(kept.signature_of(job.name)):
                    break
        except CibgitError as error:
            yield _unreadable(name, error)
            return
        if data is not None:
            yield Kept(name, data, signature, modified, job.series, job.place)

    def _small(self, name: str) -> str | None:
        """Return a file of some bytes, or the beginning of a longer one."""
        try:
            with archives.opened(self.path / name) as file:
                return file.read(_SMALL + 1).decode("latin-1")
        except (OSError, CibgitError):
            return None


class Folder(File):
    """A folder tree; ``archives`` are the files in it that hold others."""

    def __init__(self, path: Path) -> None:
        Source.__init__(self, path)
        self.archives: list[Path] = []
        entries = list(self._walk())
        texts = {e.name: self._small(e.name) for e in entries if e.name.endswith(NEXT)}
        self._following = _numbers(texts)
        for job in kept.plan(entries, self._following):
            if not job.wanted and _is_archive(path / job.name):
                self.archives.append(path / job.name)
            else:
                self.jobs.append(job)
        self.findings += kept.unordered(self.jobs)

    def read(self) -> Iterator[Kept | Finding]:
        """Yield what is found, series by series, oldest first."""
        for job in self.jobs:
            if kept.basename(job.name) == NOW and job.series:
                yield from self._now(job)
                continue
            found = list(self._read(job))
            if not self._is_overwritten(job):  # else it comes with cib.xml
                yield from found

    def _walk(self) -> Iterator[Entry]:
        def failed(error: OSError) -> None:
            self._tell(str(error.filename), f"cannot be read: {error.strerror}")

        count = 0
        for where, folders, files in os.walk(self.path, onerror=failed):
            below = Path(where).relative_to(self.path)
            deep = len(below.parts) >= MAX_DEPTH
            folders[:] = sorted(
                each
                for each in folders
                if not deep and not each.startswith(_NOT_ENTERED)
            )
            for name in sorted(files):
                count += 1
                if count > MAX_ENTRIES:
                    self._tell(where, f"only {MAX_ENTRIES} files of it are read")
                    return
                if entry := self._entry((below / name).as_posix()):
                    yield entry

    def _entry(self, name: str) -> Entry | None:
        path = self.path / name
        try:
            status = path.lstat()
        except OSError:
            return None
        if S_ISREG(status.st_mode):
            return Entry(name, status.st_size, status.st_mtime)
        if kept.is_known(name):
            what = "a link" if S_ISLNK(status.st_mode) else "no regular file"
            self._tell(str(path), f"it is {what} and was not read")
        return None

    def _is_overwritten(self, job: Job) -> bool:
        """Say whether a running cluster used this slot since the folder was listed."""
        file = f"{kept.folder(job.name)}cib{NEXT}"
        slot, last = kept.slot(job.name), self._following.get(file)
        if slot is None or last is None:
            return False
        now = kept.number(self._small(file))
        return now is not None and (slot - last) % SLOTS < (now - last) % SLOTS

    def _now(self, job: Job) -> Iterator[Kept | Finding]:
        """Read ``cib.xml``, after what a running cluster put into slots meanwhile.

        Slots are read oldest first, which is how they are overwritten; so what can be
        missed is what was in ``cib.xml`` a moment ago.
        """
        where = kept.folder(job.name)
        last = self._following.get(f"{where}cib{NEXT}")
        for _ in range(SLOTS):
            found = list(self._read(job))
            now = kept.number(self._small(f"{where}cib{NEXT}"))
            if last is None or now is None or (now - last) % SLOTS == 0:
                break
            for slot in range(last, last + (now - last) % SLOTS):
                name = f"{where}cib-{slot % SLOTS}.raw"
                yield from self._read(job._replace(name=name))
                job = job._replace(place=job.place + 1)
            last = now
        yield from found


class Archive(Source):
    """A tar archive, read twice: first for its table and small files, then for CIBs."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        entries: list[Entry] = []
        self._texts: dict[str, str | None] = {}
        try:
            for entry, reader in archives.members(path):
                entries.append(entry)
                if entry.name.endswith((NEXT, ".sig", ".sig.last")):
                    with archives.told(entry.name):
                        self._texts[entry.name] = reader.read(_SMALL + 1).decode(
                            "latin-1"
                        )
        except CibgitError as error:
            self.findings.append(_unreadable(str(path), error))
        self.jobs = kept.plan(entries, _numbers(self._texts))
        self.findings += [
            replace(each, element=f"{path}:{each.element}")
            for each in kept.unordered(self.jobs)
        ]

    def read(self) -> Iterator[Kept | Finding]:
        """Yield what is found, in the order of the archive."""
        jobs = {job.name: job for job in self.jobs}
        try:
            for entry, reader in archives.members(self.path):
                if entry.name not in jobs:
                    continue
                job = jobs[entry.name]
                name = f"{self.path}:{job.name}"
                try:
                    data = archives.content(reader, name, wanted=job.wanted)
                except CibgitError as error:
                    yield _unreadable(name, error)
                    continue
                if data is not None:
                    signature = self._texts.get(kept.signature_of(job.name))
                    yield Kept(
                        name, data, signature, entry.modified, job.series, job.place
                    )
        except CibgitError:
            return  # it was told when the table was read


def sources(paths: Sequence[Path]) -> list[Source]:
    """Return what the paths are, and the archives that lie in folders.

    Raises :class:`~cibgit.errors.NoInputError` for a path that does not exist: that is a
    slip, not a bad file.
    """
    for path in paths:
        if not os.path.lexists(path):
            raise NoInputError(f"{path}: there is no such file or directory")
    found: list[Source] = []
    for path in paths:
        if path.is_dir():
            tree = Folder(path)
            found += [tree, *map(Archive, tree.archives)]
        else:
            found.append(Archive(path) if _is_archive(path) else File(path))
    return found


def _is_archive(path: Path) -> bool:
    try:
        return archives.is_archive(path)
    except CibgitError:
        return False


def _numbers(texts: dict[str, str | None]) -> dict[str, int]:
    numbers = ((name, kept.number(text)) for name, text in texts.items())
    return {name: found for name, found in numbers if found is not None}


def _unreadable(name: str, error: CibgitError) -> Finding:
    return Finding(Severity.ERROR, "unreadable", name, error.message, error.hint)
