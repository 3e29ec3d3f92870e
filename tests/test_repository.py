"""The git side, against real git in temporary folders."""

import os
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cibgit import gitcall
from cibgit.commit import message_bytes
from cibgit.errors import (
    BadConfigError,
    BusyError,
    CibgitError,
    NoInputError,
    PermissionDeniedError,
    TimedOutError,
    UsageError,
)
from cibgit.exitcodes import ExitCode
from cibgit.repository import Author, RefusedError, Repository

CIB = "clusters/prod/cib.xml"
IDENTITY = [
    f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
]


def git(folder: Path, *words: str, stdin: bytes = b"") -> str:
    """Run git and return what it printed, without the last line break."""
    done = subprocess.run(
        ["git", "-C", str(folder), *words], input=stdin, capture_output=True, check=True
    )
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def put(folder: Path, name: str, data: bytes) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


def commit(folder: Path, name: str, data: bytes, message: str = "c") -> str:
    """Commit a file the way an administrator would."""
    put(folder, name, data)
    git(folder, "add", "--", name)
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def hook(folder: Path, name: str, script: str) -> None:
    file = folder / ".git/hooks" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def state(folder: Path) -> tuple[str, ...]:
    """All that must survive a refusal: HEAD, index, status, and the files themselves."""
    head = subprocess.run(
        ["git", "-C", str(folder), "rev-parse", "-q", "--verify", "HEAD"],
        capture_output=True,
        check=False,
    ).stdout.decode()
    files = sorted(
        f"{path}:{path.stat().st_mode:o}:{path.read_bytes()!r}"
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    )
    return head, git(folder, "ls-files", "--stage"), git(folder, "status", "-s"), *files


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty repository and one with a commit, to be copied: that is quicker."""
    path = tmp_path_factory.mktemp("template")
    for name in ("empty", "one"):
        git(path, "init", "--quiet", "--initial-branch=main", "--template=", name)
    commit(path / "one", CIB, b"<cib/>\n", "first")
    return path


@pytest.fixture
def folder(tmp_path: Path, template: Path) -> Path:
    """An empty repository."""
    return Path(shutil.copytree(template / "empty", tmp_path / "repo"))


@pytest.fixture
def repo(tmp_path: Path, template: Path) -> Repository:
    """A repository with one commit of one cluster."""
    folder = Path(shutil.copytree(template / "one", tmp_path / "repo"))
    git(folder, "update-index", "--refresh")
    return Repository.open(folder)


@pytest.fixture
def nobody(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nobody told git who they are."""
    assert repo.head()
    for name in IDENTITY:
        monkeypatch.delenv(name)
    monkeypatch.delenv("EMAIL", raising=False)


# ---- open and create


def test_open_finds_the_top_level_upwards(repo: Repository) -> None:
    found = Repository.open(repo.root / "clusters/prod")
    assert found.root == repo.root == Repository.open(repo.root).root
    assert found.read("HEAD", CIB) == b"<cib/>\n"


def test_open_without_a_repository(tmp_path: Path) -> None:
    with pytest.raises(
        NoInputError, match=r"no git repository at .* or above"
    ) as caught:
        Repository.open(tmp_path)
    assert "cibgit init" in caught.value.hint
    with pytest.raises(NoInputError, match="no such directory"):
        Repository.open(tmp_path / "absent")


