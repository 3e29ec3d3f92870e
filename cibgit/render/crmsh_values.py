"""Single values as commands of crmsh 4.4, where such a command does just that.

crm writes what it is given into a shell command of its own, in single quotes, so only
harmless values go this way; and it adds a pair to the set of one fixed id, so a pair is
added this way only where no other set is.
"""

import re

from ..compare.parts import OtherPart, PairPart
from ..compare.steps import Step
from .script import Word, is_secret

Command = tuple[Word, ...]

SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./][A-Za-z0-9_@%+=:,./ -]*")
_WORDS = {
    "instance_attributes": "param",
    "meta_attributes": "meta",
    "utilization": "utilization",
}


def commands(step: Step, cloned: bool) -> list[Command] | None:
    """Return the commands for a step that is nothing but simple values, else None.

    What no writing of the object would make (comments, ids) does not count.

    ``cloned``: whether a resource stands in a clone; the clone would get its meta
    attributes (``crm_resource`` of 2.1.5).
    """
    if step.old is None:
        return None
    found: list[Command] = []
    for part in step.parts:
        if isinstance(part, OtherPart) and not part.is_content:
            continue
        if not isinstance(part, PairPart) or step.moved or not _is_safe(step, part):
            return None
        if step.tag == "node":
            found.append(_of_node(step, part))
        elif _is_settable(step, part, cloned):
            place = ("crm", "resource", _WORDS[part.kind], step.name)
            found.append((*place, *_change(part)))
        else:
            return None
    return found


def _is_safe(step: Step, part: PairPart) -> bool:
    values = [step.name, part.name, *([part.new] if part.new is not None else [])]
    return (
        all(map(SAFE.fullmatch, values))
        and not is_secret(part.name)
        and _has_home(step, part)
    )


def _has_home(step: Step, part: PairPart) -> bool:
    """Whether an added pair goes into the set that is there, or there is none."""
    if part.old is not None or part.set_id is None:
        return True
    if step.tag == "node":
        suffix = "-utilization" if part.kind == "utilization" else ""
        return part.set_id == f"nodes-{step.name}{suffix}"
    return part.set_id == f"{step.name}-{part.kind}"


def _is_settable(step: Step, part: PairPart, cloned: bool) -> bool:
    if step.tag in ("group", "clone"):
        return part.kind == "meta_attributes"
    if step.tag != "primitive":
        return False
    return not (cloned and part.kind == "meta_attributes")


def _of_node(step: Step, part: PairPart) -> Command:
    assert step.new is not None
    word = "utilization" if part.kind == "utilization" else "attribute"
    return ("crm", "node", word, step.new.get("uname", ""), *_change(part))


def _change(part: PairPart) -> Command:
    if part.new is None:
        return ("delete", part.name)
    return ("set", part.name, part.new)
