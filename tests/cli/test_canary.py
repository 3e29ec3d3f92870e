"""A canary: unusual secrets, and every way in which a run can print or leave something."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from cibgit.age import Age
from cibgit.cli.app import run

from ..flow.embedded import CIB, Embedded

SECRETS = (
    *(
        "c4nary \"quoted\" 'twice'",
        "c4nary<&>]]>",
        "c4nary päß wörd",
        "c4nary$(id)`id`",
    ),
    *("--c4nary=option", "c4nary%s{}{0}", r"c4nary\n\x00\u0041", "c4nary,;:#! |*?"),
)
NEW = "c4nary-changed"
TEXT = "vers=3,username=u,password=c4nary, with a comma"


def primitives() -> str:
    found = "".join(
        f'<primitive id="p{number}" class="stonith" type="fence_ipmilan">'
        f'<instance_attributes id="p{number}-params"><nvpair id="p{number}-passwd"'
        f' name="passwd" value={quoteattr(value)}/></instance_attributes></primitive>'
        for number, value in enumerate(SECRETS)
    )
    return found + (
        '<primitive id="fs" class="ocf" provider="heartbeat" type="Filesystem">'
        '<instance_attributes id="fs-params"><!-- was password=c4nary once -->'
        f'<nvpair id="fs-options" name="options" value="{TEXT}"/>'
        "</instance_attributes></primitive></resources>"
    )


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Embedded:
    folder = tmp_path_factory.mktemp("canary")
    return Embedded.create(folder, CIB.replace("</resources>", primitives()))


@contextmanager
def watched_processes() -> Iterator[set[str]]:
    """Collect the command lines of all processes, again and again."""
    seen: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(process.read_bytes().decode(errors="replace"))
                except OSError:
                    continue

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def answers(embedded: Embedded, *arguments: str, stdin: bytes = b"") -> tuple[int, str]:
    """Run a command in this process: what it starts is seen, and it takes no second."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIBGIT_IDENTITY", str(embedded.identity))
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        patch.chdir(embedded.root)
        with redirect_stdout(out), redirect_stderr(out):
            code = run(list(arguments))
    return code, out.getvalue()


def quiet(embedded: Embedded, *arguments: str, expect: int, stdin: bytes = b"") -> None:
    """Run a command, and again with ``--json``; neither says a word of a secret."""
    for more in ([], ["--json"]):
        code, said = answers(embedded, *arguments, *more, stdin=stdin)
        assert code == expect, said
        assert "c4nary" not in said, arguments
        assert "Traceback" not in said


def test_no_way_of_a_run_shows_a_secret(embedded: Embedded) -> None:
    Age([], embedded.identity, chosen=False).recipients()
    raw = embedded.root.parent / "raw.xml"
    raw.write_text((embedded.node / "cib.xml").read_text())
    raw.chmod(0o600)
    with watched_processes() as seen:
        quiet(embedded, "export", expect=0)
        assert "c4nary" not in embedded.file.read_text()
        quiet(embedded, "status", expect=0)
        quiet(embedded, "diff", expect=0)
        quiet(embedded, "diff", str(raw), "live", expect=0)
        quiet(embedded, "diff", str(raw), str(embedded.file), expect=0)
        quiet(embedded, "secret", "list", expect=0)
        quiet(embedded, "secret", "recipients", expect=0)
        quiet(embedded, "fmt", "--check", expect=0)
        quiet(embedded, "push", "--yes", expect=0)
        failures(embedded, raw)
        changes(embedded, raw)
    assert not [line for line in seen if "c4nary" in line]
    assert any("secrets.age" in line for line in seen)
    assert leftovers(embedded) == []


def failures(embedded: Embedded, raw: Path) -> None:
    """What a user, a file, a key or a cluster can cause."""
    good = embedded.file.read_text()
    for broken in (
        raw.read_text().replace("</resources>", ""),
        raw.read_text().replace('id="p1"', 'id="p0"'),
        raw.read_text().replace("<primitive ", "<primitiv "),
        raw.read_text().replace("<resources>", "<resources>c4nary"),
        raw.read_text().replace('name="passwd"', 'name="passwd" name="passwd"'),
    ):
        embedded.file.write_text(broken)
        quiet(embedded, "push", "-m", "x", "--yes", expect=65)
        quiet(embedded, "diff", expect=65)
        embedded.git("checkout", "-q", ".")
    assert embedded.file.read_text().count("secret:v1:") == good.count("secret:v1:")
    other = embedded.root.parent / "other.txt"
    if not other.exists():
        Age([], other, chosen=False).recipients()
    quiet(embedded, "--identity", str(other), "export", expect=77)
    code, said = answers(
        embedded, "--identity", str(other), "secret", "show", "p0/passwd"
    )
    assert (code, "none of your keys" in said) == (77, True)
    quiet(embedded, "--identity", str(other), "status", expect=0)
    quiet(embedded, "--identity", "/nonexistent", "export", expect=66)


