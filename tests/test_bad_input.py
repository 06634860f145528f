"""Whatever is wrong with a request, the answer is a problem that says so (RFC 9457)."""

import json
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient
from starlette.types import Message

from service.application import create_app
from service.settings import Settings
from tests.support.applications import Application
from tests.support.problems import assert_problem, is_sentence

PATCH = {"Content-Type": "application/json-patch+json"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"a": 1',
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b'{"a": [-1e400]}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\\ud800"}',
        b'{"\\udc00": 1}',
        b'{"a": "\x00"}',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b'{"a": 1} {"b": 2}',
        b"}" * 200,
        b"[" * 50 + b"}" * 60,
        b'{"a": "' + b"[" * 2000,
    ],
)
async def test_malformed_json_is_400(client: AsyncClient, body: bytes) -> None:
    for response in (
        await client.put("/stuff/ada", content=body),
        await client.post("/stuff", content=body),
    ):
        assert_problem(response, 400, "malformed-json")


def nested(levels: int, inner: str = "1") -> str:
    return '{"a":' * levels + inner + "}" * levels


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("null", ""),
        ("true", ""),
        ("1", ""),
        ('"text"', ""),
        ("[{}]", ""),
        ('{"a": 9223372036854775808}', "/a"),
        ('{"a": {"b": [1, -9223372036854775809]}}', "/a/b/1"),
        ('{"a": [{}, [18446744073709551616]], "b": 1}', "/a/1/0"),
        ('{"a/b~c": 1' + "0" * 30 + "}", "/a~1b~0c"),
        ('{"a": 1' + "0" * 400 + "}", "/a"),
        ('{"a": 1' + "0" * 5000 + "}", "/a"),
        (nested(101), "/a" * 100),
        (nested(2000), "/a" * 100),
        ('{"a":' + "[" * 100 + "]" * 100 + "}", "/a" + "/0" * 99),
        ('{"a": {"b\\u0000c": 1}}', "/a/b\0c"),
        ('{"\\u0000": 1}', "/\0"),
        ('{"$set": {}}', "/$set"),
        ('{"a": 1, "$": 2}', "/$"),
        ('{"a": 1, "a": 2}', "/a"),
        ('{"a": [{"x": 1, "y": ":", "x" : 2}]}', "/a/0/x"),
        ('{"a": "\\":", "b": 1, "\\u0062": 2}', "/b"),
        ('{"_id": "other"}', "/_id"),
        ('{"_id": null}', "/_id"),
        ('{"_id": 1}', "/_id"),
        ('{"_stuff": 1}', "/_stuff"),
        ('{"_stuff": {}}', "/_stuff"),
        ('{"_stuff": {"etag": "1", "updated_at": "2026-11-23T12:00:00Z", "x": 1}}', "/_stuff"),
    ],
)
async def test_json_that_cannot_be_stored_is_422_with_a_pointer(
    client: AsyncClient, body: str, pointer: str
) -> None:
    response = await client.put("/stuff/ada", content=body)
    assert_problem(response, 422, "invalid-document", pointer=pointer)
    assert (await client.get("/stuff/ada")).status_code == 404


LONG = "x" * 60_000


@pytest.mark.parametrize(
    ("method", "path", "content", "headers"),
    [
        ("PUT", "/stuff/a", json.dumps({"$" + LONG: 1}), {}),
        ("PUT", "/stuff/a", f'{{"a": {{"{LONG}\\u0000": 1}}}}', {}),
        ("PUT", "/stuff/a", f'{{"{LONG}": 1, "{LONG}": 2}}', {}),
        ("PUT", "/stuff/a", '{"a": ' * 90 + f'{{"{LONG}": 1{"0" * 30}}}' + "}" * 90, {}),
        ("PUT", "/stuff/a", "{}", {"Content-Type": f"text/{LONG}"}),
        ("PUT", "/stuff/a", "{}", {"Content-Type": f"application/json; charset={LONG}"}),
        ("PUT", "/stuff/a", "{}", {"Content-Encoding": LONG}),
        ("PATCH", "/stuff/a", json.dumps([{"op": LONG}]), PATCH),
        ("PATCH", "/stuff/a", json.dumps([{"op": "remove", "path": LONG}]), PATCH),
        ("PATCH", "/stuff/a", json.dumps([{"op": "remove", "path": "/" + LONG}]), PATCH),
        ("GET", "/stuff", None, {"Accept": f"text/{LONG}"}),
        ("GET", f"/stuff?filter=%7B%22a%22:%7B%22$oid%22:%22{LONG}%22%7D%7D", None, {}),
        ("GET", f"/stuff?filter=%7B%22a%22:%7B%22${LONG}%22:1%7D%7D", None, {}),
        ("GET", f"/stuff?filter=%7B%22${LONG}%22:1%7D", None, {}),
        ("GET", f"/stuff?filter=%7B%22{LONG}%22:%7B%22$size%22:%22%22%7D%7D", None, {}),
        ("GET", f"/stuff?sort=a,a.${LONG}", None, {}),
        ("GET", f"/stuff?limit={LONG}", None, {}),
        ("GET", f"/stuff?fields=${LONG}", None, {}),
    ],
)  # fmt: skip
async def test_a_problem_is_never_as_long_as_what_was_sent(
    client: AsyncClient, method: str, path: str, content: str | None, headers: dict[str, str]
) -> None:
    await client.put("/stuff/a", json={})
    response = await client.request(method, path, content=content, headers=headers)
    assert 400 <= response.status_code < 500
    assert is_sentence(response.json()["detail"])
    assert len(response.content) < 4000
    pointer = response.json().get("pointer", "")
    assert LONG[:1000] not in pointer
    if content and "{" * 90 in content.replace('"a": ', ""):
        assert pointer == "/a" * 90  # the object that has the long key


