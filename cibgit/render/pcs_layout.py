"""Where resources stand, as commands of pcs 0.11: create, delete, group, clone, order.

A model of what stands where follows each command, as pcs 0.11.5 does it: what it makes,
and what it takes out of a container, goes to the end. Where the model does not reach
what is wanted, that is said.
"""

from collections.abc import Callable

from ..cib.document import Cib
from ..cib.pairing import longest_increasing
from ..compare.steps import Step, containers, resource_tags
from . import pcs_bundles, pcs_resources
from .script import HELD, InexpressibleError, Script, Word

CLONES = ("clone", "master")


class Layout:
    """Takes the steps on resources to commands; remembers what could not be made."""

    def __init__(self, script: Script, steps: list[Step], old: Cib, new: Cib) -> None:
        self.script = script
        self.steps = {step.name: step for step in steps if step.tag != "resources"}
        self.children = containers(old)
        self.wanted = containers(new)
        self.tags = resource_tags(old) | resource_tags(new)
        self.stay = set(resource_tags(new))
        self.missing: set[str] = set()
        self.locked: set[str] = set()
        """What must not be deleted: a constraint would go with it that has to stay."""

    def run(self) -> None:
        """Add all commands, in an order in which they work."""
        late = self._take_apart()
        self._bundles()
        for step in list(self.steps.values()):
            if step.tag == "primitive" and step.old is None and step.parent == "":
                self._attempt(step, self._create)
        for name, tag in self.tags.items():
            if tag == "group" and name in self.wanted:
                self._arrange(name)
        for name in late:
            self._delete(name)
        for name, tag in self.tags.items():
            if tag in CLONES and name in self.wanted:
                self._clone(name)
        for step in self.steps.values():
            if step.old is not None and step.new is not None and step.tag != "template":
                is_bundle = step.tag == "bundle"
                rest = pcs_bundles.edit(self.script, step) if is_bundle else step
                pcs_resources.edit(self.script, rest)
        self._tell_the_rest()

    def touched(self) -> set[str]:
        """Return resources that get into or out of a clone: pcs rewrites who names them."""
        found: set[str] = set()
        for name, tag in self.tags.items():
            if tag in CLONES:
                before, after = self.children.get(name), self.wanted.get(name)
                if (before is None) != (after is None):
                    found |= {name, *(before or ()), *(after or ())}
        return found

    # -- what goes -----------------------------------------------------------------------

    def _take_apart(self) -> list[str]:
        """Delete what goes, free what stays; return what can be deleted only later."""
        late = []
        for name, step in list(self.steps.items()):
            if step.new is not None or step.tag not in ("group", *CLONES):
                continue
            if name in self._all() and not self._all_go(name):
                verb = "ungroup" if step.tag == "group" else "unclone"
                self.script.command("pcs", "resource", verb, name)
                self._free(name)
        for name, step in list(self.steps.items()):
            if step.new is not None or name not in self._all():
                continue
            if step.tag == "template":
                self.script.cannot(step.address, "pcs has no command for templates")
                continue
            home = self._home(name)
            if self.tags.get(home) in CLONES and home in self.wanted:
                self.script.cannot(step.address, f"pcs would delete {home} with it")
                continue
            last = self.tags.get(home) == "group" and len(self.children[home]) == 1
            if last and home in self.wanted:
                late.append(name)
            elif not home or home in self.wanted:
                self._delete(name)
        return late

    def _all_go(self, name: str) -> bool:
        inside = self.children.get(name, ())
        return name not in self.stay and all(self._all_go(child) for child in inside)

    def _delete(self, name: str) -> None:
        step = self.steps[name]
        if name not in self._all():
            return
        if self._is_held(name):
            self.script.cannot(step.address, HELD)
            return
        if not self._all_go(name):
            self.script.cannot(step.address, "pcs cannot take resources out of it")
            return
        stonith = step.old is not None and pcs_resources.is_stonith(step.old)
        kind = "stonith" if stonith else "resource"
        self.script.command("pcs", kind, "delete", name)
        home = self._home(name)
        self.children[home].remove(name)
        self._forget(name)
        while home and not self.children[home]:
            # pcs removes what has become empty, but for bundles
            if self.tags[home] == "bundle":
                break
            outer = self._home(home)
            self.children[outer].remove(home)
            del self.children[home]
            home = outer

    def _is_held(self, name: str) -> bool:
        inside = self.children.get(name, [])
        held = name in self.locked or self.steps[name].is_held
        return held or any(map(self._is_held, inside))

    def _forget(self, name: str) -> None:
        for child in self.children.pop(name, []):
            self._forget(child)

    def _free(self, name: str) -> None:
        home = self._home(name)
        self.children[home].remove(name)
        self.children[""] += self.children.pop(name)

    # -- what comes ----------------------------------------------------------------------

    def _bundles(self) -> None:
        for step in self.steps.values():
            if step.tag != "bundle" or step.new is None:
                continue
            if step.old is None and self._attempt(step, self._create_bundle):
                self.children[""].append(step.name)
                self.children[step.name] = []
        for name, tag in self.tags.items():
            if tag == "bundle" and name in self.wanted and name in self._all():
                for child in self.wanted[name]:
                    inner = self.steps.get(child)
                    if inner is not None and inner.old is None:
                        self._attempt(inner, self._create, "bundle", name)

    def _create_bundle(self, step: Step) -> None:
        assert step.new is not None
        self.script.command(*pcs_bundles.creation(self.script, step.new))

    def _create(self, step: Step, *where: Word) -> None:
        assert step.new is not None
        if step.tag != "primitive":
            raise InexpressibleError(f"a {step.tag} to create here")
        words = pcs_resources.creation(self.script, step.new)
        after = pcs_resources.after_creation(self.script, step.new)
        self.script.command(*words, *where)
        for more in after:
            self.script.command(*more)
        in_bundle = where[:1] == ("bundle",)
        self.children[str(where[1]) if in_bundle else ""].append(step.name)

    def _attempt(self, step: Step, make: Callable[..., None], *where: Word) -> bool:
        try:
            make(step, *where)
        except InexpressibleError as error:
            self.script.cannot(step.address, str(error))
            self.missing.add(step.name)
            return False
        return True

    def _arrange(self, group: str) -> None:
        """Bring the members of a group together, with as few moves as can be."""
        step = self.steps.get(group)
        try:
            if step is not None and step.old is None and step.new is not None:
                meta = pcs_resources.meta_of(self.script, step.new)
            else:
                meta = []
            self._gather(group)
        except InexpressibleError as error:
            self.script.cannot(f"group {group}", str(error))
            if group not in self._all():
                self.missing.add(group)
            return
        if meta:
            self.script.command("pcs", "resource", "meta", group, *meta)

    def _gather(self, group: str) -> None:
        wanted = self.wanted[group]
        gone = [name for name in wanted if name in self.missing]
        if gone and group not in self._all():
            raise InexpressibleError(f"its member {gone[0]} is not there")
        present = [name for name in wanted if name not in gone]
        before = self.children.get(group, [])
        places = [before.index(n) if n in before else None for n in present]
        kept = {present[index] for index in longest_increasing(places)}
        for index, name in enumerate(present):
            if name not in kept:
                self._put(group, name, present[index - 1] if index else None)
        for name in [n for n in self.children.get(group, []) if n not in wanted]:
            if name in self.wanted[""]:
                self.script.command("pcs", "resource", "group", "remove", group, name)
                self.children[group].remove(name)
                self.children[""].append(name)

    def _put(self, group: str, name: str, after: str | None) -> None:
        current = [n for n in self.children.get(group, []) if n != name]
        where: list[Word] = []
        if after is not None:
            # a move inside the group needs a place, even if that is the end
            at_end = current[-1:] == [after] and self._home(name) != group
            where = [] if at_end else ["--after", after]
        elif current:
            where = ["--before", current[0]]
        step = self.steps.get(name)
        if step is not None and step.old is None:
            if not self._attempt(step, self._create, "--group", group, *where):
                raise InexpressibleError(f"its member {name} is not there")
        else:
            self._check_leaving(group, name)
            self.script.command(*_ADD, group, name, *where)
        self._place(group, name, after)

    def _check_leaving(self, group: str, name: str) -> None:
        home = self._home(name)
        if home in ("", group):
            return
        if self.tags.get(home) != "group":
            raise InexpressibleError(f"{name} cannot be taken out of {home}")
        if self.children[home] == [name]:
            raise InexpressibleError(f"{home} would be empty, and pcs would delete it")

    def _place(self, group: str, name: str, after: str | None) -> None:
        if group not in self.children:
            self.children[group] = []
            self.children[""].append(group)
        home = self._home(name)
        self.children[home].remove(name)
        current = self.children[group]
        current.insert(current.index(after) + 1 if after else 0, name)

    def _clone(self, name: str) -> None:
        wanted, step = self.wanted[name], self.steps.get(name)
        if name in self._all() or step is None or step.new is None:
            return
        inner = wanted[0] if wanted else ""
        try:
            if step.tag != "clone":
                raise InexpressibleError("pcs makes clones, not <master>")
            meta = pcs_resources.meta_of(self.script, step.new)
            self._wrap(name, inner, meta)
        except InexpressibleError as error:
            self.script.cannot(step.address, str(error))
            self.missing.add(name)
            return
        self.children[self._home(inner)].remove(inner)
        self.children[name] = [inner]
        self.children[""].append(name)

    def _wrap(self, name: str, inner: str, meta: list[Word]) -> None:
        step = self.steps.get(inner)
        if step is not None and step.old is None and step.tag == "primitive":
            if not self._attempt(step, self._create, "clone", name, *meta):
                raise InexpressibleError(f"its resource {inner} is not there")
            return
        if inner in self.missing or inner not in self._all():
            raise InexpressibleError(f"its resource {inner} is not there")
        self.script.command("pcs", "resource", "clone", inner, name, *meta)

    # -- what is left --------------------------------------------------------------------

    def _tell_the_rest(self) -> None:
        for step in self.steps.values():
            if step.tag == "template" and step.new is not None:
                self.script.cannot(step.address, "pcs has no command for templates")
                self.missing.add(step.name)
        there = self._all()
        for name, step in self.steps.items():
            if step.new is None or name in self.missing or step.tag == "template":
                continue
            if name not in there:
                self.script.cannot(step.address, "it cannot be created there")
                self.missing.add(name)
        for home, wanted in self.wanted.items():
            found = self.children.get(home)
            if home and home in there and found != wanted:
                self.script.cannot(
                    f"{self.tags[home]} {home}", f"its members: {' '.join(wanted)}"
                )
        if self.children[""] != self.wanted[""]:
            self.script.cannot("resources", "the order of resources, or who is in whom")

    def _all(self) -> set[str]:
        return {name for inside in self.children.values() for name in inside}

    def _home(self, name: str) -> str:
        return next((h for h, inside in self.children.items() if name in inside), "")


_ADD = ("pcs", "resource", "group", "add")
