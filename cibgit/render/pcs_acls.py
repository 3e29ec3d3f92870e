"""ACLs and alerts as commands of pcs 0.11."""

from ..cib.document import Element, attributes
from ..compare.aspects import AttributePart, PairPart, is_plain_set, own_children, pairs
from ..compare.steps import Step
from . import pcs_resources
from .script import InexpressibleError, Script, Word, tell_others

_OWNERS = {"acl_target": "user", "acl_group": "group"}
_SETS = {"instance_attributes": "options", "meta_attributes": "meta"}


def revoke(script: Script, step: Step) -> None:
    """Add the commands that take away what goes: users, assignments, permissions."""
    assert step.old is not None
    if step.tag in _OWNERS:
        if step.new is None:
            script.command("pcs", "acl", _OWNERS[step.tag], "delete", step.name)
            return
        for role in _roles(step.old):
            if role not in _roles(step.new):
                _assign(script, step, "unassign", role)
    elif step.new is not None:
        wanted = [_permission_words(one) for one in own_children(step.new)]
        for one in own_children(step.old):
            if _permission_words(one) not in wanted:
                script.command("pcs", "acl", "permission", "delete", one.get("id", ""))


def delete_role(script: Script, step: Step) -> None:
    """Add the command that deletes a role."""
    script.command("pcs", "acl", "role", "delete", step.name)


def grant(script: Script, step: Step) -> None:
    """Add the commands that create what comes: roles first, by order of the steps."""
    assert step.new is not None
    if step.tag in _OWNERS:
        _grant_roles(script, step)
        return
    permissions = [permission(one) for one in own_children(step.new)]
    if step.old is None:
        words: list[Word] = ["pcs", "acl", "role", "create", step.name]
        description = step.new.get("description")
        words += [f"description={description}"] if description else []
        script.command(*words, *(word for one in permissions for word in one))
        return
    before = [_permission_words(one) for one in own_children(step.old)]
    added = [one for one in permissions if one not in before]
    if added:
        words = ["pcs", "acl", "permission", "add", step.name]
        script.command(*words, *(word for one in added for word in one))
    tell_others(script, step, "acl_permission")


def _grant_roles(script: Script, step: Step) -> None:
    assert step.new is not None
    if step.old is None:
        for name, value in attributes(step.new):
            if name != "id":
                raise InexpressibleError(f"{name}={value}")
        kind = _OWNERS[step.tag]
        script.command("pcs", "acl", kind, "create", step.name, *_roles(step.new))
        return
    for role in _roles(step.new):
        if role not in _roles(step.old):
            _assign(script, step, "assign", role)
    tell_others(script, step, "role")


def _assign(script: Script, step: Step, verb: str, role: str) -> None:
    way = "to" if verb == "assign" else "from"
    kind = _OWNERS[step.tag]
    script.command("pcs", "acl", "role", verb, role, way, kind, step.name)


def _roles(owner: Element) -> list[str]:
    return [role.get("id", "") for role in own_children(owner)]


def permission(element: Element) -> list[str]:
    """Return the words for one permission of a role."""
    for name, value in attributes(element):
        if name not in ("id", "kind", "xpath", "reference"):
            raise InexpressibleError(f"a permission with {name}={value}")
    return _permission_words(element)


def _permission_words(element: Element) -> list[str]:
    words = [element.get("kind", "")]
    if element.get("xpath") is not None:
        return [*words, "xpath", element.get("xpath", "")]
    if element.get("reference") is not None:
        return [*words, "id", element.get("reference", "")]
    return [*words, repr(sorted(attributes(element)))]


# -- alerts ------------------------------------------------------------------------------


def alert(script: Script, step: Step) -> None:
    """Add the commands for one alert or one recipient."""
    if step.tag == "recipient":
        _recipient(script, step)
    elif step.new is None:
        script.command("pcs", "alert", "delete", step.name)
    elif step.old is None:
        script.command("pcs", "alert", "create", *_whole(script, step.new, "path"))
    else:
        words = _changed(script, step, "path")
        if words:
            script.command("pcs", "alert", "update", step.name, *words)
        tell_others(script, step, "path", "description")


def _recipient(script: Script, step: Step) -> None:
    words: list[Word] = ["pcs", "alert", "recipient"]
    if step.new is None:
        script.command(*words, "delete", step.name)
    elif step.old is None:
        whole = _whole(script, step.new, "value")
        script.command(*words, "add", step.parent, *whole)
    else:
        changed = _changed(script, step, "value")
        if changed:
            script.command(*words, "update", step.name, *changed)
        tell_others(script, step, "value", "description")


def _whole(script: Script, element: Element, main: str) -> list[Word]:
    words: list[Word] = [f"{main}={element.get(main)}", f"id={element.get('id')}"]
    description = element.get("description")
    words += [f"description={description}"] if description else []
    owner = element.get("id", "")
    seen: set[str] = set()
    for child in own_children(element):
        if child.tag not in _SETS or child.tag in seen or not is_plain_set(child):
            raise InexpressibleError(f"<{child.tag}> of an alert")
        seen.add(child.tag)
        words += [_SETS[child.tag], *pcs_resources.values(script, owner, pairs(child))]
    return words


def _changed(script: Script, step: Step, main: str) -> list[Word]:
    words: list[Word] = []
    sets: dict[str, list[Word]] = {}
    for part in step.parts:
        if isinstance(part, AttributePart) and part.name in (main, "description"):
            words.append(f"{part.name}={part.new or ''}")
        elif isinstance(part, PairPart):
            pair = {part.name: part.new or ""}
            sets.setdefault(_SETS[part.kind], []).extend(
                [f"{part.name}="]
                if part.new is None
                else pcs_resources.values(script, step.name, pair)
            )
    for keyword, found in sets.items():
        words += [keyword, *found]
    return words
