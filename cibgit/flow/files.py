"""CIBs as files: reading what people write, writing what git stores."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from ..cib.canonical import canonical, compact, pretty
from ..cib.document import Cib, parse, parse_authored
from ..cib.identity import check_ids
from ..errors import CibgitError, NoInputError, PermissionDeniedError


def read_file(file: Path) -> Cib:
    """Read a CIB that people write, from a file."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise NoInputError(f"{file}: {error.strerror}") from None
    return authored(data, str(file))


def authored(data: bytes, source: str) -> Cib:
    """Parse what people write, and refuse two elements of one identity."""
    cib = parse_authored(data, source)
    check_ids(cib)
    return cib


def same(one: Cib, other: Cib) -> bool:
    """Say whether two CIBs have one canonical form."""
    return compact(canonical(one)) == compact(canonical(other))


def written(cib: Cib) -> bytes:
    """Return the canonical pretty form, having proved that it is one.

    Written and read again it must be the same, and formatting it again must change
    nothing: what git stores has to stay what the cluster has.
    """
    form = canonical(cib)
    data = pretty(form)
    again = parse(data, cib.source)
    if compact(again) != compact(form) or pretty(canonical(again)) != data:
        raise CibgitError(
            f"{cib.source}: its canonical form does not read back the same"
        )
    return data


def replaced(file: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace a file at once or not at all; a symbolic link leads to what is replaced.

    ``mode`` is that of a new file; one that is there keeps its own.
    """
    target = file.resolve()
    try:
        if target.exists():
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
