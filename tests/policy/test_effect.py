import pytest

from cibgit.cib.document import parse
from cibgit.config import DEFAULT_POLICY
from cibgit.errors import BadDataError
from cibgit.policy.context import Context
from cibgit.policy.effect import Effect, Effects, Kind, Operation, delta, read
from cibgit.policy.simulation import doubts

NODES = """\
<nodes><node name="n1" online="true" unclean="false" pending="false" maintenance="false"/>
<node name="n2" online="true" unclean="false" pending="true" maintenance="false"/></nodes>
"""
RESOURCES = """\
<resources>
<resource id="a" role="Started" active="true" managed="true"/>
<resource id="u" role="Started" active="true" managed="false"/>
<clone id="c" multi_state="true"><resource id="p" role="Stopped" active="false"
 managed="true"/></clone>
</resources>
"""


def simulated(actions: str = "", graph: str = "") -> tuple[bytes, bytes]:
    output = (
        f"<pacemaker-result><cluster_status>{NODES}{RESOURCES}</cluster_status>"
        f"<actions>{actions}</actions></pacemaker-result>"
    )
    return output.encode(), f"<transition_graph>{graph}</transition_graph>".encode()


def operation(task: str, key: str, node: str, resource: str = "a") -> str:
    return (
        f'<synapse><action_set><rsc_op operation="{task}" operation_key="{key}"'
        f' on_node="{node}"><primitive id="{resource}"/></rsc_op></action_set>'
        '<inputs><trigger><rsc_op operation="x" operation_key="x_x_0" on_node="x"/>'
        "</trigger></inputs></synapse>"
    )


def fence(node: str) -> str:
    return (
        '<synapse><action_set><crm_event operation="stonith"'
        f' operation_key="stonith-{node}-off" on_node="{node}"/></action_set></synapse>'
    )


def test_each_kind_of_decision_is_read() -> None:
    cases = {
        '<rsc_action action="start" resource="a" node="n1"/>': "a starts on n1",
        '<rsc_action action="start" resource="p:0" role="Stopped" next-role="Promoted"'
        ' dest="n2"/>': "p starts on n2 as Promoted",
        '<rsc_action action="stop" resource="p:1" role="Promoted" node="n1"/>':
            "p stops on n1",
        '<rsc_action action="move" resource="a" source="n1" dest="n2"/>':
            "a moves from n1 to n2",
        '<rsc_action action="migrate" resource="a" source="n1" dest="n2"/>':
            "a migrates live from n1 to n2",
        '<rsc_action action="recover" resource="a" source="n1" dest="n2"/>':
            "a is recovered from n1 to n2",
        '<rsc_action action="recover" resource="a" source="n1"/>': "a is recovered on n1",
        '<rsc_action action="restart" resource="a" source="n1"/>': "a restarts on n1",
        '<rsc_action action="promote" resource="p" role="Unpromoted"'
        ' next-role="Promoted" source="n1"/>': "p is promoted on n1",
        '<rsc_action action="demote" resource="p" role="Promoted" next-role="Unpromoted"'
        ' source="n1"/>': "p is demoted on n1",
        '<rsc_action action="re-promote" resource="p" role="Promoted" source="n1"/>':
            "p is demoted and promoted again on n1",
        '<rsc_action action="start" resource="a" node="n1" blocked="true"/>':
            "a starts on n1 (blocked: it does not happen now)",
    }  # fmt: skip
    for action, sentence in cases.items():
        [effect] = read(*simulated(action)).actions
        assert effect.sentence == sentence


def test_fencing_is_read_from_the_graph_for_it_may_have_no_reason() -> None:
    because = '<node_action task="Fence (off)" node="n1" reason="peer is gone"/>'
    found = read(*simulated(because, fence("n1") + fence("n2"))).actions
    assert [(one.kind, one.subject, one.role, one.reason) for one in found] == [
        (Kind.FENCE, "n1", "off", "peer is gone"),
        (Kind.FENCE, "n2", "off", ""),
    ]


def test_unfencing_is_no_fencing() -> None:
    [effect] = read(*simulated("", fence("n1").replace("-off", "-on"))).actions
    assert (effect.kind, effect.sentence) == (Kind.UNFENCE, "n1 is unfenced")


