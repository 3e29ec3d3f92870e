"""Who changed the cluster lately: what Pacemaker logged on this node, and what it kept.

Each node logs the changes of all. The log names program, node and time; the user stands
in the file ``cib-N.raw`` of that epoch, where there still is one. Nothing is known
without permission to read them (root, or group haclient), and that is no error.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

from ..cib.document import Version
from ..errors import CibgitError
from . import archives, commands, variables
from .kept import NOW
from .local import Local
from .logged import Line, Logged, operations
from .protocol import Cluster
from .succession import directory

LOG = Path("/var/log/pacemaker/pacemaker.log")
"""Where Pacemaker 2 and 3 log to, if ``PCMK_logfile`` says nothing else."""

TAILS = (256 * 1024, 4 * 1024 * 1024)
"""How much of the end of the log is read, in bytes; 4 MiB are about 25,000 messages."""

UNPACKED = 16 * 1024 * 1024
"""So much of a log that was put aside is read; a larger one is not."""

ROTATED = 2
"""How many of the logs that were put aside are read, the newest ones."""

HEAD = 4096
"""Within so many bytes a CIB file has its root element's attributes."""

CTIME = "%a %b %e %H:%M:%S %Y"
"""How ``cib-last-written`` has a time."""

_LINE = re.compile(
    r"(?P<at>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)(?:\.\d+)? (?P<node>\S+)"
    r" (?:pacemaker-based|cib) *\[\d+\] \([^)]*\)[^\t]*\t *\w+: (?P<text>.*)"
)
_PRIORITY = re.compile(r" *[a-z]+: ")


class Writer(NamedTuple):
    """Who wrote an epoch, as the root element of a CIB says it."""

    user: str
    client: str
    origin: str


Writers = Mapping[tuple[int, int], set[Writer]]


def logged(cluster: Cluster, applied: Version | None) -> list[Logged]:
    """Return what changed a cluster's configuration since a version, oldest first.

    Without a version it is what changed it since the last push. It may be more than
    that, and less where the logs do not reach back so far. Only a node itself knows:
    elsewhere it is empty.
    """
    files = directory(cluster)
    if files is None or not isinstance(cluster, Local):
        return []
    return history(files, log_file(), applied)


def history(files: Path, log: Path | None, applied: Version | None) -> list[Logged]:
    """Do the same for a CIB directory and a log; without one the journal is asked."""
    if log is None or not log.exists():
        found = list(operations(_messages(_asked())))
    else:
        now = datetime.now()
        found = [_with_year(each, now) for each in _from_files(log, applied)]
    writers = _writers(files) if found else {}
    return [_with_user(each, writers) for each in found]


def _from_files(log: Path, applied: Version | None) -> list[Logged]:
    """Read from the end, and only as far back as needed."""
    found: list[Logged] = []
    for size in TAILS:
        found = list(operations(read(_tail(log, size))))
        if _reaches(found, applied):
            return found
    for old in _rotated(log):
        found = [*operations(read(_whole(old))), *found]
        if _reaches(found, applied):
            break
    return found


def log_file() -> Path | None:
    """Return the file that Pacemaker logs to, None where it logs to none."""
    named = [value for value in variables.values("PCMK_logfile") if value]
    if not named:
        return LOG
    return None if named[-1] in ("none", "/dev/null") else Path(named[-1])


def read(text: bytes) -> Iterator[Line]:
    """Yield the CIB manager's messages in a log; what else is in it is passed over."""
    for line in text.split(b"\n"):
        if (b"pacemaker-based" in line or b" cib" in line) and (
            match := _LINE.fullmatch(line.decode(errors="replace"))
        ):
            yield Line(match["at"], match["node"], match["text"])


