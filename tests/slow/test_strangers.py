"""Pages of strangers in a real browser, beside a service without keys on the same machine."""

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest
from httpx import AsyncClient
from playwright.async_api import Page, async_playwright, expect

from service.settings import Settings
from tests.support.applications import listen
from tests.support.browsing import executable
from tests.support.clients import connect
from tests.support.http_servers import QuietHandler, http_server
from tests.support.patience import TIMEOUT

PAGE = b"<!doctype html><title>A page of a stranger</title>"
SEND = """
async ([url, options]) => {
    try {
        const response = await fetch(url, {...options, body: new Blob(['{"n": 1}'])});
        return `${response.type} ${response.status}`;
    } catch (error) {
        return "refused";
    }
}
"""
SUBMIT = """
(url) => {
    const form = Object.assign(document.createElement("form"), {
        method: "POST", action: url, enctype: "text/plain",
    });
    const field = {name: '{"n": 1, "x": "', value: '"}'};
    form.append(Object.assign(document.createElement("input"), field));
    document.body.append(form);
    form.submit();
}
"""


@pytest.fixture
def stranger() -> Iterator[int]:
    """The port of a stranger's server, which has an empty page."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE)

    with http_server(Handler) as port:
        yield port


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A window of a browser, for which all of `.example` is this machine."""
    path = executable()
    arguments = [
        "--no-sandbox",
        "--host-resolver-rules=MAP *.example 127.0.0.1",
        # Browsers begin to protect local services themselves. Here only the service does.
        "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
    ]
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=path, args=arguments)
        try:
            page = await browser.new_page()
            page.set_default_timeout(1000 * TIMEOUT)
            yield page
        finally:
            await browser.close()


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[AsyncClient]:
    async with listen(settings) as url, connect(url) as client:
        assert (await client.put("/stuff/a", json={"secret": 1})).status_code == 201
        yield client


@pytest.mark.parametrize("host", ["evil.example", "evil.localhost", "127.0.0.1", "localhost"])
async def test_a_page_of_a_stranger_neither_writes_nor_reads(
    service: AsyncClient, page: Page, stranger: int, host: str
) -> None:
    url = str(service.base_url).rstrip("/")
    await page.goto(f"http://{host}:{stranger}/")
    for mode in ("cors", "no-cors"):
        sent = await page.evaluate(SEND, [f"{url}/stuff", {"method": "POST", "mode": mode}])
        assert sent == ("refused" if mode == "cors" else "opaque 0")
    for method in ("PUT", "DELETE"):
        sent = await page.evaluate(SEND, [f"{url}/stuff/a", {"method": method}])
        assert sent == "refused"
    async with page.expect_response(f"{url}/stuff") as answer:
        await page.evaluate(SUBMIT, f"{url}/stuff")
    assert (await answer.value).status == 403
    items = (await service.get("/stuff")).json()["items"]
    assert items == [{"_id": "a", "secret": 1}]


async def test_a_name_that_is_made_to_resolve_to_this_machine_shows_nothing(
    service: AsyncClient, page: Page
) -> None:
    origin = f"http://rebound.example:{urlsplit(str(service.base_url)).port}"
    for path in ("/", "/stuff/a"):
        response = await page.goto(origin + path)
        assert response is not None
        assert response.status == 403
        assert "secret" not in await response.text()
    # The name led to the stranger's server when the page was loaded.
    await page.route(origin + "/page", lambda route: route.fulfill(body=PAGE.decode()))
    await page.goto(origin + "/page")
    assert "secret" not in await page.evaluate("fetch('/stuff/a').then((found) => found.text())")
    for method in ("PUT", "DELETE"):
        sent = await page.evaluate(SEND, ["/stuff/a", {"method": method}])
        assert sent == "basic 403"
    assert (await service.get("/stuff/a")).json() == {"_id": "a", "secret": 1}


async def test_a_link_of_a_stranger_leads_to_a_page_that_works(
    service: AsyncClient, page: Page, stranger: int
) -> None:
    await page.goto(f"http://evil.example:{stranger}/")
    async with page.expect_navigation():
        await page.evaluate("(url) => { location.href = url; }", str(service.base_url))
    await expect(page.locator("#live")).to_have_text("live")
    sent = await page.evaluate(SEND, ["/stuff", {"method": "POST"}])
    assert sent == "basic 201"
