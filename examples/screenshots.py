"""The pictures in the README and of the page: `make screenshots`."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from playwright.async_api import Browser, Page, async_playwright

from tests.support.serving import stuff_serve

HERE = Path(__file__).parent
PEOPLE = {
    "ada": {"name": "Ada Lovelace", "born": 1815, "fields": ["mathematics", "computing"]},
    "alan": {"name": "Alan Turing", "born": 1912, "fields": ["computing", "logic"]},
    "emmy": {"name": "Emmy Noether", "born": 1882, "fields": ["algebra", "physics"]},
    "grace": {"name": "Grace Hopper", "born": 1906, "rank": "rear admiral"},
    "kurt": {"name": "Kurt Gödel", "born": 1906, "fields": ["logic"]},
}
FAULTY = """\
{
  "_id": "emma",
  "title": "Emma",
  "authors": [],
  "year": "1815",
  "language": "en",
  "lent": {
    "to": "Ada"
  }
}"""


async def people(browser: Browser, base_url: str) -> None:
    async with httpx.AsyncClient(base_url=base_url) as store:
        for id, person in PEOPLE.items():
            await store.put(f"/stuff/{id}", json=person)
    for name, width, scheme in (("page.png", 1000, "light"), ("phone.png", 380, "dark")):
        async with opened(browser, f"{base_url}/#/ada", width, scheme) as page:
            await page.screenshot(path=HERE / name)


async def library(browser: Browser, base_url: str) -> None:
    async with httpx.AsyncClient(base_url=base_url) as store:
        lines = (HERE / "library" / "books.ndjson").read_bytes()
        await store.post("/books", content=lines, headers={"Content-Type": "application/x-ndjson"})
    async with opened(browser, f"{base_url}/#books/emma", 1000, "light") as page:
        await page.get_by_label("JSON").fill(FAULTY)
        await page.get_by_role("button", name="Save").click()
        await page.get_by_role("list", name="Faults").wait_for()
        await page.screenshot(path=HERE / "faults.png")


@asynccontextmanager
async def opened(browser: Browser, url: str, width: int, scheme: str) -> AsyncIterator[Page]:
    context = await browser.new_context(
        viewport={"width": width, "height": 620},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = await context.new_page()
    await page.goto(url)
    await page.get_by_text("live", exact=True).wait_for()
    await page.get_by_label("JSON").wait_for()
    yield page
    await context.close()


async def take(pictures: Callable[[Browser, str], Awaitable[None]], base_url: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        await pictures(browser, base_url)
        await browser.close()


if __name__ == "__main__":
    declared = str(HERE / "library" / "collections.json")
    with tempfile.TemporaryDirectory() as directory, stuff_serve(Path(directory)) as service:
        asyncio.run(take(people, service.base_url))
    with (
        tempfile.TemporaryDirectory() as directory,
        stuff_serve(Path(directory), STUFF_COLLECTIONS=declared) as service,
    ):
        asyncio.run(take(library, service.base_url))