def _with_year(found: Logged, now: datetime) -> Logged:
    """Write the time as ``ctime`` does; the log names no year, ``now`` is when it was read.

    It is empty where there is no such time.
    """
    if found.maker is None:
        return found
    at = ""
    for year in (now.year - 1, now.year):
        with suppress(ValueError):
            when = datetime.strptime(f"{year} {found.maker.at}", "%Y %b %d %H:%M:%S")
            at = when.strftime(CTIME) if when <= now + timedelta(days=1) else at
    return replace(found, maker=replace(found.maker, at=at))


def _tail(path: Path, most: int) -> bytes:
    """Return the end of a log; nothing where it cannot be read."""
    with suppress(OSError, CibgitError), archives.opened(path) as file:
        size = file.seek(0, 2)
        file.seek(max(size - most, 0))
        return file.read(most)
    return b""


def _rotated(log: Path) -> Iterable[Path]:
    """Return the logs that were put aside, newest first."""
    with suppress(OSError):
        found = [path for path in log.parent.glob(f"{log.name}[-.]*") if path.is_file()]
        return sorted(found, key=lambda path: path.stat().st_mtime)[: -ROTATED - 1 : -1]
    return []


def _whole(path: Path) -> bytes:
    """Return an old log, unpacked; nothing where it is damaged or too large."""
    with (
        suppress(OSError, CibgitError),
        archives.told(str(path)),
        archives.opened(path) as file,
    ):
        text = archives.unpacked(file).read(UNPACKED + 1)
        return text if len(text) <= UNPACKED else b""
    return b""


def _reaches(found: list[Logged], applied: Version | None) -> bool:
    return any(
        each.is_push or (applied and each.before[:2] <= applied[:2]) for each in found
    )


def _asked() -> bytes:
    """Ask the journal; it answers nothing where there is none."""
    with suppress(CibgitError):
        environment = commands.environment({})
        return commands.run(commands.JOURNAL, environment, timeout=10).stdout
    return b""


def _messages(text: bytes) -> Iterator[Line]:
    """Yield the messages in the journal's JSON, one entry a line (``journalctl(1)``)."""
    for line in text.splitlines():
        with suppress(ValueError, TypeError, KeyError, OverflowError, OSError):
            entry: dict[str, Any] = json.loads(line)
            seconds = int(entry["__REALTIME_TIMESTAMP"]) / 1_000_000
            at = datetime.fromtimestamp(seconds).strftime(CTIME)
            message, node = entry["MESSAGE"], entry["_HOSTNAME"]
            if isinstance(message, str) and isinstance(node, str):
                yield Line(at, node, _PRIORITY.sub("", message, count=1))


def _writers(files: Path) -> Writers:
    """Return who wrote each epoch of which a CIB directory still has the file."""
    found: dict[tuple[int, int], set[Writer]] = {}
    with suppress(OSError):
        for path in [files / NOW, *files.glob("cib-*.raw")]:
            root = _root(path)
            numbers = root.get("admin_epoch", ""), root.get("epoch", "")
            if all(map(str.isdecimal, numbers)):
                names = (root.get(f"update-{each}", "") for each in Writer._fields)
                epoch = int(numbers[0]), int(numbers[1])
                found.setdefault(epoch, set()).add(Writer(*names))
    return found


def _root(path: Path) -> dict[str, str]:
    """Return the attributes of a CIB file's root element; none where it is damaged."""
    root: dict[str, str] = {}

    def started(name: str, attributes: dict[str, str]) -> None:
        if name == "cib" and not root:
            root.update(attributes)

    parser = expat.ParserCreate()
    parser.StartElementHandler = started
    with (
        suppress(OSError, CibgitError, expat.ExpatError),
        archives.opened(path) as file,
    ):
        parser.Parse(file.read(HEAD))
    return root


def _with_user(found: Logged, writers: Writers) -> Logged:
    """Add the user where the file of that epoch names the same program and node."""
    maker, known = found.maker, writers.get(found.after[:2], set())
    if maker is None or len(known) != 1:
        return found
    [wrote] = known
    if (wrote.client, wrote.origin) != (maker.client, maker.origin):
        return found
    return replace(found, maker=replace(maker, user=wrote.user))
