"""Chains of commits made in one go, and what git then says of them."""

import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from cibgit.commit import Author
from cibgit.errors import BadConfigError, UsageError
from cibgit.replay import NewCommit, ident
from cibgit.repository import Repository

REF = "refs/cibgit/prod/import"


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = Repository.create(tmp_path / "repo")
    repo.commit_file("other", b"other\n", "first")
    return repo


def git(repo: Repository, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=repo.root, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.mark.parametrize(
    "path", ["f", "a b/c", 'a"b/c\\d', "ü/ñ", ":x/*?[", "tab-less"]
)
def test_any_file_name(repo: Repository, path: str) -> None:
    author = Author("A", "a@x")
    commits = [NewCommit(b"%d\r\n\0\xff" % n, b"m%d\n" % n, author) for n in range(3)]
    last = repo.replay(REF, path, repo.head(), commits)
    assert repo.get_ref(REF) == last
    assert repo.read(last, path) == b"2\r\n\0\xff"
    assert repo.read(f"{last}~2", "other") == b"other\n"
    assert repo.revisions(path, last)[0].commit == last
    assert git(repo, "status", "--porcelain") == ""
    git(repo, "fsck", "--strict")


@pytest.mark.parametrize(
    "author",
    [
        Author("x <y>\nz", "a <b>\n\0@c"), Author("", ""), Author("<>", "<>"),
        Author("É" * 300, "é@ü"), Author("x", "y", datetime(1950, 1, 1, tzinfo=UTC)),
        Author("x", "y", datetime(2199, 1, 1, tzinfo=UTC)),
        Author("x", "y", datetime(9999, 12, 31, tzinfo=UTC)),
        Author("x", "y", datetime(2000, 1, 1, tzinfo=timezone(timedelta(seconds=3208)))),
        Author("x", "y", datetime(2000, 1, 1)),
    ],
)  # fmt: skip
def test_any_author(repo: Repository, author: Author) -> None:
    last = repo.replay(REF, "f", repo.head(), [NewCommit(b"x", b"m\n", author)])
    assert len(git(repo, "log", "-1", "--format=%an", last).splitlines()) == 1
    git(repo, "fsck", "--strict")


def test_the_date_of_an_author_is_the_committers_where_none_is_known() -> None:
    assert ident(Author("A", "a@x"), "C <c@x> 12 +0100") == "A <a@x> 12 +0100"


def test_nothing_to_be_found_in_a_foreign_ref(repo: Repository) -> None:
    commit = NewCommit(b"x", b"m\n", Author("A", "a@x"))
    with pytest.raises(BadConfigError):
        repo.replay("refs/heads/main", "f", None, [commit])
    with pytest.raises(UsageError):
        repo.replay(REF, "../f", None, [commit])


def test_an_error_on_the_way_leaves_no_ref(repo: Repository) -> None:
    def broken() -> "object":
        yield NewCommit(b"x" * 100_000, b"m\n", Author("A", "a@x"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        repo.replay(REF, "f", None, broken())  # type: ignore[arg-type]
    assert repo.get_ref(REF) is None


def test_a_long_stream_does_not_fill_memory_or_block(repo: Repository) -> None:
    author = Author("A", "a@x")
    commits = (NewCommit(bytes([n]) * 2**20, b"m\n", author) for n in range(64))
    last = repo.replay(REF, "f", None, commits)
    assert git(repo, "rev-list", "--count", last) == "64\n"