async def test_post_refuses_an_id(client: AsyncClient) -> None:
    response = await client.post("/stuff", json={"_id": "mine"})
    assert_problem(response, 422, "invalid-document", pointer="/_id")


@pytest.mark.parametrize("type", ["text/plain", "application/merge-patch+json", "x", "a/b;c=d"])
async def test_another_media_type_is_415(client: AsyncClient, type: str) -> None:
    response = await client.put("/stuff/ada", content="{}", headers={"content-type": type})
    assert_problem(response, 415, "unsupported-media-type")
    assert response.headers["accept"] == "application/json, application/ejson"


async def test_another_charset_is_415(client: AsyncClient) -> None:
    headers = {"content-type": "application/json; charset=latin-1"}
    response = await client.put("/stuff/ada", content="{}", headers=headers)
    assert_problem(response, 415, "unsupported-media-type")


async def test_another_content_coding_is_415(client: AsyncClient) -> None:
    headers = {"content-type": "application/json", "content-encoding": "br"}
    response = await client.put("/stuff/ada", content=b"{}", headers=headers)
    assert_problem(response, 415, "unsupported-media-type")
    assert response.headers["accept-encoding"] == "gzip, identity"


@pytest.mark.parametrize(
    "path", ["", "%00", "a%0A", "%0a", "a%7Fb", "a%C2%85", "x" * 513, "%C3%BC" * 257]
)
async def test_an_id_that_is_empty_or_too_long_or_has_control_characters_is_422(
    client: AsyncClient, path: str
) -> None:
    for response in (
        await client.get(f"/stuff/{path}"),
        await client.put(f"/stuff/{path}", json={}),
        await client.delete(f"/stuff/{path}"),
    ):
        assert_problem(response, 422, "invalid-id", parameter="id")


@pytest.mark.parametrize("path", ["%FF", "a%C3", "%ED%A0%80", "%EF%BF%BD%FE"])
async def test_an_id_that_is_not_utf8_is_400(client: AsyncClient, path: str) -> None:
    assert_problem(await client.get(f"/stuff/{path}"), 400, "malformed-path")


async def test_a_body_beyond_the_limit_is_413(application: Application) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    async with application(max_body_bytes=1000) as client:
        exact = json.dumps({"a": "x" * 991})
        assert len(exact) == 1001 - 1
        assert (await client.put("/stuff/a", content=exact)).status_code == 201
        for body in (exact + " ", stream()):
            response = await client.put("/stuff/a", content=body)
            assert_problem(response, 413, "body-too-large", limit=1000)


async def test_a_document_beyond_16_mebibytes_is_413(client: AsyncClient) -> None:
    body = json.dumps({"a": "x" * 16 * 1024 * 1024})
    assert_problem(await client.put("/stuff/a", content=body), 413, "document-too-large")
    assert_problem(await client.post("/stuff", content=body), 413, "document-too-large")


async def test_an_unknown_address_is_a_404_problem(client: AsyncClient) -> None:
    assert_problem(await client.get("/nowhere"), 404, "route-not-found")
    assert_problem(await client.get("/assets/nothing.js"), 404, "route-not-found")
    assert_problem(await client.get("/problems/nothing"), 404, "route-not-found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/stuff/a", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("PUT", "/stuff", "GET, HEAD, POST, DELETE, OPTIONS"),
        ("POST", "/healthz", "GET, HEAD"),
        ("BREW", "/stuff/a/b", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
    ],
)
async def test_another_method_is_405_and_names_those_that_are_allowed(
    client: AsyncClient, method: str, path: str, allow: str
) -> None:
    response = await client.request(method, path)
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == allow


async def test_a_missing_document_is_a_404_problem(client: AsyncClient) -> None:
    assert_problem(await client.get("/stuff/nobody?x=1"), 404, "document-not-found")
    assert_problem(await client.delete("/stuff/%C3%BC"), 404, "document-not-found")


async def test_every_problem_type_explains_itself(client: AsyncClient) -> None:
    problem = (await client.get("/stuff/nobody")).json()
    explanation = await client.get(problem["type"])
    assert explanation.status_code == 200
    assert problem["title"] in explanation.text


async def test_a_client_that_disconnects_early_is_not_a_fault_of_the_service(
    settings: Settings,
) -> None:
    messages = [{"type": "http.request", "body": b"{", "more_body": True}]
    statuses = []

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        statuses.append(message.get("status"))

    app = create_app(settings)
    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/stuff/a",
        "raw_path": b"/stuff/a",
        "query_string": b"",
        "headers": [],
    }
    async with app.router.lifespan_context(app):
        await app(scope, receive, send)
    assert statuses == [400, None]


async def test_a_fault_of_the_service_is_a_500_without_internals(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> bytes:
        raise RuntimeError("the inside")

    async with application() as client:
        await client.put("/stuff/a", json={})
        monkeypatch.setattr("service.routers.document.text_of", broken)
        response = await client.get("/stuff/a")
        assert_problem(response, 500, "internal-error")
        assert "inside" not in response.text
