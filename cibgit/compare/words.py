"""Elements in words: what one is called, what it says, what is in it.

Every element and attribute of Pacemaker's schemas has words here or in ``constraints``
and ``rules``; a test walks the installed schemas. What is not known is shown as it is.
"""

from collections.abc import Callable

from ..cib.document import Comment, Element
from ..cib.identity import key, named
from ..cib.owned import BOOTSTRAP_SET
from ..cib.secrets import masked
from .constraints import constraint_words, rule_preference, set_words
from .owners import CONSTRAINTS, RESOURCES
from .parts import CONTAINERS, PARTS
from .rules import agent_words, expression_words, rule_words
from .text import elements, listed, rest, shown_value, value

SETS = {
    "instance_attributes": "params",
    "meta_attributes": "meta",
    "utilization": "utilization",
    "cluster_property_set": "options",
}
"""Sets of name/value pairs, and what the names in them are prefixed with."""

FRAMES = frozenset({*SETS, "operations", "network", "storage"})
"""Elements that only hold others: what is in them is told as if it stood outside."""

_TOLD_WHOLE = CONSTRAINTS | {"rule", "expression", "date_expression", "resource_set"}
_BARE = frozenset({"crm_config", "rsc_defaults", "op_defaults", "node"})


def subject(element: Element) -> str:
    """Return what an element is called among what its owner has; empty: the owner."""
    if element.tag == "nvpair":
        return _pair_name(element) + _condition(element.getparent())
    if element.tag in SETS:
        return _set_name(element)
    if element.tag == "op":
        return _operation_name(element)
    words = _SUBJECTS.get(element.tag)
    return words(element) if words else ""


def phrase(element: Element) -> str:
    """Return in one line what an element says, without what is in it."""
    words = PHRASES.get(element.tag)
    if words is None:
        return named(key(element)) + rest(element, ("id-ref",))
    return words(element)


def inside(element: Element) -> list[str]:
    """Return line by line what is in an element, indented by two blanks a level."""
    lines: list[str] = []
    _tell_inside(element, "", lines)
    return lines


def _tell_inside(element: Element, indent: str, lines: list[str]) -> None:
    if element.tag in _TOLD_WHOLE or element.tag in _LISTED:
        return
    for child in element:
        if isinstance(child, Comment):
            lines.append(f"{indent}# {shown_comment(child.text or '')}")
            continue
        deeper = indent
        if child.tag in FRAMES:
            header = _header(child)
            if header:
                lines.append(indent + header)
        elif child.tag in RESOURCES:
            lines.append(f"{indent}{named(key(child))}: {phrase(child)}")
            deeper = indent + "  "
        elif child.tag != "rule" or element.tag not in SETS:
            lines.append(indent + phrase(child))
        if len(child):
            _tell_inside(child, deeper, lines)


def _header(frame: Element) -> str:
    """Return what must be said of a frame itself: its attributes, or that it is empty."""
    told = ("id-ref",)
    if frame.get("id-ref") is not None or not len(frame) or rest(frame, told):
        return phrase(frame)
    return ""


# Name/value pairs and operations


def _pair_name(pair: Element) -> str:
    name = pair.get("name")
    text = value(name) if name is not None else f"as in {pair.get('id-ref', '?')}"
    parent = pair.getparent()
    prefix = _prefix(parent) if parent is not None else ""
    return f"{prefix}{text}"


def _prefix(parent: Element) -> str:
    around = parent.getparent()
    if parent.tag not in SETS or around is None:
        return ""
    if around.tag in _BARE and parent.tag != "utilization":
        return ""
    lead = ""
    if around.tag == "op":
        lead = f"{subject(around)} "
    elif around.tag == "recipient":
        lead = f"{phrase(around)} "
    return f"{lead}{SETS[parent.tag]}."


def _condition(parent: Element | None) -> str:
    """Return which of several sets a pair stands in, and when it holds."""
    if parent is None or parent.tag not in SETS:
        return ""
    around = parent.getparent()
    rules = elements(parent, "rule")
    if rules:
        return f" when {' or '.join(rule_words(rule) for rule in rules)}"
    if around is None or parent.get("id") == BOOTSTRAP_SET:
        return ""
    rivals = [e for e in elements(around, parent.tag) if not elements(e, "rule")]
    if len(rivals) > 1:
        return f" [{value(parent.get('id', '') or parent.get('id-ref', ''))}]"
    return ""


def _pair(pair: Element) -> str:
    left = rest(pair, ("name", "value", "id-ref"))
    name = subject(pair)
    if pair.get("id-ref") is not None and pair.get("name") is not None:
        name += f" as in {value(pair.get('id-ref', ''))}"
    if pair.get("value") is None:
        return name + left
    return f"{name} = {shown_value(pair, 'value')}{left}"


def _set_name(block: Element) -> str:
    around = block.getparent()
    lead = f"{subject(around)} " if around is not None and around.tag == "op" else ""
    name = SETS[block.tag]
    if around is not None and around.tag in _BARE and block.tag != "utilization":
        name = "attributes" if around.tag == "node" else "options"
    return f"{lead}{name}{_condition(block)}"


def _set(block: Element) -> str:
    name = subject(block)
    left = rest(block, ("id-ref",))
    if block.get("id-ref") is not None:
        return f"{name} of the shared set {value(block.get('id-ref', ''))}{left}"
    pairs = [pair for pair in elements(block) if pair.tag != "rule"]
    kind = "the set" if pairs else "an empty set"
    return f"{kind} {value(block.get('id', ''))} of {name}{left}"


