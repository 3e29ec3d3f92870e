"""Objects in the language of ``crm configure`` (crmsh 4.4), a list of words each.

What that language cannot hold raises :class:`InexpressibleError`; crmsh takes such an
object as one line of XML instead. The limits were found by writing and reading back.
"""

import re
from collections.abc import Callable

from ..cib.document import Element, attributes
from ..compare.aspects import is_plain_set, members, own_children, pairs
from .crmsh_constraints import CONSTRAINTS
from .script import InexpressibleError, Script, Word

Words = list[Word]
Maker = Callable[[Script, Element], Words]

_AGENT = ("class", "provider", "type")
_KEYWORDS = {
    "instance_attributes": "params",
    "meta_attributes": "meta",
    "utilization": "utilization",
}
_ALERT_KEYWORDS = {"instance_attributes": "attributes", "meta_attributes": "meta"}
_NAME = re.compile(r"[^=@$\s][^=]*")
_SIMPLE_ID = re.compile(r"[\w-]+", re.ASCII)
_CONTAINERS = ("docker", "rkt")
_PERMISSIONS = {
    "xpath": "xpath",
    "reference": "ref",
    "object-type": "type",
    "attribute": "attr",
}


def words_for(script: Script, element: Element) -> Words:
    """Return the words of one object."""
    maker = _MAKERS.get(element.tag)
    if maker is None:
        raise InexpressibleError(f"a {element.tag}")
    words = maker(script, element)
    for word in words:
        if isinstance(word, str) and not word.isascii():
            # it would be stored as a character reference, as text (experiment, 4.4.1)
            raise InexpressibleError("letters that are not ASCII")
    return words


def is_simple_id(identity: str) -> bool:
    """Say whether crmsh takes an id before a colon."""
    return bool(_SIMPLE_ID.fullmatch(identity))


def sets(script: Script, element: Element, keywords: dict[str, str]) -> Words:
    """Return the words for the plain sets of pairs of an object."""
    words: Words = []
    seen: set[str] = set()
    for child in own_children(element):
        if child.tag in keywords:
            found = pairs(child) if is_plain_set(child) else {}
            if not found or child.tag in seen:
                raise InexpressibleError(f"a set like this in {child.tag}")
            seen.add(child.tag)
            words += [keywords[child.tag], *pair_words(script, element, found)]
    return words


def pair_words(script: Script, owner: Element, found: dict[str, str]) -> Words:
    """Return pairs as words."""
    for name, value in found.items():
        if not _NAME.fullmatch(name) or value == "":
            raise InexpressibleError(f"a pair like this: {name}")
    identity = owner.get("id", "")
    return [script.pair(identity, name, value) for name, value in found.items()]


def refuse_others(element: Element, known: set[str], *names: str) -> None:
    """Refuse attributes and children that the words do not hold."""
    for name, value in attributes(element):
        if name not in (*names, "id"):
            raise InexpressibleError(f"{name}={value}")
    for child in own_children(element):
        if child.tag not in known:
            raise InexpressibleError(f"<{child.tag}>")


def described(element: Element) -> Words:
    """Return the word for a description, where there is one."""
    text = element.get("description")
    if text == "":
        raise InexpressibleError("an empty description")
    return [] if text is None else [f"description={text}"]


def _primitive(script: Script, element: Element) -> Words:
    known = {*_KEYWORDS, "operations"}
    refuse_others(element, known, *_AGENT, "template", "description")
    template = element.get("template")
    if template is None:
        kind = ":".join(filter(None, (element.get(name) for name in _AGENT)))
    else:
        kind = f"@{template}"
    word = "primitive" if element.tag == "primitive" else "rsc_template"
    words: Words = [word, element.get("id", ""), kind, *described(element)]
    words += sets(script, element, _KEYWORDS)
    for child in own_children(element):
        if child.tag == "operations":
            if attributes(child) or not own_children(child):
                raise InexpressibleError("operations like these")
            for op in own_children(child):
                words += _operation(script, op)
    return words


def _operation(script: Script, op: Element) -> Words:
    words: Words = ["op", op.get("name", "")]
    if op.get("interval") is None:
        raise InexpressibleError("an operation without interval")
    for name, value in attributes(op):
        if name not in ("id", "name"):
            if not value:
                raise InexpressibleError(f"an empty {name}")
            words.append(f"{name}={value}")
    keywords = {"instance_attributes": "op_params", "meta_attributes": "op_meta"}
    for child in own_children(op):
        if child.tag not in keywords:
            raise InexpressibleError(f"<{child.tag}> of an operation")
    return words + sets(script, op, keywords)


