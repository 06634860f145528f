"""The feed: nothing missed, nothing repeated, whoever writes and whatever breaks."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from httpx import AsyncClient, Response
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from service.database import Database
from service.errors import FeedUnsupported
from service.feed import channel as channel_module
from service.feed import feed as feed_module
from service.feed.changes import read_change
from service.routers import feeds
from service.settings import Settings
from tests.conftest import listen
from tests.serving import stuff_serve

Documents = Collection[dict[str, Any]]
EVENTS = {"Accept": "text/event-stream"}
WAIT = 20.0  # seconds


@dataclass
class Event:
    kind: str = ""
    id: str = ""
    data: Any = None
    comment: str = ""

    @property
    def n(self) -> Any:
        return self.data["document"]["n"] if self.data["document"] else None


class Events:
    """What a client sees of the feed."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()
        self.last_id = ""

    async def next(self, *, mark: bool = False) -> Event:
        """The next event; with `mark`, blocks that are none too."""
        async with asyncio.timeout(WAIT):
            event = Event()
            while True:
                line = await anext(self._lines)
                if line:
                    name, _, value = line.partition(": ")
                    match name:
                        case "":
                            event.comment = value
                        case "id":
                            event.id = self.last_id = value
                        case "event":
                            event.kind = value
                        case "data":
                            event.data = json.loads(value)
                elif event.kind or mark:
                    return event

    async def take(self, count: int) -> list[Event]:
        return [await self.next() for _ in range(count)]


@asynccontextmanager
async def follow(
    client: AsyncClient, path: str = "/stuff", last: str = "", **parameters: str
) -> AsyncIterator[Events]:
    headers = EVENTS | ({"Last-Event-ID": last} if last else {})
    async with client.stream("GET", path, headers=headers, params=parameters) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        events = Events(response)
        assert (await events.next(mark=True)).comment == "The feed begins."
        yield events


async def put(client: AsyncClient, id: str, n: int) -> Response:
    return await client.put(f"/stuff/{id}", json={"n": n})


async def test_events_tell_puts_and_deletes_with_tag_and_document(live_client: AsyncClient) -> None:
    async with follow(live_client) as events:
        created = await put(live_client, "a", 1)
        await live_client.patch(
            "/stuff/a", json={"n": 2}, headers={"Content-Type": "application/merge-patch+json"}
        )
        await live_client.delete("/stuff/a")
        first, second, third = await events.take(3)
    assert first.kind == second.kind == "put"
    assert first.data == {
        "_id": "a",
        "etag": created.headers["etag"].strip('"'),
        "document": {"_id": "a", "n": 1},
    }
    assert second.n == 2
    assert third.kind == "delete"
    assert third.data == {"_id": "a", "etag": None, "document": None}
    assert len({first.id, second.id, third.id}) == 3


async def test_the_feed_of_a_document_tells_of_no_other(live_client: AsyncClient) -> None:
    async with follow(live_client, "/stuff/b") as events:
        for id, n in (("a", 1), ("b", 2), ("c", 3), ("b", 4)):
            await put(live_client, id, n)
        await live_client.delete("/stuff/b")
        assert [event.n for event in await events.take(3)] == [2, 4, None]


async def test_what_other_programs_change_is_told(
    live_client: AsyncClient, collection: Documents
) -> None:
    async with follow(live_client) as events:
        collection.insert_one({"_id": 5, "n": 1})
        collection.update_one({"_id": 5}, {"$set": {"n": 2}})
        [first] = await events.take(1)
        assert (first.data["_id"], first.kind) == (5, "put")
        [second] = await events.take(1)
        assert second.n == 2
        assert second.data["etag"] == (await etag_of(live_client, {"n": 2}))


async def etag_of(client: AsyncClient, fields: dict[str, Any]) -> str:
    response = await client.put("/stuff/other", json=fields)
    return response.headers["etag"].strip('"')


async def test_a_filter_narrows_and_deletions_are_always_told(live_client: AsyncClient) -> None:
    filter = '{"$or": [{"n": {"$gt": 5}}, {"n": 1}]}'
    async with follow(live_client, filter=filter) as events:
        for n in (0, 1, 5, 6):
            await put(live_client, f"{n}", n)
        await live_client.delete("/stuff/0")
        assert [event.n for event in await events.take(3)] == [1, 6, None]
    refused = await live_client.get("/stuff", headers=EVENTS, params={"filter": '{"$where": 1}'})
    assert refused.status_code == 422
    assert refused.json()["pointer"] == "/$where"
    none = {"filter": '{"a": {"$regex": "[a"}}'}  # which only the database finds out
    assert (await live_client.get("/stuff", headers=EVENTS, params=none)).status_code == 422