def test_an_action_of_another_release_is_refused() -> None:
    with pytest.raises(BadDataError, match="unknown action 'teleport'"):
        read(*simulated('<rsc_action action="teleport" resource="a" node="n1"/>'))


def test_a_start_in_another_role_is_an_effect() -> None:
    start = (
        '<rsc_action action="start" resource="p:0" role="Stopped" next-role="{}"'
        ' dest="n2"/>'
    )
    before = read(*simulated(start.format("Unpromoted")))
    found = delta(before, read(*simulated(start.format("Promoted"))))
    assert [one.sentence for one in found.happens] == ["p starts on n2 as Promoted"]


def test_monitors_are_told_only_where_nothing_else_happens() -> None:
    graph = (
        operation("cancel", "a_monitor_10000", "n1")
        + operation("monitor", "a_monitor_12000", "n1")
        + operation("cancel", "u_monitor_10000", "n2", "u")
        + operation("monitor", "p:0_monitor_9000", "n1", "p:0")
    )
    started = '<rsc_action action="start" resource="p:0" node="n1"/>'
    found = read(*simulated(started, graph)).actions
    assert [one.sentence for one in found] == [
        "p starts on n1",
        "a is monitored anew on n1",
        "u is no longer monitored on n2",
    ]
    probe = read(*simulated("", operation("monitor", "a_monitor_0", "n1")))
    assert probe.actions == ()
    assert probe.operations == (Operation("a", "monitor", "n1"),)


def test_the_delta_keeps_what_happens_anyway_apart() -> None:
    restart = '<rsc_action action="restart" resource="a" source="n1" reason="{}"/>'
    start = '<rsc_action action="start" resource="{}" node="n1"/>'
    before = read(*simulated(restart.format("one") + start.format("x")))
    after = read(
        *simulated(restart.format("two") + start.format("y") + start.format("y"))
    )
    found = delta(before, after)
    assert [one.subject for one in found.anyway] == ["a"]
    assert [one.subject for one in found.averted] == ["x"]
    assert [one.subject for one in found.happens] == ["y", "y"]
    assert delta(after, after).happens == ()


def notes(effects: Effects, options: str = "") -> list[str]:
    text = (
        "<cib validate-with='none'><configuration><crm_config><cluster_property_set"
        f" id='cib-bootstrap-options'>{options}</cluster_property_set></crm_config>"
        "</configuration></cib>"
    )
    cib = parse(text.encode(), "x")
    context = Context(cib, cib, DEFAULT_POLICY, None, effects)  # type: ignore[arg-type]
    return [finding.sentence for finding in doubts(context)]


def test_what_a_simulation_cannot_know_is_said() -> None:
    start = (
        '<rsc_action action="start" resource="p:0" role="Stopped"'
        ' next-role="Unpromoted" dest="n1"/>'
        '<rsc_action action="reload" resource="a" source="n1"/>'
        '<rsc_action action="stop" resource="u" node="n1" blocked="true"/>'
    )
    graph = operation("monitor", "p:0_monitor_0", "n1", "p:0")
    found = delta(read(*simulated()), read(*simulated(start, graph)))
    told = notes(found)
    for words in ("node n2 is pending", "starts nor stops it: u", "probed first", "scores",
                  "reloaded, not restarted", "wants more than it can do now: u"):  # fmt: skip
        assert any(words in sentence for sentence in told), words
    off = notes(found, '<nvpair id="s" name="stonith-enabled" value="no"/>')
    assert any("fencing is off" in sentence for sentence in off)
    mode = notes(found, '<nvpair id="m" name="maintenance-mode" value="on"/>')
    assert any("maintenance-mode is on" in sentence for sentence in mode)
    assert notes(Effects(unknown="no tools")) == ["effects are not known: no tools"]


def test_a_promoted_resource_is_decided() -> None:
    promoted = Effect(Kind.START, "p", "", "n1", "Promoted")
    start = '<rsc_action action="start" resource="p:0" next-role="Promoted" dest="n1"/>'
    simulation = read(*simulated(start))
    found = Effects(happens=(promoted,), simulation=simulation)
    assert not any("scores" in sentence for sentence in notes(found))
