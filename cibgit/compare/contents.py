"""A CIB in words: what leads to it from an empty one."""

from ..cib.document import Cib
from .change import Change, Weight
from .diff import compare


def emptied(cib: Cib) -> Cib:
    """Return the CIB with the same sections, and nothing in them."""
    empty = cib.copy()
    for section in empty.configuration:
        section[:] = []
        section.attrib.clear()
    return empty


def contents(cib: Cib) -> list[Change]:
    """Return all that a CIB holds, as additions; what means nothing is left out."""
    found = compare(emptied(cib), cib)
    return [each for each in found if each.weight is not Weight.NONE or each.subject]
