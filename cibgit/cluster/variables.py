"""The variables with which Pacemaker's daemons start, as the distribution's file has them."""

import re
from pathlib import Path

FILES = (Path("/etc/default/pacemaker"), Path("/etc/sysconfig/pacemaker"))
"""Where Debian, and where Red Hat and SUSE keep them."""


def values(name: str) -> list[str]:
    """Return every value that a variable gets, in the order of the files; unquoted.

    A file that cannot be read sets nothing.
    """
    found = []
    for path in FILES:
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        line = rf"""^\s*(?:export\s+)?{name}=(["']?)([^"'#\s]*)\1"""
        found += [value for _, value in re.findall(line, text, re.MULTILINE)]
    return found
