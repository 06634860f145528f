"""The page, with several collections: each is browsed, edited and watched by itself."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from bson import ObjectId
from playwright.async_api import Error, Locator, Page, Route, expect
from pymongo.collection import Collection

from service.security import make_key
from service.settings import Settings
from tests.support.applications import listen
from tests.support.browsing import Browser, Chromium, Library, live, see
from tests.support.clients import connect
from tests.support.patience import patient

pytestmark = pytest.mark.xdist_group("browser")


def ids(page: Page) -> Locator:
    return page.locator("#items .id")


def chooser(page: Page) -> Locator:
    return page.get_by_label("Collection")


async def write(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.get_by_role("button", name="Save").click()


async def test_without_declared_collections_there_is_nothing_to_choose(browser: Browser) -> None:
    page = await live(browser)
    await expect(page.get_by_text("Nothing here.")).to_be_visible()
    await expect(chooser(page)).to_be_hidden()


async def test_the_chosen_collection_is_in_the_address(library: Library) -> None:
    browser, store = library
    await store.put("/stuff/a", json={"of": "stuff"})
    await store.put("/notes/b/c", json={"of": "notes"})
    page = await live(browser)
    await expect(ids(page)).to_have_text(["a"])
    await expect(chooser(page).locator("option")).to_have_text(
        ["stuff", "books", "notes", "records", "orders", "counts"]
    )
    await chooser(page).select_option("notes")
    await expect(ids(page)).to_have_text(["b/c"])
    await expect(page).to_have_title("notes - Stuff")
    assert page.url.endswith("/#notes/")
    await page.reload()
    await expect(ids(page)).to_have_text(["b/c"])
    await expect(chooser(page)).to_have_value("notes")
    await ids(page).click()
    await expect(page.locator("#text")).to_have_value(re.compile('"of": "notes"'))
    link = page.url
    await page.go_back()
    await expect(page.locator("#editor")).to_be_hidden()
    await page.go_back()
    await expect(ids(page)).to_have_text(["a"])
    await expect(chooser(page)).to_have_value("stuff")
    other = await live(browser, link[link.index("/#") :])
    await expect(other.locator("#editor-title")).to_have_text("b/c")
    await expect(ids(other)).to_have_text(["b/c"])
    # A link to a document of `stuff` is what it was before there were others.
    old = await live(browser, "/#/a")
    await expect(old.locator("#text")).to_have_value(re.compile('"of": "stuff"'))


async def test_letters_typed_in_the_chooser_choose(library: Library) -> None:
    page = await live(library.browser)
    await chooser(page).focus()
    await page.keyboard.press("n")  # elsewhere, it starts a new document
    await expect(chooser(page)).to_have_value("notes")
    await expect(page).to_have_title("notes - Stuff")
    await expect(chooser(page)).to_be_focused()
    await expect(page.locator("#editor")).to_be_hidden()


async def test_documents_of_each_collection_are_created_edited_and_deleted(
    library: Library,
) -> None:
    browser, store = library
    page = await live(browser, "/#notes/")
    page.on("dialog", lambda dialog: dialog.accept())
    await page.keyboard.press("n")
    await page.get_by_label("Id").fill("a")
    await write(page, '{"n": 1}')
    await expect(page.locator("#notice")).to_have_text("a is created.")
    await expect(ids(page)).to_have_text(["a"])
    assert page.url.endswith("/#notes/a")
    assert (await store.get("/notes/a")).json() == {"_id": "a", "n": 1}
    assert (await store.get("/stuff/a")).status_code == 404
    await write(page, '{"n": 2}')
    await expect(page.locator("#notice")).to_have_text("Saved.")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.locator("#notice")).to_have_text("a is deleted.")
    await expect(page.get_by_text("Nothing here.")).to_be_visible()
    assert page.url.endswith("/#notes/")
    assert (await store.get("/notes/a")).status_code == 404


async def test_the_list_of_each_collection_has_pages_and_searches(library: Library) -> None:
    browser, store = library
    for name in ("stuff", "notes"):
        lines = "\n".join(f'{{"_id": "{name}-{n:02}", "n": {n}}}' for n in range(30))
        await store.post(
            f"/{name}", content=lines, headers={"Content-Type": "application/x-ndjson"}
        )
    page = await live(browser, "/#notes/")
    expected = [f"notes-{n:02}" for n in range(30)]
    await expect(ids(page)).to_have_text(expected[:25])
    await page.get_by_role("button", name="Next").click()
    await expect(ids(page)).to_have_text(expected[25:])
    await expect(page.locator("#place")).to_have_text("26 to 30 of 30")
    await page.get_by_label("Find").fill("notes-1")
    await page.keyboard.press("Enter")
    await expect(ids(page)).to_have_text(expected[10:20])
    await chooser(page).select_option("stuff")  # from its beginning, and all of it
    await expect(ids(page)).to_have_text([f"stuff-{n:02}" for n in range(25)])
    await expect(page.locator("#place")).to_have_text("1 to 25 of 30")
    await expect(page.get_by_label("Find")).to_have_value("")


async def test_only_changes_of_the_chosen_collection_arrive(library: Library) -> None:
    browser, store = library
    for name in ("stuff", "notes"):
        await store.put(f"/{name}/a", json={"of": name, "n": 1})
    page = await live(browser, "/#/a")
    await expect(page.locator("#text")).to_have_value(re.compile("stuff"))
    await chooser(page).select_option("notes")
    await expect(page.locator("#live")).to_have_text("live")
    await ids(page).click()
    await expect(page.locator("#text")).to_have_value(re.compile("notes"))
    await store.delete("/stuff/a")
    await store.put("/stuff/b", json={})
    await store.put("/notes/a", json={"of": "notes", "n": 2})
    await expect(page.locator("#text")).to_have_value(re.compile('"n": 2'))
    await expect(page.locator("#items .preview")).to_have_text('{"of":"notes","n":2}')
    await expect(page.locator("#conflict")).to_be_hidden()
    await expect(page.locator("#fresh")).to_be_hidden()


async def test_a_document_that_was_looked_for_is_not_one_of_another_collection(
    library: Library,
) -> None:
    browser, store = library
    for name in ("stuff", "notes"):
        await store.put(f"/{name}/a", json={"of": name})
    page = await live(browser, "/#/a")
    await expect(page.locator("#editor-title")).to_have_text("a")
    held, release, given = anyio.Event(), anyio.Event(), anyio.Event()

    async def hold(route: Route) -> None:
        held.set()
        await release.wait()
        await route.fulfill(status=404)  # as if somebody had deleted it
        given.set()

    gone = 'event: gone\nid:\ndata: {"status": 410}\n\n'
    await page.route("**/stuff/a", hold, times=1)
    await page.route(
        "**/stuff",
        lambda route: route.fulfill(content_type="text/event-stream", body=gone),
        times=1,
    )
    await see(page, False)
    await see(page, True)
    await held.wait()
    await page.evaluate("location.hash = '#notes/a'")
    await expect(page.locator("#text")).to_have_value(re.compile("notes"))
    release.set()
    await given.wait()
    await page.evaluate("new Promise((resolve) => { setTimeout(resolve); })")
    await expect(page.locator("#conflict")).to_be_hidden()
    await expect(page.locator("#text")).to_have_value(re.compile("notes"))


async def test_unsaved_changes_are_kept_for_each_collection(library: Library) -> None:
    browser, store = library
    for name in ("stuff", "notes"):
        await store.put(f"/{name}/a", json={"of": name})
    page = await live(browser, "/#/a")
    await expect(page.locator("#editor-title")).to_have_text("a")
    await page.locator("#text").fill('{"mine": true}')
    await page.evaluate("location.hash = '#notes/a'")
    await expect(page.locator("#text")).to_have_value(re.compile('"of": "notes"'))
    draft = page.locator("#drafts button")
    await expect(draft).to_have_text("stuff: a")
    await page.reload()
    await draft.click()
    await expect(page.locator("#text")).to_have_value('{"mine": true}')
    await expect(chooser(page)).to_have_value("stuff")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#notice")).to_have_text("Saved.")
    assert (await store.get("/notes/a")).json()["of"] == "notes"

    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await page.locator("#text").fill('{"new": true}')
    await chooser(page).select_option("notes")
    await expect(draft).to_have_text("stuff: New document")
    await draft.click()
    await expect(page.locator("#text")).to_have_value('{"new": true}')
    await expect(page.locator("#editor-title")).to_have_text("New document")
    await expect(chooser(page)).to_have_value("stuff")


async def test_a_collection_that_is_read_only_is_shown_and_not_changed(
    library: Library, mongo: Any, settings: Settings
) -> None:
    browser, _ = library
    records: Collection[Any] = mongo[settings.database]["records"]
    records.insert_one({"_id": "a", "n": 1})
    page = await live(browser, "/#records/a")
    await expect(page.locator("#text")).to_have_value('{\n  "_id": "a",\n  "n": 1\n}')
    await expect(page.locator("#text")).not_to_be_editable()
    for name in ("New", "Save", "Delete"):
        await expect(page.get_by_role("button", name=name, exact=True)).to_be_hidden()
    await page.keyboard.press("Control+s")
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await expect(page.locator("#editor")).to_be_hidden()
    await expect(page.locator("#notice")).to_be_hidden()
    records.update_one({"_id": "a"}, {"$set": {"n": 2}})  # the feed works
    await expect(page.locator("#items .preview")).to_have_text('{"n":2}')
    await chooser(page).select_option("stuff")
    await expect(page.get_by_role("button", name="New", exact=True)).to_be_visible()


async def test_new_documents_get_ids_of_the_declared_type(
    library: Library, mongo: Any, settings: Settings
) -> None:
    browser, _ = library
    database = mongo[settings.database]
    page = await live(browser, "/#orders/")
    await page.keyboard.press("n")
    await page.get_by_label("Id (a new ObjectId if left empty)").focus()
    await write(page, '{"n": 1}')
    await expect(page.locator("#notice")).to_contain_text("is created.")
    [order] = database["orders"].find()
    id = order["_id"]
    assert isinstance(id, ObjectId)
    assert abs(datetime.now(UTC) - id.generation_time) < timedelta(seconds=patient(60))
    await expect(ids(page)).to_have_text([str(id)])
    await expect(page.locator("#editor-title")).to_have_text(str(id))
    await page.reload()
    await expect(page.locator("#text")).to_have_value(re.compile(f'"\\$oid": "{id}"'))
    shown = await page.locator("#text").input_value()
    await write(page, shown.replace('"n": 1', '"n": 2'))
    await expect(page.locator("#notice")).to_have_text("Saved.")
    assert database["orders"].find_one({"_id": id})["n"] == 2
    await page.get_by_label("Find").fill(str(id)[:8])
    await page.keyboard.press("Enter")
    await expect(ids(page)).to_have_text([str(id)])

    await chooser(page).select_option("counts")
    await page.get_by_role("button", name="New", exact=True).click()
    await write(page, '{"n": 1}')
    await expect(page.locator("#check")).to_contain_text("which is an integer")
    await expect(page.get_by_label("Id (an integer)")).to_be_focused()
    await page.keyboard.type("1815")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#notice")).to_have_text("1815 is created.")
    assert [count["_id"] for count in database["counts"].find()] == [1815]
    database["counts"].insert_one({"_id": 18})
    for query in ("18", "1815"):
        await page.get_by_label("Find").fill(query)
        await page.keyboard.press("Enter")
        await expect(ids(page)).to_have_text([query])
    await ids(page).click()
    await expect(page.locator("#editor-title")).to_have_text("1815")


async def test_an_address_of_no_collection_shows_none(library: Library) -> None:
    page = await library.browser.open("/#healthz/a")
    await expect(page.get_by_role("alert")).to_contain_text("There is no collection healthz")
    await chooser(page).select_option("notes")
    await expect(page.get_by_text("Nothing here.")).to_be_visible()
    await expect(page.locator("#notice")).to_be_hidden()

    release = anyio.Event()

    async def hold(route: Route) -> None:
        await release.wait()
        with suppress(Error):  # nobody waits for it any more
            await route.continue_()

    await page.route("**/stuff?*", hold, times=1)
    async with page.expect_request("**/stuff?*"):
        await chooser(page).select_option("stuff")
    await page.evaluate("location.hash = '#nothing/'")
    await expect(page.get_by_role("alert")).to_contain_text("There is no collection nothing")
    release.set()
    await page.keyboard.press("n")  # where should it be created?
    await expect(page.locator("#editor")).to_be_hidden()


@asynccontextmanager
async def closed(
    settings: Settings, chromium: Chromium, collections: Path, *scopes: str
) -> AsyncIterator[tuple[Library, Page]]:
    """A service with keys, and the page with a key of these scopes."""
    everything, all_of_them = make_key(["read", "write"])
    token, key = make_key(scopes)
    keys = {"api_keys": f"{all_of_them};{key}", "collections": collections}
    settings = Settings(**settings.model_dump() | keys)
    async with listen(settings) as url, chromium.at(url) as browser, connect(url) as store:
        store.headers["Authorization"] = f"Bearer {everything}"
        await store.put("/notes/a", json={})
        page = await browser.open()
        await page.get_by_label("API key").fill(token)
        await page.keyboard.press("Enter")
        yield Library(browser, store), page
        assert browser.faults == []


async def test_the_page_shows_what_the_key_may_see(
    settings: Settings, chromium: Chromium, collections: Path
) -> None:
    scopes = ("read:notes", "write:notes")
    async with closed(settings, chromium, collections, *scopes) as (_, page):
        await expect(ids(page)).to_have_text(["a"])
        await expect(page.locator("#live")).to_have_text("live")
        await expect(chooser(page).locator("option")).to_have_text(["notes"])
        assert page.url.endswith("/#notes/")
        await page.evaluate("location.hash = '#/a'")
        await expect(page.get_by_role("alert")).to_contain_text("There is no collection stuff")
        await expect(ids(page)).to_have_count(0)
        await page.get_by_role("button", name="Forget the key").click()
        await expect(page.get_by_label("API key")).to_be_focused()
        await expect(chooser(page)).to_be_hidden()


async def test_a_key_that_may_not_write_sees_why_nothing_is_saved(
    settings: Settings, chromium: Chromium, collections: Path
) -> None:
    async with closed(settings, chromium, collections, "read:notes") as (library, page):
        await ids(page).click()
        await expect(page.locator("#editor-title")).to_have_text("a")
        await write(page, '{"n": 1}')
        await expect(page.locator("#check")).to_contain_text("'write:notes'")
        await expect(page.locator("#text")).to_have_value('{"n": 1}')
        assert (await library.store.get("/notes/a")).json() == {"_id": "a"}


async def test_a_key_that_may_not_read_creates_documents(
    settings: Settings, chromium: Chromium, collections: Path
) -> None:
    async with closed(settings, chromium, collections, "write:notes") as (library, page):
        await expect(page.get_by_role("alert")).to_contain_text("'read:notes'")
        await expect(chooser(page).locator("option")).to_have_text(["notes"])
        await page.get_by_role("button", name="New").click()
        await page.get_by_label("Id").fill("b")
        await write(page, '{"n": 1}')
        notice = page.locator("#notice")
        await expect(notice).to_contain_text("b is created. This needs the scope 'read:notes'")
        assert (await library.store.get("/notes/b")).json() == {"_id": "b", "n": 1}
