"""The API key on the page: one tab is told it, the others ask that one."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from playwright.async_api import Page, expect

from service.security import make_key
from service.settings import Settings
from tests.support.applications import listen
from tests.support.browsing import Browser, Chromium


class Closed(NamedTuple):
    """A browser at a service that wants a key."""

    browser: Browser
    token: str


@pytest.fixture
async def closed(settings: Settings, chromium: Chromium) -> AsyncIterator[Closed]:
    token, key = make_key(["read", "write"])
    settings = Settings(**settings.model_dump() | {"api_keys": str(key)})
    async with listen(settings) as url, chromium.at(url) as browser:
        yield Closed(browser, token)
        assert browser.faults == []


async def give(page: Page, token: str) -> None:
    await page.get_by_label("API key").fill(token)
    await page.keyboard.press("Enter")


async def is_in(page: Page) -> None:
    await expect(page.locator("#live")).to_have_text("live")
    await expect(page.get_by_text("Nothing here.")).to_be_visible()
    await expect(page.get_by_label("API key")).to_be_hidden()


async def is_asked(page: Page) -> None:
    await expect(page.get_by_label("API key")).to_be_focused()
    await expect(page.locator("#live")).to_have_text("not live")


async def test_a_second_tab_does_not_ask_for_the_key_again(closed: Closed) -> None:
    first = await closed.browser.open()
    await give(first, closed.token)
    await is_in(first)
    second = await closed.browser.open()
    await is_in(second)
    await first.close()
    await second.reload()
    await is_in(second)
    stored = "[JSON.stringify(localStorage), document.cookie, location.href].join()"
    assert closed.token not in await second.evaluate(stored)
    await second.close()
    await is_asked(await closed.browser.open())  # with the last tab it is forgotten


async def test_all_tabs_that_wait_for_a_key_take_the_one_that_is_given(closed: Closed) -> None:
    pages = [await closed.browser.open() for _ in range(2)]
    for page in pages:
        await is_asked(page)
        await expect(page.locator("#notice")).to_be_hidden()
    await give(pages[0], closed.token)
    for page in pages:
        await is_in(page)


async def test_a_key_that_is_refused_is_asked_for_again(closed: Closed) -> None:
    page, other = await closed.browser.open(), await closed.browser.open()
    await give(page, "stuff_wrong")
    await expect(page.get_by_role("alert")).to_contain_text("does not know this key")
    await is_asked(page)
    await expect(other.get_by_label("API key")).to_be_visible()
    await give(page, closed.token)
    await is_in(page)
    await is_in(other)
    await expect(page.locator("#notice")).to_be_hidden()


async def test_a_key_that_was_refused_is_not_taken_from_another_tab(closed: Closed) -> None:
    first = await closed.browser.open()
    await give(first, closed.token)
    await is_in(first)
    second = await closed.browser.open()
    await is_in(second)
    await second.route("**/stuff*", lambda route: route.fulfill(status=401))
    await second.reload()
    await is_asked(second)


async def test_a_key_is_forgotten_in_all_tabs(closed: Closed) -> None:
    page = await closed.browser.open()
    await give(page, closed.token)
    await page.keyboard.press("n")
    await page.get_by_label("Id").fill("a")
    await page.locator("#text").fill('{"secret": 1}')
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#items .id")).to_have_text("a")
    other = await closed.browser.open("/#/a")
    await expect(other.locator("#editor-title")).to_have_text("a")
    await page.get_by_role("button", name="Forget the key").click()
    for tab in (page, other):
        await is_asked(tab)
        await expect(tab.locator("#items .id")).to_have_count(0)
        await expect(tab.locator("#editor")).to_be_hidden()
        await expect(tab.get_by_role("button", name="Forget the key")).to_be_hidden()
    await page.reload()
    await is_asked(page)
