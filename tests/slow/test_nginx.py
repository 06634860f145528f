"""Behind nginx, with TLS, at a path prefix: with the configuration that `deploy/` has."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import anyio
import httpx
import pytest
from playwright.async_api import expect

from service.security import make_key
from tests.support.browsing import chromium, execute
from tests.support.nginx import CERTIFICATE, nginx
from tests.support.patience import TIMEOUT
from tests.support.serving import Service, stuff, stuff_serve, wait_until

NDJSON = "application/x-ndjson"
LINES = 3_000

pytestmark = pytest.mark.xdist_group("browser")  # one at a time


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def service(directory: Path) -> Iterator[Service]:
    token, key = make_key(["read", "write"])
    with stuff_serve(
        directory / "data",
        stdout=directory / "log",
        STUFF_API_KEYS=str(key),
        STUFF_ROOT_PATH="/api",
        STUFF_FORWARDED_ALLOW_IPS="127.0.0.1",
        STUFF_MAX_URL_BYTES="50000",
        STUFF_ACCESS_LOG="true",
        STUFF_LOG_FORMAT="json",
    ) as service:
        service.http.headers["Authorization"] = f"Bearer {token}"
        yield service


@pytest.fixture(scope="module")
def proxy(service: Service, directory: Path) -> Iterator[httpx.Client]:
    with nginx(directory, service.base_url) as client:
        client.headers["Authorization"] = service.http.headers["Authorization"]
        yield client


@pytest.fixture
def client(proxy: httpx.Client) -> httpx.Client:
    """A client of nginx, and no documents."""
    assert proxy.delete("/api/stuff", params={"filter": "{}"}).is_success
    return proxy


def test_addresses_in_responses_lead_back_through_the_proxy(client: httpx.Client) -> None:
    for id in ("ada", "a/../b", "a//b", "%2F", "ä b?#&+", "/", ".hidden", "stuff/api/"):
        created = client.put(f"/api/stuff/{quote(id, safe='')}", json={"n": 1})
        assert created.status_code == 201, id
        assert client.get(created.headers["location"]).json() == {"_id": id, "n": 1}
    seen = []
    page = client.get("/api/stuff", params={"limit": 3})
    while "next" in page.links:
        seen += page.json()["items"]
        page = client.get(page.links["next"]["url"])
    assert len(seen + page.json()["items"]) == 8
    assert client.get("/api/stuff/none").json()["instance"] == "/api/stuff/none"
    [server] = client.get("/api/openapi.json").json()["servers"]
    assert client.get(f"{server['url']}/stuff/ada").status_code == 200


def test_only_the_prefix_leads_to_the_service(client: httpx.Client) -> None:
    assert client.get("/stuff").status_code == 404
    assert client.get("//api/stuff").status_code == 404
    assert client.get("/%61pi/stuff").status_code == 404
    moved = client.get("/api")
    assert (moved.status_code, moved.headers["location"]) == (308, "/api/")


def test_the_feed_is_live(client: httpx.Client, service: Service) -> None:
    events = {"Accept": "text/event-stream"}
    with client.stream("GET", "/api/stuff", headers=events) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = (line for line in response.iter_lines() if line.startswith("data:"))
        documents = (json.loads(line.removeprefix("data:"))["document"] for line in lines)
        written = (each for each in documents if each)  # a feed may begin with deletions just made
        for n in range(3):
            assert service.http.put("/stuff/a", json={"n": n}).is_success
            assert next(written) == {"_id": "a", "n": n}


def test_a_large_load_and_a_large_stream_pass(client: httpx.Client) -> None:
    def lines() -> Iterator[bytes]:
        for n in range(LINES):
            yield json.dumps({"_id": f"{n:05}", "text": "x" * 20_000}).encode() + b"\n"

    report = client.post("/api/stuff", content=lines(), headers={"Content-Type": NDJSON}).json()
    assert (report["lines"], report["created"], report["failed"]) == (LINES, LINES, 0)
    with client.stream("GET", "/api/stuff", headers={"Accept": NDJSON}) as response:
        ids = [json.loads(line)["_id"] for line in response.iter_lines()]
    assert ids == [f"{n:05}" for n in range(LINES)]


def test_the_limits_are_those_of_the_service(client: httpx.Client) -> None:
    long = {"filter": json.dumps({"_id": "x" * 45_000})}
    assert client.get("/api/stuff", params=long).json()["items"] == []
    problem = client.get("/api/stuff", params={"filter": "x" * 60_000}).json()
    assert problem["type"] == "/problems/url-too-long"
    text = "x" * 10_000_000
    assert client.put("/api/stuff/large", json={"text": text}).status_code == 201
    assert client.get("/api/stuff/large").json()["text"] == text


def test_the_service_knows_the_client_and_believes_nobody_else(
    client: httpx.Client, directory: Path
) -> None:
    headers = {"X-Forwarded-For": "192.0.2.1", "X-Request-ID": "from-another-address"}
    context = ssl.create_default_context(cafile=str(directory / CERTIFICATE))
    transport = httpx.HTTPTransport(verify=context, local_address="127.0.0.2")
    with httpx.Client(base_url=client.base_url, transport=transport, timeout=TIMEOUT) as other:
        assert other.get("/api/stuff", headers=headers).status_code == 401
    wait_until(lambda: "from-another-address" in (directory / "log").read_text())
    [line] = [
        json.loads(line)
        for line in (directory / "log").read_text().splitlines()
        if "from-another-address" in line
    ]
    assert (line["client"], line["route"]) == ("127.0.0.2", "/stuff")


def test_the_command_line_works(client: httpx.Client, directory: Path) -> None:
    environment = {
        "STUFF_URL": f"{str(client.base_url).rstrip('/')}/api",
        "STUFF_KEY": client.headers["Authorization"].removeprefix("Bearer "),
        "SSL_CERT_FILE": str(directory / CERTIFICATE),
    }
    file = directory / "documents.ndjson"
    file.write_text('{"_id": "a/b", "n": 1}\n{"_id": "c", "n": 2}\n')
    assert stuff("import", str(file), **environment).returncode == 0
    assert stuff("get", "a/b", **environment).stdout == '{"_id":"a/b","n":1}\n'
    assert stuff("export", "-", **environment).stdout.count("\n") == 2


async def test_the_pages_work(client: httpx.Client) -> None:
    origin = str(client.base_url).rstrip("/")
    headers = {"Authorization": client.headers["Authorization"]}
    options = {"ignore_https_errors": True, "extra_http_headers": headers}
    async with chromium(origin, **options) as browser:
        page = await browser.open("/api")
        await expect(page.locator("#live")).to_have_text("live")
        await page.get_by_role("button", name="New").click()
        await page.get_by_label("Id").fill("a/da & ?#%")
        await page.locator("#text").fill('{"n": 1}')
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#notice")).to_have_text("a/da & ?#% is created.")

        docs = await browser.open("/api/docs")
        await execute(docs, "put_document", "201")
        assert browser.faults == []
    items = await anyio.to_thread.run_sync(lambda: client.get("/api/stuff").json()["items"])
    assert [each["_id"] for each in items] == ["a/da & ?#%", "ada"]
