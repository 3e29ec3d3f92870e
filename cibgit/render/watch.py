"""What a watch tells, line by line, and its numbers as Prometheus reads them."""

import json
from typing import TYPE_CHECKING

from ..compare.change import Weight
from ..compare.text import counted
from ..flow.answer import Answered, Came
from ..flow.corosync_drift import CorosyncDrift
from ..flow.disk_watch import DiskState
from ..flow.drift import Drift
from ..flow.notify import News
from ..flow.tally import Event, Seen
from . import care, corosync
from .difference import grouped, printable
from .drift import drift, summary
from .json import changes, drifted, dumps

if TYPE_CHECKING:
    from ..flow.tally import Tally

_PREFIX = "cibgit_watch"
_HELP = (
    ("in_sync", "gauge", "1 if live is what is applied"),
    ("corosync_in_sync", "gauge", "1 if corosync.conf here is as git knows it"),
    ("disk_sound", "gauge", "1 if this node would start with what is live"),
    ("states_total", "counter", "live states recorded since the start"),
    ("missed_total", "counter", "epochs that never reached the disk"),
    ("troubles_total", "counter", "failed attempts"),
    ("hooks_total", "counter", "hooks, web hooks and mails that told something"),
    ("answers_total", "counter", "drifts that were reverted or adopted"),
    ("gave_up", "gauge", "1 if drift is changed back again and again"),
    ("remote_in_sync", "gauge", "1 if the git remote has all that was recorded"),
    ("suspended", "gauge", "1 if drift is told to nobody for now"),
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
    elif isinstance(event, CorosyncDrift):
        text = f"{name}: {corosync.summary(event)}"
    elif isinstance(event, DiskState):
        text = f"{name}: {_disk(event)}"
    elif isinstance(event, Answered):
        text = f"{name}: {_answered(event)}"
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
    elif isinstance(event, CorosyncDrift):
        found = {"event": word(event), **corosync.drift_values(event)}
    elif isinstance(event, DiskState):
        found = {"event": word(event), **_disk_values(event)}
    elif isinstance(event, Answered):
        found = {"event": event.came.value, **_fields(event)}
    else:
        found = {"event": "trouble", "message": event.sentence, "hint": event.hint}
    return json.dumps({"cluster": name, **found})


def word(event: News) -> str:
    """Return what happened, in one word for a program."""
    if isinstance(event, Answered):
        return event.came.value
    if isinstance(event, DiskState):
        return "disk-damaged" if event.is_damaged else "disk-sound"
    found = "drift" if event.is_drift else "settled"
    return f"corosync-{found}" if isinstance(event, CorosyncDrift) else found


def notice(event: News, name: str) -> str:
    """Return what a hook is told, as JSON."""
    if isinstance(event, CorosyncDrift):
        values = corosync.drift_values(event)
        return dumps("corosync drift", cluster=name, **values)
    if isinstance(event, DiskState):
        return dumps("watch", cluster=name, event=word(event), **_disk_values(event))
    if isinstance(event, Answered):
        return dumps("watch", cluster=name, event=word(event), **_fields(event))
    return drifted(event, name)


def subject(event: News, name: str) -> str:
    """Return the subject of a mail."""
    return f"[cibgit] {name}: {word(event)}"


def body(event: News) -> str:
    """Return what a mail says: what a command prints of drift, or what was answered."""
    if isinstance(event, CorosyncDrift):
        return corosync.drift(event) + "\n"
    if isinstance(event, Drift):
        return drift(event) + "\n"
    if isinstance(event, DiskState):
        return "\n\n".join([_disk(event), *care.findings(event.errors)]) + "\n"
    return f"{_answered(event)}\n\n{grouped(event.changes)}\n"


def _disk(event: DiskState) -> str:
    """Render in one line what is wrong with the files of a node."""
    place = f"{event.directory} on {event.node}"
    if not event.errors:
        return f"{place} is sound"
    first, others = event.errors[0], len(event.errors) - 1
    more = f"; {counted(others, 'more error')}" if others else ""
    return (
        f"{place} is damaged: {first.element}: {first.sentence}{more}"
        " (Look there with: cibgit doctor)"
    )


def _disk_values(event: DiskState) -> dict[str, object]:
    return {
        "node": event.node,
        "directory": str(event.directory),
        "findings": [each.to_dict() for each in event.errors],
    }


def _answered(event: Answered) -> str:
    """Render what was done about a drift."""
    count = f"{event.attempt} of {event.attempts} in an hour"
    commit = (event.commit or "")[:10]
    match event.came:
        case Came.REVERTED:
            return f"reverted what {event.version} had, to {commit} ({count})"
        case Came.ADOPTED:
            return f"adopted what {event.version} has, as {commit} ({count})"
        case Came.GAVE_UP:
            return (
                f"gave up at {event.version} ({count}): it is changed again and again;"
                " find out who does it"
            )


def _fields(event: Answered) -> dict[str, object]:
    return {
        "version": str(event.version),
        "commit": event.commit,
        "attempt": event.attempt,
        "attempts": event.attempts,
        "changes": changes(event.changes),
    }


def metrics(tally: "Tally", name: str) -> str:
    """Render the numbers in Prometheus' text format."""
    # what stood before something failed says nothing of now
    drift = None if {"look", "judge"} & tally.standing.keys() else tally.drift
    values = (
        None if drift is None else int(not drift.is_drift),
        tally.right.get("corosync"),
        tally.right.get("disk"),
        tally.states,
        tally.missed,
        tally.troubles,
        tally.hooks,
        tally.answers,
        int(tally.gave_up),
        None if tally.is_mirrored is None else int(tally.is_mirrored),
        int(tally.is_suspended),
        round(tally.looked, 3),
        tally.version.epoch if tally.version else None,
    )
    label = f'cluster="{name}"'
    lines = []
    for (what, kind, told), value in zip(_HELP, values, strict=True):
        if value is not None:  # a bool is written as a number
            lines += _head(what, kind, told)
            lines.append(f"{_PREFIX}_{what}{{{label}}} {+value}")
    if drift is not None:
        lines += _head("drift", "gauge", "changes past git, by weight")
        weights = drift.weights()
        for weight in Weight:
            word = weight.name.lower()
            lines.append(
                f'{_PREFIX}_drift{{{label},weight="{word}"}} {weights[weight]}'
            )
        lines += _head("lost", "gauge", "changes that a healed partition swallowed")
        count = sum(len(each.missing) for each in drift.lost)
        lines.append(f"{_PREFIX}_lost{{{label}}} {count}")
    return "\n".join(lines) + "\n"


def _head(what: str, kind: str, told: str) -> list[str]:
    return [f"# HELP {_PREFIX}_{what} {told}", f"# TYPE {_PREFIX}_{what} {kind}"]
