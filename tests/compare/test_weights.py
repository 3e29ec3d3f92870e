"""One case for each rule, and one beside it that the rule must let pass."""

import pytest

from cibgit.cib.document import parse
from cibgit.compare import weights
from cibgit.compare.change import Change, Weight
from cibgit.compare.diff import compare
from cibgit.compare.edits import Edit
from cibgit.compare.meaningless import Rule, Surroundings

NONE, OPERATIONAL, CONFIGURATION, DANGEROUS = Weight
DUMMY = (
    '<primitive id="{}" class="ocf" provider="pacemaker" type="Dummy">{}</primitive>'
)


def changes(old: str, new: str) -> list[Change]:
    frame = "<cib><configuration>{}</configuration></cib>"
    return compare(*(parse(frame.format(each).encode(), "x") for each in (old, new)))


def option(name: str, value: str | None, *, others: str = "") -> str:
    own = "" if value is None else f'<nvpair id="o" name="{name}" value="{value}"/>'
    return (
        '<crm_config><cluster_property_set id="cib-bootstrap-options">'
        f"{own}{others}</cluster_property_set></crm_config>"
    )


def meta(
    name: str, value: str | None, *, agent: str = "ocf", defaults: str = ""
) -> str:
    own = "" if value is None else f'<nvpair id="m" name="{name}" value="{value}"/>'
    return (
        f'<resources><primitive id="a" class="{agent}" type="T">'
        f'<meta_attributes id="ms"><nvpair id="z" name="z" value="1"/>{own}'
        f"</meta_attributes></primitive></resources>{defaults}"
    )


def resources(*inside: str) -> str:
    return f"<resources>{''.join(inside)}</resources>"


def location(identity: str, score: str) -> str:
    return (
        f'<constraints><rsc_location id="{identity}" rsc="a" node="n" score="{score}"/>'
        "</constraints>"
    )


def node(attribute: str, value: str) -> str:
    return (
        '<nodes><node id="1" uname="n"><instance_attributes id="i">'
        f'<nvpair id="p" name="{attribute}" value="{value}"/></instance_attributes>'
        "</node></nodes>"
    )


A, B = DUMMY.format("a", ""), DUMMY.format("b", "")
FENCE = '<primitive id="f" class="stonith" type="fence_x"/>'
UNMANAGED = (
    '<rsc_defaults><meta_attributes id="d"><nvpair id="dm" name="is-managed"'
    ' value="false"/></meta_attributes></rsc_defaults>'
)
UNFENCED = '<nvpair id="u" name="fencing-enabled" value="false"/>'
LEVEL = (
    '<fencing-topology><fencing-level id="l" target="n" index="1" devices="f"/>'
    "</fencing-topology>"
)
ROLE = (
    '<acls><acl_role id="r"><acl_permission id="p" kind="read" xpath="{}"/></acl_role>'
    "</acls>"
)
BAN, PREFERENCE = location("cli-ban-a-on-n", "-INFINITY"), location("l", "100")

CASES = [
    # without meaning
    (resources(A), resources("<!-- c -->", A), NONE),
    (resources(A), resources(A.replace('id="a"', 'id="a" description="d"')), NONE),
    (meta("failure-timeout", "60"), meta("failure-timeout", "PT1M"), NONE),
    (meta("failure-timeout", "60"), meta("failure-timeout", "61"), CONFIGURATION),
    (location("l", "INFINITY"), location("l", "1000000"), NONE),
    (meta("target-role", "Master"), meta("target-role", "Promoted"), NONE),
    (meta("master-max", "2"), meta("promoted-max", "2"), NONE),
    ("", "<tags/>", NONE),
    (resources(A), resources(DUMMY.format("a", '<meta_attributes id="m"/>')), NONE),
    (resources(A), resources(DUMMY.format("a", "<operations/>")), NONE),
    (meta("is-managed", None), meta("is-managed", "true"), NONE),
    (meta("is-managed", None), meta("is-managed", "false"), OPERATIONAL),
    (meta("is-managed", None, defaults=UNMANAGED),
     meta("is-managed", "true", defaults=UNMANAGED), OPERATIONAL),
    (option("stonith-enabled", None), option("stonith-enabled", "true"), NONE),
    (option("fencing-enabled", None), option("fencing-enabled", "true"), NONE),
    (option("stonith-enabled", None, others=UNFENCED),
     option("stonith-enabled", "true", others=UNFENCED), CONFIGURATION),
    (location("l", "1"), location("m", "1"), NONE),
    # operational
    (node("standby", "off"), node("standby", "on"), OPERATIONAL),
    (node("maintenance", "off"), node("maintenance", "on"), OPERATIONAL),
    (node("standby", "off"), node("standby", "false"), NONE),
    (node("rack", "1"), node("rack", "2"), CONFIGURATION),
    (meta("target-role", "Started"), meta("target-role", "Stopped"), OPERATIONAL),
    (meta("priority", "1"), meta("priority", "2"), CONFIGURATION),
    (option("maintenance-mode", None), option("maintenance-mode", "true"), OPERATIONAL),
    (option("stop-all-resources", "true"), option("stop-all-resources", "false"),
     OPERATIONAL),
    ("<constraints/>", BAN, OPERATIONAL),
    (BAN, "<constraints/>", OPERATIONAL),
    ("<constraints/>", PREFERENCE, CONFIGURATION),
    # configuration
    (resources(), resources(A), CONFIGURATION),
    (resources(A, B), resources(B, A), CONFIGURATION),
    (resources('<group id="g">', A, B, "</group>"), resources(A, B), CONFIGURATION),
    # dangerous
    (option("stonith-enabled", "true"), option("stonith-enabled", "false"), DANGEROUS),
    (option("fencing-enabled", None), option("fencing-enabled", "0"), DANGEROUS),
    (option("stonith-enabled", "false"), option("stonith-enabled", "true"),
     CONFIGURATION),
    (option("startup-fencing", None), option("startup-fencing", "no"), DANGEROUS),
    (option("stonith-watchdog-timeout", "10"), option("stonith-watchdog-timeout", "5"),
     DANGEROUS),
    (option("no-quorum-policy", "stop"), option("no-quorum-policy", "ignore"), DANGEROUS),
    (option("no-quorum-policy", "ignore"), option("no-quorum-policy", None), DANGEROUS),
    (option("stop-all-resources", None), option("stop-all-resources", "on"), DANGEROUS),
    (option("symmetric-cluster", None), option("symmetric-cluster", "false"), DANGEROUS),
    (option("enable-acl", "false"), option("enable-acl", "true"), DANGEROUS),
    (ROLE.format("/cib"), ROLE.format("//nodes"), DANGEROUS),
    (resources(FENCE), resources(), DANGEROUS),
    (LEVEL, "<fencing-topology/>", DANGEROUS),
    ("<fencing-topology/>", LEVEL, CONFIGURATION),
    (meta("target-role", None, agent="stonith"),
     meta("target-role", "Stopped", agent="stonith"), DANGEROUS),
    (resources(A), resources(), DANGEROUS),
    (resources(A), resources(A.replace("Dummy", "Stateful")), DANGEROUS),
    (resources(A), resources(A.replace('id="a"', 'id="b"')), DANGEROUS),
    (meta("requires", None), meta("requires", "nothing"), DANGEROUS),
    (meta("requires", None), meta("requires", "quorum"), CONFIGURATION),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "weight"), CASES)
