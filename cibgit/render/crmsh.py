"""The commands of crmsh 4.4 that lead from one CIB to another.

Four stages: delete what goes; take members out of groups; write all objects that come or
change, whole, in one ``load update``, which is one commit; set single values. An object
that the language of crmsh cannot hold is written as one line of XML, which crmsh takes.
What crmsh 4.4.1 does with each was measured.
"""

import copy

from ..cib.document import Cib, Element, attributes
from ..compare.parts import (
    RESOURCES,
    OtherPart,
    Part,
    comments,
    is_plain_set,
    own_children,
    pairs,
)
from ..compare.steps import Step, keeps_order, mentions, steps
from . import crmsh_syntax, crmsh_values
from .crmsh_layout import Layout
from .crmsh_text import Load, xml
from .crmsh_values import SAFE
from .script import (
    HELD,
    InexpressibleError,
    Script,
    Word,
    tell_comments,
    tell_others,
)

_LOAD = ("crm", "configure", "load", "update", "-")
_DEFAULTS = ("rsc_defaults", "op_defaults")


def crmsh(old: Cib, new: Cib) -> str:
    """Return the commands; empty where there is no difference."""
    found = steps(old, new)
    return _Recipe(old, new, found).run() if found else ""


class _Recipe:
    def __init__(self, old: Cib, new: Cib, found: list[Step]) -> None:
        self.old, self.new, self.found = old, new, found
        self.script = Script()
        self.script.comment(
            "crmsh chooses the ids of pairs, operations, sets and levels where it is"
            " not given XML"
        )
        self.layout = Layout(self.script, old, new, found)
        self.load = Load(self.script)
        self.replaced = Load(self.script)
        self.again: list[str] = []
        self.values: list[tuple[Word, ...]] = []

    def run(self) -> str:
        self._delete()
        self.layout.take_out()
        for step in self.found:
            self._each(step)
        self._alerts()
        self._topology()
        self.layout.created()
        self.load.run(*_LOAD)
        if self.again:
            self.replaced.add(["commit"])
        self.replaced.run("crm", "configure")
        for words in self.values:
            self.script.command(*words)
        self._order()
        tell_comments(self.script, self.found)
        return self.script.text()

    # -- deleting ------------------------------------------------------------------------

    def _delete(self) -> None:
        gone = [step for step in self.found if _is_deleted(step)]
        for step in gone:
            if step.is_held or step.name in self.layout.locked:
                reason = self.layout.locked.get(step.name, HELD)
                self.script.cannot(step.address, reason)
        gone = [s for s in gone if not s.is_held and s.name not in self.layout.locked]
        ranked = sorted(gone, key=lambda step: _rank(step.tag))
        names = [step.name for step in ranked]
        if names:
            self._release(set(names))
            forced = any(step.tag in RESOURCES for step in gone)
            force = ["--force"] if forced else []
            self.script.command("crm", "configure", "delete", *force, *names)

    def _release(self, gone: set[str]) -> None:
        """Take what goes out of roles and users that stay: crmsh would leave it in them."""
        first = Load(self.script)
        come = {step.name for step in self.found if step.old is None}
        for step in self.found:
            if step.section != "acls" or step.old is None or step.new is None:
                continue
            if mentions(step.old) & gone:
                element = copy.deepcopy(step.new)
                for child in own_children(element):
                    if mentions(child) & (come | self.layout.missing):
                        element.remove(child)
                try:
                    self._add_to(first, element)
                except InexpressibleError as error:
                    self.script.cannot(step.address, str(error))
        first.run(*_LOAD)

    # -- one object ----------------------------------------------------------------------

    def _each(self, step: Step) -> None:
        if step.section in ("alerts", "fencing-topology") and step.tag != step.section:
            return
        if _is_deleted(step):
            return
        try:
            self._refuse(step)
            if step.section == "crm_config" or step.section in _DEFAULTS:
                self._options(step)
                return
            commands = crmsh_values.commands(step, self.layout.is_cloned(step))
            if commands is not None:
                self.values += commands
                _tell_unwritten(self.script, step)
                return
            if not any(map(_is_written, step.parts)) and step.old is not None:
                pass
            elif is_reordered(step):
                self._replace(step)
            elif not self.layout.is_arranged(step):
                self._write(step.new, exact=step.is_held)
            _tell_unwritten(self.script, step)
        except InexpressibleError as error:
            self.script.cannot(step.address, str(error))

    def _refuse(self, step: Step) -> None:
        if step.new is None or (step.old is None and step.tag == "node"):
            for part in step.parts:
                if isinstance(part, OtherPart):
                    raise InexpressibleError(part.what)
            if step.tag == "resources":
                return
            raise InexpressibleError("crmsh has no command for it")
        if step.name in self.layout.emptied:
            raise InexpressibleError("nothing that is in it stays")
        for name in sorted((mentions(step.new) | {step.name}) & self.layout.missing):
            raise InexpressibleError(f"{name} cannot be made")
        if all(isinstance(part, OtherPart) and part.only_ids for part in step.parts):
            for part in step.parts:
                raise InexpressibleError(part.what)  # type: ignore[union-attr]

    def _write(self, element: Element | None, *, exact: bool = False) -> None:
        """Write one object whole: in words, or else in XML; ``exact``: with its ids."""
        if element is None:
            return
        if comments(element):
            self.script.cannot(f"{element.tag} {element.get('id')}", "comments")
        self._add_to(self.load, element, exact=exact)

    def _add_to(self, load: Load, element: Element, *, exact: bool = False) -> None:
        try:
            if exact:
                raise InexpressibleError(HELD)
            load.add(crmsh_syntax.words_for(self.script, element))
        except InexpressibleError:
            if element.tag not in _AS_XML:
                raise
            load.add_xml(xml(self.script, element))

    def _replace(self, step: Step) -> None:
        """Delete an object and create it again, at once."""
        assert step.new is not None
        if step.section not in ("tags", "constraints"):
            raise InexpressibleError("an order, which crmsh takes for no change")
        words = crmsh_syntax.words_for(self.script, step.new)
        self._again(step.name, words)

    def _again(self, name: str, words: list[Word]) -> None:
        self.replaced.add(["delete", name])
        self.replaced.add(words)
        self.again.append(name)

    # -- sets of options -----------------------------------------------------------------

    def _options(self, step: Step) -> None:
        assert step.new is not None
        is_property = step.section == "crm_config"
        if not is_plain_set(step.new) or (
            step.old is not None and not is_plain_set(step.old)
        ):
            raise InexpressibleError("a set with rules or a score")
        if step.tag not in ("cluster_property_set", "meta_attributes"):
            raise InexpressibleError(f"defaults in {step.tag}")
        before = {} if step.old is None else pairs(step.old)
        after = pairs(step.new)
        come = {name: text for name, text in after.items() if before.get(name) != text}
        word = "property" if is_property else step.section
        gone = [name for name in before if name not in after]
        if gone and not is_property:
            self._less_defaults(step, after)
            return
        if come:
            words = crmsh_syntax.pair_words(self.script, step.new, come)
            self._set_options(word, step.name, words)
        self.values += [_removal(step, name) for name in gone]
        tell_others(self.script, step, "nvpair")

    def _less_defaults(self, step: Step, after: dict[str, str]) -> None:
        """Write a set of defaults again: no command takes a value out of it."""
        assert step.new is not None
        if _children(self.new, step.section)[-1].get("id") != step.name:
            raise InexpressibleError("a value less in a set that is not the last")
        if not after:
            raise InexpressibleError("an empty set")
        words = crmsh_syntax.pair_words(self.script, step.new, after)
        self._again(step.name, [step.section, f"{step.name}:", *words])
        tell_others(self.script, step, "nvpair")

    def _set_options(self, word: str, name: str, words: list[Word]) -> None:
        if not crmsh_syntax.is_simple_id(name):
            raise InexpressibleError(f"a set with an id like {name}")
        if all(isinstance(one, str) and SAFE.fullmatch(one) for one in words):
            self.values.append(("crm", "configure", word, f"{name}:", *words))
        else:
            self.load.add([word, f"{name}:", *words])

    # -- what is one object for crmsh ----------------------------------------------------

    def _alerts(self) -> None:
        changed = [step for step in self.found if step.section == "alerts"]
        names = {
            s.name if s.tag == "alert" else s.parent or s.old_parent
            for s in changed
            if not (s.tag == "alert" and s.new is None)
        }
        section = self.new.root.find("configuration/alerts")
        for element in () if section is None else own_children(section):
            if element.get("id") in names:
                try:
                    self._write(element)
                except InexpressibleError as error:
                    self.script.cannot(f"alert {element.get('id')}", str(error))
        for step in changed:
            _tell_unwritten(self.script, step)

    def _topology(self) -> None:
        changed = [s for s in self.found if s.section == "fencing-topology"]
        real = [
            s
            for s in changed
            if s.tag == "fencing-level"
            and (not s.parts or any(not _only_ids(part) for part in s.parts))
        ]
        section = self.new.root.find("configuration/fencing-topology")
        levels = [] if section is None else own_children(section)
        try:
            if real and not levels:
                self.script.command("crm", "configure", "delete", "fencing_topology")
            elif real and section is not None:
                self._write_topology(section)
        except InexpressibleError as error:
            for step in real:
                self.script.cannot(step.address, str(error))
        for step in changed:
            tell_others(self.script, step, "devices")

    def _write_topology(self, section: Element) -> None:
        for name in sorted(mentions(section) & self.layout.missing):
            raise InexpressibleError(f"{name} cannot be made")
        self.load.add(crmsh_syntax.topology(section))

    def _order(self) -> None:
        self.layout.tell()
        constraints = [s for s in self.found if s.section == "constraints"]
        first = [one.get("id", "") for one in _children(self.old, "constraints")]
        gone = {*self.again, *(s.name for s in constraints if s.new is None)}
        come = [s.name for s in constraints if s.old is None]
        again = [name for name in first if name in self.again]
        if not keeps_order(
            self.new, [n for n in first if n not in gone] + come + again
        ):
            self.script.cannot(
                "constraints", "the order of constraints on the same resources"
            )


