"""The history of one file, and many contents, read from real git."""

from datetime import timedelta
from pathlib import Path

import pytest

from cibgit.commit import Author
from cibgit.errors import NoInputError
from cibgit.replay import NewCommit
from cibgit.repository import Repository
from cibgit.revisions import BATCH

from .test_replay import git


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return Repository.create(tmp_path / "repo")


def test_the_first_line_is_followed(repo: Repository) -> None:
    first = repo.commit_file("f", b"1\n", "one", trailers={"CIB-Version": "0.1.0"})
    git(repo, "checkout", "--quiet", "-b", "side")
    repo.commit_file("f", b"2\n", "two")
    git(repo, "checkout", "--quiet", "-")
    repo.commit_file("other", b"x\n", "elsewhere")
    git(repo, "merge", "--quiet", "--no-edit", "side")
    merged = repo.head()
    (repo.root / "f").unlink()
    git(repo, "commit", "--quiet", "-am", "gone")
    found = repo.revisions("f", "HEAD")
    one, two = repo.blob_id(b"1\n"), repo.blob_id(b"2\n")
    assert [(x.old, x.new) for x in found] == [(two, ""), (one, two), ("", one)]
    assert [x.commit for x in found] == [repo.head(), merged, first]
    assert found[2].trailers == {"CIB-Version": "0.1.0"}
    assert [x.subject for x in found][::2] == ["gone", "one"]
    assert [x.commit for x in repo.revisions("f", "HEAD", first)] == [
        repo.head(),
        merged,
    ]
    assert [x.subject for x in repo.revisions("f", "side")] == ["two", "one"]


def test_contents_come_in_the_order_asked_for(repo: Repository) -> None:
    author = Author("A", "a@example.com")
    data = [b"\n\0%d missing\n" % n for n in range(2 * BATCH + 1)]
    new = [NewCommit(each, b"message", author) for each in data]
    repo.replay("refs/cibgit/x/import", "f", None, new)
    blobs = [x.new for x in repo.revisions("f", "refs/cibgit/x/import")]
    assert list(repo.contents(blobs)) == data[::-1]
    assert list(repo.contents(["1" * 40, blobs[0], blobs[0]])) == [
        None,
        data[-1],
        data[-1],
    ]


@pytest.mark.parametrize("zone", ["+0530", "-1200", "+0000"])
def test_times_keep_their_zone(
    repo: Repository, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_AUTHOR_DATE", f"@1700000000 {zone}")
    repo.commit_file("f", b"1\n", "one")
    [found] = repo.revisions("f", "HEAD")
    assert found.when.timestamp() == 1700000000
    sign = -1 if zone[0] == "-" else 1
    assert found.when.utcoffset() == sign * timedelta(
        hours=int(zone[1:3]), minutes=int(zone[3:])
    )


def test_a_time_out_of_all_bounds_is_told_as_it_is_possible(repo: Repository) -> None:
    repo.commit_file("f", b"1\n", "one")
    text = git(repo, "cat-file", "commit", "HEAD")
    author = next(line for line in text.splitlines() if line.startswith("author"))
    text = text.replace(author, f"author A <a@x> {2**62} +9999")
    (repo.root / "commit").write_text(text)
    strange = git(repo, "hash-object", "-t", "commit", "-w", "--literally", "commit")
    [found] = repo.revisions("f", strange.strip())
    assert found.when.year > 1960


def test_what_names_no_commit_is_refused(repo: Repository) -> None:
    repo.commit_file("f", b"1\n", "one")
    for wrong in ("nothing", "--all", "", "^HEAD", "HEAD:f"):
        with pytest.raises(NoInputError):
            repo.revisions("f", wrong)
        with pytest.raises(NoInputError):
            repo.revisions("f", "HEAD", wrong or "-")
