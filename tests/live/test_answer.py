"""Drift on a live cluster that the agent answers by itself."""

import threading
from pathlib import Path

import pytest

from .cluster import LiveCluster
from .test_watch import LIVE, by_cibadmin, by_crm, by_pcs, wait_for, watching
from .workplace import Workplace


@pytest.fixture
def place(cluster3: LiveCluster, tmp_path: Path) -> Workplace:
    return Workplace.create(cluster3, tmp_path / "repo")


def edit(place: Workplace, node: str, argv: list[str]) -> None:
    done = place.cluster.run(node, argv)
    assert done.returncode == 0, done.stderr.decode()


def fake(place: Workplace, node: str = "node1") -> str:
    found = place.live(node).root.find(".//nvpair[@id='vip-fake']")
    assert found is not None
    return str(found.get("value"))


def metric(place: Workplace, name: str) -> str:
    text = (place.root.parent / "metrics").read_text()
    return text.partition(f'cibgit_watch_{name}{{cluster="prod"}} ')[2].split()[0]


def test_revert_puts_back_what_any_tool_changed_on_any_node(place: Workplace) -> None:
    """Standby is an operator's business and stays."""
    with watching(place, "node1", "--auto", "revert", "--attempts", "9"):
        for node, argv in (
            ("node2", by_cibadmin(7)),
            ("node3", by_pcs(8)),
            ("node1", by_crm(9)),
        ):
            before = metric(place, "answers_total")
            edit(place, node, argv)
            wait_for(lambda before=before: metric(place, "answers_total") != before)
            wait_for(lambda: fake(place) == "1")
        edit(place, "node2", ["crm_standby", "-N", "node3", "-v", "on"])
        edit(place, "node2", by_cibadmin(10))
        wait_for(lambda: metric(place, "answers_total") == "4")
        assert fake(place, "node3") == "1"
        assert b'name="standby" value="on"' in place.cluster.cibadmin("node2", "-Q")
    # what was taken back is history all the same, by whoever did it
    words = ("log", "-p", "--diff-merges=first-parent", "--format=")
    log = place.git(*words, "refs/cibgit/prod/seen")
    assert all(f'name="fake" value="{value}"' in log for value in (7, 8, 9, 10))
    place.cluster.run("node2", ["crm_standby", "-N", "node3", "-D"])


def test_adopt_takes_it_into_git_by_its_author(place: Workplace) -> None:
    with watching(place, "node1", "--auto", "adopt"):
        edit(place, "node3", by_cibadmin(7))
        wait_for(lambda: 'value="7"' in place.file.read_text())
        wait_for(lambda: metric(place, "in_sync") == "1")
    assert place.git("log", "-1", "--format=%an %s").startswith("root Adopt prod 0.")
    changed = place.git("log", "-1", "--format=%(trailers:key=CIB-Changed-By)")
    assert "root via cibadmin on node3" in changed
    assert place.cibgit("node2", "drift").code == 0
    assert place.git("status", "--porcelain") == ""


def test_a_fight_is_given_up(place: Workplace, tmp_path: Path) -> None:
    """Something else wants another value, and sets it again whenever it is gone."""
    over, log, hook = threading.Event(), tmp_path / "log", tmp_path / "hook"
    hook.write_text(f'#!/bin/sh\necho "$CIBGIT_EVENT" >> {log}\n')
    hook.chmod(0o755)

    def insist() -> None:
        while not over.wait(0.2):
            if fake(place, "node3") != "7":
                edit(place, "node3", by_cibadmin(7))

    other = threading.Thread(target=insist, daemon=True)
    options = ("--auto", "revert", "--attempts", "2", "--hook", str(hook))
    with watching(place, "node1", *options):
        other.start()
        wait_for(lambda: log.exists() and "gave-up" in log.read_text())
        before = place.epoch()
        wait_for(lambda: metric(place, "gave_up") == "1")
    # a restart forgets nothing of it
    with watching(place, "node2", *options):
        wait_for(lambda: metric(place, "gave_up") == "1")
    over.set()
    other.join()
    words = log.read_text().split()
    assert words.count("reverted") == 2
    assert words.count("gave-up") == 1
    assert place.epoch() == before
    assert fake(place) == "7"
    shown = place.git("show", f"{LIVE}:clusters/prod/cib.xml")
    assert 'name="fake" value="7"' in shown
