"""Mirror: what a watch records is pushed to a git remote, and nothing waits for that.

One thread, one push at a time. A remote that is away is tried again after growing pauses.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import CibgitError, NoInputError
from ..gitcall import branch_ref, forever
from .site import Site

FIRST_PAUSE = 2.0
"""Seconds until a push that failed is tried again; each further pause is twice as long."""

LONGEST_PAUSE = 300.0

LAST_SECONDS = 10.0
"""How long the last attempt may take when the watch ends."""

RECORDED = ("live", "seen", "applied")
"""The refs of a cluster that are facts; the others are notes of one clone."""


@dataclass
class Mirror:
    """Keeps one remote up to date with what was recorded of one cluster.

    ``branch`` goes along where there is one, ``ssh`` is the ssh command that people want.
    ``failure`` is why the newest push failed, None when it did not.
    """

    site: Site
    remote: str
    branch: str | None = None
    ssh: str = ""
    failure: CibgitError | None = None
    pause: float = FIRST_PAUSE
    _sent: list[str] = field(default_factory=list)
    _woken: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def check(self) -> None:
        """Refuse a remote that git does not know, with exit 66."""
        if not self.site.repository.has_remote(self.remote):
            raise NoInputError(
                f"there is no git remote {self.remote!r} in {self.site.repository.root}",
                "See which there are: git remote. An address is not taken: it may hold a"
                " password.",
            )

    @property
    def is_behind(self) -> bool:
        """Whether the remote lacks something, as far as this process knows."""
        return self._refspecs() != self._sent

    def start(self) -> None:
        """Begin to push in the background."""
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that there may be something new; raise why the newest push failed.

        Where nothing was started, it is pushed here and now.
        """
        if self._thread is None:
            return self.send(forever)
        self._woken.set()
        if self.failure:
            raise self.failure
        return None

    def close(self) -> None:
        """Stop what is under way, try a last time, and end; all of it bounded."""
        self._ended.set()
        self._woken.set()
        if self._thread:
            self._thread.join(2 * LAST_SECONDS)

    def send(self, is_over: Callable[[], bool]) -> None:
        """Push once what the remote lacks; raises a :class:`CibgitError`."""
        wanted = self._refspecs()
        if wanted and wanted != self._sent:
            self.site.repository.send(self.remote, wanted, self.ssh, is_over)
            self._sent = wanted

    def _work(self) -> None:
        while not self._ended.is_set():
            self._woken.wait()
            self._woken.clear()
            pause = self.pause
            while not self._attempt(self._ended.is_set):
                if self._ended.wait(pause):
                    break
                pause = min(2 * pause, LONGEST_PAUSE)
        deadline = time.monotonic() + LAST_SECONDS
        self._attempt(lambda: time.monotonic() > deadline)

    def _attempt(self, is_over: Callable[[], bool]) -> bool:
        """Push, and remember why it failed; say whether it did not."""
        try:
            self.send(is_over)
        except CibgitError as error:
            self.failure = error
            return False
        self.failure = None
        return True

    def _refspecs(self) -> list[str]:
        """Return what to push: commits by id, so that each push is of one moment.

        The refs of cibgit may go back (a push makes ``live`` its own commit), a branch
        never does.
        """
        repository, site = self.site.repository, self.site
        tips = {site.ref(name): repository.get_ref(site.ref(name)) for name in RECORDED}
        found = [f"+{tip}:{name}" for name, tip in tips.items() if tip]
        if self.branch and (tip := repository.tip(self.branch)):
            found.append(f"{tip}:{branch_ref(self.branch)}")
        return found
