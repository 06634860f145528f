"""A Chromium, watched: what it asks for and what it complains of."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import playwright.async_api
from httpx import AsyncClient
from playwright.async_api import BrowserContext, Page, async_playwright, expect

from tests.support.patience import TIMEOUT
from tests.support.programs import find_program

expect.set_options(timeout=1000 * TIMEOUT)


def executable() -> str:
    """Where the browser is."""
    return find_program("chromium", "chromium-browser", "google-chrome", package="chromium")


class Browser:
    """Windows of one origin, and all that is wrong with them."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self._context = context
        self._origin = origin
        self.faults: list[str] = []

    async def open(self, path: str = "/") -> Page:
        """A new window. Faults are collected: other origins, errors in the console, exceptions."""
        page = await self._context.new_page()
        page.set_default_timeout(1000 * TIMEOUT)
        page.on("request", lambda request: self._check(request.url))
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        await page.goto(self._origin + path)
        return page

    def _check(self, url: str) -> None:
        if not url.startswith((self._origin + "/", "data:", "blob:")):
            self.faults.append(f"asked for {url}")

    def _note(self, kind: str, text: str) -> None:
        # The browser itself logs each answer of 400 and above: those are ours to give.
        if kind == "error" and not text.startswith("Failed to load resource: the server responded"):
            self.faults.append(text)


class Library(NamedTuple):
    """A browser at a service with declared collections, and a client of that."""

    browser: Browser
    store: AsyncClient


class Chromium:
    """A browser without windows."""

    def __init__(self, browser: playwright.async_api.Browser) -> None:
        self._browser = browser

    @asynccontextmanager
    async def at(self, origin: str, **options: Any) -> AsyncIterator[Browser]:
        """Windows of one person at this origin, with nothing remembered from before."""
        context = await self._browser.new_context(**options)
        try:
            yield Browser(context, origin)
        finally:
            await context.close()


@asynccontextmanager
async def start_chromium() -> AsyncIterator[Chromium]:
    path = executable()
    async with async_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = await driver.chromium.launch(executable_path=path, args=arguments)
        try:
            yield Chromium(browser)
        finally:
            await browser.close()


@asynccontextmanager
async def chromium(origin: str, **options: Any) -> AsyncIterator[Browser]:
    """Windows at this origin, in a Chromium of their own."""
    async with start_chromium() as chromium, chromium.at(origin, **options) as browser:
        yield browser


async def live(browser: Browser, path: str = "/") -> Page:
    """The page at `/` in a new window, when it has joined the feed."""
    page = await browser.open(path)
    await expect(page.locator("#live")).to_have_text("live")
    return page


async def see(page: Page, is_seen: bool) -> None:
    """Look at the tab, or at another one."""
    await page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        not is_seen,
    )


async def execute(docs: Page, operation: str, status: str) -> None:
    """Try an operation of a document in Swagger UI; the response has this status."""
    block = docs.locator(f"#operations-documents-{operation}")
    await block.locator(".opblock-summary-control").click()
    start = block.get_by_role("button", name="Try it out")
    if await start.count():  # unless it is so from the beginning
        await start.click()
    # The id is filled in.
    await block.get_by_role("button", name="Execute").click()
    row = block.locator(".live-responses-table .response .response-col_status")
    await expect(row).to_contain_text(status)
