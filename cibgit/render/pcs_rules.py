"""Rules as words of pcs 0.11."""

from ..cib.document import Element, attributes
from ..compare.aspects import own_children
from .script import InexpressibleError, refuse_others

_SIMPLE = frozenset({"lt", "gt"})


def location_rule(rule: Element) -> list[str]:
    """Return the words that follow ``location RESOURCE rule`` for one rule."""
    if rule.get("id-ref") is not None:
        raise InexpressibleError("a rule by reference")
    words = [f"id={rule.get('id')}"]
    for name, value in attributes(rule):
        if name in ("role", "score", "score-attribute"):
            words.append(f"{name}={value}")
        elif name not in ("id", "boolean-op"):
            raise InexpressibleError(f"{name}={value} of a rule")
    if rule.get("score") is None and rule.get("score-attribute") is None:
        raise InexpressibleError("a rule without score")
    return words + expressions(rule)


def expressions(rule: Element) -> list[str]:
    """Return the words for what a rule asks, without its score."""
    operator = rule.get("boolean-op", "and")
    words: list[str] = []
    for part in own_children(rule):
        if words:
            words.append(operator)
        words += _expression(part)
    if not words:
        raise InexpressibleError("a rule without expressions")
    return words


def _expression(part: Element) -> list[str]:
    if part.tag == "rule":
        if not own_children(part)[1:]:
            raise InexpressibleError("a nested rule of one expression")
        refuse_others(part, "boolean-op", where=" in a rule")
        return ["(", *expressions(part), ")"]
    makers = {
        "expression": _attribute,
        "date_expression": _date,
        "rsc_expression": _resource,
        "op_expression": _operation,
    }
    maker = makers.get(part.tag)
    if maker is None:
        raise InexpressibleError(f"<{part.tag}> in a rule")
    return maker(part)


def _attribute(part: Element) -> list[str]:
    refuse_others(part, "attribute", "operation", "value", "type", where=" in a rule")
    name, operation = part.get("attribute", ""), part.get("operation", "")
    if operation in ("defined", "not_defined"):
        return [operation, name]
    kind = part.get("type")
    return [name, operation, *([kind] if kind else []), part.get("value", "")]


def _date(part: Element) -> list[str]:
    refuse_others(part, "operation", "start", "end", where=" in a rule")
    operation, children = part.get("operation", ""), own_children(part)
    start, end = part.get("start"), part.get("end")
    if operation == "date_spec" and children:
        return ["date-spec", *_numbers(children[0])]
    if operation == "in_range" and children and start:
        return ["date", "in_range", start, "to", "duration", *_numbers(children[0])]
    if operation == "in_range" and start and end:
        return ["date", "in_range", start, "to", end]
    if operation in _SIMPLE and not children and (start or end):
        return ["date", operation, start or end or ""]
    raise InexpressibleError(f"a date {operation} like this")


def _numbers(element: Element) -> list[str]:
    return [f"{name}={value}" for name, value in attributes(element) if name != "id"]


def _resource(part: Element) -> list[str]:
    refuse_others(part, "class", "provider", "type", where=" in a rule")
    kind = ":".join(part.get(name, "") for name in ("class", "provider", "type"))
    return ["resource", kind]


def _operation(part: Element) -> list[str]:
    refuse_others(part, "name", "interval", where=" in a rule")
    interval = part.get("interval")
    return [
        *("op", part.get("name", "")),
        *([f"interval={interval}"] if interval else []),
    ]
