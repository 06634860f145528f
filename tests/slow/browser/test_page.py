"""The page at `/`, as people use it, in a real browser."""

import json
from typing import Any

import pytest
from httpx import AsyncClient
from playwright.async_api import Page, expect

from tests.support.browsing import Browser, Chromium, live

pytestmark = pytest.mark.xdist_group("browser")  # one at a time


def texts(page: Page) -> Any:
    return page.locator("#items .id")


async def write(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.get_by_role("button", name="Save").click()


async def test_documents_are_created_opened_edited_and_deleted(
    browser: Browser, store: AsyncClient
) -> None:
    page = await live(browser)
    await expect(page.get_by_text("Nothing here.")).to_be_visible()
    await page.get_by_role("button", name="New").click()
    await page.get_by_label("Id").fill("a/da & ?#%")
    await write(page, '{"n": 9007199254740993, "x": 1.0}')
    await expect(page.locator("#notice")).to_have_text("a/da & ?#% is created.")
    await expect(texts(page)).to_have_text(["a/da & ?#%"])
    stored = await store.get("/stuff/a%2Fda%20%26%20%3F%23%25")
    assert stored.text == '{"_id":"a/da & ?#%","n":9007199254740993,"x":1.0}'

    await page.reload()
    await expect(page.locator("#text")).to_have_value(
        '{\n  "_id": "a/da & ?#%",\n  "n": 9007199254740993,\n  "x": 1.0\n}'
    )
    await write(page, '{"n": 2}')
    await expect(page.locator("#notice")).to_have_text("Saved.")
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("Nothing here.")).to_be_visible()
    assert (await store.get("/stuff", params={"count": "true"})).json()["total"] == 0


async def test_a_document_without_an_id_gets_one(browser: Browser, store: AsyncClient) -> None:
    page = await live(browser)
    await page.keyboard.press("n")
    await write(page, '{"made": true}')
    await expect(texts(page)).to_have_count(1)
    [item] = (await store.get("/stuff")).json()["items"]
    await expect(page.locator("#editor-title")).to_have_text(item["_id"])


async def test_an_invalid_document_cannot_be_saved_and_is_explained(browser: Browser) -> None:
    page = await live(browser)
    await page.get_by_role("button", name="New").click()
    save = page.get_by_role("button", name="Save")
    for text, words in (("{", "JSON"), ("[1]", "object"), ('{"a": 1,}', "JSON")):
        await page.locator("#text").fill(text)
        await expect(save).to_be_disabled()
        await expect(page.locator("#check")).to_contain_text(words)
    await write(page, '{"a": {"b": 18446744073709551616}}')
    await expect(page.locator("#check")).to_contain_text("64 bits")
    await expect(page.locator("#check")).to_contain_text("/a/b")


async def test_pages_and_searches_find_documents(browser: Browser, store: AsyncClient) -> None:
    lines = "\n".join(json.dumps({"_id": f"doc-{n:02}", "n": n}) for n in range(60))
    await store.post("/stuff", content=lines, headers={"Content-Type": "application/x-ndjson"})
    page = await live(browser)
    ids = [f"doc-{n:02}" for n in range(60)]
    await expect(texts(page)).to_have_text(ids[:25])
    await page.get_by_role("button", name="Next").click()
    await expect(texts(page)).to_have_text(ids[25:50])
    await page.get_by_role("button", name="Next").click()
    await expect(texts(page)).to_have_text(ids[50:])
    await expect(page.get_by_role("button", name="Next")).to_be_disabled()
    await page.get_by_role("button", name="Previous").click()
    await expect(texts(page)).to_have_text(ids[25:50])

    await page.keyboard.press("/")
    await page.keyboard.type("doc-3")
    await page.keyboard.press("Enter")
    await expect(texts(page)).to_have_text(ids[30:40])
    await page.get_by_role("searchbox").fill('{"n": {"$gte": 58}}')
    await page.keyboard.press("Enter")
    await expect(texts(page)).to_have_text(ids[58:])
    await page.get_by_role("searchbox").fill('{"$where": "1"}')
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("$where")


async def test_the_list_shows_numbers_as_they_are_stored(
    browser: Browser, store: AsyncClient
) -> None:
    async def shows(numbers: str) -> None:
        await expect(page.locator("#items .preview")).to_have_text(f'{{"n":{numbers}}}')

    first, second = "[9223372036854775807,1.0,1e+22]", "[-9223372036854775807,2.0]"
    await store.put("/stuff/a", content=f'{{"n": {first}}}')
    page = await browser.open()
    await shows(first)
    await store.put("/stuff/a", content=f'{{"n": {second}}}')  # told by the feed
    await shows(second)


