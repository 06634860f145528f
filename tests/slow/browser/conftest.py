"""One Chromium for all tests, each of which has windows of its own in it."""

from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient

from tests.support.browsing import Browser, Chromium, start_chromium
from tests.support.clients import connect


@pytest.fixture(scope="package")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """One event loop for all tests, to which the browser's driver belongs."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="package")
async def chromium() -> AsyncIterator[Chromium]:
    async with start_chromium() as chromium:
        yield chromium


@pytest.fixture
async def browser(chromium: Chromium, url: str) -> AsyncIterator[Browser]:
    async with chromium.at(url) as browser:
        yield browser
        assert browser.faults == []


@pytest.fixture
async def store(url: str) -> AsyncIterator[AsyncClient]:
    async with connect(url) as client:
        yield client
