"""Edits that are not saved are kept until somebody saves or discards them."""

from httpx import AsyncClient
from playwright.async_api import Locator, Page, Route, expect

from tests.support.browsing import Browser, live


async def edit(page: Page, id: str, text: str) -> None:
    await page.locator("#items .id", has_text=id).click()
    await expect(page.locator("#editor-title")).to_have_text(id)
    await page.locator("#text").fill(text)


async def has(page: Page, text: str, line: str = "Changed, and not saved.") -> None:
    await expect(page.locator("#text")).to_have_value(text)
    await expect(page.locator("#check")).to_have_text(line)


def drafts(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Not saved").get_by_role("button")


async def test_edits_survive_every_way_of_leaving_a_document(
    browser: Browser, store: AsyncClient
) -> None:
    for id in ("a", "b"):
        await store.put(f"/stuff/{id}", json={"id": id})
    page = await live(browser)
    await edit(page, "a", '{"a": "mine"}')
    await edit(page, "b", '{"b": "mine"}')  # another one was chosen
    await expect(drafts(page)).to_have_text(["a"])
    await page.get_by_role("button", name="New", exact=True).click()
    await expect(drafts(page)).to_have_text(["a", "b"])
    await page.get_by_label("Id").fill("c")
    await page.locator("#text").fill('{"c": "mine"}')
    await page.go_back()
    await has(page, '{"b": "mine"}')
    await expect(drafts(page)).to_have_text(["New document", "a"])
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await has(page, '{"c": "mine"}')
    await expect(page.get_by_label("Id")).to_have_value("c")

    page.on("dialog", lambda dialog: dialog.accept())  # a reload may lose what is not saved
    await page.locator("#text").fill('{"c": "still mine"}')
    await page.reload()
    await expect(drafts(page)).to_have_text(["New document", "a", "b"])
    await drafts(page).first.click()
    await has(page, '{"c": "still mine"}')
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#notice")).to_have_text("c is created.")
    await drafts(page).first.click()
    await has(page, '{"a": "mine"}')
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#notice")).to_have_text("Saved.")
    await expect(drafts(page)).to_have_text(["b"])
    stored = {item["_id"]: item for item in (await store.get("/stuff")).json()["items"]}
    assert stored == {
        "a": {"_id": "a", "a": "mine"},
        "b": {"_id": "b", "id": "b"},
        "c": {"_id": "c", "c": "still mine"},
    }


async def test_edits_are_discarded_only_on_demand(browser: Browser, store: AsyncClient) -> None:
    await store.put("/stuff/a", json={"n": 1})
    page = await live(browser)
    discard = page.get_by_role("button", name="Discard changes")
    await page.locator("#items .id").click()
    await expect(page.locator("#text")).to_be_focused()
    await expect(discard).to_be_hidden()
    await page.locator("#text").fill('{"n": 2}')
    page.once("dialog", lambda dialog: dialog.dismiss())
    await discard.click()
    await has(page, '{"n": 2}')
    page.once("dialog", lambda dialog: dialog.accept())
    await discard.click()
    await has(page, '{\n  "_id": "a",\n  "n": 1\n}', "")
    await page.keyboard.press("Escape")
    await expect(page.locator("#drafts")).to_be_hidden()


async def test_a_draft_of_a_document_that_changed_is_shown_as_a_conflict(
    browser: Browser, store: AsyncClient
) -> None:
    for id in ("a", "b"):
        await store.put(f"/stuff/{id}", json={"n": 1})
    page = await live(browser)
    await edit(page, "a", '{"n": 2}')
    await edit(page, "b", '{"n": 2}')
    await page.keyboard.press("Escape")
    await store.put("/stuff/a", json={"n": 3})
    await store.delete("/stuff/b")
    await drafts(page).first.click()
    await expect(page.locator("#conflict-title")).to_have_text("Somebody changed this document.")
    await expect(page.locator("#text")).to_have_value('{"n": 2}')
    await drafts(page).first.click()
    await expect(page.locator("#conflict-title")).to_have_text("Somebody deleted this document.")
    await expect(page.locator("#text")).to_have_value('{"n": 2}')
    await page.get_by_role("button", name="Close it").click()
    await expect(drafts(page)).to_have_text(["a"])


async def test_what_is_typed_while_a_document_is_saved_stays(
    browser: Browser, store: AsyncClient
) -> None:
    await store.put("/stuff/a", json={"n": 1})
    page = await live(browser)
    await edit(page, "a", '{"n": 2}')

    async def type_on(route: Route) -> None:
        await page.locator("#text").fill('{"n": 3}')
        await route.continue_()

    await page.route("**/stuff/a", type_on, times=1)
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#notice")).to_have_text("Saved.")
    await has(page, '{"n": 3}')
    assert (await store.get("/stuff/a")).json()["n"] == 2

    async def leave(route: Route) -> None:
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="New", exact=True).click()
        await page.locator("#text").fill('{"new": true}')
        await route.continue_()

    await page.route("**/stuff/a", leave, times=1)
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#notice")).to_have_text("a is saved.")
    await has(page, '{"new": true}')
    await expect(page.locator("#drafts")).to_be_hidden()


async def test_closing_the_tab_asks_while_there_are_edits(
    browser: Browser, store: AsyncClient
) -> None:
    await store.put("/stuff/a", json={"n": 1})
    page = await live(browser)
    await edit(page, "a", '{"n": 2}')
    await page.keyboard.press("Escape")
    async with page.expect_event("dialog") as asked:
        await page.close(run_before_unload=True)
    dialog = await asked.value
    assert dialog.type == "beforeunload"
    await dialog.accept()
