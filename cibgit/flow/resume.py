"""Resume: end the suspension of a cluster."""

import time
from datetime import UTC, datetime

from ..cib.document import Cib
from ..cib.owned import SUSPENDED, marker_option
from ..cib.suspension import Suspension, resumed, suspension
from .readback import Sleep
from .site import Site
from .swap import swap


def resume(site: Site, sleep: Sleep = time.sleep) -> Suspension | None:
    """Take the suspension out of the live CIB; return it, None where none held."""
    found: Suspension | None = None
    now = datetime.now(UTC)

    def decide(live: Cib) -> Cib | None:
        nonlocal found
        live.source = f"live {site.name}"
        if not any(marker_option(live, name) for name in SUSPENDED):
            return None
        found = suspension(live, now)
        return resumed(live)

    swap(site.cluster, decide, sleep)
    return found