def changes(embedded: Embedded, raw: Path) -> None:
    """Drift, adopting it, going back, and commands that are told a value."""
    embedded.change_live("p0-passwd@value", NEW)
    quiet(embedded, "status", expect=1)
    quiet(embedded, "diff", expect=1)
    quiet(embedded, "diff", str(raw), "live", expect=1)
    embedded.edit('score="100"', 'score="300"')
    quiet(embedded, "push", "-m", "x", "--yes", expect=103)
    embedded.git("checkout", "-q", ".")
    quiet(embedded, "export", expect=0)
    earlier = embedded.git("rev-parse", "HEAD~1").strip()
    quiet(embedded, "rollback", earlier, "--dry-run", expect=0)
    quiet(embedded, "rollback", earlier, "--yes", expect=0)
    assert SECRETS[2] in embedded.live_text()
    assert NEW not in embedded.live_text()
    for value in (b"c4nary\nbroken", b"c4nary\x01", b"c4nary\xff"):
        quiet(embedded, "secret", "set", "p0/passwd", expect=65, stdin=value)
    quiet(embedded, "secret", "set", "p0/passwd", expect=0, stdin=NEW.encode() + b"\n")
    quiet(embedded, "push", "--yes", expect=0)
    assert NEW in embedded.live_text()
    quiet(embedded, "secret", "rotate", expect=0)
    quiet(embedded, "status", expect=0)
    code, said = answers(embedded, "secret", "show", "p1/passwd")
    assert (code, said) == (0, SECRETS[1] + "\n")


def leftovers(embedded: Embedded) -> list[str]:
    """Return the files that hold a secret and are not the cluster's own."""
    own = (embedded.node, embedded.root.parent / "raw.xml")
    found = []
    for path in embedded.root.parent.rglob("*"):
        if not path.is_file() or any(path.is_relative_to(each) for each in own):
            continue
        if b"c4nary" in path.read_bytes():
            found.append(str(path))
    stored = subprocess.run(
        ["git", "cat-file", "--batch", "--batch-all-objects"],
        cwd=embedded.root,
        check=True,
        capture_output=True,
    ).stdout
    # hooks and refs too: whatever git keeps outside of its objects was looked at above
    return [*found, *(["git's objects"] if b"c4nary" in stored else [])]


TOOL = """\
#!{python}
import sys
from pathlib import Path
cib = Path({cib!r}).read_text()
match sys.argv[1:]:
    case ["--version"]: print("Pacemaker 2.1.5")
    case ["--query", *_]: print(cib)
    case ["--quorum"]: print(1)
    case ["--patch", *_]:
        print(cib)
        print("rejected: " + sys.stdin.read() + cib, file=sys.stderr)
        sys.exit({code})
"""


@pytest.mark.parametrize("code", [1, 65, 70, 78, 124])
def test_what_a_tool_echoes(
    tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool made up for it: the real one echoes only what no check of ours lets pass."""
    embedded = Embedded.create(tmp_path, CIB.replace("</resources>", primitives()))
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("cibadmin", "crm_node"):
        text = TOOL.format(
            python=sys.executable, cib=str(embedded.node / "cib.xml"), code=code
        )
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    config = embedded.root / "cibgit.toml"
    config.write_text(config.read_text().replace(f"dir:{embedded.node}", "local:"))
    embedded.git("commit", "-qam", "as if it were live")
    monkeypatch.setattr("cibgit.flow.push.RECOVERY_SECONDS", 0.5)
    Age([], embedded.identity, chosen=False).recipients()
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    assert answers(embedded, "export")[0] == 0
    exported = embedded.git("rev-parse", "HEAD").strip()
    embedded.edit('score="100"', 'score="200"')
    for more in ([], ["--json"]):
        exit_code, said = answers(embedded, "push", "-m", "x", "--yes", *more)
        assert exit_code not in (0, 70), said
        assert "c4nary" not in said
        embedded.git("reset", "-q", "--hard", exported)
        embedded.edit('score="100"', 'score="200"')


@pytest.mark.parametrize("traceback", ["", "1"])
def test_a_bug_does_not_show_it_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, traceback: str
) -> None:
    embedded = Embedded.create(tmp_path, CIB.replace("</resources>", primitives()))
    monkeypatch.setenv("CIBGIT_TRACEBACK", traceback)
    Age([], embedded.identity, chosen=False).recipients()

    def crash(*_: object) -> None:
        raise KeyError(*SECRETS, repr(SECRETS), json.dumps(SECRETS), TEXT)

    monkeypatch.setattr("cibgit.flow.export.compare", crash)
    code, said = answers(embedded, "export")
    assert code == 70
    assert "this is a bug in cibgit: KeyError" in said
    assert ("Traceback" in said) == bool(traceback)
    assert "c4nary" not in said
