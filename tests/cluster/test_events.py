"""Waiting for several things at once."""

import os
from contextlib import suppress
from pathlib import Path

from cibgit.cluster.events import Events


class Bell:
    """Somebody who is listened to; ``pause`` is what each hearing asks for."""

    def __init__(self, pause: float) -> None:
        self.descriptor, self.other_end = os.pipe()
        self.pause, self.heard_so_far = pause, 0

    def heard(self) -> float:
        self.heard_so_far += 1
        os.set_blocking(self.descriptor, False)
        with suppress(BlockingIOError):
            os.read(self.descriptor, 9)
        return self.pause

    def ring(self) -> None:
        os.write(self.other_end, b".")

    def close(self) -> None:
        os.close(self.descriptor)
        os.close(self.other_end)


def test_who_is_listened_to_is_heard_without_ending_the_wait(tmp_path: Path) -> None:
    bell, other = Bell(999), Bell(0.01)
    with Events(tmp_path) as events:
        events.listen(bell)
        events.listen(other)
        assert not events.wait(0.2)
        assert bell.heard_so_far == 1
        assert other.heard_so_far > 2
        bell.ring()
        assert not events.wait(0)
        assert not events.wait(0)
        assert bell.heard_so_far == 2
        (tmp_path / "new").touch()
        (tmp_path / "new").rename(tmp_path / "cib.xml")
        assert events.wait(60)
        events.stop()
        assert not events.wait(60)
    bell.close()
    other.close()


def test_who_has_nothing_to_wait_for_is_heard_in_time() -> None:
    class Deaf:
        descriptor = None
        heard_so_far = 0

        def heard(self) -> float:
            self.heard_so_far += 1
            return 999

    deaf = Deaf()
    with Events(None) as events:
        events.listen(deaf)
        assert not events.wait(0.01)
    assert deaf.heard_so_far == 1
