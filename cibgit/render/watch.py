"""What a watch tells, line by line, and its numbers as Prometheus reads them."""

import json
from typing import TYPE_CHECKING

from ..compare.change import Weight
from ..flow.drift import Drift
from ..flow.watch import Event, Seen
from .difference import printable
from .drift import summary
from .json import drifted

if TYPE_CHECKING:
    from ..flow.watch import Tally

_PREFIX = "cibgit_watch"
_HELP = (
    ("in_sync", "gauge", "1 if live is what is applied"),
    ("states_total", "counter", "live states recorded since the start"),
    ("missed_total", "counter", "epochs that never reached the disk"),
    ("troubles_total", "counter", "failed attempts"),
    ("hooks_total", "counter", "hooks that were called"),
    ("looked_timestamp_seconds", "gauge", "when the cluster was last looked at"),
    ("epoch", "gauge", "epoch of the live CIB"),
)


def line(event: Event, name: str) -> str:
    """Render one event as one line of text."""
    if isinstance(event, Seen):
        text = f"{name} {event.cib.version} is {event.commit[:10]}, by"
        text += f" {event.cib.last_change}"
        if event.missed:
            text += f" ({event.missed} epochs before it never reached the disk)"
    elif isinstance(event, Drift):
        text = f"{name}: {summary(event)}"
    else:
        text = f"{name}: {event.sentence}" + (f" ({event.hint})" if event.hint else "")
    return printable(" ".join(text.split()))


def json_line(event: Event, name: str) -> str:
    """Render one event as one line of JSON."""
    if isinstance(event, Seen):
        last = event.cib.last_change
        found = {
            "event": "state",
            "version": str(event.cib.version),
            "commit": event.commit,
            "missed": event.missed,
            **vars(last),
        }
    elif isinstance(event, Drift):
        found = {"event": "drift", **json.loads(drifted(event, name))}
    else:
        found = {"event": "trouble", "message": event.sentence, "hint": event.hint}
    return json.dumps({"cluster": name, **found})


def metrics(tally: "Tally", name: str) -> str:
    """Render the numbers in Prometheus' text format."""
    drift = tally.drift
    values = (
        None if drift is None else int(not drift.is_drift),
        tally.states,
        tally.missed,
        tally.troubles,
        tally.hooks,
        round(tally.looked, 3),
        tally.version.epoch if tally.version else None,
    )
    label = f'cluster="{name}"'
    lines = []
    for (what, kind, told), value in zip(_HELP, values, strict=True):
        if value is not None:
            lines += _head(what, kind, told)
            lines.append(f"{_PREFIX}_{what}{{{label}}} {value}")
    if drift is not None:
        lines += _head("drift", "gauge", "changes past git, by weight")
        weights = drift.weights()
        for weight in Weight:
            word = weight.name.lower()
            lines.append(
                f'{_PREFIX}_drift{{{label},weight="{word}"}} {weights[weight]}'
            )
    return "\n".join(lines) + "\n"


def _head(what: str, kind: str, told: str) -> list[str]:
    return [f"# HELP {_PREFIX}_{what} {told}", f"# TYPE {_PREFIX}_{what} {kind}"]
