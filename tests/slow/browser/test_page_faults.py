"""What the page says and does when the server or the network fails."""

import json
from collections.abc import Awaitable, Callable

import pytest
from httpx import AsyncClient
from playwright.async_api import Page, Route, expect

from tests.support.browsing import Browser, live, see

PROBLEM = "application/problem+json"


async def answer(route: Route, status: int, problem: dict[str, object] | None) -> None:
    if problem is None:
        await route.fulfill(status=status, content_type="text/html", body="<h1>nginx</h1>")
    else:
        await route.fulfill(status=status, content_type=PROBLEM, body=json.dumps(problem))


def answering(status: int, problem: dict[str, object] | None) -> Callable[[Route], Awaitable[None]]:
    async def handle(route: Route) -> None:
        await answer(route, status, problem)

    return handle


@pytest.fixture
async def page(browser: Browser, store: AsyncClient) -> Page:
    """The document `a` is open, and changed."""
    await store.put("/stuff/a", json={"n": 1})
    page = await live(browser, "/#/a")
    await expect(page.locator("#editor-title")).to_have_text("a")
    await page.locator("#text").fill('{"n": 2}')
    return page


async def save(page: Page) -> None:
    await page.get_by_role("button", name="Save").click()


async def test_each_failure_of_a_save_is_explained(page: Page) -> None:
    failures: list[tuple[int, dict[str, object] | None, str]] = [
        (403, {"detail": "This needs the scope 'write'."}, "This needs the scope 'write'."),
        (413, None, "This is too large. (413)"),
        (422, {"detail": "Too deep.", "pointer": "/n"}, "Too deep. (at /n)"),
        (422, {"errors": [{"detail": "Bad.", "pointer": "/n"}]}, "Bad. (at /n)"),
        (500, {"detail": "It failed."}, "It failed."),
        (502, None, "cannot be reached. Try again in a moment. (502) This may have been done"),
        (503, {"detail": "No primary."}, "No primary. This may have been done all the same."),
        (504, None, "took too long"),
    ]
    for status, problem, words in failures:
        await page.route("**/stuff/a", answering(status, problem), times=1)
        await save(page)
        await expect(page.locator("#check")).to_contain_text(words)
        await expect(page.locator("#text")).to_have_value('{"n": 2}')
    await save(page)
    await expect(page.locator("#notice")).to_have_text("Saved.")


async def test_a_save_ends_although_what_others_wrote_cannot_be_read(page: Page) -> None:
    async def fail(route: Route) -> None:
        status = 412 if route.request.method == "PUT" else 503
        await answer(route, status, {"detail": "No primary."})

    await page.route("**/stuff/a", fail, times=2)
    await save(page)
    await expect(page.locator("#check")).to_have_text("No primary.")
    await save(page)
    await expect(page.locator("#notice")).to_have_text("Saved.")


async def test_while_offline_nothing_is_lost(
    browser: Browser, page: Page, store: AsyncClient
) -> None:
    await page.context.set_offline(True)
    await save(page)
    await expect(page.locator("#check")).to_contain_text("You are offline.")
    await expect(page.locator("#live")).to_have_text("offline")
    await store.put("/stuff/b", json={})
    await page.context.set_offline(False)
    await expect(page.locator("#live")).to_have_text("live")
    await page.get_by_role("button", name="There are new documents").click()
    await save(page)
    await expect(page.locator("#notice")).to_have_text("Saved.")
    browser.faults = [fault for fault in browser.faults if "ERR_" not in fault]


async def test_the_list_is_loaded_as_soon_as_the_server_can(
    browser: Browser, store: AsyncClient
) -> None:
    await store.put("/stuff/a", json={})
    page = await browser.open("/healthz")
    problem: dict[str, object] = {"detail": "The database does not answer."}
    await page.route("**/stuff?*", answering(503, problem), times=1)
    await page.goto(page.url.removesuffix("/healthz") + "/#/a")
    await expect(page.get_by_role("alert")).to_have_text("The database does not answer.")
    await expect(page.locator("#items .id")).to_have_text("a")
    await expect(page.locator("#editor-title")).to_have_text("a")
    await expect(page.locator("#notice")).to_be_hidden()


