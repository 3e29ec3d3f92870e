"""Orders: what the timers of a node still have to do, and what became of the others.

A folder for each push that waits, 0700, with everything that its timer needs; and one of
reports, which hold no configuration. Files are replaced at once and synced: a node may
lose its power at any moment.
"""

import hashlib
import json
import os
import re
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ..cib.canonical import canonical, compact
from ..cib.document import Cib
from ..errors import BadDataError, PermissionDeniedError

FORMAT = 1
KEPT_REPORTS = 20

_TOKEN = re.compile(r"[0-9a-f]{8,64}")
_ORDER, _LOCK, _RUNS, _WRITTEN = "order.json", "lock", "running", "written"
_REPORTS = "reports"


@dataclass(frozen=True)
class Report:
    """What became of a push that waited for confirmation.

    ``outcome`` is ``reverted``, ``confirmed``, ``left-alone``, ``gone`` or ``failed``;
    ``at`` is in UTC epoch seconds.
    """

    token: str
    cluster: str
    commit: str
    restores: str
    outcome: str
    sentence: str
    at: int


@dataclass(frozen=True)
class Order:
    """What a timer has to know: when, in which cluster, what was pushed, what to restore.

    ``deadline`` is in UTC epoch seconds, ``pushed`` the :func:`content_id` of what was
    pushed, ``configuration`` the canonical form of what was live before.
    """

    token: str
    cluster: str
    address: str
    deadline: float
    commit: str
    restores: str
    pushed: str
    configuration: str

    def report(self, outcome: str, sentence: str) -> Report:
        """Return a report on this order."""
        now = int(time.time())
        return Report(
            self.token, self.cluster, self.commit, self.restores, outcome, sentence, now
        )


def content_id(cib: Cib) -> str:
    """Return what two CIBs have in common if and only if their configurations are one.

    What the cluster owns does not count: it may change by itself while a push waits.
    """
    return hashlib.sha256(compact(canonical(cib))).hexdigest()


class Orders:
    """The orders and reports in a folder of this node."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, order: Order) -> None:
        """Lay an order down; it is on disk when this returns."""
        place = self._place(order.token)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.mkdir(mode=0o700, exist_ok=True)
            _write(place / _ORDER, {"format": FORMAT, **asdict(order)})
        except OSError as error:
            raise PermissionDeniedError(
                f"{error.filename or place}: {error.strerror}",
                "The configuration to restore is kept there until the push is confirmed.",
            ) from None

    def read(self, token: str) -> Order | None:
        """Return an order, None when it is gone.

        Raises :class:`~cibgit.errors.BadDataError` when it is not readable any more.
        """
        file = self._place(token) / _ORDER
        try:
            fields = json.loads(file.read_bytes())
            if fields.pop("format") != FORMAT:
                raise BadDataError(f"{file} was written by another release of cibgit")
            return Order(**fields)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadDataError(f"{file}: {error}") from None

    def all(self) -> list[Order]:
        """Return everything that still waits on this node."""
        try:
            names = sorted(each.name for each in self.folder.iterdir())
        except OSError:
            return []
        found = (self.read(name) for name in names if _TOKEN.fullmatch(name))
        return [order for order in found if order is not None]

    def remove(self, token: str) -> None:
        """Disarm: the timer finds nothing to do, and ends."""
        shutil.rmtree(self._place(token), ignore_errors=True)

    def lock(self, token: str) -> Path:
        """Return the file that the one timer of an order locks."""
        return self._place(token) / _LOCK

    def started(self, token: str) -> None:
        """Note that a timer runs."""
        (self._place(token) / _RUNS).touch()

    def is_running(self, token: str) -> bool:
        """Return whether a timer has started."""
        return (self._place(token) / _RUNS).exists()

    def written(self, token: str) -> None:
        """Note that the push is in the cluster."""
        if self._place(token).is_dir():
            (self._place(token) / _WRITTEN).touch()

    def is_written(self, token: str) -> bool:
        """Return whether the push said that it is in the cluster."""
        return (self._place(token) / _WRITTEN).exists()

    def report(self, report: Report) -> None:
        """Keep a report in place of its order."""
        folder = self.folder / _REPORTS
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / f"{report.at}-{report.token}.json", asdict(report))
        for old in sorted(folder.glob("*.json"))[:-KEPT_REPORTS]:
            old.unlink(missing_ok=True)
        self.remove(report.token)

    def reports(self, cluster: str) -> list[Report]:
        """Return what became of pushes to a cluster from this node, the newest first."""
        files = sorted((self.folder / _REPORTS).glob("*.json"), reverse=True)
        found = (_report(file) for file in files)
        return [each for each in found if each is not None and each.cluster == cluster]

    def _place(self, token: str) -> Path:
        if not _TOKEN.fullmatch(token):
            raise BadDataError(f"{token!r} is not the name of a timer")
        return self.folder / token


def _report(file: Path) -> Report | None:
    """Read a report; None where it is another user's, or of another release."""
    try:
        return Report(**json.loads(file.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _write(file: Path, fields: dict[str, object]) -> None:
    """Write a file so that it is there whole, for its owner only, or not at all."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        json.dump(fields, opened, indent=1)
        opened.flush()
        os.fsync(opened.fileno())
    temporary.replace(file)
    for folder in (file.parent, file.parent.parent):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
