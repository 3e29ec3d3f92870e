"""Pacemaker's own patch format (version 2): build the smallest patch, and apply one.

A patchset is a list of changes addressed by paths like
``/cib/configuration/resources/primitive[@id='vip']``. The CIB manager applies it in two
passes (``lib/common/patchset.c``, ``apply_v2_patchset``, 2.1.5 to 3.0.2): first deletions
and modifications in the order given, while an element to be moved goes behind its last
sibling; then creations and moves sorted by position. :func:`apply` follows it step by
step, so what it yields is what the cluster will have; :func:`build` uses only what that
procedure does exactly:

* a modification replaces all attributes by those given, in the order given;
* a path finds the first child of that name (and ``id``), so an element without an id is
  addressable only while it is alone of its name;
* a comment has no id: it is deleted by position and never moved;
* what cannot be addressed is changed by writing its parent again.

The version block makes the patch a compare-and-swap, the digest makes the CIB manager
verify the result. ``/cib`` itself is never changed: a modification there that forgets an
attribute takes it away from the running cluster.
"""

import copy
import re
from dataclasses import dataclass, field

from lxml import etree

from ..errors import BadDataError
from . import digest as digests
from .document import Cib, Comment, Element, Version, attributes, parse_tree
from .identity import address
from .pairing import Pairs, path_step

_ANY_TEXT = etree.XPath("boolean(.//text())")
_STEP = re.compile(r"/([^/\[]+)(?:\[@id='([^']*)'\])?")


@dataclass(frozen=True)
class Patchset:
    """One patchset: the version it starts from, the one it leads to, and its changes.

    ``digest`` is the versioned digest of the whole CIB after the changes, before the CIB
    manager raises the epoch; empty where a patch does not carry one. ``changes`` are
    ``<change>`` elements.
    """

    source: Version
    target: Version
    digest: str
    changes: tuple[Element, ...]

    def to_bytes(self) -> bytes:
        """Return the patchset as ``cibadmin --patch`` reads it."""
        root = etree.Element("diff", format="2")
        if self.digest:
            root.set("digest", self.digest)
        versions = etree.SubElement(root, "version")
        for name, version in (("source", self.source), ("target", self.target)):
            numbers = {part: str(number) for part, number in version._asdict().items()}
            etree.SubElement(versions, name, numbers)
        root.extend(copy.deepcopy(change) for change in self.changes)
        return etree.tostring(root, encoding="utf-8")


def build(old: Cib, new: Cib, dialect: digests.Dialect) -> Patchset:
    """Return the smallest patchset whose application to ``old`` yields ``new`` exactly.

    Attribute order and element order included. Only ``<configuration>`` may differ; root
    attributes and status are taken to be those of ``old``. The target version is the one
    that the CIB manager gives to a configuration change: epoch + 1, num_updates 0. The
    digest is that of ``new`` as given (the manager verifies it before it raises the
    epoch; experiment, 2.1.5).

    Raises :class:`~cibgit.errors.BadDataError` for a value that a CIB manager of that
    dialect would not store as it is, or a CDATA section.
    """
    _check_storable(new, dialect)
    builder = _Builder()
    path = "/cib/configuration"
    if not builder.compare(old.configuration, new.configuration, path):
        position = old.root.index(old.configuration)
        builder.first_pass.append(_change("delete", path))
        builder.second_pass.append(_creation("/cib", position, new.configuration))
    return _stamped(tuple(builder.changes()), old, new, dialect)


def restamp(
    patchset: Patchset, old: Cib, new: Cib, dialect: digests.Dialect
) -> Patchset:
    """Return the same changes for CIBs of which only the status is another."""
    return _stamped(patchset.changes, old, new, dialect)


def _stamped(
    changes: tuple[Element, ...], old: Cib, new: Cib, dialect: digests.Dialect
) -> Patchset:
    admin_epoch, epoch, _ = old.version
    return Patchset(
        source=old.version,
        target=Version(admin_epoch, epoch + 1, 0),
        digest=digests.versioned(new.root, dialect),
        changes=changes,
    )