@pytest.mark.parametrize("path", ["/stuff", "/stuff/a"])
async def test_who_takes_json_as_well_is_not_given_the_feed(
    live_client: AsyncClient, path: str
) -> None:
    await put(live_client, "a", 1)
    for accept in (
        "application/json, text/event-stream, application/problem+json",  # generated clients
        "text/event-stream, application/json",
        "text/event-stream;q=0.5, */*",
    ):
        response = await live_client.get(path, headers={"Accept": accept})
        assert response.headers["content-type"] == "application/json", accept
    for accept in ("text/event-stream, */*;q=0.5", "text/event-stream, text/html"):
        async with live_client.stream("GET", path, headers={"Accept": accept}) as response:
            assert response.headers["content-type"].startswith("text/event-stream"), accept


@pytest.mark.parametrize("by_parameter", [True, False])
async def test_the_last_event_is_where_it_goes_on(
    live_client: AsyncClient, by_parameter: bool
) -> None:
    async with follow(live_client) as events:
        for n in range(5):
            await put(live_client, "a", n)
        ids = [event.id for event in await events.take(3)]
    await put(live_client, "a", 5)
    last = {"last_event_id": ids[1]} if by_parameter else {"last": ids[1]}
    async with follow(live_client, **last) as events:
        assert [event.n for event in await events.take(4)] == [2, 3, 4, 5]
        await put(live_client, "a", 6)
        assert (await events.next()).n == 6


async def test_a_client_that_has_seen_no_event_yet_misses_none(live_client: AsyncClient) -> None:
    async with follow(live_client) as events:
        last = events.last_id
        assert last
    for n in range(3):
        await put(live_client, "a", n)
    async with follow(live_client, last=last) as events:
        assert [event.n for event in await events.take(3)] == [0, 1, 2]


async def test_keep_alive_comments_say_where_to_go_on(
    live_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "KEEP_ALIVE", 0.2)
    async with follow(live_client, "/stuff/b") as events:
        await put(live_client, "a", 1)
        await put(live_client, "a", 2)
        await asyncio.sleep(0.5)
        for _ in range(4):
            mark = await events.next(mark=True)
            assert (mark.kind, mark.comment) == ("", "Nothing has changed.")
        last = events.last_id
    async with follow(live_client, last=last) as events:
        await put(live_client, "a", 3)
        assert (await events.next()).n == 3


