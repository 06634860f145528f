"""Values of types that JSON lacks, stored by other programs, survive being edited on the page."""

import re
from datetime import UTC, datetime
from typing import Any

import bson
from bson import Binary, Decimal128, Int64, ObjectId, Regex, Timestamp
from httpx import AsyncClient
from playwright.async_api import Page, expect
from pymongo.collection import Collection

from service.documents.layout import METADATA_KEY
from tests.support.browsing import Browser, live

FIELDS: dict[str, Any] = {
    "born": datetime(1815, 12, 10, tzinfo=UTC),
    "seen": datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
    "owner": ObjectId("65f000000000000000000000"),
    "price": Decimal128("9.90"),
    "file": Binary(b"\x00\xff", 0),
    "uuid": Binary(bytes(16), 4),
    "numbers": [1, Int64(1), Int64(2**53 + 1), Int64(-(2**63)), 1.0, 1e300, -0.0, 0.1],
    "infinite": float("inf"),
    "pattern": Regex("^a", "i"),
    "time": Timestamp(1, 2),
    "text": '{"$numberInt":"1"} {"$date":{"$numberLong":"0"}}',
}


async def open_document(browser: Browser) -> Page:
    page = await live(browser, "/#/a")
    await expect(page.locator("#editor-title")).to_have_text("a")
    return page


async def test_saving_keeps_the_type_of_each_value(
    browser: Browser, store: AsyncClient, collection: Collection[Any]
) -> None:
    collection.insert_one({"_id": "a", **FIELDS})
    page = await open_document(browser)
    text = page.locator("#text")
    shown = await text.input_value()
    for readable in (
        '"$date": "1815-12-10T00:00:00.000Z"', '"$date": "2026-01-02T03:04:05.678Z"',
        '"$oid": "65f000000000000000000000"', '"$numberDecimal": "9.90"', "9007199254740993,",
        "1.0,", '{\n      "$numberLong": "1"\n    }',
    ):  # fmt: skip
        assert readable in shown
    await text.fill(shown.replace("{", '{"new": 1,', 1))
    await page.locator("#save").click()
    await expect(page.locator("#notice")).to_have_text("Saved.")
    stored = collection.find_one({"_id": "a"})
    assert stored is not None
    assert stored.pop(METADATA_KEY)["etag"]
    assert stored.pop("new") == 1
    assert bson.encode(stored) == bson.encode({"_id": "a", **FIELDS})
    # No change but its own was seen meanwhile.
    await expect(page.locator("#conflict")).to_be_hidden()


async def test_a_conflict_compares_such_values(
    browser: Browser, store: AsyncClient, collection: Collection[Any]
) -> None:
    collection.insert_one({"_id": "a", **FIELDS})
    page = await open_document(browser)
    text = page.locator("#text")
    await text.fill((await text.input_value()).replace("2026-01-02", "2027-01-02"))
    collection.update_one({"_id": "a"}, {"$set": {"price": Decimal128("10.00")}})
    await expect(page.locator("#difference").locator("dt")).to_have_text(
        ["/seen/$date", "/price/$numberDecimal"]
    )


async def test_a_draft_keeps_the_type_of_each_value(
    browser: Browser, store: AsyncClient, collection: Collection[Any]
) -> None:
    collection.insert_one({"_id": "a", **FIELDS})
    page = await open_document(browser)
    text = page.locator("#text")
    await text.fill((await text.input_value()).replace("{", '{"new": 1,', 1))
    await page.reload()
    await expect(text).to_have_value(re.compile('"new": 1'))
    await page.locator("#save").click()
    await expect(page.locator("#notice")).to_have_text("Saved.")
    stored = collection.find_one({"_id": "a"})
    assert stored is not None
    del stored[METADATA_KEY], stored["new"]
    assert bson.encode(stored) == bson.encode({"_id": "a", **FIELDS})


async def test_an_object_stays_one_although_somebody_deletes_the_document(
    browser: Browser, store: AsyncClient, collection: Collection[Any]
) -> None:
    await store.put("/stuff/a", json={"literal": {"$date": "2026-01-01T00:00:00Z"}})
    page = await open_document(browser)
    await page.locator("#text").fill('{"literal": {"$date": "2027-01-01T00:00:00Z"}}')
    await store.delete("/stuff/a")
    await page.locator("#mine").click()
    await page.reload()  # the draft is of the same type
    await page.locator("#save").click()
    await expect(page.locator("#notice")).to_have_text("a is created.")
    stored = collection.find_one({"_id": "a"})
    assert stored is not None
    assert stored["literal"] == {"$date": "2027-01-01T00:00:00Z"}


async def test_an_object_that_looks_like_a_type_stays_an_object(
    browser: Browser, store: AsyncClient, collection: Collection[Any]
) -> None:
    await store.put("/stuff/a", json={"literal": {"$date": "2026-01-01T00:00:00Z"}})
    page = await open_document(browser)
    await expect(page.locator("#notice")).to_contain_text("stored as objects")
    await page.locator("#text").fill('{"literal": {"$date": "2027-01-01T00:00:00Z"}}')
    await page.locator("#save").click()
    await expect(page.locator("#notice")).to_have_text("Saved.")
    stored = collection.find_one({"_id": "a"})
    assert stored is not None
    assert stored["literal"] == {"$date": "2027-01-01T00:00:00Z"}
