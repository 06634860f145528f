"""A collection that is sharded by another key than `_id`, as mongos serves it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient

from service.settings import Settings
from tests.support.applications import Application, listen
from tests.support.clients import connect
from tests.support.database.answers import Exchange, Reply, error, write_errors
from tests.support.database.events import Delete, Put
from tests.support.database.history import History
from tests.support.database.playing import Play
from tests.support.database.roles import MONGOS
from tests.support.following import follow
from tests.support.patching import update
from tests.support.problems import assert_problem
from tests.support.requests import MERGE, NDJSON

REFUSAL = "Failed to target upsert by query :: could not extract exact shard key"
NO_KEY = "Query for sharded findAndModify must contain the shard key"


def refuse_upserts(exchange: Exchange) -> Reply:
    """What mongos answers before MongoDB 8.0."""
    count = len(exchange.command["updates"])
    answer = write_errors(dict.fromkeys(range(count), 61), REFUSAL)
    assert callable(answer)
    reply = answer(exchange)
    assert isinstance(reply, dict)
    return reply


@pytest.fixture
async def client(application: Application, play: Play) -> AsyncIterator[AsyncClient]:
    database = play(MONGOS, forward=True)

    def is_upsert(command: dict[str, Any]) -> bool:
        return any(each.get("upsert") for each in command["updates"])

    database.always("update", refuse_upserts, when=is_upsert)
    database.always("findAndModify", error(61, NO_KEY))
    async with application(mongodb_uri=database.uri()) as client:
        yield client


async def test_a_document_cannot_be_upserted_by_its_id_and_the_501_says_why(
    client: AsyncClient,
) -> None:
    for response in (
        await client.put("/stuff/a", json={"region": "eu"}),
        await update(client, {"$inc": {"n": 1}}),
        await update(client, {"$inc": {"n": 1}}, "/stuff/a?upsert=true"),
    ):
        problem = assert_problem(response, 501, "database-unsupported")
        assert "sharded by another key than _id" in problem["detail"]


async def test_lines_of_a_load_that_replace_documents_are_refused_alone(
    client: AsyncClient,
) -> None:
    for created, failed in ((2, 0), (1, 1)):
        lines = b'{"_id": "a"}\n{"_id": "%d"}' % failed
        report = (await client.post("/stuff", content=lines, headers=NDJSON)).json()
        assert (report["created"], report["failed"]) == (created, failed)
    [fault] = report["errors"]
    assert (fault["line"], fault["type"]) == (1, "/problems/database-unsupported")


async def test_what_need_be_no_upsert_works(client: AsyncClient) -> None:
    posted = await client.post("/stuff", json={"region": "eu"})
    assert posted.status_code == 201
    assert (await client.get(posted.headers["location"])).json()["region"] == "eu"
    created = await client.put("/stuff/a", json={"n": 1}, headers={"If-None-Match": "*"})
    assert created.status_code == 201
    patched = await client.patch("/stuff/a", json={"n": 2}, headers=MERGE)
    assert patched.json() == {"_id": "a", "n": 2}
    tag = {"If-Match": patched.headers["etag"]}
    assert (await client.put("/stuff/a", json={"n": 3}, headers=tag)).status_code == 200
    assert (await client.get("/stuff/a")).json() == {"_id": "a", "n": 3}
    assert (await client.delete("/stuff/a")).status_code == 204


async def test_events_have_the_id_and_no_other_part_of_the_key(
    settings: Settings, play: Play
) -> None:
    database = play(MONGOS)
    history = History(database)
    changes = {"mongodb_uri": database.uri(), "database": "demo"}
    async with (
        listen(Settings(**(settings.model_dump() | changes))) as url,
        connect(url) as client,
        follow(client) as every,
        follow(client, "/stuff/a") as one,
    ):
        history.happened(
            Put("a", {"region": "eu"}, shard_key={"region": "eu"}),
            Delete("a", shard_key={"region": "eu"}),
        )
        for events in (every, one):
            put, deleted = await events.take(2)
            assert put.data.keys() == {"_id", "etag", "document"}
            assert deleted.data == {"_id": "a", "etag": None, "document": None}
