"""A branch that shows what is recorded: it only moves forward, and ends in what is live."""

from pathlib import Path

import pytest

from cibgit.cli.app import run
from cibgit.flow.export import export
from cibgit.flow.plan import plan
from cibgit.flow.push import push

from .embedded import Embedded


def watch(embedded: Embedded, *more: str, branch: str = "live") -> int:
    words = ["watch", "--once", "-C", str(embedded.root), "--branch", branch, *more]
    return run(words)


def tips(embedded: Embedded) -> set[str]:
    refs = ("refs/heads/live", "refs/cibgit/prod/seen", "refs/cibgit/prod/live")
    return {embedded.git("rev-parse", ref).strip() for ref in refs}


def shows(embedded: Embedded) -> str:
    """Return the score that the branch has."""
    text = embedded.git("show", "live:clusters/prod/cib.xml")
    return text.partition('score="')[2].partition('"')[0]


def pushed(embedded: Embedded, old: str, new: str) -> None:
    embedded.edit(old, new)
    site = embedded.site()
    commit = embedded.commit()
    push(plan(site, site.desired(commit), commit))


@pytest.fixture
def exported(embedded: Embedded) -> Embedded:
    export(embedded.site())
    return embedded


def test_the_branch_is_made_and_names_each_state(exported: Embedded) -> None:
    assert watch(exported) == 0
    assert exported.git("rev-parse", "live") == exported.git("rev-parse", "HEAD")
    for value in ("1", "2"):
        exported.change_live("loc@score", value)
        assert watch(exported) == 1
        assert shows(exported) == value
        assert len(tips(exported)) == 1
    assert exported.git("log", "--format=%an", "HEAD..live").split() == ["root"] * 2
    assert exported.git("status", "--porcelain") == ""


def test_what_a_push_or_a_revert_makes_live_goes_on_on_the_branch(
    exported: Embedded,
) -> None:
    start = old = exported.git("rev-parse", "HEAD").strip()
    assert watch(exported) == 0
    for value in ("1", "2", "3"):
        exported.change_live("loc@score", value)
        assert watch(exported, "--auto", "revert") == 0
        assert shows(exported) == "100"
        now = exported.git("rev-parse", "live").strip()
        exported.git("merge-base", "--is-ancestor", old, now)
        old = now
    pushed(exported, 'score="100"', 'score="200"')
    assert watch(exported) == 0
    assert shows(exported) == "200"
    exported.git("merge-base", "--is-ancestor", "HEAD", "live")
    exported.git("merge-base", "--is-ancestor", old, "live")
    # each hand edit is on its first line, and what took it back
    log = exported.git(
        "log", "--reverse", "--first-parent", "--format=%H", f"{start}..live"
    )
    texts = [
        exported.git("show", f"{each}:clusters/prod/cib.xml") for each in log.split()
    ]
    scores = [text.partition('score="')[2].partition('"')[0] for text in texts]
    assert scores == ["1", "100", "2", "100", "3", "100", "200"]
    before = exported.git("rev-parse", "live")
    assert watch(exported) == 0
    assert exported.git("rev-parse", "live") == before
    exported.change_live("loc@score", "7")
    assert watch(exported) == 1
    assert shows(exported) == "7"
    assert exported.git("log", "-1", "--format=%P", "live").strip() == before.strip()


def test_a_branch_of_people_is_refused(
    exported: Embedded, capfd: pytest.CaptureFixture[str]
) -> None:
    current = exported.git("branch", "--show-current").strip()
    assert watch(exported, branch=current) == 75
    assert "is checked out in" in capfd.readouterr().err
    tree = exported.git("rev-parse", "HEAD^{tree}").strip()
    commit = exported.git("commit-tree", "-m", "own", "-p", "HEAD", tree).strip()
    exported.git("branch", "live", commit)
    assert watch(exported) == 107
    assert "no recorded states" in capfd.readouterr().err
    assert exported.git("rev-parse", "live").strip() == commit


@pytest.mark.parametrize(
    "name",
    ["HEAD", "a..b", "a/", "x.lock", "-f", "a b", "refs/../x", "@{1}"],
)
def test_what_is_no_name_of_a_branch(exported: Embedded, name: str) -> None:
    words = ["watch", "--once", "-C", str(exported.root), f"--branch={name}"]
    exported.change_live("loc@score", "1")
    assert run(words) >= 64
    assert len(exported.git("branch", "--list").splitlines()) == 1


def test_a_branch_that_another_work_tree_has_is_left_alone(
    exported: Embedded, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert watch(exported) == 0
    exported.git("worktree", "add", "-q", str(tmp_path / "tree"), "live")
    exported.change_live("loc@score", "1")
    assert watch(exported) == 75
    assert str(tmp_path / "tree") in capfd.readouterr().err
    exported.git("worktree", "remove", str(tmp_path / "tree"))
    assert watch(exported) == 1
    assert shows(exported) == "1"
