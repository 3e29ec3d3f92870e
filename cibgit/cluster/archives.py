"""Reading files and archives that others made: bounded, in memory, never extracted.

A backup may come from anybody. Nothing is written to disk, so no name in an archive can
lead anywhere. Only regular members are looked at: links, devices and sparse files are
passed over. What unpacks to too much is refused while it is unpacked.
"""

import bz2
import gzip
import lzma
import math
import os
import re
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, NamedTuple, cast

from ..cib.document import MAX_BYTES
from ..errors import BadDataError

MAX_ENTRIES = 100_000
"""Most files that are looked at in one folder tree or archive."""

MAX_ARCHIVE_BYTES = 8 * 1024**3
"""Most bytes that one archive may unpack to."""

HEAD = 4096
"""Bytes from the beginning of a file by which it is told whether it is a CIB."""

_PIECE = 1 << 20
_READERS: dict[bytes, Callable[..., object]] = {
    b"BZh": bz2.open,
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ\0": lzma.open,
}
_TAR_MAGIC = slice(257, 262)
# possessive: what has matched is never tried another way
_CIB = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*+(?:(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>]*+>)\s*+)*+"
    rb"<cib[\s/>]",
    re.DOTALL,
)
_DAMAGE = (
    tarfile.TarError,
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    ArithmeticError,
    LookupError,
    ValueError,
    RecursionError,
)


class Entry(NamedTuple):
    """A regular file in a folder or archive: its path in there, size, time of change."""

    name: str
    size: int
    modified: float


def is_cib(head: bytes) -> bool:
    """Say whether a document that begins like this has the root element ``<cib>``."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head[: len(head) & ~1].decode("utf-16", "replace").encode()
    return _CIB.match(head) is not None


def unpacked(file: BufferedReader) -> IO[bytes]:
    """Return a reader of the content of a file that may be compressed."""
    magic = file.peek(6)
    for start, reader in _READERS.items():
        if magic.startswith(start):
            return cast("IO[bytes]", reader(file, "rb"))
    return file


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading; a pipe or device is refused, not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadDataError(f"{path} is not a regular file")
        yield file


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn everything that a damaged file can cause into a sentence."""
    try:
        yield
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise BadDataError(f"{name} cannot be read: {reason}") from None


def content(file: BufferedReader, name: str, *, wanted: bool) -> bytes | None:
    """Return the CIB in an open file, unpacked; None where there is something else.

    With ``wanted`` its name promises a CIB, and something else is refused.
    """
    with told(name):
        stream = unpacked(file)
        head = stream.read(HEAD)
        if not is_cib(head):
            if not wanted:
                return None
            what = "holds no CIB" if head.strip() else "is empty"
            raise BadDataError(f"{name} {what}")
        data = bytearray(head)
        while len(data) <= MAX_BYTES and (piece := stream.read(_PIECE)):
            data += piece
    if len(data) > MAX_BYTES:
        raise BadDataError(f"{name} unpacks to more than {MAX_BYTES} bytes")
    return bytes(data)


def is_archive(path: Path) -> bool:
    """Say whether a regular file is a tar archive, compressed or not."""
    with told(str(path)), opened(path) as file:
        return unpacked(file).read(512)[_TAR_MAGIC] == b"ustar"


def members(path: Path) -> Iterator[tuple[Entry, BufferedReader]]:
    """Yield the regular members of a tar archive, each with a reader that ends with it.

    The archive is read from front to end, once. Raises
    :class:`~cibgit.errors.BadDataError` where it is damaged or unpacks to too much; what
    was yielded before that is good.
    """
    with told(str(path)), opened(path) as file:
        stream = _Forward(unpacked(file))
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r:") as archive:
            count = 0
            while (member := archive.next()) is not None:
                count += 1
                if count > MAX_ENTRIES:
                    raise ValueError(f"it has more than {MAX_ENTRIES} members")
                plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
                reader = archive.extractfile(member) if plain else None
                if reader and not member.issparse():
                    entry = Entry(member.name, member.size, _time(member))
                    yield entry, cast("BufferedReader", reader)
            if stream.last.strip(b"\0") or not stream.last:  # tarfile says nothing
                raise EOFError(f"it is damaged or truncated after {count} members")


def _time(member: tarfile.TarInfo) -> float:
    return float(member.mtime) if math.isfinite(member.mtime) else 0.0


class _Forward:
    """A stream read forwards only, up to a bound, for ``tarfile``.

    A header may claim any size, and ``tarfile`` reads some of them (long names) into
    memory at once, so a large request is refused. ``last`` is what was read last.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._position = 0
        self.last = b""

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        while position > self._position:
            step = min(position - self._position, _PIECE)
            if len(self.read(step)) < step:
                raise EOFError("it is truncated")
        if position < self._position:
            raise ValueError("its members overlap")
        return position

    def read(self, size: int) -> bytes:
        if not 0 <= size <= 2 * _PIECE:
            raise ValueError("one of its headers is larger than any name can be")
        data = self.last = self._stream.read(size)
        self._position += len(data)
        if self._position > MAX_ARCHIVE_BYTES:
            raise ValueError(f"it unpacks to more than {MAX_ARCHIVE_BYTES} bytes")
        return data
