"""The canonical form of ``corosync.conf``: equal meaning, equal bytes, and never further.

Keys and sections of different names do not know of each other, so they are sorted; what
has one name keeps its order (of two equal keys the last one counts). ``node`` sections
keep theirs: it is their index in the map of keys. ``interface`` and ``logger_subsys`` are
told apart by what they say of themselves, so they are sorted by that.
"""

import re

from .document import Conf, Entry, Section

VERSION_KEY = "config_version"
"""What a push counts up: no part of the configuration, so never in git."""

HIGHEST_VERSION = 2**64 - 1
"""A version has 64 bits."""

_NUMBER = re.compile(r"[+-]?[0-9]+")

_FIRST = ("totem", "nodelist", "quorum", "logging")
_OWN_KEY = {"interface": ("linknumber", "ringnumber"), "logger_subsys": ("subsys",)}


def canonical(conf: Conf) -> Conf:
    """Return the canonical form; comments stay with what they stand above."""
    form = without_version(conf)
    _sort(form.root, _FIRST)
    return form


def without_version(conf: Conf) -> Conf:
    """Return a file without its ``config_version``; comments above it go up or down."""
    result = conf.copy()
    for totem in result.root.all("totem"):
        _drop(totem, VERSION_KEY)
    return result


def version_of(conf: Conf) -> int | None:
    """Return the ``config_version`` of a file as Corosync reads it; 0 where it has none.

    None where that aborts: it is no number, or has more than 64 bits. It is read with
    ``strtoull``, so -1 is the highest one (experiment, 3.1.7).
    """
    found = 0
    for totem in conf.root.all("totem"):
        for entry in totem.entries:
            if entry.key != VERSION_KEY:
                continue
            if not _NUMBER.fullmatch(entry.value):
                return None
            number = int(entry.value)
            if abs(number) > HIGHEST_VERSION:
                return None
            found = number % (HIGHEST_VERSION + 1)
    return found


def with_version(conf: Conf, version: int) -> Conf:
    """Return a file with another ``config_version``."""
    result = without_version(conf)
    sections = result.root.all("totem")
    if not sections:
        sections = [Section("totem")]
        result.root.items.append(sections[0])
    sections[0].items.insert(0, Entry(VERSION_KEY, str(version)))
    return result


def _drop(section: Section, key: str) -> None:
    """Take a key out; a comment above it belongs to what comes next, then."""
    kept: list[Entry | Section] = []
    loose: list[str] = []
    for item in section.items:
        if isinstance(item, Entry) and item.key == key:
            loose += item.comments
            continue
        item.comments[:0], loose = loose, []
        kept.append(item)
    section.items = kept
    section.tail[:0] = loose


def _sort(section: Section, first: tuple[str, ...] = ()) -> None:
    def place(each: Section) -> tuple[int, str, int, str]:
        rank = first.index(each.name) if each.name in first else len(first)
        own = own_name(each)
        return rank, each.name, int(own) if own.isdecimal() else -1, own

    entries = sorted(section.entries, key=lambda entry: entry.key)
    section.items = [*entries, *sorted(section.sections, key=place)]
    for each in section.sections:
        _sort(each)


def own_name(section: Section) -> str:
    """Return what tells an ``interface`` or a ``logger_subsys`` apart from its like."""
    if section.name not in _OWN_KEY:
        return ""
    found = [section.get(key) for key in _OWN_KEY[section.name]]
    return next(filter(None, found), "0" if section.name == "interface" else "")
