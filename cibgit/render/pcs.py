"""The commands of pcs 0.11 that lead from one CIB to another.

The order: what refers goes before what is referred to, and comes after it. Each step is
either done or said to be impossible; a step that a handler refuses is said with its
reason. What pcs 0.11.5 does with each command was measured.
"""

from collections.abc import Callable, Iterable

from ..cib.document import Cib, Element
from ..compare.parts import OtherPart, comments
from ..compare.steps import Step, held_objects, keeps_order, mentions, steps
from . import pcs_acls, pcs_constraints, pcs_options
from .pcs_layout import Layout
from .script import HELD, InexpressibleError, Script, tell_comments, tell_others

Handler = Callable[[Script, Step], None]


def pcs(old: Cib, new: Cib) -> str:
    """Return the commands, one a line; empty where there is no difference."""
    found = steps(old, new)
    return _Recipe(old, new, found).run() if found else ""


class _Recipe:
    def __init__(self, old: Cib, new: Cib, found: list[Step]) -> None:
        self.old, self.new, self.found = old, new, found
        self.script = Script()
        self.script.comment("pcs chooses the ids of pairs, operations, sets and levels")
        by_section: dict[str, list[Step]] = {}
        for step in found:
            by_section.setdefault(step.section, []).append(step)
        self.steps = by_section
        resources = by_section.get("resources", [])
        self.layout = Layout(self.script, resources, old, new)

    def run(self) -> str:
        constraints = self._remove_constraints()
        levels = self._pick("fencing-topology")
        self._each([s for s in levels if s.old is not None], _delete_level)
        acls = self._pick("acls")
        kept = [s for s in acls if s.old is not None and s.new is not None]
        gone = [s for s in acls if s.new is None]
        owners = [s for s in gone if s.tag != "acl_role"]
        self._each([*owners, *kept], pcs_acls.revoke)
        self._each([s for s in gone if s.tag == "acl_role"], pcs_acls.delete_role)
        tags = self._pick("tags")
        self._each([s for s in tags if s.old is not None], pcs_options.untag)
        self.layout.run()
        self._each([s for s in tags if s.new is not None], pcs_options.tag)
        self._each([s for s in levels if s.new is not None], _add_level)
        granted = sorted((s for s in acls if s.new is not None), key=_roles_first)
        self._each(granted, pcs_acls.grant)
        for element in constraints:
            self._make_constraint(element)
        self._check_order(constraints)
        alerts = self._pick("alerts")
        gone_alerts = {s.name for s in alerts if s.tag == "alert" and s.new is None}
        rest = [
            s for s in alerts if s.tag == "alert" or s.old_parent not in gone_alerts
        ]
        self._each(rest, pcs_acls.alert)
        for section, handler in _SIMPLE.items():
            self._each(self._pick(section), handler)
        self._each(self._rest(), _refuse)
        tell_comments(self.script, self.found)
        return self.script.text()

    def _pick(self, section: str) -> list[Step]:
        """Take the steps on objects of a section; those on the section itself stay."""
        found = self.steps.get(section, [])
        self.steps[section] = [step for step in found if step.tag == section]
        return [step for step in found if step.tag != section]

    def _rest(self) -> Iterable[Step]:
        resources = self.steps.pop("resources", [])
        on_section = [s for s in resources if s.tag == "resources"]
        rest = [step for found in self.steps.values() for step in found]
        return [*on_section, *rest]

    def _each(self, found: Iterable[Step], handler: Handler) -> None:
        for step in found:
            try:
                if handler not in _REMOVERS:
                    self._refuse_missing(step.new)
                handler(self.script, step)
            except InexpressibleError as error:
                self.script.cannot(step.address, str(error))

    def _refuse_missing(self, element: Element | None) -> None:
        if element is not None:
            for name in sorted(mentions(element) & self.layout.missing):
                raise InexpressibleError(f"it names {name}, which is not made")

    def _remove_constraints(self) -> list[Element]:
        """Delete constraints that go or change; return those to be made again."""
        touched, held = self.layout.touched(), held_objects(self.new)
        gone: list[str] = []
        again: list[Element] = []
        found = {step.name: step for step in self._pick("constraints")}
        for step in found.values():
            if step.old is not None and step.new is not None and _only_ids(step):
                tell_others(self.script, step)
                continue
            if step.is_held and step.old is not None:
                self.script.cannot(step.address, HELD)
                self.layout.locked |= mentions(step.old)
                continue
            gone += [step.name] if step.old is not None else []
            again += [step.new] if step.new is not None else []
        for element in _constraints(self.new):
            name = element.get("id", "")
            if name in found or not mentions(element) & touched:
                continue
            if (element.tag, name) in held:
                self.script.cannot(f"{element.tag} {name}", HELD)
            else:
                gone.append(name)
                again.append(element)
        if gone:
            self.script.command("pcs", "constraint", "delete", *gone)
        return again

    def _make_constraint(self, element: Element) -> None:
        address = f"{element.tag} {element.get('id')}"
        try:
            self._refuse_missing(element)
            if comments(element):
                self.script.cannot(address, "comments")
            pcs_constraints.create(self.script, element)
        except InexpressibleError as error:
            self.script.cannot(address, str(error))

    def _check_order(self, made: list[Element]) -> None:
        last = [element.get("id", "") for element in made]
        first = [one.get("id", "") for one in _constraints(self.old)]
        order = [name for name in first if name not in last] + last
        if not keeps_order(self.new, order):
            self.script.cannot(
                "constraints", "the order of constraints on the same resources"
            )


def _only_ids(step: Step) -> bool:
    return all(
        isinstance(part, OtherPart) and (part.only_ids or part.what == "comments")
        for part in step.parts
    )


def _constraints(cib: Cib) -> list[Element]:
    section = cib.root.find("configuration/constraints")
    return (
        [] if section is None else [one for one in section if isinstance(one.tag, str)]
    )


def _roles_first(step: Step) -> bool:
    return step.tag != "acl_role"


def _delete_level(script: Script, step: Step) -> None:
    if step.old is not None and not _only_ids_of(step):
        pcs_options.level(script, step.old, "delete")


def _add_level(script: Script, step: Step) -> None:
    if step.new is not None and not _only_ids_of(step):
        pcs_options.level(script, step.new, "add")
    if step.old is not None:
        tell_others(script, step, "devices")


def _only_ids_of(step: Step) -> bool:
    return step.old is not None and step.new is not None and _only_ids(step)


def _refuse(script: Script, step: Step) -> None:
    if step.tag == "resources":
        tell_others(script, step)
        return
    tell_others(script, step)
    if not step.parts:
        raise InexpressibleError("pcs has no command for it")


_REMOVERS = frozenset(
    {pcs_acls.revoke, pcs_acls.delete_role, pcs_options.untag, _delete_level}
)

_SIMPLE: dict[str, Handler] = {
    "nodes": pcs_options.node,
    "crm_config": pcs_options.properties,
    "rsc_defaults": pcs_options.defaults,
    "op_defaults": pcs_options.defaults,
}
