"""One Chromium for all tests, each of which has windows of its own in it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient

from service.settings import Settings
from tests.support.applications import listen
from tests.support.browsing import Browser, Chromium, Library, start_chromium
from tests.support.clients import connect
from tests.support.declaring import declare

TEXT = {"type": "string"}
BOOK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "author": {
            "type": "object",
            "properties": {"name": TEXT, "born": {"type": "integer"}},
            "required": ["name"],
            "additionalProperties": False,
        },
        "year": {"type": "integer", "minimum": 1450},
        "title": TEXT | {"minLength": 1},
        "language": {"enum": ["en", "de"]},
        "pages": {"type": "integer"},
        "tags": {"type": "array", "items": TEXT},
        "isbn": TEXT,
    },
    "required": ["title", "year", "author"],
}


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


@pytest.fixture
def collections(tmp_path: Path) -> Path:
    """Declares `books`, which have a schema, `notes`, `records`, which are read-only, and two whose
    ids are no text."""
    return declare(
        tmp_path,
        books={"schema": BOOK},
        notes={},
        records={"read_only": True},
        orders={"id": "objectid"},
        counts={"id": "integer"},
    )


@pytest.fixture
async def library(
    settings: Settings, chromium: Chromium, collections: Path
) -> AsyncIterator[Library]:
    settings = Settings(**settings.model_dump() | {"collections": collections})
    async with listen(settings) as url, chromium.at(url) as browser, connect(url) as store:
        yield Library(browser, store)
        assert browser.faults == []
