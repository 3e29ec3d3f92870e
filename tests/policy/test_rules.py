"""Each rule: a plan that breaks it, by the command line, and one that just does not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from cibgit.cib.canonical import target
from cibgit.cib.document import parse
from cibgit.cib.suspension import Suspension, suspended, suspension
from cibgit.cli.app import run
from cibgit.config import DEFAULT_POLICY
from cibgit.flow.export import export
from cibgit.policy import rules
from cibgit.policy.agent import Agent, Missing, NotAsked, Parameter
from cibgit.policy.complaint import Complaint
from cibgit.policy.context import Context
from cibgit.policy.effect import Effect, Effects, Instance, Kind, Simulation
from cibgit.policy.finding import Severity
from cibgit.policy.settings import Limit, changed

from ..flow.embedded import Embedded

LIVE = """\
<cib admin_epoch="0" epoch="5" num_updates="0" validate-with="pacemaker-3.0" \
crm_feature_set="3.16.1" have-quorum="1">
<configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="o-name" name="cluster-name" value="prod"/>
<nvpair id="o-stonith" name="stonith-enabled" value="true"/>
<nvpair id="o-quorum" name="no-quorum-policy" value="stop"/>
<nvpair id="o-maint" name="maintenance-mode" value="false"/>
</cluster_property_set></crm_config>
<nodes><node id="1" uname="alice"/><node id="2" uname="bob"/></nodes>
<resources>
<primitive id="vip" class="ocf" provider="pacemaker" type="Dummy"/>
<primitive id="db" class="ocf" provider="pacemaker" type="Dummy">
<operations><op id="db-monitor" interval="30s" name="monitor"/></operations>
</primitive>
<primitive id="one" class="ocf" provider="pacemaker" type="Dummy"/>
<primitive id="two" class="ocf" provider="pacemaker" type="Dummy"/>
<primitive id="fence1" class="stonith" type="fence_x"/>
<primitive id="fence2" class="stonith" type="fence_x"/>
</resources>
<constraints><rsc_location id="loc" node="alice" rsc="vip" score="100"/></constraints>
<fencing-topology>
<fencing-level id="l1" devices="fence1" index="1" target="alice"/>
<fencing-level id="l2" devices="fence2" index="1" target="bob"/>
</fencing-topology>
<tags><tag id="all"><obj_ref id="vip"/></tag></tags>
</configuration>
</cib>
"""
ONE = '<primitive id="one" class="ocf" provider="pacemaker" type="Dummy"/>'
TWO = ONE.replace("one", "two")
DEVICES = '<primitive id="fence1" class="stonith" type="fence_x"/>'
DEVICE2 = DEVICES.replace("fence1", "fence2")

Edits = tuple[tuple[str, str], ...]


class Case(NamedTuple):
    """Options of ``[policy]``, what breaks the rule, what just does not, what is told."""

    options: str
    breaks: Edits
    keeps: Edits
    told: tuple[str, ...]


CASES: dict[str, Case] = {
    "protected": Case(
        'protected = ["db*"]',
        ((' interval="30s"', ' interval="31s"'),),
        ((ONE, ""),),
        ("primitive db is protected and would be changed",),
    ),
    "keep": Case(
        'keep = ["primitive vip", "resources / primitive db"]',
        (('id="vip" class="ocf" provider="pacemaker"',
          'id="vip" class="ocf" provider="heartbeat"'),),
        ((' interval="30s"', ' interval="31s"'), (ONE, "")),
        ("primitive vip is to be kept and would be replaced",),
    ),
    "max-deleted": Case(
        'max-deleted = "20%"',
        ((ONE, ""), (TWO, "")),
        ((ONE, ""),),
        ("2 of 6 (33%) would be deleted", "max-deleted is 20%", "one, two"),
    ),
    "never-empty": Case(
        'never-empty = ["constraints"]',
        (('<rsc_location id="loc" node="alice" rsc="vip" score="100"/>', ""),),
        (('score="100"', 'score="101"'),),
        ("constraints would be empty", "live has 1"),
    ),
    "guard-fencing": Case(
        "",
        (('name="stonith-enabled" value="true"', 'name="stonith-enabled" value="off"'),),
        ((DEVICE2, ""),
         ('<fencing-level id="l2" devices="fence2" index="1" target="bob"/>', "")),
        ("fencing would be turned off",),
    ),
    "guard-quorum": Case(
        "",
        (('name="no-quorum-policy" value="stop"', 'name="no-quorum-policy" value="ignore"'),),
        (('name="no-quorum-policy" value="stop"', 'name="no-quorum-policy" value="freeze"'),),
        ("from stop to ignore",),
    ),
    "guard-maintenance": Case(
        "",
        (('name="maintenance-mode" value="false"', 'name="maintenance-mode" value="yes"'),),
        (('name="maintenance-mode" value="false"', 'name="maintenance-mode" value="no"'),),
        ("maintenance-mode would be turned on",),
    ),
    "references": Case(
        "",
        (('devices="fence2"', 'devices="fence1,fence3"'),),
        (('devices="fence2"', 'devices="fence1,fence2"'),),
        ("fencing-level l2: devices names 'fence3'", "no such fencing device"),
    ),
}  # fmt: skip


def edited(text: str, edits: Edits) -> str:
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.fixture
def site(tmp_path: Path) -> Embedded:
    embedded = Embedded.create(tmp_path, LIVE)
    export(embedded.site())
    return embedded


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_refuses_at_the_command_line_and_can_be_forced(
    rule: str, site: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[rule]
    # the tools of Pacemaker may be there or not: their rules have tests of their own
    config = site.root / "cibgit.toml"
    options = (
        f"{case.options}\nverify = false\nagents = false\nagent-parameters = false\n"
    )
    config.write_text(f"{config.read_text()}[policy]\n{options}")
    committed = site.file.read_text()
    site.file.write_text(edited(committed, case.breaks))
    before = site.live_text()
    arguments = ["-C", str(site.root)]
    assert run(["plan", *arguments]) == 107
    told = capsys.readouterr().err
    assert all(part in told for part in case.told), told
    assert f"rule {rule}: " in told
    assert f"--force {rule}" in told
    assert run(["push", "-m", "x", "--yes", *arguments]) == 107
    assert site.live_text() == before
    assert run(["plan", "--force", rule, *arguments]) == 1

    site.file.write_text(edited(committed, case.keeps))
    assert run(["plan", *arguments]) == 1, capsys.readouterr()

    site.file.write_text(edited(committed, case.breaks))
    assert run(["push", "-m", "x", "--yes", "--force", rule, *arguments]) == 0
    assert (
        site.git("log", "-1", "--format=%(trailers:key=CIB-Forced,valueonly)").strip()
        == rule
    )
    assert f"forced: {rule}" in site.git("reflog", "show", "refs/cibgit/prod/applied")


# Rules that look at what only a running cluster or the installed agents have.

STATUS = """<status>
<node_state id="1" uname="alice" in_ccm="{}" crmd="{}"/>
<node_state id="2" uname="bob" in_ccm="true" crmd="online"/></status></cib>"""
AGENT = Agent(
    "ocf:pacemaker:Dummy",
    {
        "state": Parameter("state"),
        "ip": Parameter("ip", is_required=True),
        "user": Parameter("user", is_deprecated=True),
        "login": Parameter("login", is_required=True, replaces=("user",)),
    },
)
GIVEN = (
    '<instance_attributes id="p"><nvpair id="p1" name="ip" value="1"/>'
    '<nvpair id="p2" name="user" value="x"/>{}</instance_attributes>'
)
DB = 'id="db" class="ocf" provider="pacemaker" type="Dummy">'


def context(
    *edits: tuple[str, str], live: str = LIVE, options: object = None, **known: object
) -> Context:
    """Return the context of a plan with these edits and what else is known."""
    before = parse(live.encode(), "live")
    desired = parse(edited(LIVE, edits).encode(), "desired")
    policy = changed(DEFAULT_POLICY, options or {}, "test")
    values = {"now": datetime(2026, 11, 25, 12, 0, tzinfo=UTC), **known}
    return Context(before, target(desired, before, None), policy, **values)  # type: ignore[arg-type]


def refusing(one: Context) -> dict[str, str]:
    """Return the rules that refuse, with the sentence of the last finding."""
    return {finding.rule: finding.sentence for finding in rules.judge(one).refusals}


def simulated(*effects: Effect, running: int = 4) -> Effects:
    instances = [
        Instance(f"r{n}", "Started", True, True, False) for n in range(running)
    ]
    simulation = Simulation((), tuple(instances), effects, ())
    return Effects(happens=effects, simulation=simulation)


MOVES = tuple(Effect(Kind.MOVE, name, "alice", "bob") for name in ("vip", "db", "one"))


def test_max_restarted() -> None:
    for limit, count in ((2, 3), ("50%", 3), (0, 1)):
        one = context(
            options={"max-restarted": limit}, effects=simulated(*MOVES[:count])
        )
        told = refusing(one)["max-restarted"]
        assert f"{count} of 4" in told
        assert f"max-restarted is {limit}" in told
    for limit, count in ((3, 3), ("75%", 3), (0, 0)):
        one = context(
            options={"max-restarted": limit}, effects=simulated(*MOVES[:count])
        )
        assert refusing(one) == {}
    harmless = [
        Effect(Kind.START, "vip", "", "bob"),
        Effect(Kind.RELOAD, "db", "alice"),
        Effect(Kind.STOP, "gone", "alice"),
        Effect(Kind.MIGRATE, "db", "alice", "bob"),
    ]
    one = context(options={"max-restarted": 0}, effects=simulated(*harmless))
    assert refusing(one) == {}


def test_no_fencing_action() -> None:
    fenced = Effect(Kind.FENCE, "alice", "alice", role="reboot", reason="peer is gone")
    one = context(effects=simulated(fenced))
    assert (
        "alice would be fenced (reboot): peer is gone"
        in refusing(one)["no-fencing-action"]
    )
    assert refusing(context(effects=Effects(anyway=(fenced,)))) == {}
    off = {"no-fencing-action": False}
    assert refusing(context(effects=simulated(fenced), options=off)) == {}


@pytest.mark.parametrize(
    ("joined", "online", "is_here"),
    [("true", "online", True), ("false", "offline", False), ("true", "offline", False),
     ("1700000000", "1700000001", True), ("0", "1700000001", False)],
)  # fmt: skip
def test_all_nodes(joined: str, online: str, is_here: bool) -> None:
    live = LIVE.replace("</cib>", STATUS.format(joined, online))
    told = refusing(context(live=live))
    assert (told == {}) is is_here
    assert is_here or "not all nodes are here: alice." in told["all-nodes"]
    assert refusing(context(live=live, options={"all-nodes": False})) == {}
    verdict = rules.judge(context(live=live), ["all-nodes"])
    assert (verdict.refusals, verdict.forced == ()) == ([], is_here)


def test_a_remote_node_need_not_be_joined() -> None:
    live = LIVE.replace("</cib>", STATUS.format("true", "online"))
    remote = "</nodes>", '<node id="far" uname="far" type="remote"/></nodes>'
    assert refusing(context(live=live.replace(*remote))) == {}


def test_quorum_cannot_be_forced() -> None:
    live = LIVE.replace("</cib>", STATUS.format("true", "online"))
    live = live.replace('have-quorum="1"', 'have-quorum="0"')
    assert "no quorum" in refusing(context(live=live))["quorum"]
    with pytest.raises(Exception, match="no rule that can be forced"):
        rules.judge(context(live=live), ["quorum"])


def test_a_suspended_cluster() -> None:
    one = context()
    until = int(one.now.timestamp()) + 60
    held = suspended(one.live, Suspension(until, "alice", "ticket 4711"))
    told = refusing(replace(one, live=held))
    assert told == {"suspended": f"suspended {suspension(held, one.now)}"}
    assert "by alice: ticket 4711" in told["suspended"]
    later = one.now + timedelta(seconds=61)
    assert refusing(replace(one, live=held, now=later)) == {}
    assert rules.judge(replace(one, live=held), ["suspended"]).refusals == []


@pytest.mark.parametrize(
    ("window", "zone", "is_open"),
    [
        ("Mon-Fri 08:00-18:00", "UTC", True),
        ("Mon,Tue 08:00-18:00", "UTC", False),
        ("Wed 08:00-12:00", "UTC", False),
        ("Wed 12:00-12:01", "UTC", True),
        ("Wed 13:00-14:00", "Europe/Vienna", True),
        ("Tue 22:00-12:30", "UTC", True),
        ("Wed 22:00-12:30", "UTC", False),
        ("Sat-Wed 00:00-24:00", "UTC", True),
    ],
)
def test_windows(window: str, zone: str, is_open: bool) -> None:
    options = {"windows": [window], "timezone": zone}
    told = refusing(context(options=options))
    assert (told == {}) is is_open
    assert is_open or f"pushes are allowed {window}" in told["windows"]


def test_a_pattern_that_fits_nothing_is_told() -> None:
    one = context(options={"keep": ["dbb", "db"], "protected": ["primitive x*"]})
    assert [each.sentence for each in rules.judge(one).findings] == [
        "the pattern 'primitive x*' of protected fits no element",
        "the pattern 'dbb' of keep fits no element",
    ]


ADDED = (ONE, ONE.replace("/>", f">{GIVEN.format('')}</primitive>"))
DUMMY = "ocf:pacemaker:Dummy"


def test_an_agent_that_is_not_installed() -> None:
    typo = (TWO, TWO.replace("Dummy", "Dumy"))
    missing = {"ocf:pacemaker:Dumy": Missing(("ocf:pacemaker:Dummy",))}
    told = refusing(context(typo, agents=missing))["agents"]
    assert told == (
        "two: agent ocf:pacemaker:Dumy is not installed on this machine."
        " Did you mean ocf:pacemaker:Dummy?"
    )
    # what the plan does not touch is not its fault
    assert refusing(context((ONE, ""), agents={DUMMY: Missing()})) == {}
    # a resource that keeps its agent
    slower = ('interval="30s"', 'interval="31s"')
    assert refusing(context(slower, agents={DUMMY: Missing()})) == {}
    # a service that only the node knows
    unit = (TWO, '<primitive id="two" class="systemd" type="chronny"/>')
    assert refusing(context(unit, agents={"systemd:chronny": Missing()})) == {}
    findings = rules.judge(
        context(typo, agents={"ocf:pacemaker:Dumy": NotAsked("why")})
    ).findings
    assert [(one.severity, one.rule) for one in findings] == [(Severity.NOTE, "agents")]


def test_parameters_of_agents() -> None:
    agents = {DUMMY: AGENT}
    assert refusing(context(ADDED, agents=agents)) == {}
    new = ADDED[1].replace('id="one"', 'id="new"') + ONE
    assert refusing(context((ONE, new), agents=agents)) == {}
    unknown = (ADDED[0], new.replace('name="user"', 'name="usr"'))
    verdict = rules.judge(context(unknown, agents=agents))
    assert [one.sentence for one in verdict.refusals] == [
        "primitive new: agent ocf:pacemaker:Dummy has no parameter 'usr'",
        "primitive new: agent ocf:pacemaker:Dummy requires parameter 'login'",
    ]
    # it lacked them before
    kept = ('interval="30s"', 'interval="31s"')
    assert refusing(context(kept, agents=agents)) == {}
    lacking = (ADDED[0], new.replace('name="ip"', 'name="state"'))
    assert (
        "requires parameter 'ip'"
        in refusing(context(lacking, agents=agents))["agent-parameters"]
    )
    pair = '<nvpair id="t" name="trace_ra" value="1"/></instance_attributes>'
    traced = (ONE, new.replace("</instance_attributes>", pair))
    assert refusing(context(traced, agents=agents)) == {}


def test_parameters_may_come_from_a_template_or_a_group() -> None:
    agents = {DUMMY: AGENT}
    agent, given = 'class="ocf" provider="pacemaker" type="Dummy"', GIVEN.format("")
    template = f'<template id="t" {agent}>{given}</template>'
    by_template = (ONE, f'{template}<primitive id="one" template="t"/>')
    assert refusing(context(by_template, agents=agents)) == {}
    group = f'<group id="g"><primitive id="new" {agent}/>{given}</group>'
    assert refusing(context((ONE, group + ONE), agents=agents)) == {}


def test_new_complaints_of_crm_verify() -> None:
    error, warning = (Complaint(s, "words") for s in (Severity.ERROR, Severity.WARNING))
    assert refusing(context(complaints=(error,))) == {"verify": "crm_verify: words"}
    assert refusing(context(complaints=(warning,))) == {}
    assert refusing(context(complaints=(error,), options={"verify": False})) == {}


REFERENCES: dict[str, tuple[tuple[str, str], str]] = {
    "a level without its device": (
        ('devices="fence2"', 'devices="fence1,fence3"'), "devices names 'fence3'"),
    "a level with a resource": (('devices="fence2"', 'devices="vip"'), "devices names 'vip'"),
    "a constraint on a set": (
        ('rsc="vip"', 'rsc="o-stonith"'), "rsc names 'o-stonith'"),
    "a template that is none": (
        (ONE, '<primitive id="one" template="vip"/>'), "template names 'vip'"),
    "a set that is something else": (
        (ONE, ONE.replace("/>", '><meta_attributes id-ref="l1"/></primitive>')),
        "id-ref names 'l1'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFERENCES)
def test_references(name: str) -> None:
    edit, told = REFERENCES[name]
    assert told in refusing(context(edit))["references"]
    assert refusing(context(edit, live=edited(LIVE, (edit,)))) == {}  # it was so before


def test_an_unknown_node_is_told_and_not_refused() -> None:
    one = context(('node="alice" rsc', 'node="carol" rsc'))
    findings = rules.judge(one).findings
    assert [(each.severity, each.rule) for each in findings] == [
        (Severity.WARNING, "references")
    ]
    assert "'carol'" in findings[0].sentence


def test_parts_of_a_bundle_and_remote_nodes_are_known() -> None:
    bundle = (
        '<bundle id="box"><docker image="i" replicas="2"/></bundle>'
        '<primitive id="far" class="ocf" provider="pacemaker" type="remote"/></resources>'
    )
    constraints = (
        '<constraints><rsc_colocation id="c" rsc="vip" with-rsc="box-docker-0"/>'
        '<rsc_location id="l3" rsc="vip" node="box-1" score="1"/>'
        '<rsc_location id="l4" rsc="vip" node="far" score="1"/>'
    )
    one = context(("</resources>", bundle), ("<constraints>", constraints))
    assert rules.judge(one).findings == ()


@pytest.mark.parametrize(
    ("limit", "count", "total", "allowed"),
    [(Limit(2), 2, 9, True), (Limit(2), 3, 9, False), (Limit(50, True), 1, 2, True),
     (Limit(50, True), 2, 3, False), (Limit(0, True), 0, 0, True), (Limit(0), 1, 1, False)],
)  # fmt: skip
def test_limits(limit: Limit, count: int, total: int, allowed: bool) -> None:
    assert limit.allows(count, total) is allowed


def test_every_rule_has_a_test_here_and_a_line_in_the_docs() -> None:
    text = Path(__file__).read_text()
    docs = (Path(__file__).parents[2] / "docs/policy.md").read_text()
    for rule in rules.RULES:
        assert f'"{rule.name}"' in text, rule.name
        assert f"`{rule.name}`" in docs, rule.name
