"""Constraints in sentences: ``start db-fs, then db-server (mandatory)``."""

from ..cib.document import Element
from .rules import rule_words
from .text import elements, listed, rest, shown_value, value
from .values import INFINITY, is_true, score

_RUN = {None: "run", "promote": "be promoted"}


def constraint_words(constraint: Element) -> str:
    """Return what a constraint demands, as one sentence."""
    words = {
        "rsc_location": _location,
        "rsc_colocation": _colocation,
        "rsc_order": _order,
        "rsc_ticket": _ticket,
    }[constraint.tag]
    return words(constraint)


def _location(constraint: Element) -> str:
    who = _who(constraint, "rsc", "role")
    pattern = constraint.get("rsc-pattern")
    if pattern is not None:
        named = "" if constraint.get("rsc") is None else f"{who} and "
        who = f"{named}everything like {value(pattern)}{_as(constraint.get('role'))}"
    told = ("rsc", "rsc-pattern", "role", "node", "score", "resource-discovery")
    sentences = []
    if constraint.get("node") is not None or constraint.get("score") is not None:
        node = shown_value(constraint, "node")
        sentences.append(f"{who} {_preference(constraint.get('score'), node)}")
    rules = elements(constraint, "rule")
    sentences += [f"{who} {rule_preference(rule)}" for rule in rules]
    left = [_lifetime(each) for each in elements(constraint, "lifetime")]
    discovery = constraint.get("resource-discovery")
    if discovery is not None:
        left.append(f" (probed {value(discovery)})")
    return "; ".join(sentences or [who]) + "".join(left) + rest(constraint, told)


def _lifetime(lifetime: Element) -> str:
    rules = " and ".join(rule_words(rule) for rule in elements(lifetime))
    return f", while {rules}{rest(lifetime, ())}"


def _who(constraint: Element, attribute: str, role: str) -> str:
    sets = elements(constraint, "resource_set")
    if constraint.get(attribute) is None and sets:
        return listed(set_words(each) for each in sets)
    name = constraint.get(attribute)
    return ("?" if name is None else value(name)) + _as(constraint.get(role))


def _as(role: str | None) -> str:
    return "" if role is None else f" as {value(role)}"


def rule_preference(rule: Element) -> str:
    """Return where a rule of a location constraint wants its resource."""
    attribute = rule.get("score-attribute")
    where = f"where {rule_words(rule)}"
    role = _as(rule.get("role"))
    if attribute is not None:
        fixed = rule.get("score")
        odd = "" if fixed is None else f" (score {value(fixed)})"
        return (
            f"prefers nodes{role} by their attribute {value(attribute)}, {where}{odd}"
        )
    if rule.get("score") is None:
        return f"is placed{role} {where}"
    return _preference(rule.get("score"), "nodes", where, role)


def _preference(text: str | None, node: str, where: str = "", role: str = "") -> str:
    tail = f" {where}" if where else ""
    number = score(text or "0")
    if number is None:
        return f"has score {value(text or '')}{role} on {node}{tail}"
    if number == -INFINITY:
        return f"must not run{role} on {node}{tail}"
    if number == INFINITY:
        return f"prefers {node}{role} above all{tail}"
    verb = "prefers" if number > 0 else "avoids" if number < 0 else "may run on"
    return f"{verb} {node}{role}{f' with {number}' if number else ''}{tail}"


def _colocation(constraint: Element) -> str:
    told = ["rsc", "with-rsc", "rsc-role", "with-rsc-role", "score", "influence",
            "node-attribute"]  # fmt: skip
    sets = elements(constraint, "resource_set")
    text = constraint.get("score")
    number = score(text) if text is not None else None
    tail = _influence(constraint) + rest(constraint, told)
    by = constraint.get("node-attribute")
    near = "" if by is None else f" (on nodes of equal {value(by)})"
    odd = f" (score {value(text)})" if text is not None and number is None else ""
    if sets:
        members = listed((set_words(each) for each in sets), "with")
        return f"{_togetherness(number)}: {members}{near}{odd}{tail}"
    who = _who(constraint, "rsc", "rsc-role")
    other = value(constraint.get("with-rsc", ""))
    role = constraint.get("with-rsc-role")
    state = "runs" if role is None else f"is {value(role)}"
    must = "runs" if number is None else _strength(number)
    return f"{who} {must} where {other} {state}{near}{_weak(number)}{odd}{tail}"


