"""What nodes disagree about, line by line, and their number as Prometheus reads it."""

import json

from ..flow.agree import Agreement, Apart, Told
from .difference import printable


def line(event: Told | Apart, name: str) -> str:
    """Render one event as one line of text."""
    if isinstance(event, Apart):
        text = f"the agents do not hear each other: {event.sentence}"
        hint = event.hint
    else:
        finding = event.disagreement.finding
        text = f"no longer: {finding.sentence}" if event.is_over else finding.sentence
        hint = "" if event.is_over else finding.hint
    told = f"{name}: {text}" + (f" ({hint})" if hint else "")
    return printable(" ".join(told.split()))


def json_line(event: Told | Apart, name: str) -> str:
    """Render one event as one line of JSON."""
    if isinstance(event, Apart):
        found = {"event": "apart", "message": event.sentence, "hint": event.hint}
    else:
        kind = "agreement" if event.is_over else "disagreement"
        found = {"event": kind, **event.disagreement.finding.to_dict()}
    return json.dumps({"cluster": name, **found})


def metrics(agreement: Agreement, name: str) -> str:
    """Render how many disagreements there are, in Prometheus' text format."""
    what = "cibgit_watch_disagreements"
    return (
        f"# HELP {what} what nodes disagree about\n# TYPE {what} gauge\n"
        f'{what}{{cluster="{name}"}} {len(agreement.steady.told)}\n'
    )
