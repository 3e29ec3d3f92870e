"""Import: a known sequence of states must come out, commit by commit, byte for byte."""

import bz2
import gzip
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cibgit.cib.canonical import compact
from cibgit.cib.document import parse
from cibgit.errors import BusyError, NoInputError, UnsafeError, UsageError
from cibgit.flow.export import export
from cibgit.flow.import_ import Imported, import_
from cibgit.gitcall import RefusedError
from cibgit.policy.finding import Severity

from .. import generate
from .embedded import CIB, Embedded
from .node import START, Node, forms, stamped, states

PATH = "clusters/prod/cib.xml"
VIP = CIB.encode()


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "old")


def edited(number: int, **more: str) -> bytes:
    return stamped(VIP.replace(b"30s", b"%ds" % number), number, **more)


def run(
    embedded: Embedded, *paths: Path, branch: str | None = None, dry: bool = False
) -> Imported:
    return import_(embedded.site(), paths, branch=branch, dry_run=dry)


def _ctime(seconds: int) -> str:
    try:
        return time.ctime(seconds)
    except (OverflowError, ValueError):
        return "Mon Jan  1 00:00:00 10000"


def history(embedded: Embedded, branch: str = "HEAD") -> list[bytes]:
    """Return the file of each commit that changed it, oldest first."""
    commits = embedded.git(
        "log", "--reverse", "--format=%H", branch, "--", PATH
    ).split()
    read = embedded.site().repository.read
    return [read(commit, PATH) for commit in commits]


def rules(done: Imported) -> list[str]:
    return sorted(
        {each.rule for each in done.findings} - {"secrets", "several-clusters"}
    )


def everything(embedded: Embedded) -> str:
    """Return what must stay the same when nothing may change."""
    refs = embedded.git("for-each-ref")
    return (
        refs + embedded.git("status", "--porcelain") + embedded.git("rev-parse", "HEAD")
    )


def test_backups_become_the_sequence_of_states(embedded: Embedded, node: Node) -> None:
    """More writes than there are slots: the counter wraps around, the oldest are gone."""
    node.last = 60
    written = states(130)
    for data in written:
        node.write(data)
    done = run(embedded, node.cib)
    assert node.last == (60 + 129) % 100
    assert rules(done) == []
    assert done.files == 101
    assert history(embedded) == forms(written[29:], embedded.site())
    assert embedded.file.read_bytes() == forms(written, embedded.site())[-1]
    assert embedded.git("status", "--porcelain") == ""


def test_the_order_is_that_of_the_slots_where_counters_do_not_say(
    embedded: Embedded, node: Node
) -> None:
    """Edited by hand, twice, without a new version."""
    node.last = 98
    for number in (10, 20, 30, 40):
        node.write(stamped(VIP.replace(b"30s", b"%ds" % number), 7))
    done = run(embedded, node.cib)
    assert [past.source[-10:] for past in done.states] == [
        "cib-98.raw", "cib-99.raw", "/cib-0.raw", "ib/cib.xml"
    ]  # fmt: skip
    assert rules(done) == ["one-epoch-twice"]


def test_author_date_and_trailers(embedded: Embedded, node: Node) -> None:
    node.write(edited(10))
    node.write(edited(20))
    done = run(embedded, node.cib)
    site = embedded.site()
    assert done.commit == site.repository.head()
    assert embedded.git("log", "-1", "--format=%an <%ae> %at %s").strip() == (
        f"root <root@node1> {START + 20 * 60} Import prod 0.20.0"
    )
    trailers = site.repository.trailers("HEAD~1")
    assert trailers.pop("CIB-Digest")
    assert trailers.pop("CIB-Signature").startswith("verified, v1")
    assert trailers == {
        "CIB-Version": "0.10.0",
        "CIB-Changed-By": "root via crmsh on node1",
        "CIB-Changed-At": time.ctime(START + 600),
        "CIB-Source": str(node.cib / "cib-0.raw"),
    }


