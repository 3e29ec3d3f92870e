"""The smaller parts of a cluster in words: containers, nodes, tags, ACLs, levels, alerts."""

from collections.abc import Callable

from ..cib.document import Element
from .text import elements, listed, rest, shown_value, value

CONTAINERS = ("docker", "podman", "rkt")
"""Elements of a bundle that say how its container is run."""

_MAY = {"read": "may read", "write": "may write", "deny": "may not see"}
_WHAT = {
    "reference": "what has id {}",
    "ref": "what has id {}",
    "object-type": "every <{}>",
    "tag": "every <{}>",
    "xpath": "xpath {}",
    "attribute": "attribute {}",
}


def _container(element: Element) -> str:
    image = shown_value(element, "image")
    return f"{element.tag} image {image}{rest(element, ('image',))}"


def _network(element: Element) -> str:
    return f"network{rest(element, ())}"


def _port(element: Element) -> str:
    ports = element.get("port") or element.get("range") or ""
    inner = element.get("internal-port")
    to = "" if inner is None else f" to {value(inner)} inside"
    told = ["internal-port", "port" if element.get("port") is not None else "range"]
    return f"port {value(ports)}{to}{rest(element, told)}"


def _storage(element: Element) -> str:
    source = element.get("source-dir") or element.get("source-dir-root") or ""
    told = ["target-dir"]
    told.append("source-dir" if element.get("source-dir") else "source-dir-root")
    each = " (one for each replica)" if told[1] == "source-dir-root" else ""
    target = shown_value(element, "target-dir")
    return f"storage {value(source)} on {target}{each}{rest(element, told)}"


def _node(element: Element) -> str:
    kind = element.get("type")
    what = "node" if kind is None else f"{value(kind)} node"
    return f"{what} with id {value(element.get('id', ''))}{rest(element, ('uname', 'type'))}"


def _tag(element: Element) -> str:
    return f"tag of {listed(value(m.get('id', '')) for m in elements(element)) or 'nothing'}"


def _permission(element: Element) -> str:
    kind = element.get("kind") or (element.tag if element.tag in _MAY else "")
    may = _MAY.get(kind, value(kind))
    what = [
        words.format(shown_value(element, name))
        for name, words in _WHAT.items()
        if element.get(name) is not None
    ]
    left = rest(element, ("kind", *_WHAT))
    return f"{may} {', '.join(what) or 'everything'}{left}"


def _acl_target(element: Element) -> str:
    kind = {"acl_group": "group"}.get(element.tag, "user")
    roles = [value(r.get("id", "")) for r in elements(element, "role", "role_ref")]
    has = f" with role {listed(roles)}" if roles else ""
    return f"ACL {kind}{has}{rest(element, ())}"


def _level(element: Element) -> str:
    devices = element.get("devices", "").split(",")
    told = ["index", "devices", *_target_attributes(element)]
    index = shown_value(element, "index")
    return f"level {index}: {listed(map(value, devices))}{rest(element, told)}"


def _target_attributes(level: Element) -> tuple[str, ...]:
    """Return the attributes that the owner of a level is named after."""
    if level.get("target-attribute") is not None:
        return ("target-attribute", "target-value")
    return ("target",) if level.get("target") else ("target-pattern",)


def _alert(element: Element) -> str:
    return f"alert, runs {shown_value(element, 'path')}{rest(element, ('path',))}"


def _recipient(element: Element) -> str:
    return f"recipient {shown_value(element, 'value')}{rest(element, ('value',))}"


def _select(element: Element) -> str:
    events = listed(map(_events, elements(element))) or "nothing"
    return f"filter: only events of {events}{rest(element, ())}"


def _events(element: Element) -> str:
    names = [shown_value(e, "name") for e in elements(element, "attribute")]
    of = f" ({listed(names)})" if names else ""
    return f"{element.tag.removeprefix('select_')}{of}{rest(element, ())}"


def _attribute(element: Element) -> str:
    return f"attribute {shown_value(element, 'name')}{rest(element, ('name',))}"


def _reference(element: Element) -> str:
    return value(element.get("id", "")) + rest(element, ())


def _plain(words: str) -> Callable[[Element], str]:
    return lambda element: words + rest(element, ())


def _section(element: Element) -> str:
    return f"section {element.tag}{rest(element, ())}"


PARTS: dict[str, Callable[[Element], str]] = {
    **dict.fromkeys(CONTAINERS, _container),
    "network": _network,
    "port-mapping": _port,
    "storage": _plain("storage"),
    "storage-mapping": _storage,
    "node": _node,
    "tag": _tag,
    **dict.fromkeys(("obj_ref", "resource_ref", "role", "role_ref"), _reference),
    "acl_role": _plain("ACL role"),
    **dict.fromkeys(("acl_permission", "read", "write", "deny"), _permission),
    **dict.fromkeys(("acl_target", "acl_group", "acl_user"), _acl_target),
    "fencing-level": _level,
    "alert": _alert,
    "recipient": _recipient,
    "select": _select,
    **dict.fromkeys(
        ("select_nodes", "select_fencing", "select_resources", "select_attributes"),
        _events,
    ),
    "attribute": _attribute,
    **dict.fromkeys(
        ("cib", "configuration", "crm_config", "nodes", "resources", "constraints",
         "rsc_defaults", "op_defaults", "fencing-topology", "acls", "tags", "alerts",
         "status"), _section),
}  # fmt: skip
"""What each of them says, by tag."""
