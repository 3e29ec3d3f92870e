"""What each node of a cluster sees, and where they disagree. Pure.

Nodes tell each other digests and verdicts, never content; so whoever listens learns
nothing, and no secret has an influence on a digest.
"""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal, get_args

from ..compare.text import listed
from ..policy.finding import Finding, Severity

Verdict = Literal["right", "mismatch", "broken", "missing", "unreadable"]
"""Whether the signature of a node's ``cib.xml`` is right, or what is the matter."""

BUSY = 120.0
"""Seconds for which an agent may be busy: with hooks, or with a push to a remote."""

_WORDS: Mapping[Verdict, str] = {
    "mismatch": "does not match its signature",
    "broken": "is damaged",
    "missing": "is gone",
    "unreadable": "cannot be read by the agent there",
}
_DIGEST = re.compile(r"[0-9a-f]{64}|")


@dataclass(frozen=True)
class View:
    """What one agent sees on its node.

    ``epoch`` (``admin_epoch``, ``epoch``) and ``form``, a digest of the configuration with
    its secrets masked, are what its disk has; ``rules`` is a digest of what counts as
    secret there. ``corosync`` is the digest of ``corosync.conf`` and ``config_version`` the
    number in it. What is not known is empty or None.
    """

    disk: Verdict
    epoch: tuple[int, int] | None = None
    form: str = ""
    rules: str = ""
    corosync: str = ""
    config_version: int | None = None

    def to_bytes(self) -> bytes:
        """Return the view as a message; :func:`read` reads it back."""
        return json.dumps({"cibgit": 1, **asdict(self)}).encode()


@dataclass(frozen=True)
class Disagreement:
    """Something about which nodes disagree; ``nodes`` are the numbers of those.

    It has to last ``patience`` seconds more than others before it is told.
    """

    finding: Finding
    nodes: frozenset[int]
    patience: float = 0.0


def read(data: bytes) -> View | None:
    """Return the view in a message, None for anything else."""
    try:
        found = json.loads(data)
        version = found.pop("cibgit")
        epoch = found.pop("epoch")
        view = View(**found, epoch=None if epoch is None else (epoch[0], epoch[1]))
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        RecursionError,
    ):
        return None
    number = view.config_version
    numbers = [*(view.epoch or ()), *([] if number is None else [number])]
    digests = (view.form, view.rules, view.corosync)
    is_sound = (
        version == 1
        and view.disk in get_args(Verdict)
        and all(type(each) is int and each >= 0 for each in numbers)
        and all(isinstance(each, str) and _DIGEST.fullmatch(each) for each in digests)
    )
    return view if is_sound else None


class Steady:
    """Tells a disagreement once it has lasted, and its end once that has.

    Nodes hear of a change one after the other. ``quiet`` is in seconds, as all times here.
    """

    def __init__(self, quiet: float) -> None:
        self.told: dict[tuple[str, str], Disagreement] = {}
        self._quiet = quiet
        self._since: dict[tuple[str, str], float] = {}
        self._until: dict[tuple[str, str], float] = {}

    def update(
        self, now: float, found: Iterable[Disagreement], present: Collection[int]
    ) -> tuple[list[Disagreement], list[Disagreement]]:
        """Take what is found now; return what is to be told, and whose end.

        What a node that is not ``present`` any more was about is forgotten without a
        word: nobody knows.
        """
        there = {_key(each): each for each in found}
        self.told = {
            key: each for key, each in self.told.items() if each.nodes <= set(present)
        }
        moved = there.keys() ^ self.told.keys()
        self._since = {key: self._since.get(key, now) for key in moved}
        self._until = {
            key: since + self._quiet + (there[key].patience if key in there else 0)
            for key, since in self._since.items()
        }
        lasting = [key for key, until in self._until.items() if now >= until]
        begun = [there[key] for key in sorted(lasting) if key in there]
        ended = [self.told.pop(key) for key in sorted(lasting) if key in self.told]
        self.told |= {_key(each): each for each in begun}
        for key in lasting:
            del self._since[key], self._until[key]
        return begun, ended

    def due(self, now: float) -> float | None:
        """Return in how many seconds there may be something to tell."""
        first = min(self._until.values(), default=None)
        return None if first is None else max(first - now, 0)