def parse(data: bytes, source: str = "patchset") -> Patchset:
    """Read a version 2 patchset with a complete version block.

    Raises :class:`~cibgit.errors.BadDataError` for anything else: without the version
    block a patch is applied to whatever is live, which is not a compare-and-swap.
    """
    root = parse_tree(data, source)
    if root.tag != "diff" or root.get("format") != "2":
        raise BadDataError(f"{source}: not a patchset of format 2")
    versions = []
    for name in ("source", "target"):
        element = root.find(f"version/{name}")
        try:
            numbers = [int(element.get(part, "")) for part in Version._fields]  # type: ignore[union-attr]
        except (AttributeError, ValueError):
            raise BadDataError(f"{source}: the version block is incomplete") from None
        versions.append(Version(*numbers))
    changes = tuple(root.iterchildren("change"))
    return Patchset(versions[0], versions[1], root.get("digest", ""), changes)


def apply(patchset: Patchset, old: Cib) -> Cib:
    """Apply the changes to a copy of ``old``, step by step as the CIB manager does.

    Neither version nor digest is checked here, and no counter is raised. Raises
    :class:`~cibgit.errors.BadDataError` when a change finds no target; a deletion that
    finds none is skipped, as Pacemaker does.
    """
    result = Cib(copy.deepcopy(old.root), old.source)
    tree = _Paths(result.root)
    pending: list[tuple[int, Element, Element]] = []
    for change in patchset.changes:
        operation, position = _operation(change)
        path = change.get("path", "")
        match = tree.find(path, position if operation == "delete" else -1)
        if match is None:
            if operation == "delete":
                continue
            raise BadDataError(f"the patchset does not fit: no {path} in {old.source}")
        if operation == "delete":
            _parent(match).remove(match)
        elif operation == "modify":
            _set_attributes(match, change)
        else:
            pending.append((position, change, match))
            if operation == "move":
                _parent(match).append(match)
    for position, change, match in sorted(pending, key=lambda item: item[0]):
        if change.get("operation") == "create":
            match.insert(position, copy.deepcopy(change[0]))
        else:
            parent = _parent(match)
            parent.remove(match)
            parent.insert(position, match)
    return result


def _operation(change: Element) -> tuple[str, int]:
    """Return operation and position of a change; refuse what Pacemaker never writes."""
    operation, position = change.get("operation", ""), change.get("position", "-1")
    placed = operation in ("create", "move")
    if operation not in ("create", "delete", "modify", "move"):
        raise BadDataError(
            f"the patchset does not fit: unknown operation {operation!r}"
        )
    if not re.fullmatch(r"\d+" if placed else r"-?\d+", position):
        raise BadDataError(f"the patchset does not fit: {operation} at {position!r}")
    if operation == "create" and not len(change):
        raise BadDataError("the patchset does not fit: a creation of nothing")
    return operation, int(position)


@dataclass
class _Builder:
    """Collects changes in the three groups in which they have to be written."""

    comments: list[Element] = field(default_factory=list)
    first_pass: list[Element] = field(default_factory=list)
    second_pass: list[Element] = field(default_factory=list)

    def changes(self) -> list[Element]:
        """All changes: comments go first, while their positions are still right."""
        in_order = sorted(self.second_pass, key=lambda c: int(c.get("position", "0")))
        return self.comments + self.first_pass + in_order

    def compare(self, old: Element, new: Element, path: str) -> bool:
        """Add what turns ``old`` into ``new``; False if that takes a new element."""
        mark = len(self.comments), len(self.first_pass), len(self.second_pass)
        if attributes(old) != attributes(new):
            self.first_pass.append(_modification(path, old, new))
        if self._compare_children(old, new, path):
            return True
        del (
            self.comments[mark[0] :],
            self.first_pass[mark[1] :],
            self.second_pass[mark[2] :],
        )
        return False

    def _compare_children(self, old: Element, new: Element, path: str) -> bool:
        pairs = Pairs(old, new)
        for index, child in enumerate(new):
            before = pairs.partner[index]
            if before is None:
                self.second_pass.append(_creation(path, index, child))
            elif not pairs.same(before, index):
                self._change_child(old[before], child, path, index, pairs)
            elif index not in pairs.kept:
                self.second_pass.append(_move(_way(path, child), index))
        gone = sorted(set(range(len(old))) - set(pairs.partner) - {None}, reverse=True)
        return all(self._delete(old[index], index, path, pairs) for index in gone)

    def _change_child(
        self, old: Element, new: Element, path: str, index: int, pairs: Pairs
    ) -> None:
        way = _way(path, new)
        if not self.compare(old, new, way):
            self.first_pass.append(_change("delete", way))
            self.second_pass.append(_creation(path, index, new))
        elif index not in pairs.kept:
            self.second_pass.append(_move(way, index))

    def _delete(self, child: Element, index: int, path: str, pairs: Pairs) -> bool:
        if isinstance(child, Comment):
            self.comments.append(
                _change("delete", f"{path}/comment", position=str(index))
            )
        elif pairs.old_names[index] is None:
            return False
        else:
            self.first_pass.append(_change("delete", _way(path, child)))
        return True


