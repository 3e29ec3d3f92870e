"""Locks that were left behind: waited for, and removed only if nobody holds them."""

import os
import time
from pathlib import Path

from cibgit.flow.export import export
from cibgit.flow.locks import Locks
from cibgit.flow.tally import Seen

from .embedded import Embedded
from .watching import Bench, versions


def lock(embedded: Embedded, name: str = "live") -> Path:
    file = embedded.root / f".git/refs/cibgit/prod/{name}.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    return file


def test_a_lock_that_stays_is_removed(embedded: Embedded) -> None:
    export(embedded.site())
    locks = Locks(embedded.site(), stale=0.2)
    assert locks.sweep() == []
    file = lock(embedded)
    assert locks.sweep() == []
    assert file.exists()
    time.sleep(0.25)
    assert locks.sweep() == [file]
    assert not file.exists()
    assert locks.sweep() == []


def test_a_lock_that_changes_or_another_is_held_by_somebody(embedded: Embedded) -> None:
    export(embedded.site())
    locks = Locks(embedded.site(), stale=0.2)
    file = lock(embedded)
    other = embedded.root / ".git/index.lock"
    other.touch()
    assert locks.sweep() == []
    time.sleep(0.25)
    os.utime(file, (0, 0))
    assert locks.sweep() == []
    file.unlink()
    lock(embedded)
    assert locks.sweep() == []
    assert other.exists()


def test_the_agent_goes_on_and_has_lost_nothing(embedded: Embedded) -> None:
    export(embedded.site())
    bench = Bench(embedded)
    bench.agent.slow = 0.1
    bench.agent._locks.stale = 0.5

    def between(count: int) -> None:
        if count == 1:
            lock(embedded)
            embedded.change_live("loc@score", "1")
            embedded.change_live("loc@score", "2")
        elif len(bench.of(Seen)) == 2:
            bench.events.stop()
        assert count < 1000

    bench.run(between)
    assert versions(embedded) == ["0.5.0", "0.6.0", "0.7.0"]
    said = [each.sentence for each in bench.troubles()]
    assert len(said) == 2
    assert "locked" in said[0]
    assert "left behind" in said[1]
