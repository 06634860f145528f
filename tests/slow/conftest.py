"""A browser at the page."""

from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient

from tests.support.browsing import Browser, chromium
from tests.support.clients import connect


@pytest.fixture
async def store(url: str) -> AsyncIterator[AsyncClient]:
    async with connect(url) as client:
        yield client


@pytest.fixture
async def browser(url: str) -> AsyncIterator[Browser]:
    async with chromium(url) as browser:
        yield browser
        assert browser.faults == []
