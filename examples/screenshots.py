"""The pictures in the README: `make screenshots`."""

import asyncio
import shutil
import tempfile
from pathlib import Path

import httpx
from playwright.async_api import Browser, async_playwright

from tests.support.serving import stuff_serve

HERE = Path(__file__).parent
PEOPLE = {
    "ada": {"name": "Ada Lovelace", "born": 1815, "fields": ["mathematics", "computing"]},
    "alan": {"name": "Alan Turing", "born": 1912, "fields": ["computing", "logic"]},
    "emmy": {"name": "Emmy Noether", "born": 1882, "fields": ["algebra", "physics"]},
    "grace": {"name": "Grace Hopper", "born": 1906, "rank": "rear admiral"},
    "kurt": {"name": "Kurt Gödel", "born": 1906, "fields": ["logic"]},
}


async def main(base_url: str) -> None:
    async with httpx.AsyncClient(base_url=base_url) as store, async_playwright() as playwright:
        for id, person in PEOPLE.items():
            await store.put(f"/stuff/{id}", json=person)
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        await picture(browser, base_url, "page.png", 1000, 620, "light")
        await picture(browser, base_url, "phone.png", 380, 620, "dark")
        await browser.close()


async def picture(
    browser: Browser, base_url: str, name: str, width: int, height: int, scheme: str
) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = await context.new_page()
    await page.goto(f"{base_url}/#/ada")
    await page.get_by_text("live", exact=True).wait_for()
    await page.get_by_label("JSON").wait_for()
    await page.screenshot(path=HERE / name)
    await context.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory, stuff_serve(Path(directory)) as service:
        asyncio.run(main(service.base_url))
