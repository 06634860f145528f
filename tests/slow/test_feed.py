"""The feed when processes end, and when there are several."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from httpx import AsyncClient
from pymongo import MongoClient

from service.settings import Settings
from tests.support.applications import listen
from tests.support.clients import connect
from tests.support.following import follow, put
from tests.support.patience import TIMEOUT, patient
from tests.support.serving import stuff_serve


async def test_the_feed_survives_a_restart_of_the_database(
    free_port: int, engine_on_port: Any
) -> None:
    engine = engine_on_port(free_port)
    uri = f"mongodb://127.0.0.1:{free_port}/?retryWrites=false"
    with MongoClient[dict[str, Any]](uri) as mongo:
        mongo.admin.command("ping")
    settings = Settings(mongodb_uri=uri)
    async with listen(settings) as url, connect(url) as client:
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
    async with asyncio.timeout(TIMEOUT):
        while not await condition():
            await asyncio.sleep(0.1)


async def test_on_sigterm_feeds_end_with_a_comment_and_the_service_stops_at_once(
    tmp_path: Path,
) -> None:
    with stuff_serve(tmp_path) as service:
        async with connect(service.base_url) as client:
            async with follow(client) as events:
                stopping = asyncio.create_task(asyncio.to_thread(service.stop))
                assert (await events.next(mark=True)).comment == "The server stops."
                assert await asyncio.wait_for(stopping, patient(10)) == 0


async def test_changes_made_through_other_workers_appear_too(tmp_path: Path) -> None:
    with stuff_serve(tmp_path, "--workers=2") as service:
        async with connect(service.base_url) as client:
            async with follow(client) as one, follow(client) as two, follow(client) as three:
                for n in range(20):
                    # Each request on a connection of its own, to one worker or the other.
                    async with connect(service.base_url) as writer:
                        await put(writer, "a", n)
                for events in (one, two, three):
                    assert [event.n for event in await events.take(20)] == list(range(20))
