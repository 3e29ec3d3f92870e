"""What Corosync runs with: its map of keys (cmap), as ``corosync-cmapctl`` prints it."""

import re
from dataclasses import dataclass

from .keys import NUMBERS
from .meaning import VERSION, Settings

_LINE = re.compile(r"(\S+) \((\w+)\) = (.*)")
_MEMBER = re.compile(r"runtime\.members\.(\d+)\.(\w+)")
_NODE = re.compile(r"nodelist\.node\.(\d+)\.(.+)")
_FROM_FILE = ("totem.", "nodelist.", "quorum.", "logging.", "system.", "nozzle.", "qb.")
_OWN = re.compile(
    # what Corosync puts there by itself, as far as the file does not say it
    r"nodelist\.local_node_pos|totem\.config_version|quorum\.cancel_wait_for_all"
    r"|totem\.interface\.\d+\.(?:bindnetaddr|mcastaddr|mcastport|broadcast)"
)


@dataclass(frozen=True)
class Member:
    """One member as this node sees it; ``version`` is the file that it has loaded."""

    nodeid: str
    is_joined: bool
    version: int


@dataclass(frozen=True)
class Runtime:
    """What one node runs with; ``keys`` is its whole map, secrets and all."""

    keys: dict[str, str]

    @property
    def members(self) -> dict[str, Member]:
        """The members by id, those that have left too."""
        found: dict[str, dict[str, str]] = {}
        for key, value in self.keys.items():
            if match := _MEMBER.fullmatch(key):
                found.setdefault(match[1], {})[match[2]] = value
        return {
            nodeid: Member(
                nodeid,
                each.get("status") == "joined",
                int(each.get("config_version", "0")),
            )
            for nodeid, each in found.items()
        }

    @property
    def nodeid(self) -> str:
        """The id of this node, '' where there is no list of nodes."""
        position = self.keys.get("nodelist.local_node_pos", "")
        return self.keys.get(f"nodelist.node.{position}.nodeid", "")

    @property
    def transport(self) -> str:
        """How the nodes talk to each other; ``knet`` unless the file says otherwise."""
        return self.keys.get("totem.transport", "knet")

    @property
    def version(self) -> int:
        """The version of the file that this node has loaded, as it tells the others.

        A reload of a file without one leaves that as it was (experiment, 3.1.7).
        """
        own = self.members.get(self.nodeid)
        return own.version if own else int(self.keys.get(VERSION, "0"))

    def settings(self) -> dict[str, str]:
        """Return what came from a file, addressed as in :mod:`cibgit.corosync.meaning`."""
        found = {}
        for key, value in self.keys.items():
            if not key.startswith(_FROM_FILE) or _OWN.fullmatch(key):
                continue
            match = _NODE.fullmatch(key)
            if match:
                own = self.keys.get(f"nodelist.node.{match[1]}.nodeid", f"#{match[1]}")
                key = f"nodelist.node[{own}].{match[2]}"  # noqa: PLW2901
            found[key] = value
        return found

    def compared(self, wanted: Settings) -> tuple[dict[str, str], dict[str, str]]:
        """Return what runs and what a file wants, both as the map of keys holds it."""
        running, asked = self.settings(), {}
        for address, value in wanted.items():
            if not address.startswith(_FROM_FILE) or _is_consumed(address):
                continue
            asked[address] = _number(address, value)
            own = self.keys.get(address)
            if _OWN.fullmatch(address) and own is not None:
                running[address] = own
        return running, asked


def parse(text: str) -> Runtime:
    """Read what ``corosync-cmapctl`` prints; lines that are no key are left out."""
    lines = (_LINE.fullmatch(line) for line in text.splitlines())
    return Runtime({line[1]: line[3] for line in lines if line})


def _is_consumed(address: str) -> bool:
    """Say whether a key only names its section, so that the map has no such key."""
    return address.endswith((".linknumber", ".ringnumber", ".subsys")) or (
        address.startswith("logging.logging_daemon.") and address.endswith(".name")
    )


def _number(address: str, value: str) -> str:
    section, _, key = address.rpartition(".")
    plain = section.partition("[")[0]
    if plain.startswith("totem.interface"):
        plain = "totem.interface"
    is_number = key in NUMBERS.get(plain, ()) and value.isdecimal()
    return str(int(value)) if is_number else value