def test_open_refuses_what_has_no_work_tree(tmp_path: Path, folder: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    with pytest.raises(BadConfigError, match="bare repository"):
        Repository.open(tmp_path / "bare.git")
    with pytest.raises(BadConfigError, match="bare repository"):
        Repository.create(tmp_path / "bare.git")
    with pytest.raises(BadConfigError, match="inside git's own directory"):
        Repository.open(folder / ".git")


def test_open_refuses_bare_by_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    config = put(tmp_path, "config", b"[safe]\nbareRepository = explicit\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    with pytest.raises(BadConfigError, match="bare repository"):
        Repository.open(tmp_path / "bare.git")


def test_open_explains_a_repository_of_another_user(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(
        PermissionDeniedError, match="belongs to another user"
    ) as caught:
        Repository.open(folder)
    assert f"safe.directory '{folder}'" in caught.value.hint
    with pytest.raises(PermissionDeniedError):
        Repository.create(folder)


def test_open_reports_a_broken_repository(folder: Path) -> None:
    put(folder, ".git/config", b"[core\n")
    with pytest.raises(RefusedError, match="bad config line 1"):
        Repository.open(folder)


@pytest.mark.parametrize(
    "name", ["with space", "qu'o\"te", "Äpfel", "*[a]?", "-rf", "$HOME", "~", "back\\s"]
)
def test_unusual_paths(tmp_path: Path, name: str) -> None:
    repo = Repository.create(tmp_path / name)
    assert repo.root == tmp_path / name
    path = f"clusters/{name}/cib.xml"
    made = repo.commit_file(path, b"<cib/>\n", "first")
    assert repo.read(made, path) == b"<cib/>\n"
    assert not repo.is_dirty(path)
    put(repo.root, path, b"changed")
    assert repo.is_dirty(path)
    assert repo.newest_commit_with(path, repo.blob_id(b"<cib/>\n")) == made
    assert [entry.commit for entry in repo.log(path)] == [made]
    other = repo.commit_tree_files(made, {path: b"<cib>\n"}, "second")
    assert repo.newest_commit_with(path, repo.blob_id(b"<cib/>\n"), other) == made


def test_paths_that_are_not_utf_8(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    repo = Repository.create(folder)
    commit(folder, os.fsdecode(b"na\xefve"), b"x")
    made = repo.commit_file(CIB, b"<cib/>\n", "first")
    assert repo.root == folder
    assert repo.read(made, CIB) == b"<cib/>\n"
    assert repo.newest_commit_with(CIB, repo.blob_id(b"<cib/>\n")) == made


def test_a_line_break_in_the_path_is_refused_clearly(tmp_path: Path) -> None:
    with pytest.raises(BadConfigError, match="line break"):
        Repository.create(tmp_path / "a\nb")


def test_create_makes_or_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = put(tmp_path, "config", b"[init]\ndefaultBranch = trunk\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    made = Repository.create(tmp_path / "new/deep")
    assert (made.branch(), made.head(), made.detached) == ("trunk", None, False)
    made.commit_file(CIB, b"<cib/>\n", "first")
    assert Repository.create(tmp_path / "new/deep").head() == made.head()
    assert Repository.create(tmp_path / "new/deep/sub").root == made.root
    put(tmp_path, "file", b"")
    with pytest.raises(PermissionDeniedError):
        Repository.create(tmp_path / "file")


@pytest.mark.parametrize("index", ["", "elsewhere"])
def test_the_environment_of_another_repository_does_not_count(
    tmp_path: Path, repo: Repository, monkeypatch: pytest.MonkeyPatch, index: str
) -> None:
    """As in a hook: ``git`` there exports its own places."""
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    if index:
        monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / index))
    found = Repository.open(repo.root)
    assert found.root == repo.root
    made = found.commit_file(CIB, b"<cib a=''/>\n", "second", author=Author("A", "a@b"))
    recorded = found.commit_tree_files(
        made, {CIB: b"<x/>"}, "x", author=Author("C", "c@d")
    )
    assert Repository.create(tmp_path / "third").root == tmp_path / "third"
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert git(repo.root, "rev-parse", "HEAD") == made
    assert git(repo.root, "log", "-1", "--format=%an", recorded) == "C"
    assert git(repo.root, "status", "-s") == ""
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("value", [".", ".git"])
def test_a_relative_git_dir_in_the_environment(
    repo: Repository, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """``GIT_DIR=.`` is what a post-receive hook starts its children with."""
    head = repo.head()
    monkeypatch.setenv("GIT_DIR", value)
    assert Repository.open(repo.root / "clusters").head() == head
    assert Repository.open(repo.root).root == repo.root


def test_the_index_of_a_running_commit_does_not_count(
    repo: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "next-index"))
    assert not Repository.open(repo.root).is_dirty(CIB)


def test_literal_pathspecs_in_the_environment(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Magit sets this for all it starts."""
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
    put(repo.root, CIB, b"changed")
    assert repo.is_dirty(CIB)


def test_linked_worktree(repo: Repository, tmp_path: Path) -> None:
    git(repo.root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "tree"))
    side = Repository.open(tmp_path / "tree/clusters")
    assert side.root == tmp_path / "tree"
    made = side.commit_file(CIB, b"<side/>\n", "side")
    assert (side.branch(), repo.branch()) == ("side", "main")
    assert repo.has_commit(made)
    assert repo.head() != made
    put(repo.root, ".git/worktrees/tree/index.lock", b"")
    with pytest.raises(BusyError):
        side.commit_file(CIB, b"<x/>\n", "x")
    repo.commit_file(CIB, b"<main/>\n", "main")
    side.set_ref("refs/cibgit/prod/live", made, "test")
    assert repo.get_ref("refs/cibgit/prod/live") == made


def test_submodule_and_separate_git_dir(repo: Repository, tmp_path: Path) -> None:
    outer = Repository.create(tmp_path / "outer")
    allow = ("-c", "protocol.file.allow=always")
    git(outer.root, *allow, "submodule", "--quiet", "add", str(repo.root), "config")
    inner = Repository.open(outer.root / "config/clusters")
    assert inner.root == outer.root / "config"
    made = inner.commit_file(CIB, b"<inner/>\n", "inner")
    assert inner.head() == made != repo.head()
    with pytest.raises(CibgitError, match="submodule"):
        outer.commit_file("config/clusters/prod/new.xml", b"x", "x")
    assert not (outer.root / "config/clusters/prod/new.xml").exists()
    git(tmp_path, "init", "-q", f"--separate-git-dir={tmp_path}/store", "apart")
    apart = Repository.open(tmp_path / "apart")
    assert apart.read(apart.commit_file(CIB, b"x", "x"), CIB) == b"x"


def test_repository_in_a_subdirectory(repo: Repository) -> None:
    path = f"infra/ha/{CIB}"
    made = Repository.open(repo.root / "clusters").commit_file(path, b"<cib/>\n", "sub")
    assert git(repo.root, "show", "--format=", "--name-only", made) == path


def test_sha256(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256")
    repo = Repository.open(tmp_path)
    made = repo.commit_file(
        CIB, b"<cib/>\n", "first", trailers={"CIB-Version": "0.1.0"}
    )
    assert len(made) == 64
    assert repo.blob_id(b"<cib/>\n") == git(tmp_path, "rev-parse", f"HEAD:{CIB}")
    assert repo.newest_commit_with(CIB, repo.blob_id(b"<cib/>\n")) == made
    assert repo.newest_commit_with_trailer(CIB) == made
    again = repo.commit_tree_files(made, {CIB: b"<x/>"}, "second")
    assert repo.newest_commit_with(CIB, repo.blob_id(b"<cib/>\n"), again) == made
    assert not repo.has_commit("0" * 40)


# ---- reading


def test_unborn(folder: Path) -> None:
    repo = Repository.open(folder)
    assert (repo.head(), repo.branch(), repo.detached) == (None, "main", False)
    assert repo.newest_commit_with(CIB, "0" * 40) is None
    assert repo.newest_commit_with_trailer(CIB) is None
    assert repo.log(CIB) == []
    assert not repo.is_dirty(CIB)
    put(folder, CIB, b"<cib/>")
    assert repo.is_dirty(CIB)
    with pytest.raises(NoInputError):
        repo.resolve("HEAD")
    with pytest.raises(NoInputError):
        repo.read("HEAD", CIB)
    with pytest.raises(NoInputError):
        repo.log(CIB, start="main")


def test_head_and_branch(repo: Repository) -> None:
    assert repo.head() == git(repo.root, "rev-parse", "HEAD")
    git(repo.root, "checkout", "-q", "-b", "feature/vip")
    assert (repo.branch(), repo.detached) == ("feature/vip", False)
    git(repo.root, "checkout", "-q", "--detach")
    assert (repo.branch(), repo.detached) == (None, True)


def test_resolve(repo: Repository) -> None:
    head = repo.head()
    git(repo.root, "tag", "-a", "v1", "-m", "annotated")
    for rev in ("HEAD", "main", "v1", str(head)[:10], "@", "HEAD^{/first}", "main@{0}"):
        assert repo.resolve(rev) == head


@pytest.mark.parametrize(
    "rev",
    [
        *("", "nope", "HEAD~9", "main..HEAD", "^HEAD", "HEAD^@", f"HEAD:{CIB}", ":/x"),
        *("--output=/tmp/x", "-n1", "--all", "a\0b", "HEAD\nHEAD", "f" * 40, "main^!"),
    ],
)
def test_revisions_that_name_no_commit(repo: Repository, rev: str) -> None:
    with pytest.raises(NoInputError):
        repo.resolve(rev)
    with pytest.raises(NoInputError):
        repo.read(rev, CIB)
    with pytest.raises(NoInputError):
        repo.subject(rev)
    with pytest.raises(NoInputError):
        repo.is_ancestor("HEAD", rev)
    with pytest.raises(NoInputError):
        repo.newest_commit_with(CIB, "0" * 40, start=rev)
    assert not repo.has_commit(rev)


def test_user_text_never_becomes_an_option(repo: Repository, tmp_path: Path) -> None:
    trap = tmp_path / "written"
    text = f"--output={trap}"
    for call in (
        lambda: repo.log(CIB, start=text),
        lambda: repo.newest_commit_with_trailer(CIB, start=text),
        lambda: repo.set_ref("refs/cibgit/x", text, "x"),
        lambda: repo.set_ref(text, "HEAD", "x"),
        lambda: repo.commit_tree_files(text, {CIB: b""}, "x"),
    ):
        with pytest.raises(CibgitError):
            call()
    made = repo.commit_file(text.replace("/", "_"), b"1", text, trailers={"A": text})
    assert repo.subject(made) == text
    assert repo.log(text.replace("/", "_"))[0].commit == made
    repo.set_ref("refs/cibgit/x", made, text)
    author = Author(text, text)
    repo.commit_file(CIB, b"<a/>", "x", author=author)
    assert git(repo.root, "log", "-1", "--format=%an%ae") == text * 2
    assert not trap.exists()


def test_ambiguous_abbreviation(repo: Repository) -> None:
    stream = "".join(
        f"commit refs/heads/many\ncommitter C <c@d> {number} +0000\ndata 0\n\n"
        for number in range(1_700_000_000, 1_700_001_500)
    )
    git(repo.root, "fast-import", "--quiet", stdin=stream.encode())
    ids = sorted(git(repo.root, "log", "--format=%H", "many").split())
    twins = [a for a, b in pairwise(ids) if a[:4] == b[:4]]
    with pytest.raises(NoInputError, match="ambiguous"):
        repo.resolve(twins[0][:4])


def test_read_is_exact(repo: Repository) -> None:
    for data in (b"", b"\n", b"x\n\n", b"\xff\0\r\n", b"no newline"):
        made = repo.commit_tree_files(None, {"f": data}, "x")
        assert repo.read(made, "f") == data
        assert repo.blob_id(data) == git(repo.root, "rev-parse", f"{made}:f")


def test_read_of_what_is_not_there(repo: Repository) -> None:
    with pytest.raises(NoInputError, match=r"other\.xml is not in HEAD"):
        repo.read("HEAD", "other.xml")
    with pytest.raises(NoInputError, match="names no commit"):
        repo.read("nope", CIB)
    with pytest.raises(RefusedError, match="cat-file"):
        repo.read("HEAD", "clusters")
    assert NoInputError("").code == ExitCode.NO_INPUT


@pytest.mark.parametrize(
    "path",
    ["", ".", "../x", "/etc/passwd", "a/../b", ".git/config", "a\nb", "a//b", "a/"],
)
def test_paths_that_are_no_file_of_a_repository(repo: Repository, path: str) -> None:
    before = state(repo.root)
    for call in (
        lambda: repo.read("HEAD", path),
        lambda: repo.is_dirty(path),
        lambda: repo.commit_file(path, b"", "x"),
        lambda: repo.commit_tree_files(None, {path: b""}, "x"),
    ):
        with pytest.raises(UsageError):
            call()
    assert state(repo.root) == before


def test_shallow_clone(repo: Repository, tmp_path: Path) -> None:
    old = repo.blob_id(b"<cib/>\n")
    two = repo.commit_file(CIB, b"<two/>\n", "two", trailers={"CIB-Version": "0.2.0"})
    three = repo.commit_file(CIB, b"<three/>\n", "three")
    url = f"file://{repo.root}"
    git(tmp_path, "clone", "-q", "--depth=2", "--single-branch", url, "shallow")
    shallow = Repository.open(tmp_path / "shallow")
    assert shallow.newest_commit_with(CIB, old) is None
    assert shallow.newest_commit_with(CIB, repo.blob_id(b"<two/>\n")) == two
    assert shallow.newest_commit_with_trailer(CIB) == two
    assert not shallow.has_commit(str(repo.resolve("HEAD~2")))
    assert shallow.is_ancestor(two, three)


def test_newest_commit_with_in_a_line(repo: Repository) -> None:
    one = repo.blob_id(b"<cib/>\n")
    between = commit(repo.root, "README", b"x")
    assert repo.newest_commit_with(CIB, one) == between
    assert repo.newest_commit_with(CIB, one, "HEAD~1") == repo.resolve("HEAD~1")
    later = commit(repo.root, CIB, b"<two/>\n")
    commit(repo.root, "README", b"y")
    assert repo.newest_commit_with(CIB, one) == between
    commit(repo.root, CIB, b"<cib/>\n")
    git(repo.root, "rm", "-q", CIB)
    git(repo.root, "commit", "-qm", "gone")
    assert repo.newest_commit_with(CIB, one) == repo.resolve("HEAD~1")
    assert repo.newest_commit_with(CIB, repo.blob_id(b"<two/>\n")) == repo.resolve(
        "HEAD~2"
    )
    assert repo.newest_commit_with(CIB, repo.blob_id(b"<two/>\n"), later) == later
    assert repo.newest_commit_with("README", repo.blob_id(b"x")) == later
    assert repo.newest_commit_with(CIB, "f" * 40) is None


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3)), max_size=12
    )
)
def test_newest_commit_with_in_any_history(
    tmp_path_factory: pytest.TempPathFactory, shape: list[tuple[int, int, int]]
) -> None:
    """Merges of all kinds, against a search that looks at every commit."""
    folder = tmp_path_factory.mktemp("history")
    git(folder, "init", "-q", "--initial-branch=main")
    stream = []
    for number, (first, second, content) in enumerate(shape, 1):
        stream.append(
            f"commit refs/heads/main\nmark :{number}\n"
            f"committer C <c@d> {1_700_000_000 + number * 60} +0000\ndata 1\nx\n"
        )
        parents = sorted({max(1, number - 1 - first % 3), max(1, number - 1 - second)})
        if number > 1:
            stream.append(f"from :{parents[0]}\n")
            stream += [f"merge :{each}\n" for each in parents[1:]]
        data = f"<cib n='{content}'/>"
        if content == 3:
            stream.append(f"D {CIB}\n")
        elif number % 4:
            stream.append(f"M 100644 inline {CIB}\ndata {len(data)}\n{data}\n")
    git(folder, "fast-import", "--quiet", "--force", stdin="".join(stream).encode())
    repo = Repository.open(folder)
    order = git(folder, "log", "--date-order", "--format=%H", "--all").splitlines()
    lines = "".join(f"{each}:{CIB}\n" for each in order).encode()
    held = git(folder, "cat-file", "--batch-check=%(objectname)", stdin=lines)
    blobs = dict(zip(order, held.splitlines(), strict=True)) if order else {}
    for content in range(3):
        blob = repo.blob_id(f"<cib n='{content}'/>".encode())
        expected = next((each for each in order if blobs[each] == blob), None)
        assert repo.newest_commit_with(CIB, blob) == expected


def test_searches_are_quick_in_a_long_history(folder: Path) -> None:
    stream = []
    for number in range(1, 4001):
        data = f"<cib n='{number}'/>"
        path = CIB if number % 3 else "clusters/test/cib.xml"
        text = f"Export\n\nCIB-Version: 0.{number}.0\n" if number < 100 else "x\n"
        stream.append(
            f"commit refs/heads/main\ncommitter C <c@d> {1_700_000_000 + number} +0000\n"
            f"data {len(text)}\n{text}M 100644 inline {path}\ndata {len(data)}\n{data}\n"
        )
    git(folder, "fast-import", "--quiet", stdin="".join(stream).encode())
    repo = Repository.open(folder)
    start = time.monotonic()
    found = repo.newest_commit_with(CIB, repo.blob_id(b"<cib n='4'/>"))
    assert found == repo.resolve("HEAD~3996")  # 5 is the next to change the file
    assert repo.newest_commit_with_trailer(CIB) == repo.resolve("HEAD~3902")
    assert time.monotonic() - start < 2


def test_newest_commit_with_needs_one_call(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    wait = gitcall.wait
    monkeypatch.setattr(
        gitcall, "wait", lambda *args: calls.append(args) or wait(*args)
    )
    assert repo.newest_commit_with(CIB, repo.blob_id(b"<cib/>\n"))
    assert len(calls) == 1
    assert repo.newest_commit_with(CIB, "0" * 40) is None
    assert len(calls) == 3


def test_newest_commit_with_trailer(repo: Repository) -> None:
    made = repo.commit_file(CIB, b"<1/>", "one", trailers={"CIB-Version": "0.1.0"})
    commit(repo.root, CIB, b"<2/>", "mentions\n\nCIB-Version: 1 is what\nI mean\n\nend")
    commit(repo.root, "other", b"", "other file\n\nCIB-Version: 0.9.0")
    assert repo.newest_commit_with_trailer(CIB) == made
    assert repo.newest_commit_with_trailer(CIB, start=f"{made}~1") is None
    assert repo.newest_commit_with_trailer(CIB, "CIB-Digest") is None
    for number in range(20):
        commit(
            repo.root, CIB, b"%d" % number, "CIB-Version: in the body\n\nbut no trailer"
        )
    assert repo.newest_commit_with_trailer(CIB) == made


def test_short_subject_trailers_and_log(repo: Repository) -> None:
    when = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    made = repo.commit_file(
        CIB,
        b"<1/>",
        "Export prod 0.1.0\n\nÄ body.",
        author=Author("Jörg", "joerg@node1", when),
        trailers={"CIB-Version": "0.1.0", "CIB-Changed-By": "root via cibadmin"},
    )
    assert made.startswith(repo.short(made))
    assert len(repo.short("HEAD")) < 20
    assert repo.subject(made) == "Export prod 0.1.0"
    assert repo.trailers(made) == {
        "CIB-Version": "0.1.0",
        "CIB-Changed-By": "root via cibadmin",
    }
    assert repo.trailers("HEAD~1") == {}
    newest, first = repo.log(CIB)
    assert (newest.commit, newest.author) == (made, "Jörg")
    assert newest.when == when
    assert newest.when.tzinfo is UTC
    assert first.subject == "first"
    assert len(repo.log(CIB, 1)) == 1
    assert repo.log("absent") == []


def test_output_does_not_depend_on_what_people_configured(repo: Repository) -> None:
    made = repo.commit_file(CIB, b"<1/>", "Ä", trailers={"CIB-Version": "0.1.0"})
    for key, value in {
        "log.showSignature": "true",
        "log.showRoot": "false",
        "color.ui": "always",
        "trailer.separators": "=",
        "i18n.logOutputEncoding": "latin1",
        "status.short": "true",
        "status.showUntrackedFiles": "no",
        "format.pretty": "oneline",
        "log.diffMerges": "off",
        "core.quotePath": "true",
        "core.abbrev": "12",
    }.items():
        git(repo.root, "config", key, value)
    assert repo.trailers(made) == {"CIB-Version": "0.1.0"}
    assert repo.subject(made) == "Ä"
    first = repo.blob_id(b"<cib/>\n")
    assert repo.newest_commit_with(CIB, first) == repo.resolve("HEAD~1")
    assert repo.newest_commit_with_trailer(CIB) == made
    put(repo.root, "new.xml", b"")
    assert repo.is_dirty("new.xml")
    assert len(repo.short(made)) == 10


def test_is_ancestor_and_has_commit(repo: Repository) -> None:
    first = str(repo.head())
    second = commit(repo.root, CIB, b"2")
    assert repo.is_ancestor(first, second)
    assert repo.is_ancestor(second, second)
    assert not repo.is_ancestor(second, first)
    assert repo.has_commit(first)
    assert not repo.has_commit(first[:12])
    assert not repo.has_commit("f" * 40)
    assert not repo.has_commit(repo.blob_id(b"2"))


def test_is_dirty(repo: Repository) -> None:
    assert not repo.is_dirty(CIB)
    put(repo.root, "other", b"")
    assert not repo.is_dirty(CIB)
    file = put(repo.root, CIB, b"changed")
    assert repo.is_dirty(CIB)
    git(repo.root, "add", CIB)
    assert repo.is_dirty(CIB)
    file.write_bytes(b"<cib/>\n")
    assert repo.is_dirty(CIB)
    git(repo.root, "reset", "-q")
    assert not repo.is_dirty(CIB)
    file.unlink()
    assert repo.is_dirty(CIB)
    put(repo.root, ".gitignore", b"ignored\n")
    put(repo.root, "ignored", b"")
    assert repo.is_dirty("ignored")


# ---- commit_file


def test_commit_file(repo: Repository) -> None:
    parent = repo.head()
    file = repo.root / CIB
    file.chmod(0o600)
    made = repo.commit_file(CIB, b"<two/>\n", "Subject\n\nBody")
    assert made == repo.head()
    assert git(repo.root, "rev-parse", f"{made}~1") == parent
    assert file.read_bytes() == repo.read(made, CIB) == b"<two/>\n"
    assert file.stat().st_mode & 0o777 == 0o644
    assert git(repo.root, "log", "-1", "--format=%B") == "Subject\n\nBody\n"
    assert git(repo.root, "log", "-1", "--format=%an %cn") == "An Author A Committer"
    assert [path.name for path in file.parent.iterdir()] == ["cib.xml"]
    assert not repo.is_dirty(CIB)


def test_first_commit_and_new_files(folder: Path) -> None:
    repo = Repository.open(folder)
    put(folder, ".gitignore", b"clusters/\n")
    first = repo.commit_file(CIB, b"<cib/>\n", "first")
    assert git(folder, "log", "--format=%H") == first
    second = repo.commit_file("clusters/test/cib.xml", b"<t/>\n", "second")
    assert git(folder, "ls-tree", "-r", "--name-only", second).split() == [
        CIB,
        "clusters/test/cib.xml",
    ]
    assert git(folder, "status", "-s") == "?? .gitignore"


def test_detached_head(repo: Repository) -> None:
    git(repo.root, "checkout", "-q", "--detach")
    made = repo.commit_file(CIB, b"<two/>\n", "two")
    assert (repo.head(), repo.detached) == (made, True)
    assert git(repo.root, "rev-parse", "main~0") != made


def test_what_else_is_staged_or_changed_stays(repo: Repository) -> None:
    commit(repo.root, "a", b"1")
    commit(repo.root, "b", b"1")
    commit(repo.root, "gone", b"1")
    put(repo.root, "a", b"staged")
    put(repo.root, "new", b"staged")
    git(repo.root, "add", "a", "new")
    git(repo.root, "rm", "-q", "--cached", "gone")
    put(repo.root, "a", b"and changed")
    put(repo.root, "b", b"changed")
    before = git(repo.root, "status", "-s")
    made = repo.commit_file(CIB, b"<two/>\n", "two")
    assert git(repo.root, "show", "--format=", "--name-only", made) == CIB
    assert git(repo.root, "status", "-s") == before
    assert git(repo.root, "show", ":a") == "staged"
    repo.commit_file("clusters/test/cib.xml", b"<t/>\n", "a new file")
    assert git(repo.root, "status", "-s") == before


def test_a_file_that_was_staged_or_unstaged_by_hand(repo: Repository) -> None:
    put(repo.root, CIB, b"staged")
    git(repo.root, "add", CIB)
    put(repo.root, CIB, b"changed")
    assert repo.read(repo.commit_file(CIB, b"<two/>", "2"), CIB) == b"<two/>"
    git(repo.root, "rm", "-q", "--cached", CIB)
    assert repo.read(repo.commit_file(CIB, b"<three/>", "3"), CIB) == b"<three/>"
    put(repo.root, "new.xml", b"staged")
    git(repo.root, "add", "new.xml")
    assert (
        repo.read(repo.commit_file("new.xml", b"<four/>", "4"), "new.xml") == b"<four/>"
    )
    assert git(repo.root, "status", "-s") == ""


def test_nothing_to_commit_returns_head(repo: Repository) -> None:
    head = repo.head()
    hook(repo.root, "pre-commit", "exit 1")
    assert repo.commit_file(CIB, b"<cib/>\n", "again") == head
    put(repo.root, CIB, b"staged")
    git(repo.root, "add", CIB)
    assert repo.commit_file(CIB, b"<cib/>\n", "again") == head
    assert not repo.is_dirty(CIB)


def test_author_and_date(repo: Repository) -> None:
    when = datetime(
        2026, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=-5, minutes=-30))
    )
    author = Author("Jörg <x>\nY", "root@node1", when)
    for made in (
        repo.commit_file(CIB, b"<1/>", "x", author=author),
        repo.commit_tree_files("HEAD", {CIB: b"<2/>"}, "x", author=author),
    ):
        shown = git(repo.root, "log", "-1", "--format=%an|%ae|%aI|%cn", made)
        expected = "Jörg x Y|root@node1|2026-02-03T04:05:06-05:30|A Committer"
        assert shown == expected
    naive = datetime(2026, 2, 3, 4, 5, 6)
    made = repo.commit_file(CIB, b"<3/>", "x", author=Author(" .", "", naive))
    assert git(repo.root, "log", "-1", "--format=%an|%ae|%at", made) == (
        f"unknown||{int(naive.timestamp())}"
    )


def test_trailers_are_last_and_cannot_be_forged(repo: Repository) -> None:
    made = repo.commit_file(
        CIB,
        b"<1/>",
        "Subject\n\n# not a comment\n---\nBody: with colon\nand more",
        trailers={
            "CIB-Changed-By": "eve\nCIB-Digest: forged\r\n\0",
            "CIB-Digest": "real",
        },
    )
    assert repo.trailers(made) == {
        "CIB-Changed-By": "eve CIB-Digest: forged",
        "CIB-Digest": "real",
    }
    assert "# not a comment\n---" in git(repo.root, "log", "-1", "--format=%B", made)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one", "one\n\nA: b\n"),
        ("fix: vip", "fix: vip\n\nA: b\n"),
        ("one\n\nbody \n", "one\n\nbody\n\nA: b\n"),
        ("one\n\nSigned-off-by: me", "one\n\nSigned-off-by: me\nA: b\n"),
        ("one\n\nnote: this\nis a body", "one\n\nnote: this\nis a body\n\nA: b\n"),
    ],
)
def test_message(text: str, expected: str) -> None:
    assert message_bytes(text, {"A": "b", "Empty": ""}).decode() == expected
    assert message_bytes("one", {}) == b"one\n"


def test_messages_that_are_refused(repo: Repository) -> None:
    before = state(repo.root)
    for text in ("", " \n", "\0"):
        with pytest.raises(UsageError, match="message is empty"):
            repo.commit_file(CIB, b"<1/>", text)
    with pytest.raises(ValueError, match="trailer"):
        repo.commit_file(CIB, b"<1/>", "x", trailers={"a b": "c"})
    assert state(repo.root) == before


def test_messages_are_utf_8_whatever_is_configured(repo: Repository) -> None:
    git(repo.root, "config", "i18n.commitEncoding", "latin1")
    git(repo.root, "config", "commit.cleanup", "scissors")
    git(repo.root, "config", "commit.template", "/nonexistent")
    git(repo.root, "config", "commit.verbose", "true")
    made = repo.commit_file(CIB, b"<1/>", "Ünïcödé → ✓")
    assert repo.subject(made) == "Ünïcödé → ✓"
    recorded = repo.commit_tree_files(made, {CIB: b"<2/>"}, "Ü ✓")
    assert repo.subject(recorded) == "Ü ✓"


# ---- refusals


@pytest.mark.parametrize("name", ["pre-commit", "prepare-commit-msg", "commit-msg"])
@pytest.mark.parametrize("path", [CIB, "clusters/new/cib.xml"])
def test_a_hook_that_refuses(repo: Repository, name: str, path: str) -> None:
    commit(repo.root, "a", b"1")
    put(repo.root, "a", b"staged")
    git(repo.root, "add", "a")
    (repo.root / CIB).chmod(0o600)
    before = state(repo.root)
    script = (
        f"echo reformatted > {path}; echo; echo '\033[31mYAML is bad\033[0m'; exit 3"
    )
    hook(repo.root, name, script)
    with pytest.raises(
        RefusedError, match=r"git commit refused: YAML is bad$"
    ) as caught:
        repo.commit_file(path, b"<two/>\n", "two")
    assert caught.value.code == ExitCode.BAD_CONFIG
    assert state(repo.root) == before
    assert not (repo.root / "clusters/new").exists()


def test_a_hook_that_rewrites_and_refuses(repo: Repository) -> None:
    """The file may hold the bytes already, as after an edit by hand."""
    put(repo.root, CIB, b"<two/>\n")
    before = state(repo.root)
    hook(repo.root, "pre-commit", f"echo '<pretty/>' > {CIB}; exit 1")
    with pytest.raises(RefusedError):
        repo.commit_file(CIB, b"<two/>\n", "two")
    assert state(repo.root) == before


def test_a_first_commit_that_is_refused(folder: Path) -> None:
    put(folder, "staged", b"")
    git(folder, "add", "staged")
    before = state(folder)
    hook(folder, "pre-commit", "exit 1")
    with pytest.raises(RefusedError, match="nothing was said"):
        Repository.open(folder).commit_file(CIB, b"<1/>", "first")
    assert state(folder) == before
    assert not (folder / "clusters").exists()


def test_a_staged_new_file_survives_a_refusal(repo: Repository) -> None:
    put(repo.root, "new.xml", b"staged")
    git(repo.root, "add", "new.xml")
    put(repo.root, "new.xml", b"and changed")
    before = state(repo.root)
    hook(repo.root, "pre-commit", "exit 1")
    with pytest.raises(RefusedError):
        repo.commit_file("new.xml", b"<1/>", "x")
    assert state(repo.root) == before


def test_a_hook_that_says_a_lot(repo: Repository) -> None:
    hook(repo.root, "pre-commit", "for i in 1 2 3 4 5; do echo line $i; done; exit 1")
    with pytest.raises(RefusedError, match=r"line 1; line 2; line 3$"):
        repo.commit_file(CIB, b"<1/>", "x")


def test_a_hook_that_rewrites_the_file(repo: Repository) -> None:
    first = repo.head()
    hook(repo.root, "pre-commit", f"echo '<pretty/>' > {CIB}; git add {CIB}")
    with pytest.raises(
        RefusedError, match=r"hook changed clusters/prod/cib\.xml"
    ) as caught:
        repo.commit_file(CIB, b"<1/>", "x")
    made = str(repo.head())
    assert repo.short(made) in caught.value.message
    assert caught.value.hint.endswith("git reset --soft HEAD~1")
    assert repo.resolve("HEAD~1") == first


def test_a_rewritten_first_commit(folder: Path) -> None:
    hook(folder, "pre-commit", f"echo '<pretty/>' > {CIB}; git add {CIB}")
    with pytest.raises(RefusedError) as caught:
        Repository.open(folder).commit_file(CIB, b"<1/>", "x")
    assert caught.value.hint.endswith("git update-ref -d HEAD")


def test_hooks_see_the_usual_environment(repo: Repository, tmp_path: Path) -> None:
    hook(repo.root, "post-commit", f"env > {tmp_path}/env; exit 1")
    repo.commit_file(CIB, b"<1/>", "x")
    lines = (tmp_path / "env").read_text().splitlines()
    assert not [
        line for line in lines if line.startswith(("GIT_WORK_TREE", "GIT_LITERAL"))
    ]
    assert "LC_ALL=C.UTF-8" in lines


def test_a_hook_that_leaves_something_running(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(repo.root, "post-commit", "sleep 30 &")
    monkeypatch.setattr(gitcall, "GLANCE_SECONDS", 0.1)
    monkeypatch.setattr(gitcall, "LINGER_SECONDS", 0.1)
    start = time.monotonic()
    made = repo.commit_file(CIB, b"<1/>", "x")
    assert repo.head() == made
    assert time.monotonic() - start < 10


def test_a_hook_that_hangs(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    hook(repo.root, "pre-commit", "exec sleep 30")
    before = state(repo.root)
    monkeypatch.setattr(gitcall, "GLANCE_SECONDS", 0.1)
    monkeypatch.setattr(gitcall, "COMMIT_SECONDS", 0.3)
    with pytest.raises(TimedOutError, match="git commit took longer"):
        repo.commit_file(CIB, b"<1/>", "x")
    assert state(repo.root) == before
    assert not (repo.root / ".git/index.lock").exists()


def test_an_interruption_puts_everything_back(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(repo.root)
    monkeypatch.setattr(Repository, "_sign", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        repo.commit_file(CIB, b"<1/>", "x")
    assert state(repo.root) == before


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_an_interruption_after_the_commit_leaves_it(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = Repository._sign

    def late(self: Repository, *words: str, text: bytes, author: Author | None) -> None:
        sign(self, *words, text=text, author=author)
        raise KeyboardInterrupt

    monkeypatch.setattr(Repository, "_sign", late)
    with pytest.raises(KeyboardInterrupt):
        repo.commit_file(CIB, b"<1/>", "x")
    assert repo.read("HEAD", CIB) == b"<1/>"
    assert not repo.is_dirty(CIB)


def test_a_failure_after_the_commit_is_a_commit(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when git cannot write the index any more, or was stopped too late."""
    sign = Repository._sign

    def late(self: Repository, *words: str, text: bytes, author: Author | None) -> None:
        sign(self, *words, text=text, author=author)
        raise TimedOutError("late")

    monkeypatch.setattr(Repository, "_sign", late)
    assert repo.commit_file(CIB, b"<1/>", "x") == repo.head()


def test_nobody_can_tell_what_became_of_the_commit(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        monkeypatch.setattr("git.Git.GIT_PYTHON_GIT_EXECUTABLE", "/nonexistent/git")
        raise TimedOutError("late")

    monkeypatch.setattr(Repository, "_sign", fails)
    with pytest.raises(TimedOutError):
        repo.commit_file(CIB, b"<1/>", "x")
    assert (repo.root / CIB).read_bytes() == b"<cib/>\n"


def test_index_lock(repo: Repository) -> None:
    before = state(repo.root)
    lock = put(repo.root, ".git/index.lock", b"")
    with pytest.raises(BusyError, match=r"index\.lock") as caught:
        repo.commit_file(CIB, b"<1/>", "x")
    assert (caught.value.code, "remove" in caught.value.hint) == (ExitCode.BUSY, True)
    lock.unlink()
    assert state(repo.root) == before


def test_a_lock_that_comes_later(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gitcall, "refuse_unfinished", lambda *_: None)
    before = state(repo.root)
    lock = put(repo.root, ".git/index.lock", b"")
    with pytest.raises(BusyError, match="locked"):
        repo.commit_file(CIB, b"<1/>", "x")
    lock.unlink()
    assert state(repo.root) == before
    lock = put(repo.root, ".git/refs/heads/main.lock", b"")
    with pytest.raises(BusyError, match="locked"):
        repo.commit_file(CIB, b"<1/>", "x")
    lock.unlink()
    assert state(repo.root) == before


@pytest.mark.parametrize(
    ("what", "word"),
    [
        (("merge", "side"), "merge"),
        (("rebase", "side"), "rebase"),
        (("rebase", "--apply", "side"), "rebase"),
        (("cherry-pick", "side"), "cherry-pick"),
        (("revert", "HEAD~1"), "revert"),
    ],
)
def test_unfinished_business(
    repo: Repository, what: tuple[str, ...], word: str
) -> None:
    git(repo.root, "checkout", "-q", "-b", "side")
    commit(repo.root, CIB, b"<side/>\n")
    git(repo.root, "checkout", "-q", "main")
    commit(repo.root, CIB, b"<main/>\n")
    commit(repo.root, CIB, b"<newer/>\n")
    with pytest.raises(subprocess.CalledProcessError):
        git(repo.root, *what)
    before = state(repo.root)
    with pytest.raises(BusyError, match=f"a git {word} is in progress") as caught:
        repo.commit_file(CIB, b"<1/>", "x")
    assert f"git {word} --abort" in caught.value.hint
    assert state(repo.root) == before
    git(repo.root, word, "--abort")
    repo.commit_file(CIB, b"<1/>", "x")


def test_gits_own_refusal_during_a_merge(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gitcall, "refuse_unfinished", lambda *_: None)
    put(repo.root, ".git/MERGE_HEAD", f"{repo.head()}\n".encode())
    before = state(repo.root)
    with pytest.raises(BusyError, match="partial commit"):
        repo.commit_file(CIB, b"<1/>", "x")
    assert state(repo.root) == before


def test_symbolic_links_are_not_followed(repo: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    secret = put(outside, "cib.xml", b"outside")
    (repo.root / "clusters/link").symlink_to(outside)
    (repo.root / "clusters/prod/link.xml").symlink_to(secret)
    for path in ("clusters/link/cib.xml", "clusters/prod/link.xml"):
        with pytest.raises(BadConfigError, match="symbolic link"):
            repo.commit_file(path, b"<1/>", "x")
    assert secret.read_bytes() == b"outside"


def test_a_folder_in_the_way(repo: Repository) -> None:
    before = state(repo.root)
    for path in ("clusters/prod", f"{CIB}/cib.xml"):
        with pytest.raises(PermissionDeniedError):
            repo.commit_file(path, b"<1/>", "x")
    assert state(repo.root) == before


def test_folders_without_permission(repo: Repository) -> None:
    folder = repo.root / "clusters/prod"
    folder.chmod(0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(PermissionDeniedError, match="Permission denied"):
        repo.commit_file(CIB, b"<1/>", "x")
    folder.chmod(0)
    with pytest.raises(PermissionDeniedError, match="Permission denied"):
        repo.commit_file(CIB, b"<1/>", "x")
    with pytest.raises(PermissionDeniedError, match="Permission denied"):
        Repository.open(folder)
    folder.chmod(0o755)
    (repo.root / ".git/objects").chmod(0o555)
    with pytest.raises(PermissionDeniedError, match="permission"):
        repo.commit_file(CIB, b"<1/>", "x")
    (repo.root / ".git/objects").chmod(0o755)


def test_a_sparse_checkout_that_leaves_the_file_out(repo: Repository) -> None:
    commit(repo.root, "docs/x", b"")
    git(repo.root, "sparse-checkout", "set", "docs")
    made = repo.commit_file(CIB, b"<1/>", "x")
    assert repo.read(made, CIB) == b"<1/>"
    assert not repo.is_dirty(CIB)


# ---- bytes


def test_bytes_are_kept_whatever_git_is_told(repo: Repository) -> None:
    commit(repo.root, ".gitattributes", b"clusters/*/cib.xml -text\n")
    git(repo.root, "config", "core.autocrlf", "true")
    git(repo.root, "config", "core.safecrlf", "true")
    for data in (b"<1/>\n", b"<2/>\r\n<b/>\n"):
        made = repo.commit_file(CIB, data, "x")
        assert repo.read(made, CIB) == (repo.root / CIB).read_bytes() == data
        assert not repo.is_dirty(CIB)


@pytest.mark.parametrize(
    ("attribute", "data"),
    [("text", b"<1/>\r\n"), ("ident", b"$Id: 1 $"), ("filter=lfs", b"<1/>")],
)
def test_a_filter_is_found_before_anything_is_written(
    repo: Repository, attribute: str, data: bytes
) -> None:
    git(repo.root, "config", "filter.lfs.clean", "rev")
    put(repo.root, ".gitattributes", f"*.xml {attribute}\n".encode())
    before = state(repo.root)
    with pytest.raises(BadConfigError, match="filter or an attribute") as caught:
        repo.commit_file(CIB, data, "x")
    assert ".gitattributes" in caught.value.hint
    assert state(repo.root) == before
    off = f"{CIB} -text -filter -ident -working-tree-encoding\n"
    put(repo.root, ".gitattributes", f"*.xml {attribute}\n{off}".encode())
    assert repo.read(repo.commit_file(CIB, data, "x"), CIB) == data
    recorded = repo.commit_tree_files("HEAD", {CIB: data + b"2"}, "x")
    assert repo.read(recorded, CIB) == data + b"2"


# ---- who commits


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("author", [None, Author("Root", "root@node1")])
def test_nobody_is_configured(
    repo: Repository, monkeypatch: pytest.MonkeyPatch, author: Author | None
) -> None:
    monkeypatch.setattr("cibgit.commit.socket.gethostname", lambda: "node1")
    git(repo.root, "config", "user.useConfigOnly", "false")
    for made in (
        repo.commit_file(CIB, b"<1/>", "x", author=author),
        repo.commit_tree_files("HEAD", {CIB: b"<2/>"}, "x", author=author),
    ):
        name, email = git(repo.root, "log", "-1", "--format=%cn|%ce", made).split("|")
        assert name
        assert "@" in email
        by = git(repo.root, "log", "-1", "--format=%an", made)
        assert by == ("Root" if author else name)


@pytest.mark.usefixtures("nobody")
def test_what_is_configured_is_kept(repo: Repository) -> None:
    git(repo.root, "config", "user.name", "Someone")
    repo.commit_file(CIB, b"<1/>", "x")
    assert git(repo.root, "log", "-1", "--format=%an %cn") == "Someone Someone"


def test_the_stand_in(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git refuses an empty name, as of a user without one in the password file."""
    monkeypatch.setattr("cibgit.commit.socket.gethostname", lambda: "node1")
    monkeypatch.setattr("cibgit.commit.pwd.getpwuid", lambda _: {}["unknown"])
    for name in IDENTITY:
        monkeypatch.delenv(name)
    fake = put(repo.root, ".git/nobody/git", b"")
    real = shutil.which("git")
    fake.write_text(
        f"""#!/bin/sh
case "$*" in *user.email=*) exec {real} "$@" ;; esac
exec {real} -c user.useConfigOnly=true "$@" 2> >(sed s/auto-detection/x/ >&2)
""".replace("#!/bin/sh", f"#!{shutil.which('bash')}")
    )
    fake.chmod(0o755)
    monkeypatch.setattr("git.Git.GIT_PYTHON_GIT_EXECUTABLE", str(fake))
    repo.commit_file(CIB, b"<1/>", "x")
    uid = f"uid{os.geteuid()}"
    assert (
        git(repo.root, "log", "-1", "--format=%cn %ce %an")
        == f"{uid} {uid}@node1 {uid}"
    )


@pytest.mark.usefixtures("nobody")
def test_use_config_only(repo: Repository) -> None:
    git(repo.root, "config", "user.useConfigOnly", "true")
    before = state(repo.root)
    with pytest.raises(BadConfigError, match="does not know who you are") as caught:
        repo.commit_file(CIB, b"<1/>", "x")
    assert caught.value.hint.count("git config --global user.") == 2
    assert state(repo.root) == before
    with pytest.raises(BadConfigError):
        repo.commit_tree_files("HEAD", {CIB: b"<1/>"}, "x", author=Author("A", "a@b"))
    git(repo.root, "config", "user.name", "Someone")
    git(repo.root, "config", "user.email", "some@one")
    assert repo.commit_file(CIB, b"<1/>", "x") == repo.head()


# ---- signing


@pytest.fixture
def signing(repo: Repository, tmp_path: Path) -> Path:
    key = tmp_path / "key"
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True
    )
    git(repo.root, "config", "gpg.format", "ssh")
    git(repo.root, "config", "commit.gpgSign", "true")
    git(repo.root, "config", "user.signingKey", str(key))
    return key


def test_commits_are_signed(repo: Repository, signing: Path) -> None:
    made = repo.commit_file(CIB, b"<1/>", "x", trailers={"CIB-Version": "0.1.0"})
    public = signing.with_suffix(".pub").read_text()
    allowed = put(repo.root, ".git/allowed", f"* {public}".encode())
    git(repo.root, "config", "gpg.ssh.allowedSignersFile", str(allowed))
    assert git(repo.root, "log", "-1", "--format=%G?", made) == "G"
    assert repo.trailers(made) == {"CIB-Version": "0.1.0"}


def test_signing_that_fails(repo: Repository, signing: Path) -> None:
    signing.unlink()
    before = state(repo.root)
    with pytest.raises(RefusedError, match=r"git commit refused: .*key") as caught:
        repo.commit_file(CIB, b"<1/>", "x")
    assert caught.value.code == ExitCode.BAD_CONFIG
    assert state(repo.root) == before


# ---- refs and commits beside the branch


def test_refs(repo: Repository) -> None:
    name = "refs/cibgit/prod/live"
    assert repo.get_ref(name) is None
    head = str(repo.head())
    repo.set_ref(name, head, "export:\nunchanged")
    assert repo.get_ref(name) == head
    assert git(repo.root, "reflog", "show", "--format=%gs", name) == "export: unchanged"
    for bad in ("refs/heads/x", "HEAD", "refs/cibgit/a b", "refs/cibgit/a..b"):
        with pytest.raises(BadConfigError):
            repo.set_ref(bad, head, "x")
    with pytest.raises(NoInputError):
        repo.set_ref(name, "f" * 40, "x")
    with pytest.raises(RefusedError, match="cannot"):
        repo.set_ref(f"{name}/below", head, "x")
    lock = put(repo.root, f".git/{name}.lock", b"")
    with pytest.raises(BusyError):
        repo.set_ref(name, repo.commit_tree_files(head, {CIB: b""}, "x"), "x")
    lock.unlink()


@pytest.mark.usefixtures("nobody")
def test_refs_need_no_identity(repo: Repository) -> None:
    git(repo.root, "config", "user.useConfigOnly", "true")
    repo.set_ref("refs/cibgit/prod/live", "HEAD", "x")


def test_commit_tree_files(repo: Repository) -> None:
    commit(repo.root, "other", b"kept")
    head = str(repo.head())
    put(repo.root, "other", b"staged")
    git(repo.root, "add", "other")
    put(repo.root, ".git/index.lock", b"")
    put(repo.root, ".git/MERGE_HEAD", f"{head}\n".encode())
    hook(repo.root, "pre-commit", "exit 1")
    git(repo.root, "config", "core.splitIndex", "true")
    before = sorted(path for path in (repo.root / ".git").iterdir())
    made = repo.commit_tree_files(
        head, {CIB: b"<live/>\n"}, "Live\n\nb", trailers={"CIB-Version": "0.2.0"}
    )
    assert sorted(path for path in (repo.root / ".git").iterdir()) == before
    assert repo.head() == head
    assert (repo.root / CIB).read_bytes() == b"<cib/>\n"
    assert repo.read(made, CIB) == b"<live/>\n"
    assert repo.read(made, "other") == b"kept"
    assert repo.resolve(f"{made}~1") == head
    assert repo.trailers(made) == {"CIB-Version": "0.2.0"}
    alone = repo.commit_tree_files(None, {CIB: b"<live/>\n"}, "Live")
    assert git(repo.root, "ls-tree", "-r", "--name-only", alone) == CIB
    assert git(repo.root, "log", "--format=%H", alone) == alone
    with pytest.raises(NoInputError):
        repo.commit_tree_files("nope", {CIB: b""}, "x")


# ---- the process


def test_git_that_cannot_be_started(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("git.Git.GIT_PYTHON_GIT_EXECUTABLE", "/nonexistent/git")
    with pytest.raises(CibgitError, match="git") as caught:
        repo.head()
    assert caught.value.code == ExitCode.UNREACHABLE
    with pytest.raises(CibgitError) as caught:
        Repository.create(repo.root.parent / "new")
    assert caught.value.code == ExitCode.UNREACHABLE


def test_a_git_that_is_too_old(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = put(repo.root, ".git/old", b"#!/bin/sh\necho --path-format=absolute\n")
    old.chmod(0o755)
    monkeypatch.setattr("git.Git.GIT_PYTHON_GIT_EXECUTABLE", str(old))
    with pytest.raises(BadConfigError, match="too old"):
        Repository.open(repo.root)


def test_a_git_that_ignores_being_stopped(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = put(repo.root, ".git/deaf", b"#!/bin/sh\ntrap '' TERM\nsleep 3\n")
    deaf.chmod(0o755)
    monkeypatch.setattr("git.Git.GIT_PYTHON_GIT_EXECUTABLE", str(deaf))
    for name in ("GLANCE_SECONDS", "READ_SECONDS", "STOP_SECONDS"):
        monkeypatch.setattr(gitcall, name, 0.2)
    with pytest.raises(TimedOutError):
        repo.head()


def test_a_repository_that_is_gone(repo: Repository) -> None:
    shutil.rmtree(repo.root)
    with pytest.raises(CibgitError, match="No such file"):
        repo.head()


def test_the_current_folder_does_not_matter(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(repo.root / "clusters")
    assert (
        Repository.open(Path()).root == Repository.open(Path("prod")).root == repo.root
    )
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert repo.read("HEAD", CIB) == b"<cib/>\n"
    assert repo.commit_file(CIB, b"<two/>", "two") == repo.head()


def test_a_large_file(repo: Repository) -> None:
    data = b"<primitive/>\n" * 400_000
    made = repo.commit_file(CIB, data, "large")
    assert repo.read(made, CIB) == data
    assert (
        repo.read(repo.commit_tree_files(made, {CIB: data * 2}, "x"), CIB) == data * 2
    )


def test_reading_is_bounded(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = put(repo.root, ".git/slow", b"#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setattr("git.Git.GIT_PYTHON_GIT_EXECUTABLE", str(slow))
    monkeypatch.setattr(gitcall, "GLANCE_SECONDS", 0.1)
    monkeypatch.setattr(gitcall, "READ_SECONDS", 0.2)
    with pytest.raises(
        TimedOutError, match=r"git cat-file took longer than 0\.2 seconds"
    ):
        repo.head()
