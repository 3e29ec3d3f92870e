"""Effects and complaints of a saved status, by Pacemaker's own tools; no cluster runs.

``saved.xml`` is ``cibadmin -Q`` of a real cluster of three nodes (Pacemaker 2.1.5).
"""

import os
import re
from pathlib import Path

import pytest

from cibgit.cib.document import Cib, parse
from cibgit.cli.app import run
from cibgit.cluster import simulate
from cibgit.cluster.tools import Tools
from cibgit.policy.agent import Agent, Missing, NotAsked
from cibgit.policy.effect import Effects, Kind
from cibgit.policy.finding import Severity

SAVED = (Path(__file__).parent / "saved.xml").read_text()
TOOLS = Tools(os.environ)

pytestmark = pytest.mark.pacemaker


def cib(text: str) -> Cib:
    return parse(text.encode(), "saved")


def replaced(old: str, new: str, text: str = SAVED) -> str:
    changed, count = re.subn(old, new, text, count=1, flags=re.DOTALL)
    assert count == 1, old
    return changed


def effects(old: str, new: str, live: str = SAVED) -> Effects:
    found = TOOLS.effects(cib(live), cib(replaced(old, new, live)))
    assert found.unknown == ""
    return found


def told(found: Effects) -> list[str]:
    return [effect.sentence for effect in found.happens]


