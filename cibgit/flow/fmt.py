"""Fmt: bring a file into canonical form."""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..cib.digest import Dialect, dump
from ..cib.document import parse
from ..errors import PermissionDeniedError
from .files import authored, read_file, written


@dataclass(frozen=True)
class Formatted:
    """One file: whether it was (or is, when only checked) in canonical form."""

    file: Path
    changed: bool


def fmt(file: Path, *, check: bool) -> Formatted:
    """Rewrite one file in canonical form, at once or not at all; ``check`` only looks."""
    data = written(read_file(file))
    changed = file.read_bytes() != data
    if changed and not check:
        _replace(file, data)
    return Formatted(file, changed)


def fmt_bytes(data: bytes, source: str) -> bytes:
    """Return the canonical form of a CIB in memory."""
    return written(authored(data, source))


def compacted(data: bytes, source: str) -> bytes:
    """Return a CIB on one line without any white space; nothing is sorted or dropped.

    With a blank before it this is, byte for byte, what Pacemaker from 2.1.8 on hashes
    for ``cib.xml.sig``.
    """
    return dump(parse(data, source).root, Dialect.NEW) + b"\n"


def _replace(file: Path, data: bytes) -> None:
    target = file.resolve()
    try:
        mode = target.stat().st_mode & 0o7777
        descriptor, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name}."
        )
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(mode)
            temporary.replace(target)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
    except OSError as error:
        raise PermissionDeniedError(
            f"{file} cannot be written: {error.strerror}"
        ) from None