def test_signatures_are_told(embedded: Embedded, node: Node) -> None:
    node.write(edited(10, description="the 'old' one"))
    node.write(edited(20), signed=False)
    node.write(edited(30))
    (node.cib / "cib.xml.sig").write_text("0" * 32)
    done = run(embedded, node.cib)
    quoted, *others = [past.signature for past in done.states]
    assert re.fullmatch(r"verified, v1 \(.*2\.1\.3 to 2\.1\.7\)", quoted)
    assert others == ["none", "does not match"]
    [finding] = [each for each in done.findings if each.rule == "digest-mismatch"]
    assert finding.element == str(node.cib / "cib.xml")


def test_scheduler_inputs_fill_the_gaps_and_status_stays_out(
    embedded: Embedded, node: Node
) -> None:
    written = states(12, status=True)
    for number, data in enumerate(written):
        for updates in ("1", "2"):
            kind = "pe-warn" if number % 3 else "pe-input"
            root = data.replace(
                b'num_updates="0"', b'num_updates="%s"' % updates.encode()
            )
            node.schedule(root, kind, limit=5)
        if number % 4 == 0:
            node.write(data)
    done = run(embedded, node.cib, node.pengine)
    kept = [
        data for number, data in enumerate(written)
        if number % 4 == 0 or any(
            parse(_unpacked(file), "").version.epoch == number + 1
            for file in node.pengine.glob("*.bz2")
        )
    ]  # fmt: skip
    assert len(kept) < len(written)
    assert history(embedded) == forms(kept, embedded.site())
    assert b"<status" not in b"".join(history(embedded))
    assert done.files == 10 + 3


def _unpacked(file: Path) -> bytes:
    return bz2.decompress(file.read_bytes())


def test_a_restored_cluster_begins_anew(embedded: Embedded, node: Node) -> None:
    written = [edited(number) for number in (10, 20, 30)]
    restored = written[0]
    again = [edited(11, **{"cib-last-written": time.ctime(START + 9000)})]
    for data in [*written, restored, *again]:
        node.write(data)
        node.schedule(data)
    done = run(embedded, node.root)
    assert history(embedded) == forms([*written, restored, *again], embedded.site())
    assert rules(done) == ["began-anew"]
    assert run(embedded, node.root).states == []


def test_twice_changes_nothing(embedded: Embedded, node: Node) -> None:
    for data in states(8):
        node.write(data)
        node.schedule(data)
    assert run(embedded, node.root).commit
    before = everything(embedded)
    objects = embedded.git("count-objects", "-v")
    done = run(embedded, node.root)
    assert (done.states, done.commit, rules(done)) == ([], None, [])
    assert everything(embedded) == before
    assert embedded.git("count-objects", "-v") == objects


def test_later_only_what_is_new_is_added(embedded: Embedded, node: Node) -> None:
    written = states(9)
    for data in written[:5]:
        node.write(data)
    run(embedded, node.cib)
    for data in written[5:]:
        node.write(data)
    done = run(embedded, node.cib)
    assert len(done.states) == len(forms(written)) - len(forms(written[:5]))
    assert history(embedded) == forms(written, embedded.site())


def test_what_is_older_is_left_out_and_told(embedded: Embedded, node: Node) -> None:
    node.write(edited(20))
    run(embedded, node.cib)
    node.schedule(edited(10))
    node.schedule(edited(30))
    done = run(embedded, node.root)
    assert [past.version.epoch for past in done.states] == [30]
    [finding] = [each for each in done.findings if each.rule == "older"]
    assert "1 configuration (0.10.0 to 0.10.0)" in finding.sentence
    whole = run(embedded, node.root, branch="whole")
    assert [past.version.epoch for past in whole.states] == [10, 20, 30]


