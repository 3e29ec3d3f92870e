"""Rules in words: ``pingd < 100 and weekdays 1-5``."""

from ..cib.document import Element
from .text import elements, rest, shown_value, value

_OPERATIONS = {
    "lt": "<",
    "gt": ">",
    "lte": "<=",
    "gte": ">=",
    "eq": "is",
    "ne": "is not",
}
_EXISTS = {"defined": "is defined", "not_defined": "is not defined"}
_NAMES = {
    "#uname": "node",
    "#id": "node id",
    "#site-name": "site",
    "#kind": "node kind",
}


def rule_words(rule: Element) -> str:
    """Return when a rule holds; a rule inside another one in parentheses."""
    told = ("score", "score-attribute", "role")
    if rule.get("id-ref") is not None:
        name = value(rule.get("id-ref", ""))
        return f"as in rule {name}{rest(rule, (*told, 'id-ref'))}"
    joint = " or " if rule.get("boolean-op") == "or" else " and "
    parts = [expression_words(part) for part in elements(rule)]
    words = joint.join(parts) or "always"
    needless = len(parts) > 1 and rule.get("boolean-op") in ("and", "or")
    return words + rest(rule, (*told, "boolean-op") if needless else told)


def expression_words(part: Element) -> str:
    """Return one condition of a rule in words."""
    if part.tag == "rule":
        score = part.get("score")
        inner = f"({rule_words(part)})"
        return inner if score is None else f"{inner} [score {score}]"
    words = _WORDS.get(part.tag)
    return words(part) if words else part.tag + rest(part, ())


def _expression(part: Element) -> str:
    attribute = part.get("attribute", "")
    name = _NAMES.get(attribute, value(attribute))
    operation = part.get("operation", "")
    kind = f" (as {part.get('type')})" if part.get("type") else ""
    left = rest(part, ("attribute", "operation", "value", "type", "value-source"))
    if operation in _EXISTS:
        given = f" {shown_value(part, 'value')}" if part.get("value") else ""
        return f"{name} {_EXISTS[operation]}{given}{kind}{_source(part)}{left}"
    text = shown_value(part, "value")
    return f"{name} {_OPERATIONS.get(operation, operation)} {text}{_source(part)}{kind}{left}"


def _source(part: Element) -> str:
    source = part.get("value-source")
    if source is None:
        return ""
    kinds = {"param": " (a parameter)", "meta": " (a meta attribute)"}
    return kinds.get(source, f" ({source})")


def _date(part: Element) -> str:
    operation = part.get("operation", "")
    start, end = (shown_value(part, name) for name in ("start", "end"))
    children = [expression_words(child) for child in elements(part)]
    left = rest(part, ("operation", "start", "end"))
    if operation == "date_spec":
        words = " and ".join(children) or "any time"
    elif part.get("end") is not None and part.get("start") is not None:
        words = " ".join([f"from {start} to {end}", *children])
    elif part.get("start") is not None:
        words = " ".join(
            [f"{'after' if operation == 'gt' else 'from'} {start}", *children]
        )
    elif part.get("end") is not None:
        words = " ".join([f"before {end}", *children])
    else:
        words = " ".join([f"date {operation}", *children])
    known = ("date_spec", "in_range", "gt", "lt", "")
    return words + ("" if operation in known else f" [{operation}]") + left


def _spec(part: Element) -> str:
    return rest(part, ()).strip(" ()") or "any time"


def _duration(part: Element) -> str:
    return f"for {_spec(part)}"


def agent_words(part: Element) -> str:
    """Return ``ocf:heartbeat:IPaddr2`` of an element with class, provider and type."""
    names = ("class", "provider", "type")
    return ":".join(value(part.get(n, "")) for n in names if part.get(n) is not None)


def _resource(part: Element) -> str:
    named = [f"{n} {part.get(n)}" for n in ("class", "provider", "type") if part.get(n)]
    told = ("class", "provider", "type")
    if part.get("class") and part.get("type"):
        named = [agent_words(part)]
    return f"resource is {' '.join(named) or 'any'}{rest(part, told)}"


def _operation(part: Element) -> str:
    every = f" every {shown_value(part, 'interval')}" if part.get("interval") else ""
    left = rest(part, ("name", "interval"))
    return f"operation is {shown_value(part, 'name')}{every}{left}"


_WORDS = {
    "expression": _expression,
    "date_expression": _date,
    "date_spec": _spec,
    "duration": _duration,
    "rsc_expression": _resource,
    "op_expression": _operation,
}
