"""Swagger UI, an EventSource and API keys, in a real browser."""

from pathlib import Path

import anyio
import pytest
from httpx import AsyncClient
from playwright.async_api import expect

from service.security import make_key
from service.settings import Settings
from tests.support.applications import listen
from tests.support.browsing import Browser, Chromium, execute, live
from tests.support.clients import connect
from tests.support.declaring import declare
from tests.support.patience import TIMEOUT

pytestmark = pytest.mark.xdist_group("browser")  # one at a time


async def test_swagger_ui_puts_and_gets(browser: Browser, store: AsyncClient) -> None:
    page = await browser.open("/docs")
    for operation, status in (("put_document", "201"), ("get_document", "200")):
        await execute(page, operation, status)
    assert (await store.get("/stuff/ada")).json()["name"] == "Ada Lovelace"


async def test_swagger_ui_shows_a_part_of_a_stream_and_no_feed(
    browser: Browser, store: AsyncClient
) -> None:
    lines = "\n".join(f'{{"_id": "{number:03}"}}' for number in range(300))
    await store.post("/stuff", content=lines, headers={"Content-Type": "application/x-ndjson"})
    page = await browser.open("/docs")
    block = page.locator("#operations-documents-get_documents")
    await block.locator(".opblock-summary-control").click()
    await block.get_by_label("Media Type").first.select_option("application/x-ndjson")
    await block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table .response").first
    await expect(answer).to_contain_text('"_id":"099"')
    await expect(answer).not_to_contain_text('"_id":"100"')
    await block.get_by_label("Media Type").first.select_option("text/event-stream")
    await block.get_by_role("button", name="Execute").click()
    await expect(answer).to_contain_text("This page cannot show the feed")


async def test_an_event_source_just_works(browser: Browser, store: AsyncClient) -> None:
    page = await live(browser)
    await page.evaluate(
        """() => new Promise((resolve) => {
            window.seen = [];
            const source = new EventSource('/stuff');
            source.addEventListener('open', resolve);
            for (const kind of ['put', 'delete'])
                source.addEventListener(kind, (event) => window.seen.push(kind + event.data));
        })"""
    )
    await store.put("/stuff/a", json={"n": 1})
    await store.delete("/stuff/a")
    with anyio.fail_after(TIMEOUT):
        while len(seen := await page.evaluate("window.seen")) < 2:
            await anyio.sleep(0.05)
    first, second = seen
    assert first.startswith('put{"_id":"a"')
    assert second.startswith('delete{"_id":"a"')


async def test_where_a_key_is_needed_the_page_asks_for_it(
    settings: Settings, chromium: Chromium
) -> None:
    token, key = make_key(["read", "write"])
    closed = Settings(**settings.model_dump() | {"api_keys": str(key)})
    async with listen(closed) as url, chromium.at(url) as browser:
        async with connect(url, headers={"Authorization": f"Bearer {token}"}) as store:
            await store.put("/stuff/a", json={"n": 1})
            page = await browser.open("/#/a")
            await page.get_by_label("API key").fill("stuff_wrong")
            await page.keyboard.press("Enter")
            await page.get_by_label("API key").fill(token)
            await page.keyboard.press("Enter")
            await expect(page.locator("#live")).to_have_text("live")
            await expect(page.locator("#text")).to_have_value('{\n  "_id": "a",\n  "n": 1\n}')
            await store.put("/stuff/a", json={"n": 2})
            await expect(page.locator("#text")).to_have_value('{\n  "_id": "a",\n  "n": 2\n}')
            assert token not in page.url
        assert browser.faults == []


async def test_authorize_in_swagger_ui_sends_the_key(
    settings: Settings, chromium: Chromium
) -> None:
    token, key = make_key(["read", "write"])
    closed = Settings(**settings.model_dump() | {"api_keys": str(key)})
    async with listen(closed) as url, chromium.at(url) as browser:
        page = await browser.open("/docs")
        await page.locator(".auth-wrapper .authorize").first.click()
        await page.locator(".auth-container input").first.fill(token)
        await page.locator(".auth-btn-wrapper .authorize").first.click()
        await page.locator(".auth-btn-wrapper .btn-done").first.click()
        await execute(page, "put_document", "201")
        assert browser.faults == []


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_the_document_of_declared_collections_is_shown_to_those_with_a_key(
    settings: Settings, chromium: Chromium, tmp_path: Path, path: str
) -> None:
    token, key = make_key(["read:books", "write:books"])
    closed = Settings(
        **settings.model_dump() | {"api_keys": str(key), "collections": declare(tmp_path, books={})}
    )
    async with listen(closed) as url, chromium.at(url) as browser:
        page = await browser.open(path)
        for typed in ("stuff_wrong", token):
            await page.get_by_label("API key").fill(typed)
            await page.keyboard.press("Enter")
        await expect(page.get_by_text("/books/{id}").first).to_be_visible()
        assert browser.faults == []