def test_a_line_is_blamed_on_who_changed_it(embedded: Embedded, node: Node) -> None:
    node.write(edited(10))
    node.write(edited(20, **{"update-user": "anna", "update-origin": "node2"}))
    other = edited(21).replace(b"21s", b"20s").replace(b'score="100"', b'score="7"')
    node.write(other)
    run(embedded, node.cib)
    blame = embedded.git("blame", "--line-porcelain", PATH)
    records = blame.split("\n\t")
    assert len(records) > 5
    for text, who, version in (
        ('interval="20s"', "anna", "0.20.0"),
        ('score="7"', "root", "0.21.0"),
        ("<resources>", "root", "0.10.0"),
    ):
        [index] = [
            i for i, record in enumerate(records) if text in record.split("\n")[0]
        ]
        head = records[index - 1]
        assert f"author {who}\n" in head
        assert f"summary Import prod {version}\n" in head


# Which branch


def test_a_branch_with_exports_is_left_alone(embedded: Embedded, node: Node) -> None:
    exported = export(embedded.site()).commit
    before = everything(embedded)
    node.write(edited(3))
    node.write(edited(4))
    done = run(embedded, node.cib)
    assert done.target.branch == "import/prod"
    assert "has history of prod already" in done.target.reason
    assert embedded.site().repository.head() == exported
    assert [
        line for line in before.splitlines() if line not in everything(embedded)
    ] == []
    assert history(embedded, "import/prod") == forms([edited(3), edited(4)])
    assert run(embedded, node.cib).states == []
    node.write(edited(5))
    assert len(run(embedded, node.cib).states) == 1


def test_both_can_be_read_as_one_afterwards(embedded: Embedded, node: Node) -> None:
    """What docs/import.md tells."""
    first = export(embedded.site()).commit
    node.write(edited(3))
    node.write(edited(4))
    run(embedded, node.cib)
    parents = embedded.git("log", "-1", "--format=%P", first).split()
    embedded.git("replace", "--graft", first, *parents, "import/prod")
    subjects = embedded.git("log", "--format=%s", "--", PATH)
    assert subjects.splitlines() == [
        "Export prod 0.5.0", "Import prod 0.4.0", "Import prod 0.3.0"
    ]  # fmt: skip
    blamed = embedded.git("blame", "--line-porcelain", PATH)
    assert "summary Import prod 0.3.0" in blamed


def test_an_export_goes_on_where_an_import_ended(
    embedded: Embedded, node: Node
) -> None:
    node.write(edited(3))
    node.write(stamped(VIP, 4))
    run(embedded, node.cib)
    site = embedded.site()
    assert export(site).outcome == "unchanged"
    embedded.change_live("vip-monitor@interval", "11s")
    assert export(embedded.site()).outcome == "committed"
    node.write(edited(50))
    done = run(embedded, node.cib)
    assert (done.states, rules(done)) == ([], ["newer"])
    assert done.target.branch != "import/prod"


def test_before_the_first_commit(tmp_path: Path, node: Node) -> None:
    root = tmp_path / "empty"
    embedded = Embedded.create(tmp_path / "other")
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    node.write(edited(3))
    site = embedded.site(root)
    done = import_(site, [node.cib])
    assert done.commit == site.repository.head()
    assert (root / PATH).read_bytes() == forms([edited(3)])[0]


def test_a_detached_head_is_not_moved(embedded: Embedded, node: Node) -> None:
    embedded.git("checkout", "--quiet", "--detach")
    before = embedded.git("rev-parse", "HEAD")
    node.write(edited(3))
    done = run(embedded, node.cib)
    assert (done.target.branch, done.target.reason) == (
        "import/prod",
        "HEAD is detached",
    )
    assert embedded.git("rev-parse", "HEAD") == before


@pytest.mark.parametrize("branch", ["-x", "a b", "a..b", "", "x.lock", "@{-1}", "a\nb"])
def test_no_branch_with_such_a_name(
    embedded: Embedded, node: Node, branch: str
) -> None:
    node.write(edited(3))
    before = everything(embedded)
    with pytest.raises((UsageError, RefusedError)):
        run(embedded, node.cib, branch=branch)
    assert everything(embedded) == before


