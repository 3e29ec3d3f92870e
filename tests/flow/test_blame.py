"""Blame against real git: the commit that made each fact what it is."""

import subprocess
from pathlib import Path

import pytest

from cibgit.cib.canonical import canonical, pretty
from cibgit.cib.document import Cib, parse
from cibgit.commit import Author
from cibgit.compare.facts import Owned, owned, owners
from cibgit.errors import NoInputError
from cibgit.flow.blame import Blame, blame
from cibgit.flow.log import Question
from cibgit.flow.log import log as ask_log
from cibgit.render import log as render
from cibgit.replay import NewCommit

from .. import generate
from .embedded import Embedded
from .past import CANARY, DB, Past

FIRST = "Export prod 0.5.0"


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past.begin(tmp_path)


def ask(past: Embedded, *words: str) -> Blame:
    return blame(past.site(), Question.of(words))


def facts(past: Embedded, *words: str) -> dict[str, str]:
    """Return sentences with the subjects of their commits."""
    return {
        one.fact.sentence: one.revision.subject if one.revision else "earlier"
        for element in ask(past, *words).elements
        for one in element.facts
    }


def values(past: Embedded, *words: str) -> list[tuple[str, str]]:
    found = ask(past, *words)
    assert not found.elements
    return [(each.revision.subject, each.sentence) for each in found.values]


def test_each_fact_has_the_commit_that_changed_it_last(past: Past) -> None:
    past.change(('value="10.0.0.1"', 'value="10.0.0.2"'), message="address")
    past.change(('value="10.0.0.2"', 'value="10.0.0.3"'), message="address again")
    past.change((past.sealed, f"{CANARY}-2"), message="password")
    past.change(
        ("</instance_attributes>", '<nvpair id="vip-nic" name="nic" value="eth0"/>'
         "</instance_attributes>"),
        ('interval="30s" name="monitor"/>', 'interval="30s" name="monitor"><meta_attributes'
         ' id="op-m"><nvpair id="op-e" name="enabled" value="false"/></meta_attributes></op>'),
        message="more",
    )  # fmt: skip
    past.change((DB, DB.replace("Dummy", "Stateful")), message="elsewhere")
    assert facts(past, "vip") == {
        "agent ocf:heartbeat:IPaddr2": FIRST,
        "id vip": FIRST,
        "params.ip = 10.0.0.3": "address again",
        "params.passwd = (secret)": "password",
        "params.nic = eth0": "more",
        "op monitor every 30s; op monitor 30s meta.enabled = false": "more",
    }
    assert facts(past, "db")["agent ocf:heartbeat:Stateful"] == "elsewhere"
    assert facts(past, "vip-ip") == {"params.ip = 10.0.0.3": "address again"}


def test_a_constraint(past: Past) -> None:
    past.change(('score="100"', 'score="200"'), message="score")
    assert facts(past, "loc") == {
        "id loc": FIRST, "node alice": FIRST, "rsc vip": FIRST, "score 200": "score",
    }  # fmt: skip
    assert facts(past, "loc", "HEAD~1..") == {
        "id loc": "earlier", "node alice": "earlier", "rsc vip": "earlier",
        "score 200": "score",
    }  # fmt: skip
    assert facts(past, "loc", "..HEAD~1")["score 100"] == FIRST


def test_names_and_places_have_commits_too(past: Past) -> None:
    past.change(('id="db"', 'id="base"'), message="rename")
    line = DB.replace("db", "base")
    past.change((line, f'<group id="web">{line}</group>'), message="group")
    past.change((line, line.replace("Dummy", "Stateful")), message="agent")
    assert facts(past, "base") == {
        "agent ocf:heartbeat:Stateful": "agent",
        "id base": "rename",
        "in group web": "group",
    }
    assert facts(past, "web") == {"id web": "group", "holds primitive base": "group"}
    vip = past.file.read_text()
    start, end = vip.index('<primitive id="vip"'), vip.index("</primitive>")
    block = vip[start : end + len("</primitive>")]
    past.change((block, ""), ("</group>", f"{block}</group>"), message="vip joins")
    assert facts(past, "web")["holds primitive vip"] == "vip joins"
    assert facts(past, "web")["holds primitive base"] == "group"
    assert facts(past, "vip")["in group web"] == "vip joins"
    assert facts(past, "vip")["params.ip = 10.0.0.1"] == FIRST


