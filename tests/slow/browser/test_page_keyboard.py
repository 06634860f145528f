"""The page by keyboard, and on a touch screen: keys, focus, and copying."""

import json

import pytest
from httpx import AsyncClient
from playwright.async_api import Page, expect

from tests.support.browsing import Browser, Chromium, live


async def opened(browser: Browser, store: AsyncClient) -> Page:
    """Two documents, the first of which is open."""
    for id in ("a", "b"):
        await store.put(f"/stuff/{id}", json={"n": 9007199254740993})
    page = await live(browser, "/#/a")
    await expect(page.locator("#editor-title")).to_have_text("a")
    await expect(page.locator("#items .id")).to_have_count(2)
    return page


async def test_the_focus_returns_to_the_row(browser: Browser, store: AsyncClient) -> None:
    page = await opened(browser, store)
    row = page.locator("#items button")
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(row.first).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("#text")).to_be_focused()
    await page.go_back()
    await expect(row.nth(1)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#text")).to_be_focused()
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Delete").press("Enter")
    await expect(row).to_have_count(1)
    await expect(page.locator("#list-title")).to_be_focused()


async def test_keys_belong_to_what_has_the_focus(browser: Browser, store: AsyncClient) -> None:
    page = await opened(browser, store)
    search = page.get_by_role("searchbox")
    await search.fill("a")
    await search.press("Escape")
    await expect(search).to_have_value("")  # as the browser does it
    await expect(page.locator("#editor")).to_be_visible()
    await page.locator("#save").focus()
    await page.keyboard.press("ArrowDown")  # scrolls
    await expect(page.locator("#save")).to_be_focused()
    await page.keyboard.press("/")
    await expect(search).to_be_focused()


@pytest.mark.parametrize("is_secure", [True, False])
async def test_an_id_and_a_document_can_be_copied(
    browser: Browser, store: AsyncClient, is_secure: bool
) -> None:
    page = await opened(browser, store)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if not is_secure:  # plain HTTP to another machine
        await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    other = await browser.open()
    read = "navigator.clipboard.readText()"
    await page.bring_to_front()
    await page.get_by_role("button", name="Copy id").click()
    await expect(page.locator("#notice")).to_have_text("The id is copied.")
    await expect(page.get_by_role("button", name="Copy id")).to_be_focused()
    await other.bring_to_front()
    assert await other.evaluate(read) == "a"
    await page.bring_to_front()
    await page.get_by_role("button", name="Copy document").click()
    await expect(page.locator("#notice")).to_have_text("The document is copied.")
    await other.bring_to_front()
    text = '{"_id": "a", "n": 9007199254740993}'
    assert await other.evaluate(read) == json.dumps(json.loads(text), indent=2)


async def test_on_a_touch_screen_no_keyboard_covers_a_document(
    chromium: Chromium, url: str, store: AsyncClient
) -> None:
    phone = {"width": 360, "height": 740}
    async with chromium.at(url, viewport=phone, has_touch=True, is_mobile=True) as browser:
        page = await opened(browser, store)
        await expect(page.locator("#editor-title")).to_be_focused()
        await expect(page.get_by_role("search")).to_be_hidden()
        await page.get_by_role("button", name="Close").tap()
        await page.locator("#items button").nth(1).tap()
        await expect(page.locator("#editor-title")).to_have_text("b")
        await expect(page.locator("#editor-title")).to_be_focused()
        assert browser.faults == []


async def test_everything_that_can_be_used_has_a_name(browser: Browser, store: AsyncClient) -> None:
    page = await opened(browser, store)
    await store.put("/stuff/a", json={"n": 1})
    for state in ("open", "conflict", "new"):
        if state == "conflict":
            await page.locator("#text").fill('{"n": 2}')
            await store.put("/stuff/a", json={"n": 3})
            await expect(page.locator("#conflict")).to_be_visible()
        if state == "new":
            await page.get_by_role("button", name="New").click()
        unnamed = await page.evaluate(
            """() => [...document.querySelectorAll('button, input, textarea, section, nav, a')]
                .filter((node) => node.checkVisibility())
                .filter((node) => !(node.getAttribute('aria-label')
                    || node.getAttribute('aria-labelledby')?.split(' ')
                        .every((id) => document.getElementById(id)?.textContent)
                    || node.labels?.length
                    || node.textContent.trim()))
                .map((node) => node.outerHTML)"""
        )
        assert unnamed == []