def test_other_files_and_edits_of_them_are_kept(embedded: Embedded, node: Node) -> None:
    (embedded.root / "cibgit.toml").write_text("edited")
    (embedded.root / "new").write_text("new")
    embedded.git("add", "new")
    node.write(edited(3))
    assert run(embedded, node.cib).commit
    assert embedded.git("status", "--porcelain") == " M cibgit.toml\nA  new\n"
    assert "cibgit.toml" in embedded.git("ls-tree", "--name-only", "HEAD")


@pytest.mark.parametrize("tracked", [True, False])
def test_an_edited_file_is_never_overwritten(
    embedded: Embedded, node: Node, tracked: bool
) -> None:
    if tracked:
        node.write(edited(3))
        run(embedded, node.cib)
    embedded.file.parent.mkdir(parents=True, exist_ok=True)
    embedded.file.write_text("mine")
    node.write(edited(4))
    before = everything(embedded)
    with pytest.raises(UnsafeError, match="not committed"):
        run(embedded, node.cib)
    assert everything(embedded) == before
    assert embedded.file.read_text() == "mine"
    assert run(embedded, node.cib, branch="aside").commit


def test_an_edit_while_it_runs_stops_it(embedded: Embedded, node: Node) -> None:
    node.write(edited(3))

    def edit(done: int, total: int) -> None:
        embedded.file.parent.mkdir(parents=True, exist_ok=True)
        embedded.file.write_text("mine")

    before = embedded.git("for-each-ref")
    with pytest.raises(RefusedError, match="overwritten"):
        import_(embedded.site(), [node.cib], tick=edit)
    assert embedded.git("for-each-ref") == before
    assert embedded.file.read_text() == "mine"


@pytest.mark.parametrize("current", [True, False])
def test_a_commit_while_it_runs_stops_it(
    embedded: Embedded, node: Node, current: bool
) -> None:
    node.write(edited(3))
    branch = embedded.git("branch", "--show-current").strip() if current else "aside"
    embedded.git("branch", "aside")

    def commit(done: int, total: int) -> None:
        tree = embedded.git("write-tree").strip()
        made = embedded.git("commit-tree", "-p", branch, "-m", "other", tree).strip()
        embedded.git("update-ref", f"refs/heads/{branch}", made)

    with pytest.raises((RefusedError, BusyError)):
        import_(embedded.site(), [node.cib], branch=branch, tick=commit)
    assert embedded.git("log", "-1", "--format=%s", branch).strip() == "other"
    assert "refs/cibgit/prod/import" not in embedded.git("for-each-ref")


def test_a_branch_of_another_work_tree_is_refused(
    embedded: Embedded, node: Node, tmp_path: Path
) -> None:
    node.write(edited(3))
    embedded.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "wt"))
    with pytest.raises(BusyError, match="checked out in"):
        run(embedded, node.cib, branch="other")


