"""Log against real git: which commits changed an element, by all the names it had."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cibgit.errors import NoInputError, UsageError
from cibgit.flow.log import Entry, Question, log
from cibgit.render import log as render

from .embedded import Embedded
from .past import CANARY, DB, Past


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past.begin(tmp_path)


def ask(past: Embedded, *words: str, everything: bool = False) -> list[Entry]:
    return log(past.site(), Question.of(words), everything=everything)


def told(entries: list[Entry]) -> list[tuple[str, list[str]]]:
    """Return subjects of commits with their sentences."""
    return [
        (e.revision.subject, [f"{c.owner}: {c.sentence}" for c in e.changes])
        for e in entries
    ]


def subjects(past: Embedded, *words: str, everything: bool = False) -> list[str]:
    return [e.revision.subject for e in ask(past, *words, everything=everything)]


ADDRESS = ('value="10.0.0.1"', 'value="10.0.0.2"')
FIRST = "Export prod 0.5.0"
ASKED = {
    "vip": ["interval", "address", FIRST],
    "resource vip": ["interval", "address", FIRST],
    "resources / primitive vip": ["interval", "address", FIRST],
    "vip params.ip": ["address", FIRST],
    "vip.params.ip": ["address", FIRST],
    "resource vip params.ip": ["address", FIRST],
    "vip-ip": ["address", FIRST],
    "vip params": ["address", FIRST],
    "vip op monitor": ["interval", FIRST],
    "vip op monitor 30s": ["interval", FIRST],
    "vip agent": [FIRST],
    "loc": ["score", FIRST],
    "loc score": ["score", FIRST],
    "constraint loc": ["score", FIRST],
    "alice": [FIRST],
    "node bob": ["standby", FIRST],
    "bob standby": ["standby"],
    "stonith-enabled": ["fencing"],
    "cluster options stonith-enabled": ["fencing"],
    "cluster options": ["fencing", FIRST],
    "cluster-name": [FIRST],
}
"""What people type, and the commits that are meant."""


def test_each_commit_is_told_newest_first(past: Past) -> None:
    past.change(ADDRESS, message="address")
    past.change(('score="100"', 'score="200"'), message="score")
    found = ask(past)
    assert told(found)[:2] == [
        ("score", ["constraint loc: score 100 -> 200"]),
        ("address", ["resource vip: params.ip: 10.0.0.1 -> 10.0.0.2"]),
    ]
    first = found[-1]
    assert (first.note, first.is_whole) == ("the file came into git", True)
    assert {str(change.owner) for change in first.changes} > {
        "resource vip",
        "node bob",
    }
    assert first.revision.trailers["CIB-Changed-By"] == "root via crmsh on alice"
    assert first.revision.author == "root"


def test_an_element_is_what_output_calls_it(past: Past) -> None:
    past.change(
        ("</cluster_property_set>", '<nvpair id="o-s" name="stonith-enabled" '
         'value="false"/></cluster_property_set>'), message="fencing",
    )  # fmt: skip
    past.change(
        ('<node id="2" uname="bob"/>', '<node id="2" uname="bob"><instance_attributes '
         'id="bob-a"><nvpair id="bob-s" name="standby" value="on"/>'
         '</instance_attributes></node>'), message="standby",
    )  # fmt: skip
    past.change(ADDRESS, message="address")
    past.change(('score="100"', 'score="200"'), message="score")
    past.change(('interval="30s"', 'interval="10s"'), message="interval")
    for asked, found in ASKED.items():
        assert (asked, subjects(past, asked)) == (asked, found)
    assert subjects(past, "resource", "vip", "params.ip") == ["address", FIRST]


def test_a_resource_is_followed_into_a_group_and_to_its_older_names(past: Past) -> None:
    past.change((DB, DB.replace("Dummy", "Stateful")), message="agent")
    past.change(('id="db"', 'id="base"'), message="rename")
    text = past.file.read_text()
    line = next(each for each in text.splitlines() if 'id="base"' in each)
    past.change((line, f'<group id="web">{line}</group>'), message="group")
    assert subjects(past, "base") == ["group", "rename", "agent", FIRST]
    assert subjects(past, "resources / group web / primitive base") == subjects(
        past, "base"
    )
    # what is in a group is part of it; the older name leads to the same past
    assert subjects(past, "web") == ["group"]
    assert subjects(past, "db") == ["rename", "agent", FIRST]


def test_a_node_is_followed_to_its_older_name(past: Past) -> None:
    past.change(('uname="bob"', 'uname="the other"'), message="name")
    assert subjects(past, "the other") == ["name", FIRST]
    assert subjects(past, "node the other") == ["name", FIRST]
    assert subjects(past, "bob") == ["name", FIRST]


def test_what_was_deleted_and_came_back(past: Past) -> None:
    past.change((DB, ""), message="gone")
    assert told(ask(past, "db"))[0] == (
        "gone",
        ["resource db: removed: ocf:heartbeat:Dummy"],
    )
    past.change(("</resources>", f"{DB}</resources>"), message="back")
    assert subjects(past, "db") == ["back", "gone", FIRST]
    assert subjects(past, "resource db") == ["back", "gone", FIRST]


def test_a_name_with_dots_is_not_taken_apart(past: Past) -> None:
    past.change(('id="db"', 'id="db.params"'), message="rename")
    past.change(('type="Dummy"', 'type="Stateful"'), message="agent")
    assert subjects(past, "db.params") == ["agent", "rename", FIRST]


def test_without_meaning_is_left_out_unless_asked_for(past: Past) -> None:
    past.change(('interval="30s"', 'interval="30000ms"'), message="words")
    assert subjects(past, "vip") == [FIRST]
    assert subjects(past, "vip", everything=True) == ["words", FIRST]
    assert subjects(past) == ["words", FIRST]


def test_an_unknown_element_is_refused_with_what_is_like_it(past: Past) -> None:
    with pytest.raises(NoInputError) as error:
        ask(past, "vop")
    assert (
        "'vop' is nothing that clusters/prod/cib.xml has or had" in error.value.message
    )
    assert error.value.hint == "Did you mean vip?"
    with pytest.raises(NoInputError) as error:
        ask(past, "vip", "params.ipp")
    assert "vip params.ip" in error.value.hint
    past.change((DB, ""))
    with pytest.raises(NoInputError) as error:
        ask(past, "dbb")
    assert error.value.hint == "Did you mean db, bob?"  # db only was


def test_what_is_known_but_did_not_change_is_no_error(past: Past) -> None:
    past.change(ADDRESS)
    assert ask(past, "db", "HEAD~1..") == []
    assert ask(past, "the CIB") == []
    past.change(('"pacemaker-3.0"', '"pacemaker-3.1"'), message="schema")
    assert subjects(past, "the CIB") == ["schema"]


def test_a_range_of_commits(past: Past) -> None:
    past.change(ADDRESS, message="one")
    past.change(('score="100"', 'score="200"'), message="two")
    past.change(('interval="30s"', 'interval="10s"'), message="three")
    assert subjects(past, "HEAD~2..") == ["three", "two"]
    assert subjects(past, "HEAD~2..HEAD~1") == ["two"]
    assert subjects(past, "vip", "..HEAD~1") == ["one", FIRST]
    with pytest.raises(NoInputError, match="names no commit"):
        ask(past, "nothing..")
    with pytest.raises(NoInputError):
        ask(past, "--all..")
    for wrong in (["A...B"], ["A..B", "C..D"]):
        with pytest.raises(UsageError):
            Question.of(wrong)


def test_limit_and_since(past: Past) -> None:
    past.change(ADDRESS, message="new")
    site = past.site()
    assert [e.revision.subject for e in log(site, Question(), limit=1)] == ["new"]
    # the export has the time at which the cluster was changed
    for element in ("", "vip"):
        since = datetime.fromtimestamp(
            log(site, Question(), limit=1)[0].revision.when.timestamp(), UTC
        )
        recent = log(site, Question(element, since=since))
        assert [e.revision.subject for e in recent] == ["new"]


def test_since_is_what_git_understands(past: Past) -> None:
    repository = past.site().repository
    assert repository.moment("2020-02-29 12:00 +0000") == datetime(
        2020, 2, 29, 12, tzinfo=UTC
    )
    assert repository.moment("2 weeks ago") < datetime.now(UTC)
    for wrong in ("banana", "now", "", "--help"):
        with pytest.raises(NoInputError, match="no time in the past"):
            repository.moment(wrong)


def test_a_merge_is_one_commit_on_the_first_line(past: Past) -> None:
    past.git("checkout", "-q", "-b", "side")
    past.change(ADDRESS, message="on the side")
    past.git("checkout", "-q", "-")
    past.change(('interval="30s"', 'interval="10s"'), message="here")
    past.git("merge", "-q", "--no-ff", "-m", "merged", "side")
    assert told(ask(past))[:2] == [
        ("merged", ["resource vip: params.ip: 10.0.0.1 -> 10.0.0.2"]),
        ("here", ["resource vip: op monitor 10s: interval 30s -> 10s"]),
    ]
    assert subjects(past, "..side")[0] == "on the side"


def test_a_detached_head_has_a_history(past: Past) -> None:
    past.change(ADDRESS, message="address")
    past.git("checkout", "-q", "--detach", "HEAD~1")
    assert subjects(past, "vip") == [FIRST]


def test_before_the_first_commit_there_is_nothing(tmp_path: Path) -> None:
    fresh = Embedded.create(tmp_path)
    assert ask(fresh) == []
    with pytest.raises(NoInputError):
        ask(fresh, "vip")
    fresh.git("update-ref", "-d", "HEAD")
    assert ask(fresh) == []


def test_a_shallow_clone_does_not_blame_its_end(past: Past, tmp_path: Path) -> None:
    past.change(ADDRESS, message="two")
    past.change(('value="10.0.0.2"', 'value="10.0.0.3"'), message="three")
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", "--depth=2", past.root.as_uri(), str(clone)], check=True
    )
    shallow = Embedded(past.node, clone)
    for words in ([], ["vip"]):
        last, cut = ask(shallow, *words)
        assert last.changes[0].sentence == "params.ip: 10.0.0.2 -> 10.0.0.3"
        assert cut.changes == []
        assert cut.note.startswith("the history that this clone has ends here")


def test_a_commit_that_cannot_be_read_is_skipped_over(past: Past) -> None:
    good = past.file.read_text()
    past.write("<<<<<<< HEAD\n" + good, "conflict")
    past.write("<cib/>", "empty")
    past.write(good.replace("10.0.0.1", "10.0.0.2"), "mended")
    mended, empty, conflict, first = ask(past)
    assert [c.sentence for c in mended.changes] == ["params.ip: 10.0.0.1 -> 10.0.0.2"]
    assert "there is no <configuration>" in empty.note
    assert "not well-formed" in conflict.note
    assert (empty.changes, conflict.changes) == ([], [])
    assert first.note == "the file came into git"
    # the older side of a range can be such a commit, too
    [cut] = ask(past, "HEAD~1..")
    assert cut.note.startswith("what was before cannot be read: ")


def test_a_file_that_went_and_came_back(past: Past) -> None:
    good = past.file.read_text()
    past.git("rm", "-q", "clusters/prod/cib.xml")
    past.git("commit", "-q", "-m", "gone")
    past.file.parent.mkdir(parents=True, exist_ok=True)
    past.write(good, "back")
    assert [e.note for e in ask(past)] == [
        "the file came into git",
        "the file was removed from git",
        "the file came into git",
    ]
    assert subjects(past, "vip") == ["back", "gone", FIRST]


def test_a_change_of_mode_is_no_change(past: Past) -> None:
    past.git("update-index", "--chmod=+x", "clusters/prod/cib.xml")
    past.git("commit", "-q", "-m", "mode")
    assert subjects(past) == [FIRST]


def test_no_secret_is_told(past: Past) -> None:
    past.change((past.sealed, f"{CANARY}-2"), message="password")
    past.change((f"{CANARY}-2", "secret:v1:vault"), message="placeholder")
    past.change(('name="passwd"', 'name="note"'), message="another name")
    past.change(('"secret:v1:vault"', f'"password={CANARY}"'), message="in a text")
    past.git("rm", "-q", "clusters/prod/cib.xml")
    past.git("commit", "-q", "-m", "gone")
    found = ask(past, everything=True)
    assert subjects(past, "vip params.passwd")[-2:] == ["password", FIRST]
    for entries in (found, ask(past, "vip", everything=True)):
        shown = render.log(entries, "", everything=True)
        assert "params.passwd: changed (secret)" in shown
        assert CANARY not in shown
        assert CANARY not in render.log_json(entries, "prod", "")
