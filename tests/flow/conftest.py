from pathlib import Path

import pytest

from .embedded import Embedded


@pytest.fixture
def embedded(tmp_path: Path) -> Embedded:
    return Embedded.create(tmp_path)