@pytest.mark.parametrize("how", ["kill", "term"])
def test_killed_in_the_middle_the_branch_is_as_it_was(
    embedded: Embedded, node: Node, how: str
) -> None:
    for data in states(20):
        node.write(data)
    before = everything(embedded)
    script = f"""
import os, signal, sys
from pathlib import Path
from cibgit import replay
from tests.flow.embedded import Embedded
from cibgit.flow.import_ import import_
whole = replay.stream
def dying(*arguments):
    for number, chunk in enumerate(whole(*arguments)):
        if number == 30:
            os.kill(os.getpid(), signal.SIG{how.upper()})
        yield chunk
replay.stream = dying
embedded = Embedded(Path({str(embedded.node)!r}), Path({str(embedded.root)!r}))
import_(embedded.site(), [Path({str(node.cib)!r})])
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], check=False, cwd=root)
    assert done.returncode < 0
    assert everything(embedded) == before
    embedded.git("fsck", "--strict")
    assert run(embedded, node.cib).commit


def test_a_dry_run_changes_nothing(embedded: Embedded, node: Node) -> None:
    node.write(edited(3))
    before = everything(embedded)
    done = run(embedded, node.cib, dry=True)
    assert (len(done.states), done.commit) == (1, None)
    assert everything(embedded) == before


def test_no_hook_runs_and_nothing_is_signed(embedded: Embedded, node: Node) -> None:
    hook = embedded.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    embedded.git("config", "commit.gpgSign", "true")
    node.write(edited(3))
    assert rules(run(embedded, node.cib)) == ["unsigned"]


def test_nobody_set_up_git(
    embedded: Embedded, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER")):
            monkeypatch.delenv(name)
    node.write(edited(3))
    assert run(embedded, node.cib).commit
    assert "@" in embedded.git("log", "-1", "--format=%ce")


# What is found


def _tar(file: Path, root: Path, mode: str = "w:bz2") -> Path:
    with tarfile.open(file, mode) as archive:  # type: ignore[call-overload]
        archive.add(root, "report/node1")
    return file


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_an_archive_gives_what_its_folder_gives(
    embedded: Embedded, node: Node, tmp_path: Path, mode: str
) -> None:
    node.last = 97
    for data in states(9):
        node.write(data)
        node.schedule(data)
    run(embedded, node.root)
    done = run(embedded, _tar(tmp_path / "any-name", node.root, mode), branch="other")
    assert history(embedded, "other") == history(embedded)
    assert done.files == 18
    assert done.states[0].source == f"{tmp_path}/any-name:report/node1/cib/cib-97.raw"
    assert all(past.signature.startswith("verified") for past in done.states)


def test_archives_in_a_folder_are_read(
    embedded: Embedded, node: Node, tmp_path: Path
) -> None:
    node.write(edited(3))
    (tmp_path / "backups/2023").mkdir(parents=True)
    _tar(tmp_path / "backups/2023/monday.tar.bz2", node.root)
    done = run(embedded, tmp_path / "backups")
    assert done.files == 1


def test_copies_are_told_by_their_content(embedded: Embedded, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    (folder / "before-migration").write_bytes(edited(3))
    (folder / "cib.xml.live").write_bytes(
        b"<?xml version='1.0'?>\n<!-- x -->" + edited(4)
    )
    (folder / "utf16.xml").write_bytes(edited(5).decode().encode("utf-16"))
    (folder / "graph.xml").write_text("<transition_graph/>")
    (folder / "notes.txt").write_text("<cib")
    done = run(embedded, folder)
    assert [past.version.epoch for past in done.states] == [3, 4, 5]
    assert rules(done) == []


def test_masked_files_give_way_to_whole_ones(
    embedded: Embedded, node: Node, tmp_path: Path
) -> None:
    secret = VIP.replace(b"</operations>", b"</operations><instance_attributes id='i'>"
                         b"<nvpair id='p' name='passwd' value='Geheim1'/>"
                         b"</instance_attributes>")  # fmt: skip
    node.write(stamped(secret, 3))
    masked = tmp_path / "report.xml"
    masked.write_bytes(stamped(secret.replace(b"Geheim1", b"****"), 3))
    done = run(embedded, node.cib, masked)
    assert len(done.states) == 1
    [finding] = [each for each in done.findings if each.rule == "secrets"]
    assert "placeholders stand" in finding.sentence
    assert not any("Geheim1" in str(each.to_dict()) for each in done.findings)
    only = run(embedded, masked, branch="masked")
    assert [each.rule for each in only.findings] == ["masked", "secrets"]


def test_heartbeat(embedded: Embedded, tmp_path: Path) -> None:
    old = """<cib generated="true" admin_epoch="0" epoch="{0}" num_updates="9" \