async def test_a_position_that_is_not_remembered_is_read_from_the_database(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listen(settings) as url, AsyncClient(base_url=url, timeout=WAIT) as client:
        async with follow(client) as events, follow(client, "/stuff/7") as one:
            start, start_of_one = events.last_id, one.last_id
            for n in range(50):
                await put(client, f"{n % 10}", n)
            ids = [event.id for event in await events.take(50)]
    monkeypatch.setattr(channel_module, "RECENT_COUNT", 5)
    # Another process, that remembers nothing.
    async with listen(settings) as url, AsyncClient(base_url=url, timeout=WAIT) as client:
        for last, first in ((start, 0), (ids[20], 21), (ids[48], 49)):
            async with follow(client, last=last) as events:
                missed = [event.n for event in await events.take(50 - first)]
                assert missed == list(range(first, 50))
                await put(client, "x", -1)
                assert (await events.next()).n == -1
        async with follow(client, "/stuff/7", last=start_of_one) as one:
            assert [event.n for event in await one.take(5)] == [7, 17, 27, 37, 47]


async def test_a_follower_that_comes_back_again_and_again_sees_all_in_order(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "RECENT_COUNT", 20)
    async with listen(settings) as url, AsyncClient(base_url=url, timeout=WAIT) as client:
        async with follow(client) as events:
            last = events.last_id

        async def write() -> None:
            for n in range(400):
                await put(client, f"{n % 7}", n)

        writing = asyncio.create_task(write())
        seen: list[int] = []
        while len(seen) < 400:
            async with follow(client, last=last) as events:
                seen += [event.n for event in await events.take(min(37, 400 - len(seen)))]
                last = events.last_id
        await writing
        assert seen == list(range(400))


@pytest.mark.parametrize("last", ["x", "0" * 16 + ".", "0" * 16 + ".zz", "é", "1.2"])
async def test_an_id_that_is_none_is_refused(live_client: AsyncClient, last: str) -> None:
    response = await live_client.get("/stuff", headers=EVENTS, params={"last_event_id": last})
    assert response.status_code == 422
    assert response.json()["parameter"] == "last_event_id"


async def test_a_collection_that_is_dropped_ends_the_feed_and_is_gone_for_those_before(
    live_client: AsyncClient, collection: Documents
) -> None:
    await put(live_client, "a", 1)
    async with follow(live_client) as events:
        await put(live_client, "a", 2)
        last = (await events.next()).id
        collection.drop()
        while (event := await events.next()).kind != "gone":
            assert event.kind == "delete"
        assert event.data["status"] == 410
    async with asyncio.timeout(WAIT):
        while (gone := await status(live_client, last)) != 410:
            assert gone in (200, 410)
            await asyncio.sleep(0.1)
    async with follow(live_client) as events:
        await put(live_client, "a", 3)
        assert (await events.next()).n == 3


async def status(client: AsyncClient, last: str) -> int:
    headers = EVENTS | {"Last-Event-ID": last}
    async with client.stream("GET", "/stuff", headers=headers) as response:
        return response.status_code


async def test_a_slow_subscriber_is_dropped_and_can_go_on(
    live_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "QUEUE_COUNT", 20)
    text = "x" * 100_000
    async with follow(live_client) as slow, follow(live_client, "/stuff/other") as quick:
        for n in range(200):
            await live_client.put(f"/stuff/{n}", json={"n": n, "text": text})
        await put(live_client, "other", 7)
        assert (await quick.next()).n == 7
        seen = []
        while (event := await slow.next()).kind == "put":
            seen.append(event.n)
        assert event.kind == "dropped"
        assert seen == list(range(len(seen)))
        assert len(seen) < 200
        with pytest.raises(StopAsyncIteration):
            await slow.next()
    async with follow(live_client, last=slow.last_id) as again:
        rest = [event.n for event in await again.take(200 - len(seen))]
        assert seen + rest == list(range(200))


async def test_the_number_of_subscribers_and_of_filters_is_bounded(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "MAX_FILTERS", 1)
    bounded = Settings(**settings.model_dump() | {"max_subscribers": 2})
    async with listen(bounded) as url, AsyncClient(base_url=url, timeout=WAIT) as client:
        async with follow(client), follow(client, filter='{"n": 1}'):
            full = await client.get("/stuff", headers=EVENTS)
            assert (full.status_code, full.headers["retry-after"]) == (503, "5")
            assert full.json()["type"] == "/problems/feed-full"
    async with listen(settings) as url, AsyncClient(base_url=url, timeout=WAIT) as client:
        async with follow(client, filter='{"n": 1}'):
            other = await client.get("/stuff", headers=EVENTS, params={"filter": '{"n": 2}'})
            assert (other.status_code, other.json()["type"]) == (503, "/problems/feed-full")
        async with follow(client, filter='{"n": 3}'):  # nobody follows the first any more
            pass


async def test_a_fault_of_the_service_does_not_end_the_feed_for_good(
    live_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with follow(live_client) as events:
        await put(live_client, "a", 1)
        last = (await events.next()).id
        faults = iter([RuntimeError("planted")])

        def fail_once(*arguments: Any) -> Any:
            for fault in faults:
                raise fault
            return read_change(*arguments)

        monkeypatch.setattr("service.feed.source.read_change", fail_once)
        await put(live_client, "a", 2)
        assert (await events.next()).kind == "gone"
    async with follow(live_client, last=last) as events:
        await put(live_client, "a", 3)
        assert [event.n for event in await events.take(2)] == [2, 3]


async def test_a_database_without_change_streams_is_a_501(
    live_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise OperationFailure("The $changeStream stage is only supported on replica sets", 40573)

    monkeypatch.setattr(Database, "change_stream", refuse)
    response = await live_client.get("/stuff", headers=EVENTS)
    assert response.status_code == 501
    assert response.json()["type"] == "/problems/feed-unsupported"
    assert "replica set" in FeedUnsupported().detail
    assert (await live_client.put("/stuff/a", json={})).status_code == 201


async def test_the_feed_survives_a_restart_of_the_database(
    free_port: int, engine_on_port: Any
) -> None:
    engine = engine_on_port(free_port)
    uri = f"mongodb://127.0.0.1:{free_port}/?retryWrites=false"
    with MongoClient[dict[str, Any]](uri) as mongo:
        mongo.admin.command("ping")
    settings = Settings(mongodb_uri=uri)
    async with listen(settings) as url, AsyncClient(base_url=url, timeout=WAIT) as client:
        async with follow(client) as events:
            await put(client, "a", 1)
            assert (await events.next()).n == 1
            engine.kill()
            await asyncio.to_thread(engine.wait)
            engine_on_port(free_port)
            await until(lambda: written(client, 2))
            with MongoClient[dict[str, Any]](uri) as mongo:
                mongo["demo"]["stuff"].replace_one({"_id": "b"}, {"n": 3}, upsert=True)
            while (event := await events.next()).n != 3:
                assert event.n == 2  # what was not acknowledged may stand
            await put(client, "a", 4)
            assert (await events.next()).n == 4


async def written(client: AsyncClient, n: int) -> bool:
    return (await put(client, "a", n)).status_code == 200


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT):
        while not await condition():
            await asyncio.sleep(0.1)


async def test_on_sigterm_feeds_end_with_a_comment_and_the_service_stops_at_once(
    tmp_path: Path,
) -> None:
    with stuff_serve(tmp_path) as service:
        async with AsyncClient(base_url=service.base_url, timeout=WAIT) as client:
            async with follow(client) as events:
                stopping = asyncio.create_task(asyncio.to_thread(service.stop))
                assert (await events.next(mark=True)).comment == "The server stops."
                assert await asyncio.wait_for(stopping, 10) == 0


async def test_changes_made_through_other_workers_appear_too(tmp_path: Path) -> None:
    with stuff_serve(tmp_path, "--workers=2") as service:
        async with AsyncClient(base_url=service.base_url, timeout=WAIT) as client:
            async with follow(client) as one, follow(client) as two, follow(client) as three:
                for n in range(20):
                    # Each request on a connection of its own, to one worker or the other.
                    async with AsyncClient(base_url=service.base_url, timeout=WAIT) as writer:
                        await put(writer, "a", n)
                for events in (one, two, three):
                    assert [event.n for event in await events.take(20)] == list(range(20))


async def test_without_the_format_in_accept_nothing_changes(live_client: AsyncClient) -> None:
    await put(live_client, "a", 1)
    for headers in ({"Accept": "*/*"}, {"Accept": "application/json"}, {}):
        response = await live_client.get("/stuff/a", headers=headers)
        assert response.json() == {"_id": "a", "n": 1}
    head = await live_client.head("/stuff", headers=EVENTS)
    assert head.status_code == 200


async def test_watch_prints_the_feed_and_goes_on_when_the_server_is_back(tmp_path: Path) -> None:
    with stuff_serve(tmp_path) as service:
        url, port = service.base_url, service.http.base_url.port
        command = [sys.executable, "-u", "-m", "service", "watch", "--url", url]
        watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert watching.stdout is not None
            n = 0
            reading = asyncio.create_task(asyncio.to_thread(watching.stdout.readline))
            while not reading.done():  # until it has begun
                n += 1
                await asyncio.to_thread(service.http.put, "/stuff/a", json={"n": n})
                await asyncio.sleep(0.05)
            assert (await reading).startswith('put a {"_id":"a","n":')
            service.http.put("/stuff/b", json={"n": "last"})
            await read_until(watching.stdout, 'put b {"_id":"b","n":"last"}\n')
            await asyncio.to_thread(service.stop)
            with stuff_serve(tmp_path, f"--port={port}") as service_again:
                service_again.http.delete("/stuff/b")
                assert await read_line(watching.stdout) == "delete b\n"
                watching.send_signal(signal.SIGINT)
                assert await asyncio.to_thread(watching.wait, WAIT) == 0
        finally:
            watching.kill()
            watching.wait()
            watching.stdout.close()  # type: ignore[union-attr]


async def read_line(file: IO[str]) -> str:
    return await asyncio.wait_for(asyncio.to_thread(file.readline), WAIT)


async def read_until(file: IO[str], wanted: str) -> None:
    while await read_line(file) != wanted:
        pass


def test_watch_says_why_it_cannot() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "service", "watch", "--patience=0", "--url=http://127.0.0.1:1"],
        capture_output=True,
        text=True,
        timeout=WAIT,
    )
    assert result.returncode == 1
    assert "is away" in result.stderr
