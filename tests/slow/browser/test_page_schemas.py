"""The page, for a collection with a schema: a table, a template, and faults at their places."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.support.browsing import Browser, Library, live

pytestmark = pytest.mark.xdist_group("browser")

NOTES: dict[str, Any] = {"author": {"name": "Ada"}, "year": 1843, "title": "Notes"}
FAULTY = """\
{
  "title": "",
  "year": 1200,
  "author": {
    "born": "1815",
    "died": 1852
  },
  "language": "la"
}"""
LINES = (2, 3, 4, 5, 6, 8)


def faults(page: Page) -> Locator:
    return page.locator("#faults button")


async def write(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.get_by_role("button", name="Save").click()


async def selected(page: Page) -> str:
    """What is selected in the editor, which has the focus."""
    text: str = await page.evaluate(
        """() => {
            const { value, selectionStart, selectionEnd } = document.activeElement;
            return value.slice(selectionStart, selectionEnd);
        }"""
    )
    return text


# --- The table


async def test_the_main_fields_are_columns(library: Library) -> None:
    browser, store = library
    more = {"language": "en", "pages": 7, "tags": ["a"], "isbn": "x"}
    await store.put("/books/a", json=NOTES | more)
    await store.put("/books/b", json=NOTES | {"title": 'A "quoted" \n title', "year": 2**60})
    page = await live(browser, "/#books/")
    table = page.get_by_role("table", name="Documents")
    await expect(table.get_by_role("columnheader")).to_have_text(
        ["_id", "title", "year", "language", "pages"]
    )
    await expect(table.locator("tbody td")).to_have_text(
        ["Notes", "1843", "en", "7", 'A "quoted" title', str(2**60), "", ""]
    )
    await store.put("/books/a", json=NOTES | {"title": "Changed"})
    await expect(table.locator("tr.changed td").first).to_have_text("Changed")


async def test_the_whole_row_opens_its_document(library: Library) -> None:
    browser, store = library
    await store.put("/books/a", json=NOTES)
    await store.put("/books/b", json=NOTES)
    page = await live(browser, "/#books/")
    await page.get_by_role("cell", name="Notes").last.click()
    await expect(page.locator("#editor-title")).to_have_text("b")
    await expect(page.locator("#items [aria-current]")).to_have_text("b")
    await page.get_by_role("button", name="a", exact=True).click()
    await expect(page.locator("#editor-title")).to_have_text("a")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="a", exact=True)).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("#editor-title")).to_have_text("b")


async def test_a_document_that_does_not_fit_is_shown_all_the_same(
    library: Library, mongo: Any, settings: Any
) -> None:
    browser, _ = library
    evil = '<img src=x onerror="document.title=1">'
    mongo[settings.database]["books"].insert_many(
        [{"_id": "a", "title": {evil: [evil]}, "year": None}, {"_id": 7, "title": evil}]
    )
    page = await live(browser, "/#books/")
    cells = page.locator("#items td")
    object = json.dumps({evil: [evil]}, separators=(",", ":"))
    await expect(cells).to_have_text([evil, "", "", "", object, "null", "", ""])
    await expect(page.get_by_role("button", name="7", exact=True)).to_be_disabled()
    await cells.first.click()  # it has no address
    await expect(page.locator("#editor")).to_be_hidden()
    assert await page.locator("main img").count() == 0
    await expect(page).to_have_title("books - Stuff")


async def test_the_table_fits_a_phone(library: Library) -> None:
    browser, store = library
    await store.put("/books/" + "a" * 80, json=NOTES | {"title": "x" * 300, "language": "en"})
    page = await live(browser, "/#books/")
    await expect(page.get_by_role("columnheader", name="language")).to_be_visible()
    await page.set_viewport_size({"width": 360, "height": 740})
    await expect(page.get_by_role("columnheader", name="title")).to_be_visible()
    await expect(page.get_by_role("columnheader", name="language")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


# --- A new document


async def test_a_new_document_starts_with_what_is_required(library: Library) -> None:
    browser, store = library
    page = await live(browser, "/#books/")
    await page.keyboard.press("n")
    text = page.locator("#text")
    await expect(text).to_have_value(
        '{\n  "author": {\n    "name": ""\n  },\n  "year": 0,\n  "title": ""\n}'
    )
    await expect(page.locator("#check")).to_have_text("")  # nothing is changed, nothing to discard
    await expect(page.get_by_role("button", name="Discard")).to_be_hidden()
    await page.get_by_label("Id").fill("a")
    filled = (await text.input_value()).replace('"year": 0', '"year": 1843')
    await write(page, filled.replace('"title": ""', '"title": "Notes"'))
    await expect(page.locator("#notice")).to_have_text("a is created.")
    stored = (await store.get("/books/a")).json()
    assert stored == {"_id": "a", "author": {"name": ""}, "year": 1843, "title": "Notes"}
    await page.get_by_label("Collection").select_option("notes")
    await page.keyboard.press("Escape")
    await page.locator("#new").click()
    await expect(text).to_have_value("{\n  \n}")


# --- Faults


async def test_faults_are_marked_at_their_places(library: Library) -> None:
    browser, store = library
    await store.put("/books/a", json=NOTES)
    page = await live(browser, "/#books/a")
    await expect(page.locator("#editor-title")).to_have_text("a")
    await write(page, FAULTY)
    await expect(faults(page)).to_have_text([re.compile(f"^Line {n}: ") for n in LINES])
    # The object that lacks a field is where it is to be added.
    lacks = faults(page).filter(has_text='"name"')
    await expect(lacks).to_have_text('Line 4: The field "name" is missing. (at /author)')
    marked = page.locator("#marks mark")
    lines = FAULTY.split("\n")
    await expect(marked).to_have_text([lines[n - 1].strip() for n in LINES])
    await expect(page.locator("#marks u")).to_have_text(
        ['""', "1200", "{", '"1815"', "1852", '"la"']
    )
    await expect(page.locator("#text")).to_have_attribute("aria-invalid", "true")
    first = await faults(page).first.inner_text()
    await expect(page.locator("#check")).to_have_text(f"{first} (1 of 6 faults)")
    await expect(page.locator("#text")).to_be_focused()
    assert await selected(page) == '""'
    await faults(page).filter(has_text="/language").click()
    assert await selected(page) == '"la"'


async def test_marks_follow_the_text_until_it_is_saved(library: Library) -> None:
    browser, store = library
    await store.put("/books/a", json=NOTES)
    page = await live(browser, "/#books/a")
    await expect(page.locator("#editor-title")).to_have_text("a")
    await write(page, '{"title": "Notes", "year": true, "author": {"name": "Ada"}}')
    await expect(faults(page)).to_have_text(["Line 1: Give an integer. (at /year)"])
    assert await selected(page) == "true"
    await page.locator("#text").fill('{"title": "Notes",\n\n"year": 18, "author": {"name": "A')
    await expect(faults(page)).to_have_text(["Line 3: Give an integer. (at /year)"])
    await expect(page.locator("#marks u")).to_have_text("18")
    await write(page, '{"title": "Notes", "year": 1843, "author": {"name": "Ada"}}')
    await expect(page.locator("#notice")).to_have_text("Saved.")
    await expect(faults(page)).to_have_count(0)
    await expect(page.locator("#marks")).to_be_empty()
    await expect(page.locator("#text")).not_to_have_attribute("aria-invalid", "true")


async def test_marks_go_with_the_document(library: Library) -> None:
    browser, store = library
    for id in ("a", "b"):
        await store.put(f"/books/{id}", json=NOTES)
    page = await live(browser, "/#books/a")
    await expect(page.locator("#editor-title")).to_have_text("a")
    await write(page, "{}")
    await expect(faults(page)).to_have_count(3)
    await expect(page.locator("#marks mark")).to_have_text("{}")  # once for all three
    await page.evaluate("location.hash = '#books/b'")
    await expect(page.locator("#editor-title")).to_have_text("b")
    await expect(faults(page)).to_have_count(0)
    await expect(page.locator("#marks")).to_be_empty()


async def test_a_fault_below_what_is_seen_is_scrolled_to(library: Library) -> None:
    browser, _ = library
    page = await live(browser, "/#books/")
    await page.keyboard.press("n")
    tags = [f"{n} {'long ' * 40}" for n in range(60)]
    await write(page, json.dumps({**NOTES, "tags": tags, "isbn": 7}, indent=2))
    await expect(faults(page)).to_have_count(1)
    assert await selected(page) == "7"
    # The mark is where the text is: both are wrapped alike.
    places = await page.evaluate(
        """() => {
            const [text, marks] = ['text', 'marks'].map((id) => document.getElementById(id));
            const { offsetTop, offsetHeight } = marks.querySelector('mark');
            return [text.scrollTop, marks.scrollTop, text.scrollHeight, marks.scrollHeight,
                    offsetTop - text.scrollTop, text.clientHeight - offsetHeight];
        }"""
    )
    assert places[0] == places[1] > 0
    assert abs(places[2] - places[3]) <= 32  # there is an empty line behind the last
    assert 0 <= places[4] <= places[5]


async def test_other_faults_of_a_document_are_marked_too(browser: Browser) -> None:
    page = await live(browser)
    await page.keyboard.press("n")
    await write(page, '{\n  "a": {\n    "b": 18446744073709551616\n  }\n}')
    await expect(page.locator("#marks u")).to_have_text("18446744073709551616")
    await expect(page.locator("#check")).to_contain_text("Line 3: ")
    assert await selected(page) == "18446744073709551616"


def pointers(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    yield pointer, value
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for name, member in members:
        step = str(name).replace("~", "~0").replace("/", "~1")
        yield from pointers(member, f"{pointer}/{step}")


async def places(browser: Browser, text: str, pointers: list[str]) -> list[tuple[str, str]]:
    """What is marked for each pointer, and the text from there on."""
    page = await browser.open()
    found: list[tuple[str, str]] = await page.evaluate(
        """async ([text, pointers]) => {
            const { placeOf } = await import('/assets/page/places.js');
            return pointers.map((pointer) => {
                const { start, end } = placeOf(text, pointer);
                return [text.slice(start, end), text.slice(start)];
            });
        }""",
        [text, pointers],
    )
    await page.close()
    return found


async def test_each_pointer_leads_to_its_value(browser: Browser) -> None:
    document = {
        "a": {"a": {"b": "}]"}, "b": [1, [2, {"": True}], []]},
        "b": {"a": 1, "b": {"x/y": {"~1": None}, '"': '\\"'}},
        "x/y": -1.5e-7, "0": ["\\", "{", {"a": {}}], "ü": "😀", "": {"": ""}, "~": "~1",
    }  # fmt: skip
    for indent in (None, 2):
        text = json.dumps(document, indent=indent)
        paths = list(pointers(document))
        found = await places(browser, text, [pointer for pointer, _ in paths])
        for (pointer, value), (marked, rest) in zip(paths, found, strict=True):
            decoded, _ = json.JSONDecoder().raw_decode(rest)
            assert decoded == value, pointer
            assert marked in (json.dumps(value), "{", "["), pointer


async def test_a_pointer_that_leads_nowhere_leads_to_what_is_above(browser: Browser) -> None:
    for text, pointer, expected in (
        ('{"a": {"b": 1}, "c": 2}', "/a/x", "{"),
        ('{"a": [1, 2]}', "/a/7", "["),
        ('{"a": 1}', "/a/b", "1"),
        ('{"a": {"x": {"b": 1}}, "b": 2}', "/a/b", "{"),
        ('{"a": 1, "a": 2}', "/a", "1"),
        ('{"b": {"c": 5}, "a" 1 {"c": 6}', "/b/c", "5"),  # somebody is typing
        ('{"a": {"b": "unfinished', "/a/b", "unfinished"),
        ('{a: 1, "b": 2', "/b", "2"),
        ("]", "/a", ""),
        (", 1 }", "/a", "1"),
        ("", "", ""),
    ):
        [(marked, _)] = await places(browser, text, [pointer])
        assert marked == expected, (text, pointer)
