"""Where resources stand, for crmsh 4.4: what can be made, and where it comes to stand.

A container is written whole, members included. A member that leaves another group has to
be taken out first. What is new or taken out of a container goes to the end.
"""

from ..cib.document import Cib
from ..compare.parts import MembersPart, members
from ..compare.steps import Step, containers, mentions, resource_tags
from . import crmsh_syntax
from .script import HELD, InexpressibleError, Script

_CREATED = ("template", "primitive", "bundle", "group", "master", "clone")
"""The order in which crmsh creates what one ``load`` brings."""

_CONTAINERS = frozenset({"group", "clone", "master", "bundle"})


def _goes(step: Step) -> bool:
    return step.new is None


class Layout:
    """Follows who stands in whom; knows which resources are not made, and so missing."""

    def __init__(self, script: Script, old: Cib, new: Cib, found: list[Step]) -> None:
        self.script = script
        self.steps = {s.name: s for s in found if s.section == "resources" and s.tag
                      != "resources"}  # fmt: skip
        self.emptied: set[str] = set()
        """Containers that stay, and that lose all that is in them."""
        self.inside, self.wanted = containers(old), containers(new)
        self._tags = resource_tags(old) | resource_tags(new)
        self.locked = self._find_locked(found)
        """What must not be deleted, and why."""
        self.missing = self._find_missing()
        for step in self.steps.values():
            if _goes(step) and not step.is_held and step.name not in self.locked:
                self._drop(step.name)

    def _find_locked(self, found: list[Step]) -> dict[str, str]:
        locked: dict[str, str] = {}
        for step in found:
            # a constraint that has to stay would go with what it names
            if step.section == "constraints" and step.is_held and step.old is not None:
                locked |= dict.fromkeys(mentions(step.old), HELD)
        for home in set(self.inside) & set(self.wanted) - {""}:
            inside = self.inside[home]
            if inside and all(n in self.steps and _goes(self.steps[n]) for n in inside):
                locked |= dict.fromkeys(inside, f"crm would delete {home} with it")
                self.emptied.add(home)
        return locked

    def _find_missing(self) -> set[str]:
        """Find new containers that cannot be written, and what can be nowhere else."""
        missing: set[str] = set()
        created = [
            s for s in self.steps.values() if s.old is None and s.new is not None
        ]
        for step in created:
            if step.tag in _CONTAINERS:
                try:
                    assert step.new is not None
                    crmsh_syntax.words_for(Script(), step.new)
                except InexpressibleError:
                    missing.add(step.name)
        missing |= {s.name for s in created if s.parent in self.emptied}
        before = None
        while before != len(missing):
            before = len(missing)
            for step in created:
                inner = set() if step.new is None else set(members(step.new))
                if step.parent in missing or inner & missing:
                    missing.add(step.name)
        return missing

    def _drop(self, name: str) -> None:
        home = self._home(name)
        if home is not None:
            self.inside[home].remove(name)
        self.inside[""] += [
            n for n in self.inside.pop(name, []) if n in self._all_new()
        ]

    def _all_new(self) -> set[str]:
        return {name for inside in self.wanted.values() for name in inside}

    def _home(self, name: str) -> str | None:
        return next((h for h, inside in self.inside.items() if name in inside), None)

    def take_out(self) -> None:
        """Add what takes members out of groups, and puts them into other groups at once."""
        lines: list[str] = []
        for step in self.steps.values():
            home = self._home(step.name)
            if not step.moved or not home or home not in self.wanted:
                continue
            if home == step.parent or self._tag(home) != "group":
                continue
            if len(self.inside[home]) == 1:
                self.script.cannot(step.address, f"{home} would be empty without it")
                continue
            lines.append(f"modgroup {home} remove {step.name}")
            self.inside[home].remove(step.name)
            self.inside[""].append(step.name)
            lines += self._put(step)
        if lines:
            self.script.lines.append("crm configure <<'EOF'")
            self.script.lines += [*lines, "commit", "EOF"]

    def _put(self, step: Step) -> list[str]:
        current, wanted = self.inside.get(step.parent), self.wanted.get(step.parent, [])
        if not current or self._tag(step.parent) != "group":
            return []
        index = wanted.index(step.name)
        if index and wanted[index - 1] in current:
            where, place = (
                f"after {wanted[index - 1]}",
                current.index(wanted[index - 1]) + 1,
            )
        elif not index:
            where, place = f"before {current[0]}", 0
        else:
            return []
        self.inside[""].remove(step.name)
        current.insert(place, step.name)
        return [f"modgroup {step.parent} add {step.name} {where}"]

    def _tag(self, name: str) -> str:
        return self._tags.get(name, "")

    def is_arranged(self, step: Step) -> bool:
        """Say whether nothing of a resource is left to be written."""
        if step.section != "resources" or step.old is None:
            return False
        return all(isinstance(part, MembersPart) for part in step.parts) and (
            step.name not in self.wanted
            or self.inside.get(step.name) == self.wanted[step.name]
        )

    def is_cloned(self, step: Step) -> bool:
        """Say whether a resource stands in a clone or bundle, maybe with a group between."""
        home = step.parent
        while home:
            if self._tag(home) != "group":
                return True
            home = next((h for h, n in self.wanted.items() if home in n), "")
        return False

    def created(self) -> None:
        """Follow what the one ``load`` does."""
        come = [s for s in self.steps.values() if s.old is None and s.new is not None]
        for step in sorted(come, key=lambda s: _CREATED.index(s.tag)):
            if step.name not in self.missing:
                self.inside[""].append(step.name)
                self._fill(step.name)
        for name in self.wanted:
            if name in self.inside and name:
                self._fill(name)

    def _fill(self, name: str) -> None:
        if name not in self.wanted:
            return
        for member in self.wanted[name]:
            home = self._home(member)
            if home is not None and home != name:
                self.inside[home].remove(member)
        self.inside[name] = [n for n in self.wanted[name] if n not in self.missing]

    def tell(self) -> None:
        """Say what does not stand where it shall."""
        for name, wanted in self.wanted.items():
            if name and name not in self.missing and self.inside.get(name) != wanted:
                self.script.cannot(f"{self._tag(name)} {name}", "its members")
        if self.inside[""] != self.wanted[""]:
            self.script.cannot("resources", "the order of resources, or who is in whom")
