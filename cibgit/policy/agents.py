"""Rules about agents: installed at all, and given the parameters that they know.

Pacemaker accepts any agent and any parameter; a typo shows when the resource fails to
start, or never. Only resources that the plan adds or changes are judged.
"""

from collections.abc import Iterator

from ..cib.canonical import canonical
from ..cib.digest import Dialect, dump
from ..cib.document import Cib, Element
from ..cib.identity import label
from .agent import Agent, Missing, NotAsked
from .context import Context, by_id
from .finding import Finding, Severity

_CERTAIN = ("ocf", "stonith")
"""Classes whose agents are files; others are asked of a service that may not run here."""

_FENCER = ("pcmk_", "stonith-timeout", "priority", "provides")
"""Parameters that the fencer takes for every device (``man pacemaker-fenced``)."""

_SHELL = ("trace_", "OCF_CHECK_LEVEL")
"""Parameters that the shell functions of OCF agents take for every agent."""

_GIVEN_BY_FENCER = frozenset({"action", "port", "plug", "nodename"})
"""Parameters of fence agents that are required of the fencer, not of the user."""


def touched(live: Cib, target: Cib) -> dict[str, list[Element]]:
    """Return the primitives and templates that differ, by the name of their agent.

    The name is ``ocf:heartbeat:IPaddr2`` or ``systemd:chrony``. A primitive made from a
    template is judged by the template's agent, and differs where the template does. What
    runs in a container is left out: its agent is installed there.
    """
    old, new = by_id(canonical(live)), by_id(canonical(target))
    found: dict[str, list[Element]] = {}
    for name, element in new.items():
        if element.tag not in ("primitive", "template") or is_contained(element):
            continue
        if _whole(element, new) != (_whole(old[name], old) if name in old else b""):
            agent = agent_name(element, new)
            if agent:
                found.setdefault(agent, []).append(element)
    return found


def agent_name(element: Element, definitions: dict[str, Element]) -> str:
    """Return the full name of a primitive's agent; empty where its template is missing."""
    found = definitions.get(element.get("template", ""), element)
    parts = (found.get("class"), found.get("provider"), found.get("type"))
    return ":".join(part for part in parts if part) if found.get("type") else ""


def agents(context: Context) -> Iterator[Finding]:
    """Refuse an agent that is not installed; tell where nobody could say.

    A resource that keeps its agent is not judged: it may run elsewhere.
    """
    if not context.policy.agents:
        return
    live, target = by_id(context.live), by_id(context.target)
    for name, elements in touched(context.live, context.target).items():
        known = context.agents.get(name)
        ids = [str(element.get("id")) for element in elements]
        who = ", ".join(
            each
            for each in ids
            if each not in live
            or agent_name(live[each], live) != agent_name(target[each], target)
        )
        if who and isinstance(known, NotAsked):
            yield Finding(
                Severity.NOTE, "agents", who,
                f"{who}: agent {name} is not checked: {known.reason}", "",
            )  # fmt: skip
        elif who and isinstance(known, Missing):
            yield _missing(name, who, known)


def _missing(name: str, who: str, missing: Missing) -> Finding:
    similar = (
        f" Did you mean {' or '.join(missing.similar)}?" if missing.similar else ""
    )
    is_certain = name.partition(":")[0] in _CERTAIN
    hint = "If it is installed on the nodes that run it: --force agents"
    return Finding(
        Severity.ERROR if is_certain else Severity.WARNING,
        "agents",
        who,
        f"{who}: agent {name} is not installed on this machine.{similar}",
        hint if is_certain else "",
    )


def agent_parameters(context: Context) -> Iterator[Finding]:
    """Refuse a parameter that the agent does not know, and the lack of a required one.

    What is wrong with a resource already is not the plan's fault.
    """
    if not context.policy.agent_parameters:
        return
    live, target = by_id(context.live), by_id(context.target)
    for name, elements in touched(context.live, context.target).items():
        known = context.agents.get(name)
        if not isinstance(known, Agent):
            continue
        for element in elements:
            identity = str(element.get("id"))
            old = set(problems(live, identity, known))
            new = problems(target, identity, known)
            yield from (found for found in new if found not in old)


def problems(
    definitions: dict[str, Element], identity: str, agent: Agent
) -> Iterator[Finding]:
    """Yield what is wrong with the parameters of one resource, if ``agent`` is its own."""
    element = definitions.get(identity)
    if element is None or agent_name(element, definitions) != agent.name:
        return
    yield from _unknown(element, agent, definitions)
    if element.tag == "primitive":
        yield from _lacking(element, agent, definitions)


def _unknown(
    element: Element, agent: Agent, definitions: dict[str, Element]
) -> Iterator[Finding]:
    always = _FENCER if agent.name.startswith("stonith:") else _SHELL
    for parameter in sorted(_parameters(element, definitions)):
        if parameter not in agent.parameters and not parameter.startswith(always):
            yield _wrong(element, f"agent {agent.name} has no parameter {parameter!r}")


def _lacking(
    element: Element, agent: Agent, definitions: dict[str, Element]
) -> Iterator[Finding]:
    given = set()
    for each in _lineage(element, definitions):
        given |= _parameters(each, definitions)
    not_asked = _GIVEN_BY_FENCER if agent.name.startswith("stonith:") else frozenset()
    for parameter in agent.parameters.values():
        names = {parameter.name, *parameter.replaces}
        if (
            parameter.is_required
            and not parameter.is_deprecated
            and not names & given
            and parameter.name not in not_asked
        ):
            yield _wrong(
                element, f"agent {agent.name} requires parameter {parameter.name!r}"
            )


def _lineage(element: Element, definitions: dict[str, Element]) -> Iterator[Element]:
    """Yield a primitive, its template and what it stands in: all of them set parameters."""
    yield element
    template = definitions.get(element.get("template", ""))
    if template is not None:
        yield template
    yield from element.iterancestors("group", "clone", "master", "bundle")


def _parameters(element: Element, definitions: dict[str, Element]) -> set[str]:
    """Return the names of the parameters that stand on an element itself."""
    names: set[str] = set()
    for found in element.iterchildren("instance_attributes"):
        pairs = definitions.get(found.get("id-ref", ""), found)
        for pair in pairs.iterchildren("nvpair"):
            referred = definitions.get(pair.get("id-ref", ""), pair)
            names.add(pair.get("name", "") or referred.get("name", ""))
    return names - {""}


def is_contained(element: Element) -> bool:
    """Say whether a resource runs in a container, where its agent is installed."""
    parent = element.getparent()
    return parent is not None and parent.tag == "bundle"


def _whole(element: Element, definitions: dict[str, Element]) -> bytes:
    template = definitions.get(element.get("template", ""))
    inherited = b"" if template is None else dump(template, Dialect.NEW)
    return dump(element, Dialect.NEW) + inherited


def _wrong(element: Element, sentence: str) -> Finding:
    return Finding(
        Severity.ERROR,
        "agent-parameters",
        str(element.get("id")),
        f"{label(element)}: {sentence}",
        "Correct it, or: --force agent-parameters",
    )
