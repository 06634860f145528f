"""The list of documents on the page: pages, their number and order, and what is new."""

import json
from contextlib import suppress

import anyio
from httpx import AsyncClient
from playwright.async_api import Error, Locator, Page, Route, expect

from tests.support.browsing import Browser, live


async def load(store: AsyncClient, count: int) -> list[str]:
    """Store documents; returns their ids. `rest` is how many come after each."""
    documents = [{"_id": f"doc-{n:03}", "n": n, "rest": count - 1 - n} for n in range(count)]
    lines = "\n".join(map(json.dumps, documents))
    await store.post("/stuff", content=lines, headers={"Content-Type": "application/x-ndjson"})
    return [f"doc-{n:03}" for n in range(count)]


def ids(page: Page) -> Locator:
    return page.locator("#items .id")


async def find(page: Page, query: str, sort: str = "") -> None:
    await page.get_by_label("Find").fill(query)
    await page.get_by_label("Sort by").fill(sort)
    await page.keyboard.press("Enter")


async def test_the_number_of_documents_that_match_is_shown(
    browser: Browser, store: AsyncClient
) -> None:
    await load(store, 60)
    page = await live(browser)
    place = page.locator("#place")
    await expect(place).to_have_text("1 to 25 of 60")
    await page.get_by_role("button", name="Next").click()
    await expect(place).to_have_text("26 to 50 of 60")
    await find(page, '{"n": {"$gte": 50}}')
    await expect(place).to_have_text("1 to 10 of 10")
    await find(page, '{"n": -1}')
    await expect(page.get_by_text("No document matches.")).to_be_visible()
    await expect(place).to_have_text("")
    await find(page, "")
    await expect(place).to_have_text("1 to 25 of 60")
    await store.put("/stuff/z", json={})  # after this page
    await store.put("/stuff/zz", json={})
    await expect(place).to_have_text("1 to 25 of 62")


async def test_a_page_is_shown_even_if_its_documents_cannot_be_counted(
    browser: Browser, store: AsyncClient
) -> None:
    stored = await load(store, 3)
    page = await browser.open("/healthz")  # of this origin
    await page.route("**/stuff?*count=true*", lambda route: route.fulfill(status=504))
    await page.goto(page.url.removesuffix("/healthz"))
    await expect(ids(page)).to_have_text(stored)
    await expect(page.locator("#place")).to_have_text("1 to 3")
    await expect(page.locator("#notice")).to_be_hidden()


async def test_documents_can_be_sorted(browser: Browser, store: AsyncClient) -> None:
    stored = await load(store, 60)
    page = await live(browser)
    await find(page, "", "rest")
    await expect(ids(page)).to_have_text(stored[::-1][:25])
    await page.get_by_role("button", name="Next").click()
    await expect(ids(page)).to_have_text(stored[::-1][25:50])
    await find(page, '{"n": {"$lt": 3}}', "-_id")
    await expect(ids(page)).to_have_text(["doc-002", "doc-001", "doc-000"])
    await find(page, "", "$n")
    await expect(page.get_by_role("alert")).to_contain_text("$n")
    await expect(ids(page)).to_have_text(["doc-002", "doc-001", "doc-000"])


async def test_next_goes_on_by_one_page_and_to_its_beginning(
    browser: Browser, store: AsyncClient
) -> None:
    stored = await load(store, 120)
    page = await live(browser)
    following, previous = (page.get_by_role("button", name=name) for name in ("Next", "Previous"))
    await following.dblclick()
    await expect(ids(page)).to_have_text(stored[25:50])
    assert await page.evaluate("window.scrollY") < 200
    await expect(page.locator("#list-title")).to_be_focused()
    await previous.dblclick()
    await expect(ids(page)).to_have_text(stored[:25])
    await expect(previous).to_be_disabled()

    await page.route("**/stuff?*", lambda route: route.fulfill(status=503), times=1)
    await following.click()
    await expect(page.get_by_role("alert")).to_contain_text("503")
    await expect(ids(page)).to_have_text(stored[:25])
    await following.click()
    await expect(ids(page)).to_have_text(stored[25:50])
    await previous.click()
    await expect(ids(page)).to_have_text(stored[:25])