def test_references_that_follow_a_rename_are_no_change(past: Past) -> None:
    past.change(('"vip"', '"address"'), message="rename")
    assert facts(past, "loc")["rsc address"] == FIRST


def test_what_refers_to_an_element_is_no_part_of_it(past: Past) -> None:
    past.change(
        ("</constraints>", '<rsc_order id="o"><resource_set id="o-1"><resource_ref id="db"/>'
         '<resource_ref id="vip"/></resource_set></rsc_order></constraints>'),
        ("</configuration>", '<tags><tag id="t"><obj_ref id="vip"/></tag></tags>'
         "</configuration>"), message="references",
    )  # fmt: skip
    assert set(facts(past, "vip").values()) == {FIRST}
    assert set(facts(past, "db").values()) == {FIRST}
    assert set(facts(past, "t").values()) == {"references"}
    assert set(facts(past, "o").values()) == {"references"}
    found = ask_log(past.site(), Question("vip"))
    assert [each.revision.subject for each in found] == [FIRST]


def test_a_parameter_over_time_whatever_the_id_of_its_pair(past: Past) -> None:
    pair = '<nvpair id="vip-ip" name="ip" value="10.0.0.2"/>'
    past.change(('value="10.0.0.1"', 'value="10.0.0.2"'), message="two")
    past.change((pair, ""), message="gone")
    past.change(
        ("</instance_attributes>", '<nvpair id="other" name="ip" value="10.0.0.3"/>'
         "</instance_attributes>"), message="three",
    )  # fmt: skip
    over_time = [
        ("three", "added params.ip = 10.0.0.3"),
        ("gone", "removed params.ip = 10.0.0.2"),
        ("two", "params.ip: 10.0.0.1 -> 10.0.0.2"),
        (FIRST, "params.ip = 10.0.0.1"),
    ]
    assert values(past, "vip", "params.ip") == over_time
    assert values(past, "vip.params.ip") == over_time
    past.change(('name="ip"', 'name="address"'), message="another name")
    assert values(past, "vip params.ip") == [
        ("another name", "params.address: name ip -> address"),
        *over_time,
    ]


def test_an_option_over_time(past: Past) -> None:
    past.change(('value="prod"', 'value="test"'), message="another name")
    assert values(past, "cluster-name") == [
        ("another name", "cluster-name: prod -> test"),
        (FIRST, "added cluster-name = prod"),
    ]
    assert facts(past, "cluster options")["cluster-name = test"] == "another name"


def test_an_attribute_over_time(past: Past) -> None:
    past.change(('score="100"', 'score="200"'), message="score")
    past.change(('node="alice"', 'node="bob"'), message="node")
    past.change(('id="loc"', 'id="location"'), message="id")
    assert values(past, "location score") == [
        ("score", "score 100 -> 200"), (FIRST, "score 100"),
    ]  # fmt: skip
    past.change((DB, DB.replace("Dummy", "Stateful")), message="agent")
    assert [by for by, _ in values(past, "db agent")] == ["agent", FIRST]
    text = past.file.read_text()
    line = next(each for each in text.splitlines() if 'id="db"' in each)
    past.change((line, f'<group id="web">{line}</group>'), message="group")
    assert [by for by, _ in values(past, "db place")] == ["group"]
    assert facts(past, "web members") == {"holds primitive db": "group"}


def test_what_is_gone_and_what_never_was(past: Past) -> None:
    past.change((DB, ""), message="gone")
    with pytest.raises(
        NoInputError, match="db is not in HEAD; the last commit"
    ) as error:
        ask(past, "db")
    assert error.value.hint == "See: cibgit log 'db'"
    with pytest.raises(NoInputError, match="is nothing that"):
        ask(past, "nothing")
    assert facts(past, "db", "..HEAD~1")["id db"] == FIRST


