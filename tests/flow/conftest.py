from pathlib import Path

import pytest

from cibgit.flow.corosync_export import export
from cibgit.flow.export import export as export_cib
from cibgit.flow.layer import Layer

from .embedded import Embedded
from .ring import FakeRing


@pytest.fixture
def embedded(tmp_path: Path) -> Embedded:
    return Embedded.create(tmp_path)


@pytest.fixture
def ring() -> FakeRing:
    return FakeRing.create()


@pytest.fixture
def tracked(embedded: Embedded, ring: FakeRing) -> Embedded:
    """Return a cluster whose CIB and corosync.conf are in git."""
    export_cib(embedded.site())
    export(Layer(embedded.site(), ring))
    return embedded
