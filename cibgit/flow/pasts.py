"""Configurations of the past: what of each file is kept in mind until it is committed."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import pairwise
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

from ..cib.canonical import compact, drop_volatile
from ..cib.digest import Dialect
from ..cib.document import Cib, LastChange, Version, parse
from ..cib.eras import signed_by
from ..cluster.kept import Kept
from ..compare.text import counted, few
from ..errors import CibgitError
from ..policy.finding import Finding, Severity
from .chronology import Moment
from .export import content_digest, written_at
from .files import written

MEMORY = 64 * 1024 * 1024
"""Bytes of canonical forms that are kept in memory; more go to an unnamed file."""

_MASKED = re.compile(rb'value="\*{4,}"')


@dataclass(frozen=True)
class Form:
    """A canonical form: the id of its blob, its digest, where its bytes are kept."""

    blob: str
    digest: str
    offset: int
    size: int
    sealed: bool
    masked: bool


@dataclass(frozen=True)
class Past:
    """What one file says: a configuration, and how it came to be.

    ``signature`` is how its digest verifies; ``time`` is in seconds since 1970, None
    where the CIB does not say, ``modified`` that of the file.
    """

    source: str
    form: Form
    version: Version
    change: LastChange
    schema: str
    cluster: str
    time: float | None
    modified: float
    signature: str
    series: str
    place: int

    @property
    def when(self) -> datetime:
        """When it was written, as far as anybody knows."""
        seconds = self.modified if self.time is None else self.time
        known = written_at(self.change)
        return known or datetime.fromtimestamp(min(max(seconds, 0), 2**37), UTC)


class Pasts:
    """All that was read. Equal bytes are parsed once, equal configurations written once.

    ``blob_id`` returns the id that git gives to bytes, ``hide`` a CIB with placeholders
    in the place of its secrets.
    """

    def __init__(
        self,
        blob_id: Callable[[bytes], str],
        dialect: Dialect,
        hide: Callable[[Cib], Cib] = lambda cib: cib,
    ) -> None:
        self._blob_id = blob_id
        self._hide = hide
        self._dialect = dialect
        self._found: list[Past] = []
        self._files: dict[bytes, Past] = {}
        self._forms: dict[bytes, Form] = {}
        self._spool = SpooledTemporaryFile(MEMORY)  # noqa: SIM115  (see __exit__)
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._spool.close()

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, index: int) -> Past:
        return self._found[index]

    def add(self, kept: Kept, series: str) -> Finding | None:
        """Take one file; what is wrong with it is returned."""
        try:
            key = _hash(kept.data)
            if key not in self._files:
                self._files[key] = self._past(kept)
            signature, problem = _verified(kept)
        except CibgitError as error:
            message = error.message
            return Finding(
                Severity.ERROR, "unreadable", kept.source, message, error.hint
            )
        self._found.append(
            replace(
                self._files[key],
                source=kept.source,
                modified=kept.modified,
                signature=signature,
                series=series,
                place=kept.place,
            )
        )
        return problem

    def moments(self) -> Iterator[Moment]:
        """Yield the moments of all files, but of masked ones where the whole is there."""
        whole = {past.version[:2] for past in self._found if not past.form.masked}
        for index, past in enumerate(self._found):
            if not (past.form.masked and past.version[:2] in whole):
                yield Moment(
                    past.form.blob,
                    past.version,
                    past.time,
                    past.series,
                    past.place,
                    index,
                )

    def data(self, past: Past) -> bytes:
        """Return the canonical form of a configuration."""
        self._spool.seek(past.form.offset)
        return self._spool.read(past.form.size)

    def findings(self) -> Iterator[Finding]:
        """Yield what is strange about the whole."""
        clusters = sorted({past.cluster for past in self._found} - {""})
        if len(clusters) > 1:
            named = few(clusters, 5)
            yield Finding(
                Severity.WARNING, "several-clusters", named,
                "the files are of clusters with different names",
                "If they are not one cluster, import each into its own.",
            )  # fmt: skip
        blobs: dict[tuple[int, int], set[str]] = defaultdict(set)
        for moment in self.moments():
            blobs[moment.version[:2]].add(moment.blob)
        split = sorted(epoch for epoch, found in blobs.items() if len(found) > 1)
        if split:
            yield Finding(
                Severity.WARNING, "one-epoch-twice", f"epoch {split[0][0]}.{split[0][1]}",
                f"{counted(len(split), 'epoch')} with more than one configuration: the"
                " cluster was split, a backup was restored, or a file was edited by hand",
            )  # fmt: skip

    def _past(self, kept: Kept) -> Past:
        cib = parse(kept.data, kept.source)
        change, date = cib.last_change, cib.root.get("execution-date", "")
        known = written_at(change)
        time = known.timestamp() if known else _seconds(date)
        schema, cluster = cib.schema, cib.option("cluster-name")
        version, form = cib.version, self._form(cib)
        return Past(
            kept.source, form, version, change, schema, cluster, time, 0, "", "", 0
        )

    def _form(self, cib: Cib) -> Form:
        drop_volatile(cib.root)  # the tree is nobody else's
        real = compact(cib)
        key = _hash(real)
        if key not in self._forms:
            cib = self._hide(cib)
            data = written(cib)
            self._forms[key] = Form(
                self._blob_id(data),
                content_digest(cib, self._dialect),
                self._end,
                len(data),
                b'"secret:v1:' in data,
                b'="****' in real and _MASKED.search(real) is not None,
            )
            self._spool.seek(self._end)
            self._end += self._spool.write(data)
        return self._forms[key]


def remarks(states: Sequence[Past]) -> Iterator[Finding]:
    """Yield what people should know of configurations that go into git."""
    sealed = [past for past in states if past.form.sealed]
    if sealed:
        yield Finding(
            Severity.NOTE, "secrets", sealed[0].source,
            "placeholders stand in the place of secrets from here on; the vault has those"
            " of the newest configuration, of older ones there are only fingerprints",
        )  # fmt: skip
    masked = [past for past in states if past.form.masked]
    if masked:
        yield Finding(
            Severity.WARNING, "masked", masked[0].source,
            f"{counted(len(masked), 'configuration')} with values that a report masked"
            " with asterisks; do not push them as they are",
        )  # fmt: skip
    back = [new for old, new in pairwise(states) if new.version[:2] < old.version[:2]]
    if back:
        yield Finding(
            Severity.NOTE, "began-anew", back[0].source,
            f"the counters go back {counted(len(back), 'time')}, first to {back[0].version}:"
            " the cluster was restored or set up anew",
        )  # fmt: skip


def _verified(kept: Kept) -> tuple[str, Finding | None]:
    if kept.signature is None:
        return "none", None
    signer = signed_by(kept.data, kept.signature)
    if signer:
        return f"verified, {signer}", None
    return "does not match", Finding(
        Severity.WARNING, "digest-mismatch", kept.source,
        "it does not match its signature: edited by hand, or damaged; it is taken as it is",
    )  # fmt: skip


def _seconds(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[0-9]{1,11}", text) else None


def _hash(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()
