"""Constraints in the language of ``crm configure`` (crmsh 4.4)."""

import re
from collections.abc import Callable

from ..cib.document import Element, attributes
from ..compare.aspects import own_children
from .script import InexpressibleError, Script, Word, refuse_others

Words = list[Word]

_SCORE = re.compile(r"[+-]?(INFINITY|\d+)")
_ATTRIBUTE = re.compile(r"[A-Za-z0-9_#$-][^=\s]*")
_PLAIN = re.compile(r"[^\s{}]+")
_SIMPLE_SETS = 2
"""So many words crmsh reads as a constraint of two resources, not as sets."""


def location(_: Script, element: Element) -> Words:
    """Return ``location ID RESOURCE SCORE: NODE``, or with rules."""
    words: Words = ["location", element.get("id", "")]
    pattern = element.get("rsc-pattern")
    words.append(f"/{pattern}/" if pattern is not None else _name(element, "rsc"))
    for name in ("role", "resource-discovery"):
        if element.get(name):
            words.append(f"{name}={element.get(name)}")
    known = ("rsc", "rsc-pattern", "role", "resource-discovery", "node", "score")
    refuse_others(element, *known)
    rules = own_children(element)
    if not rules:
        return [*words, _score(element), element.get("node", "")]
    for one in rules:
        if one.tag != "rule" or element.get("score") or element.get("node"):
            raise InexpressibleError("a location like this")
        words += rule(one)
    return words


def rule(element: Element) -> list[str]:
    """Return the words of one rule, its score included."""
    if element.get("id-ref") is not None:
        raise InexpressibleError("a rule by reference")
    refuse_others(element, "role", "score", "score-attribute", "boolean-op")
    words = ["rule", f"$id={element.get('id')}"]
    if element.get("role"):
        words.append(f"$role={element.get('role')}")
    words.append(_score(element))
    operator = element.get("boolean-op", "and")
    for number, part in enumerate(own_children(element)):
        words += [operator] if number else []
        if part.tag == "expression":
            words += _expression(part)
        elif part.tag == "date_expression":
            words += ["date", *_date(part)]
        else:
            raise InexpressibleError(f"<{part.tag}> in a rule")
    return words


def _score(element: Element) -> str:
    score = element.get("score")
    if score is None or not _SCORE.fullmatch(score):
        raise InexpressibleError("a constraint without a plain score")
    return f"{score}:"


def _expression(part: Element) -> list[str]:
    refuse_others(part, "attribute", "operation", "value", "type")
    name, operation = part.get("attribute", ""), part.get("operation", "")
    if not _ATTRIBUTE.fullmatch(name) or name.lower() in ("date", "defined"):
        raise InexpressibleError(f"an attribute like {name}")
    if operation in ("defined", "not_defined"):
        return [operation, name]
    value, kind = part.get("value", ""), part.get("type")
    if not _PLAIN.fullmatch(value):
        raise InexpressibleError(f"a value like {value}")
    return [name, f"{kind}:{operation}" if kind else operation, value]


def _date(part: Element) -> list[str]:
    refuse_others(part, "operation", "start", "end")
    operation, children = part.get("operation", ""), own_children(part)
    start, end = part.get("start"), part.get("end")
    numbers = [
        f"{name}={value}"
        for child in children
        for name, value in attributes(child)
        if name != "id"
    ]
    if operation == "date_spec" and numbers and not start and not end:
        return ["spec", *numbers]
    if operation == "in_range" and start and end and not children:
        return ["in", f"start={start}", f"end={end}"]
    if operation == "in_range" and start and numbers and not end:
        return ["in", f"start={start}", *numbers]
    if operation == "lt" and end and not start and not children:
        return ["lt", end]
    if operation == "gt" and start and not end and not children:
        return ["gt", start]
    raise InexpressibleError("a date like this")


def colocation(_: Script, element: Element) -> Words:
    """Return ``colocation ID SCORE: RESOURCE[:ROLE] RESOURCE[:ROLE]``, or with sets."""
    words: Words = ["colocation", element.get("id", ""), _score(element)]
    sets = own_children(element)
    if sets:
        refuse_others(element, "score")
        return words + _sets(sets, "role")
    refuse_others(element, "score", "rsc", "with-rsc", "rsc-role", "with-rsc-role")
    words.append(_qualified(element, "rsc", "rsc-role"))
    return [*words, _qualified(element, "with-rsc", "with-rsc-role")]


def order(_: Script, element: Element) -> Words:
    """Return ``order ID KIND: RESOURCE[:ACTION] RESOURCE[:ACTION]``, or with sets."""
    words: Words = ["order", element.get("id", "")]
    if element.get("kind"):
        words.append(f"{element.get('kind')}:")
    symmetrical = element.get("symmetrical")
    last: Words = [] if symmetrical is None else [f"symmetrical={symmetrical}"]
    sets = own_children(element)
    if sets:
        refuse_others(element, "kind", "symmetrical")
        return words + _sets(sets, "action") + last
    known = ("first", "then", "first-action", "then-action")
    refuse_others(element, "kind", "symmetrical", *known)
    words.append(_qualified(element, "first", "first-action"))
    return [*words, _qualified(element, "then", "then-action"), *last]


def ticket(_: Script, element: Element) -> Words:
    """Return ``rsc_ticket ID TICKET: RESOURCE[:ROLE]``, or with sets."""
    name = element.get("ticket", "")
    if ":" in name:
        raise InexpressibleError("a ticket with a colon in its name")
    words: Words = ["rsc_ticket", element.get("id", ""), f"{name}:"]
    policy = element.get("loss-policy")
    last: Words = [] if policy is None else [f"loss-policy={policy}"]
    sets = own_children(element)
    if sets:
        refuse_others(element, "ticket", "loss-policy")
        return words + _sets(sets, "role") + last
    refuse_others(element, "ticket", "loss-policy", "rsc", "rsc-role")
    return [*words, _qualified(element, "rsc", "rsc-role"), *last]


def _qualified(element: Element, name: str, qualifier: str) -> str:
    found = element.get(qualifier)
    return _name(element, name) + (f":{found}" if found else "")


def _name(element: Element, name: str) -> str:
    found = element.get(name)
    if not found or ":" in found:
        raise InexpressibleError(f"a constraint without a plain {name}")
    return found


def _sets(sets: list[Element], qualifier: str) -> list[str]:
    """Return sets of resources: in line, or in brackets where their order is free."""
    words: list[str] = []
    open_before: str | None = ""
    for one in sets:
        if one.tag != "resource_set" or one.get("id-ref") is not None:
            raise InexpressibleError("a set by reference")
        refuse_others(one, "sequential", "require-all", qualifier)
        found = one.get(qualifier)
        names = [_name(child, "id") for child in own_children(one)]
        names = [f"{name}:{found}" if found else name for name in names]
        match one.get("sequential"), one.get("require-all"):
            case None, None:
                if open_before == (found or "none"):
                    raise InexpressibleError("sets side by side")
                open_before = found or "none"
                words += names
                continue
            case "false", None:
                words += ["(", *names, ")"]
            case "false", "false":
                words += ["[", *names, "]"]
            case _:
                raise InexpressibleError("a set like this")
        open_before = ""
    if len(words) <= _SIMPLE_SETS:
        raise InexpressibleError("sets of so few resources")
    return words


CONSTRAINTS: dict[str, Callable[[Script, Element], Words]] = {
    "rsc_location": location,
    "rsc_colocation": colocation,
    "rsc_order": order,
    "rsc_ticket": ticket,
}