def test_the_weight_of_a_change(old: str, new: str, weight: Weight) -> None:
    found = changes(old, new)
    assert max(change.weight for change in found) is weight, found
    for change in found:
        reasoned = change.weight in (Weight.NONE, Weight.DANGEROUS, Weight.OPERATIONAL)
        assert bool(change.reason) or not reasoned


@pytest.mark.parametrize(
    ("old", "new", "weight"),
    [
        ("", ' remote-clear-port="1"', DANGEROUS),
        (' remote-clear-port="1"', "", CONFIGURATION),
        ("", ' remote-tls-port="1"', DANGEROUS),
        (' validate-with="pacemaker-3.9"', ' validate-with="pacemaker-3.10"',
         CONFIGURATION),
        (' validate-with="pacemaker-3.10"', ' validate-with="pacemaker-3.9"', DANGEROUS),
        (' validate-with="pacemaker-3.9"', ' validate-with="none"', DANGEROUS),
        (' validate-with="pacemaker-3.9"', "", DANGEROUS),
    ],
)  # fmt: skip
def test_the_weight_of_attributes_of_the_cib(
    old: str, new: str, weight: Weight
) -> None:
    texts = (f"<cib{each}><configuration/></cib>" for each in (old, new))
    [change] = compare(*(parse(text.encode(), "x") for text in texts))
    assert change.weight is weight


def test_a_group_that_loses_its_members_to_the_top_deletes_nothing() -> None:
    group = '<group id="g">{}</group>'
    kept = changes(resources(group.format(A + B)), resources(A, B))
    assert {change.weight for change in kept} == {CONFIGURATION}
    lost = changes(resources(group.format(A + B)), resources(A))
    assert max(change.weight for change in lost) is DANGEROUS


def test_order_without_meaning() -> None:
    alerts = '<alert id="{}" path="/x"/>'
    one, two = alerts.format("a"), alerts.format("b")
    found = changes(f"<alerts>{one}{two}</alerts>", f"<alerts>{two}{one}</alerts>")
    assert [change.weight for change in found] == [NONE]


@pytest.mark.parametrize(("score", "weight"), [("", CONFIGURATION), ("7", NONE)])
def test_sets_of_equal_score_have_an_order(score: str, weight: Weight) -> None:
    sets = [f'<meta_attributes id="m{i}"/>' for i in (1, 2)]
    if score:
        sets[0] = sets[0].replace("/>", f' score="{score}"/>')
    old, new = (DUMMY.format("a", "".join(each)) for each in (sets, sets[::-1]))
    assert [c.weight for c in changes(resources(old), resources(new))] == [weight]


def test_every_rule_decides_one_of_the_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that no case needs is a rule that nothing tests."""
    decided: set[str] = set()

    def noting(rule: Rule) -> Rule:
        def asked(edit: Edit, around: Surroundings) -> str | None:
            reason = rule(edit, around)
            if reason is not None:
                decided.add(rule.__name__)
            return reason

        return asked

    rules = [(weight, tuple(map(noting, some))) for weight, some in weights.RULES]
    monkeypatch.setattr(weights, "RULES", rules)
    for old, new, _ in CASES:
        changes(old, new)
    test_order_without_meaning()
    test_the_weight_of_attributes_of_the_cib("", ' remote-clear-port="1"', DANGEROUS)
    lowered = (' validate-with="pacemaker-3.9"', ' validate-with="none"')
    test_the_weight_of_attributes_of_the_cib(*lowered, DANGEROUS)
    monkeypatch.undo()
    every = {rule.__name__ for _, some in weights.RULES for rule in some}
    assert decided == every
