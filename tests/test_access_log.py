"""The access log: a line for each request, and none with content."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from httpx import AsyncClient

from service.security import make_key
from service.settings import Settings
from service.store.points import PointOperations
from tests.support.applications import listen
from tests.support.clients import connect
from tests.support.patience import TIMEOUT

Lines = Callable[[int], Any]


class Log:
    """What the service has written to its standard output, or standard error."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self.text = ""

    async def lines(self, count: int) -> list[dict[str, Any]]:
        """The lines, as soon as there are so many."""
        async with asyncio.timeout(TIMEOUT):
            while self.read().count("\n") < count:
                await asyncio.sleep(0.01)
        return [json.loads(line) for line in self.text.splitlines()]

    def read(self) -> str:
        self.text += "".join(self._capture.readouterr())
        return self.text


@pytest.fixture
def log(capfd: pytest.CaptureFixture[str]) -> Log:
    return Log(capfd)


@asynccontextmanager
async def logging(settings: Settings, **changes: Any) -> AsyncIterator[AsyncClient]:
    usual = {"access_log": True, "log_format": "json"}
    async with listen(Settings(**(settings.model_dump() | usual | changes))) as url:
        async with connect(url) as client:
            yield client


async def test_a_line_tells_of_a_request_and_not_of_its_content(
    settings: Settings, log: Log
) -> None:
    token, key = make_key(["read", "write"])
    async with logging(settings, api_keys=str(key)) as client:
        client.headers["X-Request-ID"] = "the-id"
        await client.get("/stuff", headers={"Authorization": f"Bearer {token}x"})
        client.headers["Authorization"] = f"Bearer {token}"
        await client.put("/stuff/secret", json={"secret": 1})
        page = await client.get("/stuff", params={"filter": '{"secret": 1}'})
        lines = await log.lines(3)
    assert [line.pop("status") for line in lines] == [401, 201, 200]
    assert [line.pop("key") for line in lines] == [None, key.id, key.id]
    for line in lines:
        assert line.pop("time").endswith("+00:00")
        assert 0 < line.pop("seconds") < TIMEOUT
    assert lines[0].pop("bytes") > 100
    common = {
        "level": "info", "logger": "service.access", "request_id": "the-id", "client": "127.0.0.1"
    }  # fmt: skip
    assert lines == [
        common | {"method": "GET", "route": "/stuff", "message": "GET /stuff 401"},
        common
        | {"method": "PUT", "route": "/stuff/{id}", "message": "PUT /stuff/{id} 201", "bytes": 0},
        common
        | {
            "method": "GET",
            "route": "/stuff",
            "message": "GET /stuff 200",
            "bytes": len(page.content),
        },
    ]
    assert "secret" not in log.text
    assert token not in log.text


async def test_however_a_request_ends_there_is_a_line(
    settings: Settings, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    async with logging(settings) as client:
        await client.get("/none/secret?secret")
        events = {"Accept": "text/event-stream"}
        async with client.stream("GET", "/stuff", headers=events) as feed:
            assert await anext(feed.aiter_raw())
        await log.lines(2)
        monkeypatch.setattr(PointOperations, "get", fail)
        await client.get("/stuff/secret")
        none, followed, failed = await log.lines(3)
    assert (none["route"], none["status"]) == (None, 404)
    assert (followed["route"], followed["status"]) == ("/stuff", 200)
    assert followed["bytes"] > 0
    assert (failed["route"], failed["status"]) == ("/stuff/{id}", 500)
    assert "secret" not in log.text


async def test_on_a_console_a_line_is_text(settings: Settings, log: Log) -> None:
    async with logging(settings, log_format="console") as client:
        await client.get("/stuff/a", headers={"X-Request-ID": "the-id"})
        async with asyncio.timeout(TIMEOUT):
            while "\n" not in log.read():
                await asyncio.sleep(0.01)
    assert log.text.startswith("INFO:     127.0.0.1 GET /stuff/{id} 404 ")
    assert log.text.endswith(" [the-id]\n")


@pytest.mark.parametrize("changes", [{"access_log": False}, {"log_level": "warning"}])
async def test_without_the_setting_or_below_the_level_there_is_none(
    settings: Settings, log: Log, changes: dict[str, Any]
) -> None:
    async with logging(settings, **changes) as client:
        await client.get("/stuff/a")
    assert log.read() == ""


@pytest.mark.parametrize(
    ("proxies", "client"),
    [
        ("", "127.0.0.1"),
        ("10.0.0.0/8", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.7"),
        ("127.0.0.1,192.0.2.7", "\\xff" + 60 * "x"),
    ],
)
async def test_only_a_proxy_that_is_named_is_believed_who_the_client_is(
    settings: Settings, log: Log, monkeypatch: pytest.MonkeyPatch, proxies: str, client: str
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # uvicorn's own
    headers = {b"X-Forwarded-For": b"\xff" + 99 * b"x" + b", 192.0.2.7"}
    async with logging(settings, forwarded_allow_ips=proxies) as http:
        await http.get("/stuff/a", headers=headers)
        [line] = await log.lines(1)
    assert line["client"] == client