def _key(found: Disagreement) -> tuple[str, str]:
    return found.finding.rule, found.finding.element


def disagreements(
    views: Mapping[int, View], names: Mapping[int, str]
) -> list[Disagreement]:
    """Return where the nodes of a cluster do not agree.

    ``views`` is what each node sees, by its number; ``names`` has what to call them.
    """
    called = {node: names.get(node, f"node {node}") for node in views}
    return [
        *_disks(views, called),
        *_behind(views, called),
        *_contents(views, called),
        *_corosync(views, called),
    ]


def _disks(views: Mapping[int, View], called: Mapping[int, str]) -> list[Disagreement]:
    return [
        _disagreement(
            "disk",
            [node],
            called[node],
            f"cib.xml on {called[node]} {_WORDS[view.disk]}",
            f"Look there with: cibgit doctor; {called[node]} would start with something"
            " else than what is live.",
        )
        for node, view in sorted(views.items())
        if view.disk != "right"
    ]


def _behind(views: Mapping[int, View], called: Mapping[int, str]) -> list[Disagreement]:
    """Tell of disks that stay where they are: each node writes within a moment.

    An agent that is busy tells late what it sees.
    """
    epochs = {
        node: view.epoch
        for node, view in sorted(views.items())
        if view.epoch and view.disk == "right"
    }
    newest = max(epochs.values(), default=None)
    found = []
    for node, epoch in epochs.items():
        if newest and epoch != newest:
            one = _disagreement(
                "disk-behind",
                [node],
                f"{called[node]} {epoch[0]}.{epoch[1]}",
                f"the disk of {called[node]} stays at {epoch[0]}.{epoch[1]}, others have"
                f" {newest[0]}.{newest[1]}",
                "It may be full, or the CIB manager may have stopped writing there"
                " (cibgit doctor).",
            )
            found.append(replace(one, patience=BUSY))
    return found


def _contents(
    views: Mapping[int, View], called: Mapping[int, str]
) -> Iterable[Disagreement]:
    same: dict[Hashable, dict[int, str]] = defaultdict(dict)
    for node, view in views.items():
        if view.epoch and view.form and view.disk == "right":
            same[view.epoch, view.rules][node] = view.form
    for forms in same.values():
        epoch = views[next(iter(forms))].epoch or (0, 0)
        yield from _parted(
            "content",
            forms,
            called,
            f"{epoch[0]}.{epoch[1]} is not the same configuration on all nodes",
            "One of them will win when the cluster joins again, whole. Compare them:"
            " cibadmin --query --node NODE",
        )


def _corosync(
    views: Mapping[int, View], called: Mapping[int, str]
) -> Iterable[Disagreement]:
    files = {node: view.corosync for node, view in views.items() if view.corosync}
    versions = {
        str(views[node].config_version) for node in files if views[node].config_version
    }
    told = f" (config_version {listed(sorted(versions))})" if len(versions) > 1 else ""
    return _parted(
        "corosync",
        files,
        called,
        f"corosync.conf is not the same on all nodes{told}",
        "Each node starts with its own, and corosync-cfgtool -R has each read its own.",
    )


def _parted(
    rule: str,
    values: Mapping[int, str],
    called: Mapping[int, str],
    sentence: str,
    hint: str,
) -> Iterable[Disagreement]:
    """Tell of values that are not all equal, and who has the same."""
    groups: dict[str, list[str]] = defaultdict(list)
    for node, value in sorted(values.items()):
        groups[value].append(called[node])
    if len(groups) > 1:
        parts = "; ".join(listed(group) for group in sorted(groups.values()))
        yield _disagreement(rule, values, parts, f"{sentence}: {parts}", hint)


def _disagreement(
    rule: str, nodes: Iterable[int], element: str, sentence: str, hint: str
) -> Disagreement:
    finding = Finding(Severity.WARNING, rule, element, sentence, hint)
    return Disagreement(finding, frozenset(nodes))
