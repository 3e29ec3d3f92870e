"""Validation against the RELAX NG schemas that Pacemaker installed on this machine.

libxml2 gives the same verdict as the CIB manager, identifiers and references included
(experiment: 914 valid and 831 broken CIBs, 2.1.5). The schemas are never shipped with
cibgit: they belong to the release that runs.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lxml import etree

from .canonical import pretty
from .document import Cib, Element

DIRECTORY = Path("/usr/share/pacemaker")
"""Where Pacemaker installs its schemas (``CRM_SCHEMA_DIRECTORY``)."""

_NAME = re.compile(r"pacemaker-\d+\.\d+")


@dataclass(frozen=True)
class Violation:
    """One place where a CIB breaks its schema; ``line`` counts in the pretty form."""

    line: int
    message: str


def is_installed(name: str, directory: Path = DIRECTORY) -> bool:
    """Say whether a schema, the value of ``validate-with``, is on this machine."""
    return bool(_NAME.fullmatch(name)) and (directory / f"{name}.rng").is_file()


def validate(cib: Cib, directory: Path = DIRECTORY) -> list[Violation]:
    """Return where a CIB breaks the schema that it names; empty when it is valid.

    The schema must be installed (:func:`is_installed`).
    """
    # references are checked per document: a fresh parse of what will be read
    root = etree.fromstring(pretty(cib), etree.XMLParser(remove_blank_text=True))
    rules = etree.RelaxNG(file=str(directory / f"{cib.schema}.rng"))
    if rules.validate(root):
        return []
    found = {Violation(entry.line, entry.message) for entry in rules.error_log}
    return sorted(found, key=lambda violation: (violation.line, violation.message))


def violation(data: bytes, name: str, directory: Path = DIRECTORY) -> Violation | None:
    """Return where a file that was parsed before breaks an installed schema, if it does.

    ``line`` counts in the file. libxml2 tells one mistake and, for each element around
    it, what follows from it: the innermost is returned.
    """
    root = etree.fromstring(data, etree.XMLParser(remove_blank_text=True))
    rules = _rules(directory / f"{name}.rng")
    if rules.validate(root):
        return None
    found = [Violation(entry.line, entry.message) for entry in rules.error_log]
    default = Violation(0, f"it does not conform to {name}")
    return max(found, key=lambda each: each.line, default=default)


@lru_cache(maxsize=8)
def _rules(file: Path) -> etree.RelaxNG:
    return etree.RelaxNG(file=str(file))


def first_violation(root: Element, name: str, directory: Path = DIRECTORY) -> str:
    """Say where a tree, as it is, breaks an installed schema; '' when it is valid."""
    rules = etree.RelaxNG(file=str(directory / f"{name}.rng"))
    # a copy: text has no meaning, and references are checked per document
    written = etree.tostring(root, encoding="utf-8")
    if rules.validate(
        etree.fromstring(written, etree.XMLParser(remove_blank_text=True))
    ):
        return ""
    entry = rules.error_log.last_error
    return entry.message if entry else f"it does not conform to {name}"