def test_what_is_older_than_a_shallow_clone_is_earlier(
    past: Past, tmp_path: Path
) -> None:
    past.change(('value="10.0.0.1"', 'value="10.0.0.2"'), message="address")
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", "--depth=2", past.root.as_uri(), str(clone)], check=True
    )
    found = facts(Embedded(past.node, clone), "vip")
    assert found["params.ip = 10.0.0.2"] == "address"
    assert found["id vip"] == "earlier"


def test_an_unreadable_newest_version_is_refused(past: Past) -> None:
    past.write("<cib", "broken")
    with pytest.raises(NoInputError, match="not well-formed"):
        ask(past, "vip")


def test_no_secret_is_told(past: Past) -> None:
    past.change((past.sealed, f"{CANARY}-2"), message="password")
    past.change(
        ("</instance_attributes>", '<nvpair id="vip-o" name="options" '
         f'value="user=me,password={CANARY}"/></instance_attributes>'), message="options",
    )  # fmt: skip
    for words in (
        ["vip"],
        ["vip params.passwd"],
        ["vip params.options"],
        ["vip-passwd"],
    ):
        found = ask(past, *words)
        shown = render.blame(found, "") + render.blame_json(found, "prod", "")
        assert "(secret)" in shown
        assert CANARY not in shown


# without deleted resources: one that came in the same commit may be told as renamed
KINDS: tuple[generate.Kind, ...] = (
    *("attribute", "add-nvpair", "delete-nvpair", "add-resource", "constraint-order"),
)


def said(cib: Cib) -> list[Owned]:
    return [owned(each) for each in owners(cib)]


def test_the_law_of_blame(past: Past) -> None:
    """A fact has been said, word for word, since the commit that is blamed for it."""
    data, versions = generate.cib(8, 3), []
    for seed in range(12):
        data = generate.mutate(data, seed, KINDS, 3)
        versions.append(pretty(canonical(parse(data, "past"))))
    site, me = past.site(), Author("A", "a@example.com")
    new = [NewCommit(x, b"%d" % n, me) for n, x in enumerate(versions)]
    site.repository.replay(site.ref("x"), site.path, None, new)
    history = [
        {
            (one.path[-1], fact.sentence)
            for one in said(parse(x, ""))
            for fact in one.facts
        }
        for x in versions
    ]
    later = 0
    for name in sorted(
        {one.owner.name for one in said(parse(versions[-1], ""))} - {""}
    ):
        for element in ask(past, f"..{site.ref('x')}", name).elements:
            for one in element.facts:
                since = len(history)
                while (
                    since
                    and (element.path[-1], one.fact.sentence) in history[since - 1]
                ):
                    since -= 1
                assert one.revision
                if "(secret)" in one.fact.sentence:  # it does not say what changed
                    continue
                assert one.revision.subject == str(since), (name, one.fact)
                later += since > 0
    assert later > 10


def test_what_came_and_went_inside_of_something_else(past: Past) -> None:
    inner = DB.replace('"db"', '"web-db"').replace(
        "/>", '><meta_attributes id="m"><nvpair id="m-r" name="resource-stickiness"'
        ' value="5"/></meta_attributes></primitive>',
    )  # fmt: skip
    outer = f'<clone id="web-clone"><group id="web">{inner}</group></clone>'
    past.change(("</resources>", f"{outer}</resources>"), message="group")
    past.change(('value="5"', 'value="6"'), message="value")
    assert facts(past, "web-db") == {
        "agent ocf:heartbeat:Dummy": "group",
        "id web-db": "group",
        "in group web": "group",
        "meta.resource-stickiness = 6": "value",
    }
    past.change((past.file.read_text(), past.file.read_text().replace("6", "7")))
    assert values(past, "web-db meta.resource-stickiness")[-1] == (
        "group", "meta.resource-stickiness = 5",
    )  # fmt: skip
    assert facts(past, "web-clone")["holds group web"] == "group"
    text = past.file.read_text()
    clone = text[text.index("<clone") : text.index("</clone>") + len("</clone>")]
    past.change((clone, ""), message="gone")
    assert values(past, "web-db meta.resource-stickiness")[0] == (
        "gone", "meta.resource-stickiness = 7",
    )  # fmt: skip
    with pytest.raises(NoInputError, match="web-db is not in HEAD"):
        ask(past, "web-db")
