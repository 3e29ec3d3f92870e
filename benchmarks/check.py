"""How long ``check`` takes for each of many CIBs: ``make bench ARGS=check``."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from cibgit.cluster.tools import Tools
from cibgit.config import CheckConfig
from cibgit.flow.check import Source, check
from tests import generate

LIMIT = 20.0
"""Milliseconds of processor time for one CIB, after start-up."""


def run() -> Iterator[str]:
    """Yield a line for 100 and for 500 CIBs of 20 resources: it is to be linear."""
    today, tools = datetime.now(UTC).date(), Tools({})
    for number in (100, 500):
        sources = [Source(f"{n}.xml", generate.cib(20, n)) for n in range(number)]
        started = time.process_time()
        check(sources, CheckConfig(), tools, today)
        each = (time.process_time() - started) * 1000 / number
        verdict = "met" if each < LIMIT else "MISSED"
        yield f"check of {number} CIBs: {each:.1f} ms each   target {LIMIT}: {verdict}"
