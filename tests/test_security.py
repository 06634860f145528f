"""Who may do what: each route is closed until something is decided, keys open what they say."""

from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from httpx import ASGITransport, AsyncClient, Response

from service.application import create_app
from service.security import PUBLIC, decision_of, make_key
from service.settings import Settings
from service.web.access import guarded
from tests.support.applications import Application
from tests.support.commands import stuff_here

OPEN = {
    ("GET", "/"), ("GET", "/docs"), ("GET", "/docs/{name}"), ("GET", "/redoc"),
    ("GET", "/assets/{name:path}"), ("GET", "/collections.json"), ("HEAD", "/collections.json"),
    ("GET", "/problems/{slug}"), ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/openapi.json"),
    *(("HEAD", path) for path in ("/", "/docs", "/docs/{name}", "/redoc", "/assets/{name:path}")),
    *(("HEAD", path) for path in ("/problems/{slug}", "/healthz", "/readyz", "/openapi.json")),
}  # fmt: skip


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_every_route_declares_its_access() -> None:
    for route in create_app(Settings()).routes:
        if isinstance(route, APIRoute):
            assert decision_of(route.endpoint) is not None, route.path


def test_routes_are_guarded_once_however_many_applications_there_are() -> None:
    routes = [route for _ in range(3) for route in create_app(Settings()).routes]
    for route in routes:
        if isinstance(route, APIRoute) and decision_of(route.endpoint) != PUBLIC:
            assert not hasattr(route.app._app, "_decision")  # type: ignore[attr-defined]


async def test_without_a_key_every_route_but_the_public_ones_is_closed(
    application: Application,
) -> None:
    _, key = make_key(["read", "write"])
    async with application(api_keys=str(key)) as client:
        tried = set()
        for route in create_app(Settings()).routes:
            path = getattr(route, "path", "")
            for method in getattr(route, "methods", None) or ():
                response = await client.request(method, path.replace("{id:document_id}", "a"))
                if (method, path) in OPEN:
                    assert response.status_code not in (401, 403), (method, path)
                else:
                    assert response.status_code == 401, (method, path)
                    assert response.headers["www-authenticate"] == 'Bearer realm="stuff"'
                tried.add((method, path))
        assert tried >= OPEN
        assert len(tried) >= len(OPEN) + 11


@pytest.mark.parametrize("with_keys", [True, False])
async def test_a_route_without_a_declaration_is_closed_to_all(with_keys: bool) -> None:
    token, key = make_key(["read", "write"])
    router = APIRouter()

    @router.get("/forgotten")
    async def forgotten() -> str:
        return "secret"

    app = create_app(Settings(api_keys=str(key) if with_keys else None))
    [route] = router.routes
    assert isinstance(route, APIRoute)
    app.state.dispatcher.others.routes.append(guarded(route))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://localhost") as client:
        response = await client.get("/forgotten", headers=bearer(token))
        assert response.status_code == 403
        assert "secret" not in response.text


async def statuses(client: AsyncClient, headers: dict[str, str]) -> tuple[int, int, int]:
    """Of a read, of a write, and of a write to the collection."""
    put = await client.put("/stuff/a", json={"n": 1}, headers=headers)
    get = await client.get("/stuff/a", headers=headers)
    post = await client.post("/stuff", json={}, headers=headers)
    return get.status_code, put.status_code, post.status_code


async def test_a_key_allows_what_its_scopes_say(application: Application) -> None:
    made = {scopes: make_key(scopes.split(",")) for scopes in ("read", "write", "read,write")}
    lines = ";".join(str(key) for _, key in made.values())
    async with application(api_keys=lines) as client:
        assert await statuses(client, bearer(made["write"][0])) == (403, 201, 201)
        assert await statuses(client, bearer(made["read"][0])) == (200, 403, 403)
        assert await statuses(client, bearer(made["read,write"][0])) == (200, 200, 201)
        refused = await client.put("/stuff/a", json={}, headers=bearer(made["read"][0]))
        assert refused.json()["type"] == "/problems/forbidden"
        challenge = refused.headers["www-authenticate"]
        assert challenge == 'Bearer error="insufficient_scope", scope="write"'


async def test_an_invalid_key_allows_nothing(application: Application) -> None:
    token, key = make_key(["read", "write"])
    async with application(api_keys=str(key)) as client:
        for headers in (
            {},
            bearer(""),
            bearer("x"),
            bearer(token[:-1]),
            bearer(token + "x"),
            bearer(key.hash),
            bearer(str(key)),
            bearer(make_key(["read"])[0]),
            {"Authorization": token},
            {"Authorization": f"Basic {token}"},
            {"Authorization": "Bearer"},
            {"X-API-Key": token},
        ):
            assert await statuses(client, headers) == (401, 401, 401), headers
        response: Response = await client.get(f"/stuff/a?key={token}")
        assert response.status_code == 401
        assert response.json()["type"] == "/problems/unauthorized"
        assert await statuses(client, {"Authorization": f"bearer {token}"}) == (200, 201, 201)


async def test_a_file_of_keys_is_read_again_when_it_changes(
    application: Application,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("service.security.keys.CHECK_INTERVAL", 0)
    file = tmp_path / "keys"
    (first, first_key), (second, second_key) = make_key(["read"]), make_key(["read"])
    file.write_text(f"# keys\n{first_key}\n")
    async with application(api_keys_file=file) as client:

        async def opens(token: str) -> bool:
            response = await client.get("/stuff", headers=bearer(token))
            return response.status_code == 200

        assert (await opens(first), await opens(second)) == (True, False)
        file.write_text(f"{first_key}\n{second_key}\n")
        assert (await opens(first), await opens(second)) == (True, True)
        file.write_text(f"{second_key}\n")
        assert (await opens(first), await opens(second)) == (False, True)
        file.write_text(f"nonsense\n{first_key}\n")  # the bad line is left out, the rest counts
        assert (await opens(first), await opens(second)) == (True, False)
        assert caplog.text.count("line 1 is not a key") == 1
        file.unlink()
        assert (await opens(first), await opens(second)) == (False, False)
        assert caplog.text.count("cannot be read") == 1
        file.write_text("")
        assert (await opens(first), await opens(second)) == (False, False)


def test_without_a_key_it_listens_to_its_own_machine_only(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        refused = stuff_here("serve", "--host", host, "--port", "0", "--data-dir", data)
        assert refused.returncode == 2, host
        assert "no API key" in refused.stderr
        assert "--insecure" in refused.stderr
    wrong = stuff_here("serve", "--data-dir", data, STUFF_API_KEYS="nonsense")
    assert (wrong.returncode, "Traceback" in wrong.stderr) == (2, False)


@pytest.mark.parametrize(
    ("address", "status"),
    [("127.0.0.1", 200), ("[::1]", 200), ("[::ffff:127.0.0.1]", 200), ("192.0.2.1", 403)],
)
async def test_without_a_key_other_machines_are_refused_whatever_serves_the_application(
    settings: Settings, address: str, status: int
) -> None:
    app = create_app(settings)
    transport = ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=transport, base_url=f"http://{address}") as client,
    ):
        response = await client.get("/stuff")
        assert response.status_code == status
        assert (await client.get("/healthz")).status_code == 200
    if status == 403:
        assert "STUFF_INSECURE" in response.json()["detail"]
