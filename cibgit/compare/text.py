"""Small parts of sentences: values, lists, what is left to say of an element."""

from collections.abc import Collection, Iterable, Sequence

from ..cib.document import Element, attributes
from ..cib.secrets import shown

_SILENT = frozenset({"id"})


def value(text: str) -> str:
    """Return a value as a sentence shows it, quoted where blanks would be overlooked."""
    plain = text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return plain if plain and plain.strip() == plain else f'"{plain}"'


def shown_value(element: Element, attribute: str) -> str:
    """Return an attribute's value for a sentence, without secrets."""
    return value(shown(element, attribute))


def listed(items: Iterable[str], last: str = "and") -> str:
    """Return ``a, b and c``."""
    *found, end = list(items) or [""]
    return f"{', '.join(found)} {last} {end}" if found else end


def few(items: Sequence[str], most: int) -> str:
    """Return ``a, b, ...``: the first ones, and a sign that there are more."""
    return ", ".join([*items[:most], *(["..."] if len(items) > most else [])])


def counted(number: int, noun: str) -> str:
    """Return a number and its noun: ``1 file``, ``2 files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def rest(element: Element, told: Collection[str]) -> str:
    """Return ``(name value, name value)`` of the attributes not told yet, or nothing."""
    parts = [
        f"{name} {shown_value(element, name)}"
        for name, _ in attributes(element)
        if name not in told and name not in _SILENT
    ]
    return f" ({', '.join(parts)})" if parts else ""


def elements(parent: Element, *tags: str) -> list[Element]:
    """Return the elements below one (of the tags, if some are given), in order."""
    return [
        child
        for child in parent
        if isinstance(child.tag, str) and (not tags or child.tag in tags)
    ]
