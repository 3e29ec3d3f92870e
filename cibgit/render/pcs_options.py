"""Cluster options, defaults, nodes, tags, fencing levels, ACLs and alerts for pcs 0.11."""

from ..cib.document import Element, attributes
from ..compare.aspects import (
    PairPart,
    appended,
    is_plain_set,
    own_children,
    pairs,
)
from ..compare.steps import Step
from . import pcs_resources, pcs_rules
from .script import InexpressibleError, Script, Word, tell_others

BOOTSTRAP = "cib-bootstrap-options"
_DEFAULTS = {
    "rsc_defaults": ("pcs", "resource", "defaults"),
    "op_defaults": ("pcs", "resource", "op", "defaults"),
}


def set_words(
    script: Script, owner: str, old: Element | None, new: Element
) -> list[Word]:
    """Return the pairs that differ between two plain sets; ``name=`` takes one away."""
    if not is_plain_set(new) or (old is not None and not is_plain_set(old)):
        raise InexpressibleError("a set that is more than pairs")
    before, after = {} if old is None else pairs(old), pairs(new)
    words: list[Word] = []
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            if name in after and not after[name]:
                raise InexpressibleError(f"the empty value of {name}")
            if name in after:
                words.append(script.pair(owner, name, after[name]))
            else:
                words.append(f"{name}=")
    return words


def properties(script: Script, step: Step) -> None:
    """Add the command for the cluster options of one set."""
    if step.name != BOOTSTRAP:
        raise InexpressibleError("pcs knows the options of one set only")
    if step.new is None:
        assert step.old is not None
        words: list[Word] = [f"{name}=" for name in pairs(step.old)]
    else:
        words = set_words(script, step.name, step.old, step.new)
    if words:
        script.command("pcs", "property", "set", *words)
    tell_others(script, step, "nvpair")


def defaults(script: Script, step: Step) -> None:
    """Add the command for one set of defaults."""
    words: tuple[Word, ...] = (*_DEFAULTS[step.section], "set")
    if step.tag != "meta_attributes":
        raise InexpressibleError(f"defaults in {step.tag}")
    if step.new is None:
        script.command(*words, "delete", step.name)
        return
    if step.old is None:
        script.command(*words, "create", *_set_options(script, step.new))
        return
    before, after = pairs(step.old), pairs(step.new)
    come = {name: value for name, value in after.items() if before.get(name) != value}
    changed = pcs_resources.values(script, step.name, come)
    changed += [f"{name}=" for name in before if name not in after]
    if changed:
        script.command(*words, "update", step.name, "meta", *changed)
    tell_others(script, step, "nvpair")


def _set_options(script: Script, element: Element) -> list[Word]:
    words: list[Word] = [f"id={element.get('id')}"]
    for name, value in attributes(element):
        if name == "score":
            words.append(f"score={value}")
        elif name != "id":
            raise InexpressibleError(f"{name}={value} of a set")
    rules = [child for child in own_children(element) if child.tag == "rule"]
    if len(rules) > 1 or len(pairs(element)) + len(rules) != len(own_children(element)):
        raise InexpressibleError("a set like this")
    found = pcs_resources.values(script, element.get("id", ""), pairs(element))
    words += ["meta", *found] if found else []
    for rule in rules:
        # the score of such a rule counts for nothing, and pcs writes this one
        if rule.get("id-ref") or rule.get("score", "INFINITY") != "INFINITY":
            raise InexpressibleError("a rule like this")
        words += ["rule", *pcs_rules.expressions(rule)]
    return words


def node(script: Script, step: Step) -> None:
    """Add the commands for the attributes and the utilization of one node."""
    if step.old is None or step.new is None:
        raise InexpressibleError(
            "nodes come and go with corosync, not by these commands"
        )
    name = step.new.get("uname", "")
    words: dict[str, list[Word]] = {"attribute": [], "utilization": []}
    # crm_attribute, which pcs calls, adds to the set of this id
    homes = (None, f"nodes-{step.name}")
    for part in step.parts:
        if isinstance(part, PairPart):
            is_attribute = part.kind == "instance_attributes"
            if is_attribute and part.old is None and part.set_id not in homes:
                script.cannot(step.address, f"{part.name} in the set {part.set_id}")
                continue
            make = pcs_resources.values if is_attribute else pcs_resources.numbers
            kind = "attribute" if is_attribute else "utilization"
            pair = {part.name: part.new or ""}
            words[kind] += (
                [f"{part.name}="] if part.new is None else make(script, name, pair)
            )
    for kind, found in words.items():
        if found:
            script.command("pcs", "node", kind, name, *found)
    tell_others(script, step)


def tag(script: Script, step: Step) -> None:
    """Add the commands that give a tag its new content."""
    assert step.new is not None
    wanted = [ref.get("id", "") for ref in own_children(step.new)]
    if step.old is None:
        script.command("pcs", "tag", "create", step.name, *wanted)
        return
    before = [ref.get("id", "") for ref in own_children(step.old)]
    added = [name for name in wanted if name not in before]
    if added:
        script.command("pcs", "tag", "update", step.name, "add", *added)
    if appended(before, wanted) != wanted:
        # adding all but the first again, after the first, brings them into order
        rest = wanted[1:]
        script.command(
            *("pcs", "tag", "update", step.name, "add", *rest, "--after", wanted[0])
        )
    tell_others(script, step, "obj_ref")


def untag(script: Script, step: Step) -> None:
    """Add the command that takes out of a tag what no longer belongs to it."""
    assert step.old is not None
    if step.new is None:
        script.command("pcs", "tag", "delete", step.name)
        return
    wanted = {ref.get("id", "") for ref in own_children(step.new)}
    gone = [ref.get("id", "") for ref in own_children(step.old)]
    gone = [name for name in gone if name not in wanted]
    if len(gone) == len(own_children(step.old)):
        raise InexpressibleError("a tag of which nothing stays")
    if gone:
        script.command("pcs", "tag", "update", step.name, "remove", *gone)


def level(script: Script, element: Element, verb: str) -> None:
    """Add the command that adds or deletes a fencing level."""
    get = element.get
    if get("target") is not None:
        target = get("target", "")
    elif get("target-pattern") is not None:
        target = f"regexp%{get('target-pattern')}"
    elif get("target-attribute") is not None:
        target = f"attrib%{get('target-attribute')}={get('target-value')}"
    else:
        raise InexpressibleError("a level without target")
    index, devices = get("index", ""), get("devices", "").split(",")
    words: list[Word] = ["pcs", "stonith", "level", verb, index]
    if verb == "add":
        script.command(*words, target, *devices)
    else:
        script.command(*words, "target", target, "stonith", *devices)