def _operation_name(op: Element) -> str:
    name, interval = op.get("name", ""), op.get("interval", "0")
    often = f" {value(interval)}" if interval.rstrip("smin") not in ("", "0") else ""
    role = f" {value(op.get('role', ''))}" if op.get("role") is not None else ""
    return f"op {value(name)}{often}{role}"


def _operation(op: Element) -> str:
    told = ["name", "role", "interval"]
    zero = op.get("interval", "0").rstrip("smin") in ("", "0")
    often = "" if zero else f" every {shown_value(op, 'interval')}"
    role = f" as {value(op.get('role', ''))}" if op.get("role") is not None else ""
    parts = [f"op {value(op.get('name', ''))}{often}{role}"]
    named = ("timeout", "on-fail", "start-delay", "requires")
    parts += [f"{n} {shown_value(op, n)}" for n in named if op.get(n) is not None]
    return ", ".join(parts) + rest(op, (*told, *named))


def _operations(block: Element) -> str:
    if block.get("id-ref") is not None:
        return f"operations as in {value(block.get('id-ref', ''))}"
    return "operations" if len(block) else "operations: none"


# Resources


def _primitive(element: Element) -> str:
    template = element.get("template")
    like = "" if template is None else f"as template {value(template)}"
    what = " ".join(part for part in (agent_words(element), like) if part)
    return what + rest(element, ("class", "provider", "type", "template"))


def _members(element: Element) -> str:
    names = [value(m.get("id", "")) for m in elements(element, *RESOURCES)]
    of = f" of {listed(names)}" if names else ", empty"
    kind = {"master": "promotable clone"}.get(element.tag, element.tag)
    return f"{kind}{of}{rest(element, ())}"


def _bundle(element: Element) -> str:
    images = [shown_value(e, "image") for e in elements(element, *CONTAINERS)]
    names = [value(m.get("id", "")) for m in elements(element, "primitive")]
    runs = f" running {listed(names)}" if names else ""
    return f"bundle of {listed(images) or '?'}{runs}{rest(element, ())}"


def _rule(element: Element) -> str:
    parent = element.getparent()
    if parent is not None and parent.tag == "rsc_location":
        return rule_preference(element)
    told = ("score", "score-attribute", "role")
    names = [name for name in told if element.get(name) is not None]
    left = "".join(f" ({name} {shown_value(element, name)})" for name in names)
    return f"when {rule_words(element)}{left}"


PHRASES: dict[str, Callable[[Element], str]] = {
    "nvpair": _pair,
    **dict.fromkeys(SETS, _set),
    "op": _operation,
    "operations": _operations,
    "primitive": _primitive,
    "template": lambda e: f"template for {_primitive(e)}",
    **dict.fromkeys(("group", "clone", "master"), _members),
    "bundle": _bundle,
    "rule": _rule,
    **dict.fromkeys(
        ("expression", "date_expression", "date_spec", "duration", "rsc_expression",
         "op_expression"), expression_words),
    "resource_set": set_words,
    **dict.fromkeys(CONSTRAINTS, constraint_words),
    "lifetime": lambda e: "while " + " and ".join(map(rule_words, elements(e))),
    **PARTS,
}  # fmt: skip

_LISTED = frozenset(
    {"tag", "acl_target", "acl_group", "fencing-level", "select", "select_attributes"}
)
"""Elements whose phrase lists all that is in them."""

_SUBJECTS: dict[str, Callable[[Element], str]] = {
    "operations": lambda _: "operations",
    **dict.fromkeys(CONTAINERS, lambda e: f"{e.tag} container"),
    "network": lambda _: "network",
    "storage": lambda _: "storage",
    "port-mapping": lambda e: f"port mapping {e.get('id', '')}".rstrip(),
    "storage-mapping": lambda e: f"storage mapping {e.get('id', '')}".rstrip(),
    "obj_ref": lambda _: "members",
    "resource_set": lambda e: f"set {e.get('id', '')}".rstrip(),
    "resource_ref": lambda e: f"set {_parent_id(e)}".rstrip(),
    "role": lambda _: "roles",
    "role_ref": lambda _: "roles",
    **dict.fromkeys(
        ("acl_permission", "read", "write", "deny"),
        lambda e: f"permission {e.get('id', '')}".rstrip()),
    "fencing-level": lambda e: f"level {e.get('index', '')}",
    "recipient": lambda _: "recipient",
    "select": lambda _: "events",
    **dict.fromkeys(
        ("select_nodes", "select_fencing", "select_resources", "select_attributes"),
        lambda _: "events"),
    "attribute": lambda _: "events",
    **dict.fromkeys(
        ("rule", "expression", "date_expression", "date_spec", "duration",
         "rsc_expression", "op_expression"), lambda _: "rule"),
    "lifetime": lambda _: "lifetime",
    **dict.fromkeys(
        ("nodes", "resources", "constraints", "fencing-topology", "acls", "tags",
         "alerts", "crm_config", "rsc_defaults", "op_defaults"),
        lambda e: f"section {e.tag}"),
}  # fmt: skip


def _parent_id(element: Element) -> str:
    parent = element.getparent()
    return "" if parent is None else parent.get("id", "")


def shown_comment(text: str) -> str:
    """Return one or several joined comments for a sentence."""
    return value(" / ".join(part.strip() for part in masked(text).split("--><!--")))
