"""What the page does when a document changes while somebody edits it."""

import json

from httpx import AsyncClient
from playwright.async_api import Page, expect

from tests.support.browsing import Browser, live
from tests.support.patience import patient

MODULES = "/assets/page"


async def shows(page: Page, *lines: str) -> None:
    await expect(page.locator("#difference").locator("dt, dd")).to_have_text(list(lines))


async def edit(browser: Browser, text: str) -> Page:
    """The document `a` is open, and has this text, which is not saved."""
    page = await live(browser, "/#/a")
    await expect(page.locator("#editor-title")).to_have_text("a")
    await page.locator("#text").fill(text)
    return page


async def test_a_conflict_shows_which_values_differ(browser: Browser, store: AsyncClient) -> None:
    await store.put("/stuff/a", json={"x": 1, "tags": ["p", "q", "r"], "same": {"deep": [1, 2]}})
    page = await edit(
        browser, '{"same":{"deep":[1,2]},"tags":["p","r"],"x":9007199254740993,"a/b":true}'
    )
    await store.put(
        "/stuff/a", json={"x": 9007199254740992, "tags": ["p", "q", "r"], "same": {"deep": [1, 2]}}
    )
    await shows(
        page,
        "/x", "theirs 9007199254740992", "yours 9007199254740993",
        "/tags/1", 'theirs "q"', "yours nothing",
        "/a~1b", "theirs nothing", "yours true",
    )  # fmt: skip
    await page.locator("#text").fill('{"x": 9007199254740992, "tags": ["p", "q", "r"]}')
    await shows(page, "/same", 'theirs {"deep": [1, 2]}', "yours nothing")  # as it is typed
    await page.locator("#text").fill("{")
    await store.put("/stuff/a", json={"x": 2})
    await shows(page, "the document", 'theirs {"_id": "a", "x": 2}', "yours nothing")


PAIRS = [
    ('{"s": "é", "f": 100.0}', '{"s": "\\u00e9", "f": 1e2}', []),
    ('{"n": 1}', '{"n": 1.0}', ["/n"]),
    ('{"a": 1, "b": {"c": 1, "d": 2}}', '{"a": 1, "b": {"d": 2, "c": 1}}', ["/b"]),
    ('{"l": [{"n": 1}, {"n": 2}]}', '{"l": [{"n": 0}, {"n": 1}, {"n": 2}]}', ["/l/0"]),
    ('{"l": [[1, 2], [3]], "~": null}', '{"l": [[1, 4], [3]]}', ["/l/0/1", "/~0"]),
    ('{"a": {}}', '{"a": []}', ["/a"]),
    ('{"a": "1"}', '{"a": 1}', ["/a"]),
    ('{"_id": "a", "\\"": 1}', '{ "\\u0022" : 2 }', ['/"']),
]


async def test_values_are_compared_not_texts(browser: Browser) -> None:
    page = await browser.open()
    found = await page.evaluate(
        f"""async (pairs) => {{
            const {{ compared }} = await import('{MODULES}/conflict.js');
            return pairs.map(([theirs, mine]) => compared(theirs, mine).map((at) => at.pointer));
        }}""",
        PAIRS,
    )
    assert found == [pointers for _, _, pointers in PAIRS]


async def test_large_documents_are_compared_at_once(browser: Browser) -> None:
    items = [{"n": n, "name": f"item {n}", "deep": {"a": [n, n / 2]}} for n in range(30_000)]
    theirs, mine = (json.dumps({"_id": "a", "first": n, "items": items}) for n in (1, 2))
    mine = mine.replace('"name": "item', '"name": "thing')
    assert len(mine) > 2_000_000
    page = await browser.open()
    [count, seconds] = await page.evaluate(
        f"""async ([theirs, mine]) => {{
            const {{ compared }} = await import('{MODULES}/conflict.js');
            const start = performance.now();
            return [compared(theirs, mine).length, (performance.now() - start) / 1000];
        }}""",
        [theirs, mine],
    )
    assert count == 30_001
    assert seconds < patient(4.0)


async def test_after_a_deletion_the_buttons_say_what_they_do(
    browser: Browser, store: AsyncClient
) -> None:
    await store.put("/stuff/a", json={"n": 1})
    page = await edit(browser, '{"n": "mine"}')
    await store.delete("/stuff/a")
    await expect(page.get_by_role("alert")).to_contain_text("Somebody deleted this document.")
    await page.get_by_role("button", name="Keep mine, to be created again").click()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#notice")).to_have_text("a is created.")
    assert (await store.get("/stuff/a")).json()["n"] == "mine"

    await store.delete("/stuff/a")
    await page.get_by_role("button", name="Close it: it stays deleted").click()
    await expect(page.locator("#editor")).to_be_hidden()
    assert (await store.get("/stuff/a")).status_code == 404


async def test_a_conflict_does_not_take_the_focus_from_somebody_who_types(
    browser: Browser, store: AsyncClient
) -> None:
    await store.put("/stuff/a", json={"n": 1})
    page = await edit(browser, '{"n": "mine"}')
    await store.put("/stuff/a", json={"n": "theirs"})
    await expect(page.locator("#conflict")).to_be_visible()
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.press("Control+s")
    await expect(page.locator("#conflict-title")).to_be_focused()
    await expect(page.locator("#check")).to_have_text("Changed, and not saved.")
    assert (await store.get("/stuff/a")).json()["n"] == "theirs"


async def test_a_write_whose_answer_was_lost_is_no_conflict(
    browser: Browser, store: AsyncClient
) -> None:
    await store.put("/stuff/a", json={"n": 1})
    page = await edit(browser, '{"n": 2, "f": 1e3}')
    await store.put("/stuff/a", json={"n": 2, "f": 1000.0})
    await expect(page.locator("#notice")).to_have_text("Saved.")
    await expect(page.locator("#conflict")).to_be_hidden()
    await expect(page.locator("#text")).to_have_value('{"n": 2, "f": 1e3}')
