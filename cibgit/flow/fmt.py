"""Fmt: bring a file into canonical form."""

from dataclasses import dataclass
from pathlib import Path

from ..cib.digest import Dialect, dump
from ..cib.document import parse
from .files import authored, read_file, written
from .replace import replaced


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
        replaced(file, data)
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