def _strength(number: int) -> str:
    if number == INFINITY:
        return "must run"
    if number == -INFINITY:
        return "must not run"
    return "avoids to run" if number < 0 else "prefers to run"


def _togetherness(number: int | None) -> str:
    if number is None:
        return "together"
    how = "apart" if number < 0 else "together"
    return (
        f"always {how}" if abs(number) == INFINITY else f"rather {how} ({abs(number)})"
    )


def _weak(number: int | None) -> str:
    return "" if number is None or abs(number) == INFINITY else f" with {abs(number)}"


def _influence(constraint: Element) -> str:
    text = constraint.get("influence")
    if text is None:
        return ""
    if is_true(text) is False:
        return ", and does not pull it along"
    return f" (influence {value(text)})"


def _order(constraint: Element) -> str:
    told = ("first", "then", "first-action", "then-action", "kind", "score",
            "symmetrical", "require-all")  # fmt: skip
    sets = elements(constraint, "resource_set")
    tail = f" ({_kind(constraint)}){_one_way(constraint)}{rest(constraint, told)}"
    if sets:
        return "; then ".join(_action_set(each) for each in sets) + tail
    first, then = (value(constraint.get(name, "")) for name in ("first", "then"))
    do = constraint.get("first-action", "start")
    after = constraint.get("then-action")
    follow = then if after in (None, do) else f"{value(after or '')} {then}"
    every = constraint.get("require-all")
    anyone = "" if every is None else f" (require-all {value(every)})"
    if every is not None and is_true(every) is False:
        anyone = " on any node"
    return f"{value(do)} {first}{anyone}, then {follow}{tail}"


def _kind(constraint: Element) -> str:
    kind = constraint.get("kind")
    text = constraint.get("score")
    number = "" if text is None else f", score {value(text)}"
    if kind is not None:
        words = {"Serialize": "never at the same time"}
        return words.get(kind, value(kind.lower())) + number
    return (
        "optional" if text is not None and not score(text) else "mandatory"
    ) + number


def _one_way(constraint: Element) -> str:
    text = constraint.get("symmetrical")
    if text is None:
        return ""
    says = is_true(text)
    if says is None:
        return f" (symmetrical {value(text)})"
    return ", stopping in reverse" if says else ", stopping in any order"


def _action_set(part: Element) -> str:
    """Return one step of an order of sets; the action stands before its members."""
    action = part.get("action", "start")
    return f"{value(action)} {set_words(part, told=('action',))}"


def set_words(part: Element, told: tuple[str, ...] = ()) -> str:
    """Return the members of a resource set, in order or side by side."""
    known = ("sequential", "require-all", "role", *told)
    if part.get("id-ref") is not None:
        return (
            f"the set {value(part.get('id-ref', ''))}{rest(part, (*known, 'id-ref'))}"
        )
    members = [value(each.get("id", "")) for each in elements(part)]
    sequential, every = part.get("sequential"), part.get("require-all")
    words = ", ".join(members) or "nothing"
    notes = []
    if sequential is not None:
        ordered = is_true(sequential)
        notes.append("in this order" if ordered else "in any order")
        notes += [] if ordered is not None else [f"sequential {value(sequential)}"]
    if every is not None:
        notes.append("all of them" if is_true(every) else "one is enough")
        notes += [] if is_true(every) is not None else [f"require-all {value(every)}"]
    if len(members) > 1 or notes:
        words = f"[{words}]"
    inside = f" {', '.join(notes)}" if notes else ""
    return f"{words}{_as(part.get('role'))}{inside}{rest(part, known)}"


def _ticket(constraint: Element) -> str:
    told = ("rsc", "rsc-role", "ticket", "loss-policy")
    who = _who(constraint, "rsc", "rsc-role")
    policy = constraint.get("loss-policy")
    loss = "" if policy is None else f", else {value(policy)}"
    ticket = value(constraint.get("ticket", ""))
    return f"{who} needs ticket {ticket}{loss}{rest(constraint, told)}"
