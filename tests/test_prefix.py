"""Behind a reverse proxy that removes a path prefix, addresses in responses have it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient
from prometheus_client import REGISTRY

from service.errors import ConfigurationError
from service.settings import Settings
from service.store.points import PointOperations
from tests.support.applications import live
from tests.support.patience import TIMEOUT


@pytest.fixture
async def proxied(settings: Settings) -> AsyncIterator[AsyncClient]:
    """Sends what a proxy sends that serves the service at /api/v1."""
    async with live(settings, root_path="/api/v1", max_requests=1) as client:
        yield client


async def test_addresses_in_responses_have_the_prefix(proxied: AsyncClient) -> None:
    created = await proxied.put("/stuff/a%2Fb", json={})
    assert created.headers["location"] == "/api/v1/stuff/a%2Fb"
    shown = {"Prefer": "return=representation"}
    posted = await proxied.post("/stuff", json={}, headers=shown)
    address = f"/api/v1/stuff/{posted.json()['_id']}"
    assert posted.headers["location"] == posted.headers["content-location"] == address
    page = await proxied.get("/stuff", params={"limit": 1})
    assert page.links["next"]["url"].startswith("/api/v1/stuff?limit=1&after=")
    document = (await proxied.get("/openapi.json")).json()
    assert [server["url"] for server in document["servers"]] == ["/api/v1"]


async def test_problems_name_the_address_that_the_client_used(proxied: AsyncClient) -> None:
    problem = (await proxied.get("/stuff/none")).json()
    assert problem["instance"] == "/api/v1/stuff/none"
    lines = {"Content-Type": "application/x-ndjson"}
    report = (await proxied.post("/stuff", content="[]", headers=lines)).json()
    assert report["errors"][0]["instance"] == "/api/v1/stuff"


async def test_an_id_may_begin_like_the_prefix(proxied: AsyncClient) -> None:
    assert (await proxied.put("/stuff/api/v1/stuff/a", json={"n": 1})).status_code == 201
    assert (await proxied.get("/stuff/api%2Fv1%2Fstuff%2Fa")).json()["_id"] == "api/v1/stuff/a"


async def test_probes_are_answered_under_load(
    proxied: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = asyncio.Event()
    get = PointOperations.get

    async def slow(self: PointOperations, id: str) -> Any:
        await goes_on.wait()
        return await get(self, id)

    monkeypatch.setattr(PointOperations, "get", slow)
    before = REGISTRY.get_sample_value("stuff_requests_in_flight") or 0.0
    first = asyncio.create_task(proxied.get("/stuff/a"))
    async with asyncio.timeout(TIMEOUT):
        while REGISTRY.get_sample_value("stuff_requests_in_flight") == before:
            await asyncio.sleep(0.01)
    refused = await proxied.get("/stuff/b")
    assert refused.json()["type"] == "/problems/overloaded"
    assert (await proxied.get("/healthz")).status_code == 200
    goes_on.set()
    assert (await first).status_code == 404


@pytest.mark.parametrize("prefix", ["api", "/", "/api/", "//", "/a b", "/../a", "/ü"])
def test_a_prefix_is_a_path_without_a_slash_at_its_end(prefix: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Settings(root_path=prefix)
    assert raised.value.setting == "root_path"


@pytest.mark.parametrize("proxies", ["localhost", "10.0.0.1/8", "10.0.0.1,", "*, 10.0.0.1"])
def test_proxies_are_named_by_address(proxies: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Settings(forwarded_allow_ips=proxies)
    assert raised.value.setting == "forwarded_allow_ips"


def test_proxies_may_be_addresses_and_networks() -> None:
    for proxies in ("", "*", "127.0.0.1", "::1, 10.0.0.0/8"):
        assert Settings(forwarded_allow_ips=proxies).forwarded_allow_ips == proxies
