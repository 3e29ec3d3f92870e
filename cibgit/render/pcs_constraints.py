"""Constraints as commands of pcs 0.11. A changed one is deleted and made again."""

from collections.abc import Iterable

from ..cib.document import Element
from ..compare.aspects import own_children
from .pcs_rules import location_rule
from .script import InexpressibleError, Script, Word, refuse_others

Words = list[Word]


def create(script: Script, element: Element) -> None:
    """Add the commands that create one constraint.

    Raises :class:`InexpressibleError` before anything is added.
    """
    makers = {
        "rsc_location": _location,
        "rsc_colocation": _colocation,
        "rsc_order": _order,
        "rsc_ticket": _ticket,
    }
    maker = makers.get(element.tag)
    if maker is None:
        raise InexpressibleError("an unknown kind of constraint")
    for words in maker(element):
        script.command(*words)


def _location(element: Element) -> list[Words]:
    identity = element.get("id", "")
    children = own_children(element)
    if all(child.tag == "rule" for child in children) and children:
        return _rules(element, identity, children)
    _refuse_children(children)
    refuse_others(element, "rsc", "rsc-pattern", "node", "score", "resource-discovery")
    node, score = element.get("node"), element.get("score")
    if node is None or score is None:
        raise InexpressibleError("a location without node and score")
    words: Words = ["pcs", "constraint", "location", "add", identity]
    return [[*words, _target(element), node, *_signed(score), *_discovery(element)]]


def _rules(element: Element, identity: str, rules: list[Element]) -> list[Words]:
    refuse_others(element, "rsc", "rsc-pattern", "resource-discovery")
    made: list[Words] = []
    for rule in rules:
        if made:
            words: Words = ["pcs", "constraint", "rule", "add", identity]
        else:
            words = ["pcs", "constraint", "location", _target(element), "rule"]
            words += [*_discovery(element), f"constraint-id={identity}"]
        made.append([*words, *location_rule(rule)])
    return made


def _discovery(element: Element) -> list[str]:
    found = element.get("resource-discovery")
    return [f"resource-discovery={found}"] if found else []


def _target(element: Element) -> str:
    pattern = element.get("rsc-pattern")
    return element.get("rsc", "") if pattern is None else f"regexp%{pattern}"


def _signed(score: str) -> list[str]:
    # what begins with a minus would be taken for an option
    return ["--", score] if score.startswith("-") else [score]


def _colocation(element: Element) -> list[Words]:
    sets = own_children(element)
    if sets:
        refuse_others(element, "score")
        options = [f"score={_needed(element, 'score')}"]
        return [_sets("colocation", element, sets, options, ("sequential", "role"))]
    names = ("rsc", "with-rsc", "score", "rsc-role", "with-rsc-role")
    refuse_others(element, *names)
    return [
        [
            *("pcs", "constraint", "colocation", "add"),
            *_role(element.get("rsc-role")),
            element.get("rsc", ""),
            "with",
            *_role(element.get("with-rsc-role")),
            element.get("with-rsc", ""),
            *_signed(_needed(element, "score")),
            f"id={element.get('id')}",
        ]
    ]


def _order(element: Element) -> list[Words]:
    sets = own_children(element)
    options = [
        f"{name}={element.get(name)}"
        for name in ("kind", "symmetrical", "require-all")
        if element.get(name)
    ]
    if sets:
        refuse_others(element, "kind", "symmetrical")
        known = ("sequential", "require-all", "action")
        return [_sets("order", element, sets, options, known)]
    names = ("first", "then", "first-action", "then-action")
    refuse_others(element, *names, "kind", "symmetrical", "require-all")
    return [
        [
            *("pcs", "constraint", "order"),
            *_role(element.get("first-action")),
            element.get("first", ""),
            "then",
            *_role(element.get("then-action")),
            element.get("then", ""),
            *options,
            f"id={element.get('id')}",
        ]
    ]


def _ticket(element: Element) -> list[Words]:
    sets = own_children(element)
    policy = element.get("loss-policy")
    options = [f"loss-policy={policy}"] if policy else []
    ticket = _needed(element, "ticket")
    if sets:
        refuse_others(element, "ticket", "loss-policy")
        options = [f"ticket={ticket}", *options]
        return [_sets("ticket", element, sets, options, ("role",))]
    refuse_others(element, "rsc", "ticket", "loss-policy", "rsc-role")
    return [
        [
            *("pcs", "constraint", "ticket", "add", ticket),
            *_role(element.get("rsc-role")),
            element.get("rsc", ""),
            *options,
            f"id={element.get('id')}",
        ]
    ]


def _sets(
    kind: str,
    element: Element,
    sets: Iterable[Element],
    options: list[str],
    known: tuple[str, ...],
) -> Words:
    words: Words = ["pcs", "constraint", kind]
    for one in sets:
        if one.tag != "resource_set" or one.get("id-ref") is not None:
            raise InexpressibleError("a set by reference")
        refuse_others(one, *known)
        words += ["set", *(member.get("id", "") for member in own_children(one))]
        words += [f"{name}={one.get(name)}" for name in known if one.get(name)]
    return [*words, "setoptions", f"id={element.get('id')}", *options]


def _role(name: str | None) -> list[str]:
    return [name] if name else []


def _needed(element: Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise InexpressibleError(f"a constraint without {name}")
    return value


def _refuse_children(children: list[Element]) -> None:
    for child in children:
        raise InexpressibleError(f"<{child.tag}> in this constraint")
