"""An engine that can fail."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.failing import FailingEngine, failing_engine


@pytest.fixture
def engine(free_port: int, engine_on_port: Any) -> Iterator[FailingEngine]:
    engine_on_port(free_port, "--enable-test-commands")
    with failing_engine(free_port) as engine:
        yield engine