def _way(path: str, child: Element) -> str:
    return f"{path}/{path_step(child)}"


def _change(operation: str, path: str, **more: str) -> Element:
    return etree.Element("change", {"operation": operation, "path": path, **more})


def _move(path: str, position: int) -> Element:
    return _change("move", path, position=str(position))


def _creation(path: str, position: int, child: Element) -> Element:
    change = _change("create", path, position=str(position))
    change.append(copy.deepcopy(child))
    return change


def _modification(path: str, old: Element, new: Element) -> Element:
    change = _change("modify", path)
    changed = etree.SubElement(change, "change-list")
    for name, value in attributes(new):
        if old.get(name) != value:
            etree.SubElement(
                changed, "change-attr", name=name, operation="set", value=value
            )
    for name, _ in attributes(old):
        if new.get(name) is None:
            etree.SubElement(changed, "change-attr", name=name, operation="unset")
    result = etree.SubElement(change, "change-result")
    etree.SubElement(result, new.tag, dict(attributes(new)))
    return change


def _set_attributes(match: Element, change: Element) -> None:
    result = change.find("change-result")
    if result is None or not len(result):
        raise BadDataError("the patchset does not fit: a modification without result")
    match.attrib.clear()
    for name, value in attributes(result[0]):
        match.set(name, value)


class _Paths:
    """Finds the targets of a patchset's paths, as ``search_v2_xpath`` does."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self._children: dict[Element, dict[tuple[str, str | None], Element]] = {}

    def find(self, path: str, position: int) -> Element | None:
        """Return the element (or, for a comment, the node at ``position``), or None."""
        steps = _STEP.findall(path)
        if not steps or steps[0][0] != self._root.tag:
            return None
        found = self._root
        for tag, name in steps[1:-1] if len(steps) > 1 else []:
            step = self._child(found, tag, name)
            if step is None:
                return None
            found = step
        if len(steps) == 1:
            return found
        tag, name = steps[-1]
        if tag == "comment" and position >= 0:
            node = found[position] if position < len(found) else None
            return node if isinstance(node, Comment) else None
        return self._child(found, tag, name)

    def _child(self, parent: Element, tag: str, name: str) -> Element | None:
        index = self._children.get(parent)
        if index is None:
            index = self._children[parent] = {}
            for child in parent.iterchildren(etree.Element):
                index.setdefault((child.tag, None), child)
                index.setdefault((child.tag, child.get("id")), child)
        found = index.get((tag, name or None))
        if found is not None and found.getparent() is not parent:
            del self._children[parent]
            return self._child(parent, tag, name)
        return found


def _parent(element: Element) -> Element:
    parent = element.getparent()
    if parent is None:
        raise BadDataError("the patchset does not fit: it removes <cib> itself")
    return parent


def _check_storable(cib: Cib, dialect: digests.Dialect) -> None:
    configuration = cib.configuration
    if _ANY_TEXT(configuration):
        raise BadDataError(
            f"{cib.source}: a CDATA section cannot be pushed: no schema allows it"
        )
    for element, name in digests.mangled_attributes(configuration, dialect):
        raise BadDataError(
            f"{cib.source}: Pacemaker {dialect.value} would not store {name}= of "
            f"{address(element)} as it is written",
            'Line ends, tabs, non-ASCII text before < > & " and values like name++ are'
            " rewritten by releases before 2.1.8.",
        )