def _group(script: Script, element: Element) -> Words:
    known = set(_KEYWORDS) - {"utilization"}
    refuse_others(element, known, "description")
    words: Words = ["group", element.get("id", ""), *members(element)]
    return words + described(element) + sets(script, element, _KEYWORDS)


def _clone(script: Script, element: Element) -> Words:
    known = set(_KEYWORDS) - {"utilization"}
    refuse_others(element, known, "description")
    word = "ms" if element.tag == "master" else "clone"
    words: Words = [word, element.get("id", ""), *members(element)]
    return words + described(element) + sets(script, element, _KEYWORDS)


def _bundle(script: Script, element: Element) -> Words:
    known = {*_CONTAINERS, "network", "storage", "meta_attributes"}
    refuse_others(element, known, "description")
    words: Words = ["bundle", element.get("id", ""), *described(element)]
    for part in own_children(element):
        if part.tag == "meta_attributes":
            continue
        words += [part.tag, *_options(part)]
        for mapping in own_children(part):
            words += [mapping.tag, f"id={mapping.get('id')}", *_options(mapping)]
    words += sets(script, element, _KEYWORDS)
    for name in members(element):
        words += ["primitive", name]
    return words


def _options(element: Element) -> Words:
    found = [(name, value) for name, value in attributes(element) if name != "id"]
    if any(not value for _, value in found):
        raise InexpressibleError("an empty option")
    return [f"{name}={value}" for name, value in found]


def _node(script: Script, element: Element) -> Words:
    keywords = {"instance_attributes": "attributes", "utilization": "utilization"}
    refuse_others(element, set(keywords), "uname", "type", "description")
    identity, kind = element.get("id", ""), element.get("type")
    if not _SIMPLE_ID.fullmatch(identity):
        raise InexpressibleError(f"an id like {identity}")
    name = element.get("uname", "") + (f":{kind}" if kind else "")
    words: Words = ["node", f"{identity}:", name, *described(element)]
    return words + sets(script, element, keywords)


def _tag(_: Script, element: Element) -> Words:
    refuse_others(element, {"obj_ref"})
    return ["tag", element.get("id", ""), *_ids(element)]


def _owner(_: Script, element: Element) -> Words:
    refuse_others(element, {"role"})
    return [element.tag, element.get("id", ""), *_ids(element)]


def _ids(element: Element) -> list[str]:
    return [child.get("id", "") for child in own_children(element)]


def _role(_: Script, element: Element) -> Words:
    refuse_others(element, {"acl_permission"}, "description")
    words: Words = ["role", element.get("id", ""), *described(element)]
    for permission in own_children(element):
        words.append(permission.get("kind", ""))
        refuse_others(permission, set(), "kind", *_PERMISSIONS)
        for name, keyword in _PERMISSIONS.items():
            if permission.get(name) is not None:
                words.append(f"{keyword}:{permission.get(name)}")
    return words


def _alert(script: Script, element: Element) -> Words:
    refuse_others(element, set(_ALERT_KEYWORDS), "path", "description")
    identity = element.get("id", "")
    words: Words = ["alert", identity, element.get("path", ""), *described(element)]
    words += sets(script, element, _ALERT_KEYWORDS)
    for number, one in enumerate(element.iterchildren("recipient"), 1):
        if one.get("id") != f"{identity}-recipient-{number}":
            raise InexpressibleError("an id of a recipient")
        refuse_others(one, set(_ALERT_KEYWORDS), "value", "description")
        words += ["to", "{", one.get("value", ""), *described(one)]
        words += [*sets(script, one, _ALERT_KEYWORDS), "}"]
    return words


def topology(section: Element) -> Words:
    """Return the words for all fencing levels; crmsh counts the indexes itself."""
    words: Words = ["fencing_topology"]
    current, index = "", 0
    seen: set[str] = set()
    for level in own_children(section):
        get = level.get
        if get("target") is not None:
            target = f"{get('target')}:"
        elif get("target-pattern") is not None:
            target = f"pattern:{get('target-pattern')}"
        else:
            target = f"attr:{get('target-attribute')}={get('target-value')}"
        if target != current:
            if target in seen or target.count(":") > 1:
                raise InexpressibleError("fencing levels in this order")
            seen.add(target)
            current, index = target, 0
            words.append(target)
        index += 1
        if get("index") != str(index):
            raise InexpressibleError("fencing levels with gaps between the indexes")
        words.append(get("devices", ""))
    return words


_MAKERS: dict[str, Maker] = {
    "primitive": _primitive,
    "template": _primitive,
    "group": _group,
    "clone": _clone,
    "master": _clone,
    "bundle": _bundle,
    "node": _node,
    "tag": _tag,
    "acl_role": _role,
    "acl_target": _owner,
    "acl_group": _owner,
    "alert": _alert,
    **CONSTRAINTS,
}