def is_reordered(step: Step) -> bool:
    """Say whether nothing but an order differs; crmsh would take that for no change."""
    if step.old is None or step.new is None or step.moved or step.tag in _CONTAINERS:
        return False
    return bool(step.parts) and _unordered(step.old) == _unordered(step.new)


def _unordered(element: Element) -> list[str]:
    elements = [inner for inner in element.iter() if isinstance(inner.tag, str)]
    return sorted(f"{inner.tag} {sorted(attributes(inner))}" for inner in elements)


def _removal(step: Step, name: str) -> tuple[Word, ...]:
    place = ("crm_attribute", "--type", "crm_config", "--set-name", step.name)
    return (*place, "--name", name, "--delete")


def _is_written(part: Part) -> bool:
    """Say whether writing an object whole makes this part."""
    return not isinstance(part, OtherPart) or part.is_content


def _tell_unwritten(script: Script, step: Step) -> None:
    """Say what is not as it shall be once the object is written whole."""
    for part in step.parts:
        if isinstance(part, OtherPart) and not part.is_content:
            script.cannot(step.address, part.what)


def _is_deleted(step: Step) -> bool:
    by_delete = step.section not in ("nodes", "fencing-topology")
    return (
        step.old is not None
        and step.new is None
        and by_delete
        and (step.tag != "recipient")
    )


def _rank(tag: str) -> int:
    return _DELETED.index(tag) if tag in _DELETED else 0


def _only_ids(part: object) -> bool:
    return isinstance(part, OtherPart) and part.only_ids


def _children(cib: Cib, section: str) -> list[Element]:
    found = cib.root.find(f"configuration/{section}")
    return [] if found is None else own_children(found)


_DELETED = ("tag", "acl_target", "acl_group", "acl_role", "clone", "master", "bundle",
            "group", "primitive", "template")  # fmt: skip
"""What is deleted after the constraints, in this order: who refers goes first."""

_CONTAINERS = frozenset({"group", "clone", "master", "bundle"})

_AS_XML = frozenset({"primitive", "template", "rsc_location", "rsc_colocation",
                     "rsc_order", "rsc_ticket", "acl_role", "alert", "tag"})  # fmt: skip
"""What crmsh takes as XML, whole."""