CHANGES: dict[str, tuple[str, str, list[str]]] = {
    "nothing": ("<tags/>|$", "", []),
    "a parameter": (
        'name="op_sleep" value="0"', 'name="state" value="/x"', ["A restarts on n1"]),
    "a reloadable one": (
        'name="fake" value="1"', 'name="fake" value="2"', ["A reloads its parameters on n1"]),
    "an interval": (
        '(id="B-m" name="monitor" interval=)"10s"', r'\1"12s"', ["B is monitored anew on n2"]),
    "a deletion": ('<primitive id="A".*?</primitive>', "", ["A stops on n1"]),
    "a location": (
        "<constraints/>",
        '<constraints><rsc_location id="l" rsc="G" node="n1" score="INFINITY"/></constraints>',
        ["g1 moves from n3 to n1", "g2 moves from n3 to n1"]),
    "maintenance": (
        'name="stonith-enabled" value="false"',
        'name="stonith-enabled" value="false"/><nvpair id="m" name="maintenance-mode"'
        ' value="true"',
        ["A is no longer monitored on n1", "B is no longer monitored on n2",
         "S is no longer monitored on n2", "S is no longer monitored on n3",
         "S is no longer monitored on n1"]),
    "a new promotable clone": (
        '<primitive id="A"',
        '<clone id="Q"><meta_attributes id="Q-m"><nvpair id="Q-p" name="promotable"'
        ' value="true"/><nvpair id="Q-x" name="clone-max" value="1"/></meta_attributes>'
        '<primitive id="T" class="ocf" provider="pacemaker" type="Stateful"/></clone>'
        '<primitive id="A"',
        ["T starts on n1", "A moves from n1 to n2", "B moves from n2 to n3"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_effects_of_a_saved_status(name: str) -> None:
    old, new, expected = CHANGES[name]
    assert sorted(told(effects(old, new))) == sorted(expected)


LOST = 'in_ccm="false" crmd="offline" join="down" expected="member"'
MEMBER = ' in_ccm="true" crmd="online"(.*?) join="member" expected="member"'
UNCLEAN = replaced(f'(<node_state id="1" uname="n1"){MEMBER}', rf"\1 {LOST}\2")


def test_fencing_because_of_a_change_and_fencing_anyway() -> None:
    fence = (
        'name="stonith-enabled" value="false"',
        'name="stonith-enabled" value="true"',
    )
    device = (
        '<primitive id="F" class="stonith" type="null"><instance_attributes id="F-p">'
        '<nvpair id="F-h" name="hostlist" value="n1"/></instance_attributes></primitive>'
    )
    live = replaced("<resources>", f"<resources>{device}", UNCLEAN)
    [fenced] = [one for one in effects(*fence, live).happens if one.kind is Kind.FENCE]
    assert (fenced.subject, fenced.role, fenced.reason) == (
        "n1", "reboot", "peer is no longer part of the cluster",
    )  # fmt: skip
    later = effects(
        'name="fake" value="1"', 'name="fake" value="2"', replaced(*fence, live)
    )
    assert [one.subject for one in later.anyway if one.kind is Kind.FENCE] == ["n1"]
    assert Kind.FENCE not in {one.kind for one in later.happens}


def test_what_would_have_happened_is_averted() -> None:
    """n1 is gone without fencing, so its resources are about to be started elsewhere."""
    found = effects('<primitive id="A".*?</primitive>', "", UNCLEAN)
    assert "A starts" in " ".join(one.sentence for one in found.averted)
    assert not any(one.subject == "A" for one in found.happens)


def test_nothing_is_left_behind_and_nothing_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulate, "MEMORY", str(tmp_path))
    modes: list[int] = []
    run_tool = simulate.commands.run

    def watched(argv: list[str], *args: object, **options: object) -> object:
        done = run_tool(argv, *args, **options)  # type: ignore[arg-type]
        modes.extend(path.stat().st_mode & 0o777 for path in tmp_path.iterdir())
        assert Path(argv[-1]).parent.parent == tmp_path
        return done

    monkeypatch.setattr(simulate.commands, "run", watched)
    before = set(Path("/var/lib/pacemaker/cib").glob("shadow.*"))
    effects('name="fake" value="1"', 'name="fake" value="2"')
    assert set(modes) == {0o700}
    assert list(tmp_path.iterdir()) == []
    assert set(Path("/var/lib/pacemaker/cib").glob("shadow.*")) == before


def test_where_nothing_can_be_known_it_says_why() -> None:
    bare = replaced("<status>.*</status>", "")
    assert TOOLS.effects(cib(bare), cib(SAVED)).unknown == "saved has no status"
    broken = replaced('validate-with="pacemaker-3.0"', 'validate-with="pacemaker-99.9"')
    assert "refuses this CIB" in TOOLS.effects(cib(SAVED), cib(broken)).unknown


def test_complaints_are_new_ones_only() -> None:
    unfenced = replaced(
        'name="stonith-enabled" value="false"', 'name="x" value="false"'
    )
    new = TOOLS.complaints(cib(SAVED), cib(unfenced))
    assert any("STONITH" in one.text for one in new)
    assert {one.severity for one in new} == {Severity.ERROR}
    assert TOOLS.complaints(cib(unfenced), cib(unfenced)) == ()
    assert TOOLS.complaints(cib(SAVED), cib(SAVED)) == ()


def test_agents_of_this_machine() -> None:
    found = TOOLS.agents(["ocf:pacemaker:Dummy", "ocf:pacemaker:Dumy"])
    dummy, typo = found["ocf:pacemaker:Dummy"], found["ocf:pacemaker:Dumy"]
    assert isinstance(dummy, Agent)
    assert dummy.parameters["fake"].is_reloadable
    assert not dummy.parameters["state"].is_reloadable
    assert typo == Missing(("ocf:pacemaker:Dummy",))
    assert TOOLS.agents(["ocf:pacemaker:Dummy"])["ocf:pacemaker:Dummy"] is dummy


@pytest.mark.parametrize("name", ["ocf:../../../tmp:x", "ocf:a:../../x", "-x:y:z", "x"])
def test_nothing_but_agents_is_executed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that is a path would make Pacemaker's tools run a file from there."""
    asked: list[object] = []
    monkeypatch.setattr(simulate.commands, "run", lambda *args, **_: asked.append(args))
    assert TOOLS.agents([name]) == {name: Missing()}
    assert asked == []


@pytest.mark.parametrize("kind", range(3))
def test_a_machine_without_the_tools(
    kind: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = [
        lambda: TOOLS.effects(cib(SAVED), cib(SAVED)).unknown,
        lambda: TOOLS.complaints(cib(SAVED), cib(SAVED))[0].text,
        lambda: TOOLS.agents(["ocf:a:b"])["ocf:a:b"],
    ]
    missing = ("no-such-tool",)
    for name in ("SIMULATE", "VERIFY", "METADATA"):
        monkeypatch.setattr(simulate.commands, name, missing)
    answer = ask[kind]()
    text = answer.reason if isinstance(answer, NotAsked) else str(answer)
    assert "no-such-tool is not installed" in text


def test_a_plan_for_a_saved_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder with a ``cib.xml`` that has a status is planned for like a cluster."""
    node, root = tmp_path / "node", tmp_path / "repo"
    node.mkdir()
    (node / "cib.xml").write_text(SAVED)
    assert run(["init", str(root), "--cluster", "lab", "--at", f"dir:{node}"]) == 0
    arguments = ["-C", str(root)]
    assert run(["export", *arguments]) == 0
    file = root / "clusters/lab/cib.xml"
    good = file.read_text()
    file.write_text(replaced('name="fake" value="1"', 'name="fake" value="2"', good))
    capsys.readouterr()
    assert run(["plan", *arguments]) == 1
    assert "~ A reloads its parameters on n1" in capsys.readouterr().out
    file.write_text(replaced('type="Stateful"', 'type="Statefull"', good))
    assert run(["plan", *arguments]) == 107
    assert "Did you mean ocf:pacemaker:Stateful?" in capsys.readouterr().err
