"""Replacing one file at once or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from ..errors import unwritten


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
        raise unwritten(f"{file} cannot be written", error) from None