async def test_changes_of_others_arrive_live(browser: Browser, store: AsyncClient) -> None:
    await store.put("/stuff/a", json={"n": 1})
    page = await live(browser)
    await texts(page).first.click()
    await expect(page.locator("#text")).to_have_value('{\n  "_id": "a",\n  "n": 1\n}')
    await store.put("/stuff/a", json={"n": 2})
    await expect(page.locator("#items .preview")).to_have_text('{"n":2}')
    await expect(page.locator("#text")).to_have_value('{\n  "_id": "a",\n  "n": 2\n}')
    await store.put("/stuff/b", json={"n": 3})
    await page.get_by_role("button", name="There are new documents").click()
    await expect(texts(page)).to_have_text(["a", "b"])
    await store.delete("/stuff/b")
    await expect(page.locator("#items li.deleted .id")).to_have_text("b")


async def test_two_windows_that_edit_one_document_lose_nothing(
    browser: Browser, store: AsyncClient
) -> None:
    await store.put("/stuff/a", json={"x": 1, "y": 1})
    one, two = await live(browser, "/#/a"), await live(browser, "/#/a")
    for page in (one, two):
        await expect(page.locator("#text")).to_have_value(
            '{\n  "_id": "a",\n  "x": 1,\n  "y": 1\n}'
        )
    await two.locator("#text").fill('{\n  "_id": "a",\n  "x": 1,\n  "y": 2\n}')
    await write(one, '{\n  "_id": "a",\n  "x": 5,\n  "y": 1\n}')
    await expect(one.locator("#notice")).to_have_text("Saved.")
    await expect(two.locator("#conflict-title")).to_have_text("Somebody changed this document.")
    await expect(two.locator("#difference .theirs")).to_have_text(["theirs 5", "theirs 1"])
    await expect(two.locator("#difference .mine")).to_have_text(["yours 1", "yours 2"])
    await two.get_by_role("button", name="Keep mine").click()
    await write(two, '{"x": 5, "y": 2}')
    await expect(two.locator("#notice")).to_have_text("Saved.")
    assert (await store.get("/stuff/a")).json() == {"_id": "a", "x": 5, "y": 2}
    await expect(one.locator("#text")).to_have_value('{\n  "_id": "a",\n  "x": 5,\n  "y": 2\n}')


async def test_a_412_is_shown_as_a_difference_without_the_feed_too(
    browser: Browser, store: AsyncClient
) -> None:
    await store.put("/stuff/a", json={"n": 1})
    page = await live(browser, "/#/a")
    await expect(page.locator("#editor-title")).to_have_text("a")
    await page.evaluate("window.stop()")  # the feed too
    await page.route("**/stuff", lambda route: route.abort())
    await page.locator("#text").fill('{"n": "mine"}')
    await store.put("/stuff/a", json={"n": "theirs"})
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#conflict-title")).to_have_text("Somebody changed this document.")
    await expect(page.locator("#difference")).to_contain_text('theirs "theirs"')
    await page.get_by_role("button", name="Take theirs").click()
    await expect(page.locator("#text")).to_have_value('{\n  "_id": "a",\n  "n": "theirs"\n}')
    assert (await store.get("/stuff/a")).json()["n"] == "theirs"
    await page.close()  # so that it complains of nothing more
    aborted = "Failed to load resource: net::ERR_FAILED"  # as soon as the feed is tried again
    browser.faults = [fault for fault in browser.faults if fault != aborted]


async def test_content_never_runs_as_script(browser: Browser, store: AsyncClient) -> None:
    evil = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
    await store.put("/stuff/" + evil.replace("/", "%2F"), json={evil: evil})
    page = await live(browser)
    await texts(page).first.click()
    await expect(page.locator("#editor-title")).to_have_text(evil)
    await store.put("/stuff/" + evil.replace("/", "%2F"), json={evil: [evil]})
    await expect(page.locator("#text")).to_have_value(
        json.dumps({"_id": evil, evil: [evil]}, indent=2)
    )
    assert await page.title() == "Stuff"
    assert await page.locator("main img, main script").count() == 0


async def test_the_keyboard_suffices(browser: Browser, store: AsyncClient) -> None:
    for id in ("a", "b"):
        await store.put(f"/stuff/{id}", json={"id": id})
    page = await live(browser)
    await expect(texts(page)).to_have_text(["a", "b"])
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("#editor-title")).to_have_text("b")
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.press("Control+a")
    await page.keyboard.type('{"typed": true}')
    await page.keyboard.press("Control+s")
    await expect(page.locator("#notice")).to_have_text("Saved.")
    await page.keyboard.press("Escape")
    await expect(page.locator("#editor")).to_be_hidden()
    assert (await store.get("/stuff/b")).json() == {"_id": "b", "typed": True}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_readable_on_a_phone(
    chromium: Chromium, url: str, store: AsyncClient, scheme: str
) -> None:
    await store.put("/stuff/a", json={"text": "x" * 300})
    phone = {"width": 360, "height": 740}
    async with chromium.at(url, viewport=phone, color_scheme=scheme) as browser:
        page = await live(browser)
        width = "document.documentElement.scrollWidth"
        assert await page.evaluate(width) <= 360
        await texts(page).first.click()
        await expect(page.locator("#list")).to_be_hidden()
        assert await page.evaluate(width) <= 360
        await page.go_back()
        await expect(page.locator("#list")).to_be_visible()
        assert browser.faults == []