async def test_a_search_that_is_overtaken_changes_nothing(
    browser: Browser, store: AsyncClient
) -> None:
    stored = await load(store, 30)
    page = await live(browser)
    held, release, given = anyio.Event(), anyio.Event(), anyio.Event()

    async def hold(route: Route) -> None:
        response = await route.fetch()
        held.set()
        await release.wait()
        with suppress(Error):  # nobody waits for it any more
            await route.fulfill(response=response)
        given.set()

    await page.route("**/stuff?*doc-01*", hold, times=1)
    await find(page, "doc-01")
    await held.wait()
    await find(page, "doc-02")
    await expect(ids(page)).to_have_text(stored[20:30])
    release.set()
    await given.wait()
    await page.evaluate("new Promise((resolve) => { setTimeout(resolve); })")
    await expect(ids(page)).to_have_text(stored[20:30])


async def test_only_documents_of_this_page_are_new(browser: Browser, store: AsyncClient) -> None:
    await load(store, 30)
    page = await live(browser)
    fresh = page.get_by_role("button", name="There are new documents")
    place = page.locator("#place")
    await expect(place).to_have_text("1 to 25 of 30")
    await store.put("/stuff/zz", json={})  # on the last page
    await expect(place).to_have_text("1 to 25 of 31")
    await expect(fresh).to_be_hidden()
    await store.put("/stuff/a", json={})
    await fresh.click()
    await expect(ids(page).first).to_have_text("a")
    await expect(fresh).to_be_hidden()
    await expect(page.locator("#list-title")).to_be_focused()

    await find(page, '{"n": {"$lt": 3}}')
    await expect(place).to_have_text("1 to 3 of 3")
    await store.put("/stuff/b", json={"n": 100})  # does not match
    await store.put("/stuff/zzz", json={"n": 2})
    await fresh.click()
    await expect(ids(page)).to_have_text(["doc-000", "doc-001", "doc-002", "zzz"])
    async with page.expect_response("**/stuff?*fields=_id*"):
        await store.put("/stuff/c", json={"n": 100})
    async with page.expect_response("**/stuff?*count=true*"):
        await store.put("/stuff/d", json={"n": 100})
    await expect(fresh).to_be_hidden()


async def test_a_row_keeps_the_focus_when_its_document_changes(
    browser: Browser, store: AsyncClient
) -> None:
    await load(store, 2)
    page = await live(browser)
    await expect(ids(page)).to_have_count(2)
    await page.keyboard.press("ArrowDown")
    await store.put("/stuff/doc-000", json={"changed": True})
    await expect(page.locator("#items .preview").first).to_have_text('{"changed":true}')
    await expect(page.locator("#items button").first).to_be_focused()


async def test_an_address_without_a_document_shows_none(
    browser: Browser, store: AsyncClient
) -> None:
    await store.put("/stuff/a", json={})
    page = await live(browser, "/#/a")
    await expect(page.locator("#editor-title")).to_have_text("a")
    await page.evaluate("location.hash = '#/nothing'")
    await expect(page.get_by_role("alert")).to_have_text("There is no document nothing.")
    await expect(page.locator("#editor")).to_be_hidden()
    await page.evaluate("location.hash = '#/%'")
    await expect(page.get_by_role("alert")).to_contain_text("malformed")
    await page.evaluate("location.hash = '#/..'")
    await expect(page.get_by_role("alert")).to_contain_text('"..".')
    await ids(page).click()
    await expect(page.locator("#editor-title")).to_have_text("a")
    await expect(page.locator("#notice")).to_be_hidden()