async def test_a_document_is_created_once_although_its_answer_was_lost(
    browser: Browser, store: AsyncClient
) -> None:
    page = await live(browser)
    await page.keyboard.press("n")
    await page.locator("#text").fill('{"n": 1}')

    async def lose(route: Route) -> None:
        if route.request.method in {"PUT", "POST"}:
            await route.fetch()
            await answer(route, 503, {"detail": "Unknown."})
        else:
            await route.continue_()

    await page.route("**/stuff/*", lose, times=1)
    await save(page)
    await expect(page.locator("#check")).to_contain_text("may have been done")
    await save(page)
    await expect(page.locator("#notice")).to_contain_text("is created.")
    [stored] = (await store.get("/stuff")).json()["items"]
    assert stored == {"_id": await page.locator("#editor-title").inner_text(), "n": 1}


async def test_a_tab_that_nobody_sees_follows_no_feed(browser: Browser, store: AsyncClient) -> None:
    page = await live(browser)
    await see(page, False)
    await expect(page.locator("#live")).to_have_text("reconnecting")
    await store.put("/stuff/a", json={})
    async with page.expect_request(lambda request: "last-event-id" in request.headers):
        await see(page, True)
    await expect(page.locator("#live")).to_have_text("live")
    await page.get_by_role("button", name="There are new documents").click()
    await expect(page.locator("#items .id")).to_have_text("a")


async def test_a_feed_that_has_forgotten_the_page_is_followed_anew(
    browser: Browser, store: AsyncClient
) -> None:
    page = await live(browser)
    gone = 'event: gone\nid:\ndata: {"status": 410}\n\n'
    await page.route(
        "**/stuff",
        lambda route: route.fulfill(content_type="text/event-stream", body=gone),
        times=1,
    )
    await see(page, False)
    await store.put("/stuff/a", json={"n": 1})
    await see(page, True)
    await page.get_by_role("button", name="There may be changes").click()
    await expect(page.locator("#live")).to_have_text("live")
    await expect(page.locator("#items .id")).to_have_text("a")
    await store.put("/stuff/a", json={"n": 2})
    await expect(page.locator("#items .preview")).to_have_text('{"n":2}')


async def test_a_database_without_a_feed_is_not_asked_again(
    browser: Browser, store: AsyncClient
) -> None:
    page = await browser.open("/healthz")
    asked = []

    async def refuse(route: Route) -> None:
        asked.append(route)
        await answer(route, 501, {"detail": "No change streams."})

    await page.route("**/stuff", refuse)
    await page.clock.install()
    await page.goto(page.url.removesuffix("/healthz"))
    await expect(page.locator("#live")).to_have_text("not live")
    await page.clock.run_for(120_000)
    assert len(asked) == 1


async def test_a_deletion_whose_answer_was_lost_is_one(page: Page, store: AsyncClient) -> None:
    async def lose(route: Route) -> None:
        await store.delete("/stuff/a")
        await answer(route, 503, {"detail": "Unknown."})

    page.on("dialog", lambda dialog: dialog.accept())
    await page.route("**/stuff/a", lose, times=1)
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.locator("#notice")).to_contain_text("may have been done")
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.locator("#notice")).to_have_text("a is deleted.")
    await expect(page.locator("#editor")).to_be_hidden()
    await expect(page.locator("#drafts")).to_be_hidden()


async def test_a_document_that_could_not_be_opened_can_be_chosen_again(
    browser: Browser, store: AsyncClient
) -> None:
    await store.put("/stuff/a", json={})
    page = await live(browser)
    await page.route("**/stuff/a", answering(503, {"detail": "No primary."}), times=1)
    await page.locator("#items .id").click()
    await expect(page.get_by_role("alert")).to_have_text("No primary.")
    await page.locator("#items .id").click()
    await expect(page.locator("#editor-title")).to_have_text("a")
    await expect(page.locator("#notice")).to_be_hidden()
