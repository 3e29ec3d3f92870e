"""Resources as commands of pcs 0.11: which commands one resource takes.

In which order they run, and who stands in whom, is :mod:`cibgit.render.pcs_layout`.
"""

from ..cib.document import Element, attributes
from ..compare.aspects import (
    AttributePart,
    MembersPart,
    OperationPart,
    OtherPart,
    PairPart,
    is_plain_operations,
    is_plain_set,
    own_children,
    pairs,
)
from ..compare.steps import Step
from .script import InexpressibleError, Script, Word, refuse_others

Words = list[Word]

_AGENT = ("class", "provider", "type")
_PAIRS = {"instance_attributes": [], "meta_attributes": ["meta"]}
_CHECK_LEVEL = "OCF_CHECK_LEVEL"


def agent(primitive: Element) -> str:
    """Return what pcs calls an agent: ``ocf:heartbeat:IPaddr2``, ``fence_xvm``."""
    if primitive.get("class") == "stonith":
        return primitive.get("type", "")
    return ":".join(filter(None, (primitive.get(name) for name in _AGENT)))


def is_stonith(primitive: Element) -> bool:
    """Say whether this is a fence device, which has commands of its own."""
    return primitive.get("class") == "stonith"


def creation(script: Script, primitive: Element) -> Words:
    """Return the command that creates a primitive, without where it is to stand."""
    refuse_others(primitive, *_AGENT)
    if primitive.get("type") is None:
        raise InexpressibleError("a resource made from a template")
    identity = primitive.get("id", "")
    sets = _sets(primitive, {*_PAIRS, "utilization"})
    words = [*noun(primitive), "create", identity, agent(primitive)]
    words += values(script, identity, sets.get("instance_attributes", {}))
    for op in _operations(primitive):
        words += ["op", *operation(op)]
    meta = values(script, identity, sets.get("meta_attributes", {}))
    if meta:
        words += ["meta", *meta]
    if not is_stonith(primitive):
        words.append("--no-default-ops")
    return words


def after_creation(script: Script, primitive: Element) -> list[Words]:
    """Return what ``create`` cannot do, or does without being asked to."""
    identity, found = primitive.get("id", ""), []
    if not any(op.get("name") == "monitor" for op in _operations(primitive)):
        found.append([*noun(primitive), "op", "delete", identity, "monitor"])
    capacity = _sets(primitive, {*_PAIRS, "utilization"}).get("utilization", {})
    if capacity:
        words = numbers(script, identity, capacity)
        found.append(["pcs", "resource", "utilization", identity, *words])
    return found


def noun(primitive: Element) -> Words:
    """Return ``pcs stonith`` for fence devices and ``pcs resource`` for the rest."""
    return ["pcs", "stonith" if is_stonith(primitive) else "resource"]


def meta_of(script: Script, container: Element) -> Words:
    """Return the words that give a new container its meta attributes."""
    refuse_others(container)
    sets = _sets(container, {"meta_attributes"})
    name = container.get("id", "")
    return values(script, name, sets.get("meta_attributes", {}))


def _sets(element: Element, known: set[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for child in own_children(element):
        if child.tag == "operations" and element.tag == "primitive":
            if not is_plain_operations(child) or child.get("id-ref") is not None:
                raise InexpressibleError("operations like these")
        elif child.tag not in known:
            raise InexpressibleError(f"<{child.tag}> of a {element.tag}")
        elif child.tag in found or not is_plain_set(child):
            raise InexpressibleError(f"more than one plain set of {child.tag}")
        else:
            found[child.tag] = pairs(child)
    return found


def _operations(primitive: Element) -> list[Element]:
    lists = [child for child in own_children(primitive) if child.tag == "operations"]
    return [op for one in lists for op in own_children(one)]


def operation(op: Element) -> list[str]:
    """Return the words for one operation, its name first."""
    words = [op.get("name", "")]
    for name, value in attributes(op):
        if name == "description" or not value:
            raise InexpressibleError(f"{name}={value} of an operation")
        if name not in ("id", "name"):
            words.append(f"{name}={value}")
    children = own_children(op)
    for child in children:
        found = pairs(child) if is_plain_set(child) else {}
        if child.tag != "instance_attributes" or set(found) != {_CHECK_LEVEL}:
            raise InexpressibleError(f"<{child.tag}> of an operation")
        words.append(f"{_CHECK_LEVEL}={found[_CHECK_LEVEL]}")
    return words


def values(script: Script, owner: str, found: dict[str, str]) -> Words:
    """Return pairs as words; an empty value would take the pair away."""
    for name, value in found.items():
        if not value:
            raise InexpressibleError(f"the empty value of {name}")
    return [script.pair(owner, name, value) for name, value in found.items()]


def numbers(script: Script, owner: str, found: dict[str, str]) -> Words:
    """Return pairs of a utilization, which pcs takes as whole numbers only."""
    for name, value in found.items():
        if value and not value.lstrip("-").isdecimal():
            raise InexpressibleError(f"{name}={value} is no number")
    return [script.pair(owner, name, value) for name, value in found.items()]


# -- changes ---------------------------------------------------------------------------


def edit(script: Script, step: Step) -> None:
    """Add the commands for the parts of one resource that changed, but its members."""
    changed: dict[str, Words] = {}
    for part in step.parts:
        try:
            match part:
                case PairPart():
                    changed.setdefault(part.kind, []).append(_pair(script, step, part))
                case OperationPart():
                    _edit_operation(script, step, part)
                case AttributePart():
                    raise InexpressibleError(_attribute(part))
                case OtherPart():
                    raise InexpressibleError(part.what)
                case MembersPart():
                    pass
        except InexpressibleError as error:
            script.cannot(step.address, str(error))
    for kind, words in changed.items():
        if words:
            script.command(*_update(step, kind), *words)


def _attribute(part: AttributePart) -> str:
    if part.name in (*_AGENT, "template"):
        return f"another {part.name}: delete and create it"
    return f"{part.name}={part.new}" if part.new else f"{part.name} removed"


def _pair(script: Script, step: Step, part: PairPart) -> Word:
    if part.kind == "utilization":
        (word,) = numbers(script, step.name, {part.name: part.new or ""})
        if part.new == "":
            raise InexpressibleError(f"the empty value of {part.name}")
        return word
    if part.kind == "instance_attributes" and step.tag != "primitive":
        raise InexpressibleError(f"the parameter {part.name} of a {step.tag}")
    if part.new is None:
        script.pair("", part.name, "")
        return f"{part.name}="
    (word,) = values(script, step.name, {part.name: part.new})
    return word


def _update(step: Step, kind: str) -> Words:
    assert step.new is not None
    if kind == "utilization":
        return ["pcs", "resource", "utilization", step.name]
    if kind == "instance_attributes":
        return [*noun(step.new), "update", step.name]
    if is_stonith(step.new):
        return ["pcs", "stonith", "update", step.name, "meta"]
    return ["pcs", "resource", "meta", step.name]


def _edit_operation(script: Script, step: Step, part: OperationPart) -> None:
    assert step.new is not None
    words = operation(part.new) if part.new is not None else []
    command = noun(step.new)
    if part.old is not None:
        if part.old.get("id") is None:
            raise InexpressibleError("an operation without id")
        script.command(*command, "op", "delete", part.old.get("id", ""))
    if words:
        names = [op.get("name") for op in _operations(step.new)]
        # pcs asks to be forced where it knows an operation of that name
        force = ["--force"] if names.count(words[0]) > 1 else []
        script.command(*command, "op", "add", step.name, *words, *force)
