"""What a file says, key by key, and how two of them differ: in words.

An *address* is the name of a key in Corosync's map of keys (cmap), but for the nodes:
``nodelist.node[3].name`` is that of the node with id 3, wherever it stands.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..cib.secrets import HIDDEN, PREFIX
from .canonical import VERSION_KEY, own_name
from .document import Conf, Section
from .keys import is_secret

_MAPPED = ("interface", "logger_subsys")
VERSION = f"totem.{VERSION_KEY}"

Settings = Mapping[str, str]
"""Addresses with their values."""


def settings(conf: Conf) -> dict[str, str]:
    """Return what a file sets, without its version; where it says it twice, the last."""
    found: dict[str, str] = {}
    _collect(conf.root, "", found)
    found.pop(VERSION, None)
    return found


def _collect(section: Section, path: str, found: dict[str, str]) -> None:
    lead = f"{path}." if path else ""
    if path == "uidgid":  # names are resolved to numbers, so there is no key to name
        pair = " ".join(sorted(f"{each.key} {each.value}" for each in section.entries))
        found[f"uidgid[{pair}]"] = "yes"
        return
    for entry in section.entries:
        found[lead + entry.key] = entry.value
    members = nodes = 0
    for each in section.sections:
        name = lead + each.name
        if name == "nodelist.node":
            name += f"[{each.get('nodeid') or f'#{nodes}'}]"
            nodes += 1
        elif each.name in _MAPPED:
            name += f".{own_name(each)}"
        elif each.name == "logging_daemon":
            name = ".".join(filter(None, (name, each.get("name"), each.get("subsys"))))
        elif each.name == "member":
            found[f"{name}.{members}"] = each.get("memberaddr")
            members += 1
            continue
        _collect(each, name, found)


@dataclass(frozen=True)
class Difference:
    """One setting, or one whole node, that differs.

    ``kind`` is ``+``, ``-`` or ``~``; ``part`` the section or node in words, ``key`` what
    of it (empty: all). The values of secrets are hidden already.
    """

    kind: str
    address: str
    part: str
    key: str
    old: str | None
    new: str | None

    @property
    def sentence(self) -> str:
        """What differs, in words."""
        if not self.key:
            return f"{self.part}: {'added' if self.kind == '+' else 'removed'}"
        match self.kind:
            case "+":
                return f"{self.part}: {self.key} {self.new} added"
            case "-":
                return f"{self.part}: {self.key} {self.old} removed"
        return f"{self.part}: {self.key} {self.old} -> {self.new}"


def differences(old: Settings, new: Settings) -> list[Difference]:
    """Return what leads from one to the other, section by section."""
    nodes = {address.partition("]")[0] for address in {*old, *new} if "[" in address}
    whole = {node for node in nodes if _is_in(node, old) is not _is_in(node, new)}
    found = list(_nodes(sorted(whole), old, new))
    for address in sorted({*old, *new}):
        before, after = old.get(address), new.get(address)
        if before == after or address.partition("]")[0] in whole:
            continue
        kind = "+" if before is None else "-" if after is None else "~"
        section, _, key = address.rpartition(".")
        values = (_shown(address, before), _shown(address, after))
        part = _part(section, new if section in new else {**old, **new})
        found.append(Difference(kind, address, part, key, *values))
    return found


def _is_in(node: str, found: Settings) -> bool:
    return any(address.startswith(f"{node}]") for address in found)


def _nodes(whole: list[str], old: Settings, new: Settings) -> Iterator[Difference]:
    for node in whole:
        added = _is_in(node, new)
        part = _part(f"{node}]", new if added else old)
        yield Difference("+" if added else "-", f"{node}]", part, "", None, None)


def _part(section: str, found: Settings) -> str:
    """Return a section in words: ``totem``, ``interface 1``, ``node 3 (n3)``."""
    path, bracket, rest = section.partition("[")
    if bracket:
        number = rest.removesuffix("]")
        name = found.get(f"{section}.name") or found.get(f"{section}.ring0_addr")
        word = path.rpartition(".")[2]
        return f"{word} {number}" + (f" ({name})" if name else "")
    for mapped in _MAPPED:
        if f".{mapped}." in section:
            return (
                section.partition(f".{mapped}.")[1].strip(".")
                + " "
                + (section.partition(f".{mapped}.")[2])
            )
    return section or "top level"


def _shown(address: str, value: str | None) -> str | None:
    hidden = is_secret(address) or (value or "").startswith(PREFIX)
    return HIDDEN if hidden and value is not None else value


def node_name(node: Section) -> str:
    """Return what a node is called: its name, or else its first address."""
    return node.get("name") or node.get("ring0_addr")
