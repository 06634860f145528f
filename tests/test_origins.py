"""A service without keys serves its own machine, and not the web pages that are open on it."""

import json
from typing import Any

import pytest
from httpx import AsyncClient

from service.application import create_app
from service.security import loopback, make_key
from service.security.loopback import MAX_HOST_BYTES, names_this_machine
from service.settings import Settings
from service.web.origins import OriginMiddleware
from tests.support.applications import Application, listen
from tests.support.problems import assert_problem
from tests.support.raw import Connection

PAGE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
BODY = b'{"n": 1}'
PUBLIC = [
    "/",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/collections.json",
    "/assets/favicon.svg",
    "/problems/forbidden",
]
EVERYWHERE = [*PUBLIC, "/stuff", "/stuff/a", "/metrics", "/nothing"]


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:8000", "localhost.", "app.localhost:80", "127.0.0.1", "127.8.9.1:8000",
     "[::1]", "[::1]:8000", "[::ffff:127.0.0.1]:8000"],
)  # fmt: skip
def test_names_that_lead_to_this_machine_only(host: str) -> None:
    assert names_this_machine(host.encode())


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil-localhost", "notlocalhost", "127.0.0.1.nip.io",
     "0.0.0.0:8000", "192.0.2.1", "[2001:db8::1]", "[::]", "[localhost]", "::1", "127.1", "",
     "localhost:x", "localhost:8000@evil.example", "localhost,evil.example", "localhost evil",
     ".localhost@x", "2130706433", "\xe9", "[::1", "localhost" + "." * 400],
)  # fmt: skip
def test_names_that_may_lead_anywhere(host: str) -> None:
    assert not names_this_machine(host.encode("latin-1"))


def test_a_long_host_is_not_kept() -> None:
    kept = loopback._names_this_machine.cache_info().currsize
    assert not names_this_machine(b"x" * (MAX_HOST_BYTES + 1))
    assert loopback._names_this_machine.cache_info().currsize == kept


async def test_a_name_that_a_stranger_lets_resolve_to_this_machine_reaches_nothing(
    client: AsyncClient,
) -> None:
    await client.put("/stuff/a", json={"secret": 1})
    for path in EVERYWHERE:
        refused = await client.get(path, headers={"Host": "evil.example:8000"})
        assert_problem(refused, 403, "local-only")
        assert "secret" not in refused.text
    rebound = {"Host": "evil.example", "Origin": "http://evil.example"}
    assert_problem(await client.delete("/stuff/a", headers=rebound), 403, "local-only")
    assert (await client.get("/stuff/a")).status_code == 200
    for path in ("/healthz", "/readyz"):
        assert (await client.get(path, headers=rebound)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        PAGE,
        {"Origin": "https://evil.example"},  # of a browser without fetch metadata
        {"Origin": "null", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},  # a form
        {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"},  # another server's page
        {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "Cross-Site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},  # another port of localhost
    ],
    ids=str,
)
async def test_web_pages_of_strangers_write_nothing(
    client: AsyncClient, headers: dict[str, str]
) -> None:
    await client.put("/stuff/a", json={})
    for kind in ({}, {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}):
        refused = await client.post("/stuff", content=BODY, headers=headers | kind)
        assert_problem(refused, 403, "local-only")
    for method in ("PUT", "PATCH", "DELETE"):
        refused = await client.request(method, "/stuff/a", content=BODY, headers=headers)
        assert_problem(refused, 403, "local-only")
    assert (await client.get("/stuff")).json()["items"] == [{"_id": "a"}]


async def test_web_pages_of_strangers_load_nothing(client: AsyncClient) -> None:
    script = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    for path in EVERYWHERE:
        for headers in (PAGE, script):
            assert_problem(await client.get(path, headers=headers), 403, "local-only")
        assert (await client.head(path, headers=script)).status_code == 403
    assert (await client.get("/healthz", headers=PAGE)).status_code == 200


async def test_links_from_anywhere_lead_here(client: AsyncClient) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    await client.put("/stuff/a", json={})
    for path in (*PUBLIC, "/stuff", "/stuff/a"):
        assert (await client.get(path, headers=link)).status_code == 200
    assert_problem(await client.post("/stuff", content=BODY, headers=link), 403, "local-only")


async def test_our_own_pages_and_other_programs_do_everything(client: AsyncClient) -> None:
    origins: list[dict[str, str]] = [
        {},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
        {"Host": "[::1]:8000", "Origin": "http://[::1]:8000", "Sec-Fetch-Site": "same-origin"},
        {"Host": "localhost", "Origin": "https://localhost"},  # through TLS
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},  # typed
    ]
    for headers in origins:
        assert (await client.get("/docs", headers=headers)).status_code == 200
        assert (await client.put("/stuff/a", json={}, headers=headers)).status_code in (200, 201)
        assert (await client.get("/stuff", headers=headers)).status_code == 200
        assert (await client.delete("/stuff/a", headers=headers)).status_code == 204


async def test_the_origins_of_the_settings_are_no_strangers(application: Application) -> None:
    async with application(cors_origins="https://evil.example, https://b.example") as client:
        response = await client.post("/stuff", content=BODY, headers=PAGE)
        assert response.status_code == 201
        other = PAGE | {"Origin": "https://c.example"}
        refused = await client.post("/stuff", content=BODY, headers=other)
        assert_problem(refused, 403, "local-only")
        image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
        assert (await client.get("/stuff", headers=image)).status_code == 403
    async with application(cors_origins="*") as client:
        assert (await client.post("/stuff", content=BODY, headers=PAGE)).status_code == 201
        refused = await client.get("/stuff", headers={"Host": "evil.example"})
        assert_problem(refused, 403, "local-only")


async def test_with_keys_or_insecure_every_name_and_origin_is_served(
    application: Application,
) -> None:
    token, key = make_key(["read", "write"])
    headers = PAGE | {"Host": "store.example", "Authorization": f"Bearer {token}"}
    for settings in ({"insecure": True}, {"api_keys": str(key)}):
        async with application(**settings) as client:
            assert (await client.post("/stuff", content=BODY, headers=headers)).status_code == 201
            assert (await client.get("/", headers=headers)).status_code == 200


async def test_probes_are_answered_under_any_name_behind_a_prefix(settings: Settings) -> None:
    changed = Settings(**(settings.model_dump() | {"root_path": "/api"}))
    async with listen(changed) as url, AsyncClient(base_url=url) as client:
        assert (await client.get("/healthz", headers={"Host": "10.1.2.3"})).status_code == 200
        assert (await client.get("/stuff", headers={"Host": "10.1.2.3"})).status_code == 403


async def test_over_a_real_connection(live_client: AsyncClient) -> None:
    host = live_client.base_url.netloc.decode()
    post = f"POST /stuff HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(BODY)}\r\n"
    async with Connection(live_client) as connection:
        for field in ("Origin: https://evil.example", "ORIGIN: null"):
            refused = await connection.request(f"{post}{field}\r\n\r\n".encode() + BODY)
            assert refused.status_code == 403
            assert json.loads(refused.content)["type"] == "/problems/local-only"
        own = await connection.request(f"{post}Origin: http://{host}\r\n\r\n".encode() + BODY)
        assert own.status_code == 201
        old = await connection.request(b"GET /stuff HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert len(old.json()["items"]) == 1


def test_a_service_with_keys_does_not_check() -> None:
    _, key = make_key(["read"])
    for settings, checks in ((Settings(), True), (Settings(api_keys=str(key)), False)):
        classes: list[Any] = [each.cls for each in create_app(settings).user_middleware]
        assert (OriginMiddleware in classes) is checks
