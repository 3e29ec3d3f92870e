"""Texts without the secrets that a run has seen, for whatever is printed at last.

Apart from :mod:`.secrets`, for a diff needs that and should start quickly.
"""

import json
from collections.abc import Iterable, Iterator

from .secrets import HIDDEN


def censored(text: str, values: Iterable[str]) -> str:
    """Return a text in which none of these secrets stands, however it may be escaped.

    Secrets of less than four characters are left: what they stand in is no text of theirs.
    """
    whole = (value for value in values if len(value) > _SHORT)
    # twice: an error may quote what quotes a secret
    forms = {
        twice for value in whole for once in _forms(value) for twice in _forms(once)
    }
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text


_SHORT = 3


def _forms(value: str) -> Iterator[str]:
    """Yield a value as it is, and as XML, JSON, Python and a terminal would write it."""
    xml = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    quoted = xml.replace('"', "&quot;")
    yield from (value, xml, quoted, quoted.replace("'", "&apos;"))
    yield from (json.dumps(value, ensure_ascii=each)[1:-1] for each in (True, False))
    yield from (repr(value)[1:-1], repr(value.encode())[2:-1], ascii(value)[1:-1])
    yield value.encode("unicode_escape").decode()