num_peers="{0}" cib_feature_revision="1.3" ccm_transition="{0}" have_quorum="true" \
dc_uuid="x" ignore_dtd="false" cib-last-written="Fri Mar  {0} 10:00:00 2007">
<configuration><crm_config><cluster_property_set id="default"><attributes>
<nvpair id="n{1}" name="no_quorum_policy" value="{1}"/></attributes></cluster_property_set>
</crm_config><nodes/><resources/><constraints/></configuration><status/></cib>"""
    folder = tmp_path / "crm"
    folder.mkdir()
    (folder / "cib.xml.last").write_text(old.format(2, 2))
    (folder / "cib.xml").write_text(old.format(3, 3))
    (folder / "cib.xml.sig.last").write_text("0" * 32)
    done = run(embedded, folder)
    assert [past.version.epoch for past in done.states] == [2, 3]
    assert [past.signature for past in done.states] == ["does not match", "none"]
    text = history(embedded)[0].decode()
    assert 'ignore_dtd="false"' in text
    assert not any(
        word in text for word in ("num_peers", "generated", "ccm_", "dc_uuid")
    )
    said = embedded.git("log", "-1", "--format=%an %ad %b", "--date=format:%d %b %Y")
    assert said.startswith(
        "unknown 03 Mar 2007 No schema is named: the configuration is"
    )


def test_files_of_two_clusters_are_noticed(embedded: Embedded, tmp_path: Path) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    (folder / "a.xml").write_bytes(edited(3))
    (folder / "b.xml").write_bytes(edited(3).replace(b'value="prod"', b'value="test"'))
    done = run(embedded, folder)
    assert {each.rule for each in done.findings} == {
        "several-clusters",
        "one-epoch-twice",
    }


def test_a_path_that_does_not_exist_is_a_slip(embedded: Embedded, node: Node) -> None:
    node.write(edited(3))
    before = everything(embedded)
    with pytest.raises(NoInputError, match="no such file"):
        run(embedded, node.cib, node.root / "cob")
    assert everything(embedded) == before


def test_a_running_cluster_writes_on(embedded: Embedded, node: Node) -> None:
    """While files are read the cluster makes one change after the other."""
    node.last = 96
    written = states(140)
    waiting = iter(written[6:])
    for data in written[:6]:
        node.write(data)
    for _ in range(114):  # all slots are in use
        node.write(next(waiting))
    other = node.root / "read-first.xml"
    other.write_bytes(written[0])
    made = 120

    def write(done: int, total: int) -> None:
        nonlocal made
        for _ in range(3 if done == 1 else 1):
            if made < 140 and done % 7 == 1:
                node.write(next(waiting))
                made += 1

    done = import_(embedded.site(), [other, node.cib], tick=write)
    assert made > 125
    assert rules(done) == []
    assert history(embedded) == forms([written[0], *written[22:made]], embedded.site())


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(
                ["epoch", "admin_epoch", "num_updates", "cib-last-written", "update-user",
                 "update-origin", "update-client", "execution-date", "validate-with"]
            ),
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
            | st.integers(-5, 10**12).map(str)
            | st.integers(-(2**33), 2**38).map(_ctime),
        ),
        max_size=4,
    )
)  # fmt: skip
def test_no_attribute_breaks_it(
    embedded: Embedded, attributes: list[dict[str, str]]
) -> None:
    folder = Path(tempfile.mkdtemp(dir=embedded.root.parent))
    for number, values in enumerate([*attributes, {}]):
        root = generate.parse(edited(number))
        for name, value in values.items():
            root.set(name, value)
        (folder / str(number)).write_bytes(generate.serialize(root))
    branch = folder.name
    done = run(embedded, folder, branch=branch)
    bad = [each for each in done.findings if each.rule == "unreadable"]
    assert done.files == len(attributes) + 1 - len(bad)
    assert len(history(embedded, branch)) == len(done.states) > 0
    assert run(embedded, folder, branch=branch).states == []


# What is bad


def _nothing(folder: Path) -> None:
    (folder / "cib.xml").write_bytes(b"")


def _truncated(folder: Path) -> None:
    (folder / "cib.xml").write_bytes(VIP[:300])


def _binary(folder: Path) -> None:
    (folder / "cib.xml").write_bytes(bytes(range(256)) * 40)


def _bad_bz2(folder: Path) -> None:
    (folder / "pe-input-3.bz2").write_bytes(b"BZh91AY&SY" + bytes(200))


def _cut_bz2(folder: Path) -> None:
    data = bz2.compress(os.urandom(100) + VIP * 20)
    (folder / "pe-input-3.bz2").write_bytes(data[: len(data) // 2])


def _another_root(folder: Path) -> None:
    (folder / "cib-3.raw").write_text("<cob/>")


def _no_configuration(folder: Path) -> None:
    (folder / "cib.xml").write_text("<cib/>")


def _huge_number(folder: Path) -> None:
    (folder / "cib.xml").write_bytes(
        VIP.replace(b'epoch="5"', b'epoch="%s"' % (b"9" * 5000))
    )


def _doctype(folder: Path) -> None:
    (folder / "cib.xml").write_bytes(
        b"<!DOCTYPE cib SYSTEM 'file:///etc/passwd'>" + VIP
    )


def _deep(folder: Path) -> None:
    (folder / "cib.xml").write_bytes(
        b"<cib>" + b"<a>" * 200 + b"</a>" * 200 + b"</cib>"
    )


def _loop(folder: Path) -> None:
    (folder / "cib.xml").symlink_to("cib.xml")
    (folder / "again").symlink_to(".")


def _link(folder: Path) -> None:
    (folder / "cib.xml").symlink_to("/etc/passwd")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "cib.xml")


def _folder(folder: Path) -> None:
    (folder / "cib.xml" / "cib.xml").mkdir(parents=True)
    (folder / "pe-input-1.bz2").write_bytes(b"x")


def _bomb(folder: Path) -> None:
    """Write a small file that unpacks to 300 MiB; gzip files may be strung together."""
    mebibyte = gzip.compress(bytes(1024 * 1024))
    (folder / "pe-input-1.gz").write_bytes(mebibyte * 300)


def _cib_bomb(folder: Path) -> None:
    mebibyte = gzip.compress(b" " * 1024 * 1024)
    (folder / "pe-input-1.gz").write_bytes(gzip.compress(b"<cib>") + mebibyte * 300)


BAD = [
    _nothing, _truncated, _binary, _bad_bz2, _cut_bz2, _another_root, _no_configuration,
    _huge_number, _doctype, _deep, _loop, _link, _pipe, _folder, _bomb, _cib_bomb,
]  # fmt: skip


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__[1:])
def test_a_bad_file_is_a_finding_and_the_rest_goes_on(
    embedded: Embedded, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "good").write_bytes(edited(3))
    spoil(folder)
    done = run(embedded, folder)
    assert [past.version.epoch for past in done.states] == [3]
    told = [each for each in done.findings if each.severity is not Severity.NOTE]
    assert len(told) == 1
    assert str(folder) in told[0].element + told[0].sentence


def _member(name: str, data: bytes = b"", **more: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info


def _hostile(file: Path) -> None:
    """Write an archive that tries everything, with one good file in it."""
    good = edited(3)
    with tarfile.open(file, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name in (
            "../../escaped/cib.xml",
            "/tmp/cibgit-escaped/cib.xml",
            "a/./../cib.xml",
        ):
            archive.addfile(_member(name, good), io.BytesIO(good))
        archive.addfile(
            _member("l/cib.xml", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        )
        archive.addfile(
            _member("h/cib.xml", type=tarfile.LNKTYPE, linkname="../cib.xml")
        )
        archive.addfile(
            _member("d/cib.xml", type=tarfile.CHRTYPE, devmajor=1, devminor=5)
        )
        archive.addfile(_member("f/cib.xml", type=tarfile.FIFOTYPE))
        archive.addfile(_member("e/cib.xml"))
        undated = good.replace(b"cib-last-written", b"x")
        headers = {"mtime": "nan"}
        archive.addfile(_member("u", undated, pax_headers=headers), io.BytesIO(undated))
        archive.addfile(_member("x\n\x1b[31m/cib-1.raw", b"x"), io.BytesIO(b"x"))
        archive.addfile(_member("n" * 5000 + "/cib.xml", good), io.BytesIO(good))
        inner = io.BytesIO()
        with tarfile.open(fileobj=inner, mode="w") as nested:
            nested.addfile(_member("cib.xml", good), io.BytesIO(good))
        data = inner.getvalue()
        archive.addfile(_member("nested.tar", data), io.BytesIO(data))


def test_a_hostile_archive_writes_nothing(embedded: Embedded, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    _hostile(tmp_path / "in/archive")
    before = sorted(tmp_path.rglob("*"))
    embedded.git("gc", "--quiet")
    done = run(embedded, tmp_path / "in/archive", dry=True)
    assert sorted(p for p in tmp_path.rglob("*") if ".git" not in p.parts) == [
        p for p in before if ".git" not in p.parts
    ]
    assert not Path("/tmp/cibgit-escaped").exists()
    assert done.files == 5
    assert len(done.states) == 2
    rules_found = {each.rule for each in done.findings}
    assert rules_found == {"unreadable", "backup-order", "one-epoch-twice"}


def _big_header(file: Path) -> None:
    info = _member("name")
    info.type = tarfile.GNUTYPE_LONGNAME
    info.size = 5 * 1024**3
    file.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))


def _many_names(file: Path) -> None:
    info = _member("name", b"x" * 512, type=tarfile.GNUTYPE_LONGNAME)
    file.write_bytes((info.tobuf(tarfile.GNU_FORMAT) + b"x" * 512) * 5000)


def _cut(file: Path) -> None:
    _hostile(file)
    file.write_bytes(file.read_bytes()[:-40])


def _cut_plain(file: Path) -> None:
    data = edited(3)
    with tarfile.open(file, "w") as archive:
        archive.addfile(_member("a/cib.xml", data), io.BytesIO(data))
        archive.addfile(_member("b/cib.xml", data), io.BytesIO(data))
    file.write_bytes(file.read_bytes()[: 512 + len(data) // 512 * 512 + 512 + 600])


def _flipped(file: Path) -> None:
    _cut_plain(file)
    data = bytearray(file.read_bytes() + bytes(4096))
    data[-4096 - 600] ^= 0xFF
    file.write_bytes(bytes(data))


@pytest.mark.parametrize(
    "spoil", [_big_header, _many_names, _cut, _cut_plain, _flipped],
    ids=lambda spoil: spoil.__name__[1:],
)  # fmt: skip
def test_a_damaged_archive_is_a_finding(
    embedded: Embedded, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    archive, good = tmp_path / "archive", tmp_path / "good.xml"
    spoil(archive)
    good.write_bytes(edited(5))
    done = run(embedded, archive, good, dry=True)
    assert 5 in {past.version.epoch for past in done.states}
    assert str(archive) in {each.element for each in done.findings}


def test_no_secret_of_the_past_gets_into_git(tmp_path: Path) -> None:
    embedded = Embedded.create(tmp_path)
    states = []
    for number, word in enumerate(("first-word", "second-word", "third-word")):
        file = tmp_path / f"{number}.xml"
        text = embedded.live_text().replace('epoch="5"', f'epoch="{5 + number}"')
        start = '<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2">'
        assert start in text
        pair = f'<nvpair id="vip-pw" name="passwd" value="{word}"/>'
        parameters = f'<instance_attributes id="p">{pair}</instance_attributes>'
        file.write_text(text.replace(start, start + parameters))
        states.append(file)
    done = import_(embedded.site(), states)
    assert len(done.states) == len(states)
    objects = subprocess.run(
        ["git", "cat-file", "--batch", "--batch-all-objects"],
        cwd=embedded.root, check=True, capture_output=True,
    ).stdout  # fmt: skip
    assert b"secret:v1:" in objects
    assert b"-word" not in objects
    site = embedded.site()
    revealed = site.keeper.revealed(site.desired(str(done.commit)))
    assert b"third-word" in compact(revealed)
    again = import_(embedded.site(), states)
    assert again.commit is None
