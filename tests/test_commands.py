"""Every command that the service sends is one that MongoDB 6, 7, 8 and mongos accept.

The embedded engine, on which all other tests run, takes much that they refuse.
"""

import asyncio
import json
from pathlib import Path

import pytest
from httpx import AsyncClient

from service.settings import Settings
from tests.support.applications import listen
from tests.support.clients import connect
from tests.support.commands import stuff_here
from tests.support.database.playing import Play
from tests.support.database.roles import MONGOS, PRIMARY, Role
from tests.support.following import follow, put

MERGE = {"Content-Type": "application/merge-patch+json"}
OPERATORS = {"Content-Type": "application/vnd.stuff.update-operators+json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
LINES = {"Content-Type": "application/x-ndjson"}
STREAM = {"Accept": "application/x-ndjson"}


@pytest.mark.parametrize(
    ("role", "options"),
    [(PRIMARY, {}), (MONGOS, {"retryWrites": "true"})],
    ids=["replica-set", "mongos-with-retryable-writes"],
)
async def test_mongodb_accepts_every_command(
    play: Play, settings: Settings, tmp_path: Path, role: Role, options: dict[str, str]
) -> None:
    database = play(role, forward=True)
    indexes = tmp_path / "indexes.json"
    indexes.write_text(
        json.dumps([{"keys": {"n": 1, "_id": 1}}, {"keys": {"m": -1}, "sparse": True}])
    )
    changes = {"mongodb_uri": database.uri(**options), "indexes": indexes}
    async with (
        listen(Settings(**settings.model_dump() | changes)) as url,
        connect(url) as client,
    ):
        await database.until_asked("createIndexes", 2)
        assert (await client.get("/readyz")).status_code == 200
        await use_documents(client)
        await use_the_collection(client)
        await follow_the_feed(client)
    await use_the_command_line(settings, database.uri(**options))
    database.check()
    sent = {asked.name for asked in database.asked}
    assert sent >= {
        "aggregate", "createIndexes", "delete", "dropIndexes", "endSessions", "explain", "find",
        "findAndModify", "getMore", "hello", "insert", "killCursors", "listIndexes", "ping",
        "update",
    }  # fmt: skip


async def use_documents(client: AsyncClient) -> None:
    created = await client.put("/stuff/ada", json={"n": 1, "tags": ["a"]})
    assert created.status_code == 201
    tag = {"If-Match": created.headers["etag"]}
    assert (await client.head("/stuff/ada")).status_code == 200
    assert (await client.get("/stuff/ada", params={"fields": "n,tags"})).json()["n"] == 1
    assert (await client.get("/stuff/none")).status_code == 404
    replaced = await client.put("/stuff/ada", json={"n": 2}, headers=tag)
    assert replaced.status_code == 200
    assert (await client.put("/stuff/ada", json={}, headers=tag)).status_code == 412
    new = {"If-None-Match": "*"}
    assert (await client.put("/stuff/new", json={}, headers=new)).status_code == 201
    merged = await client.patch("/stuff/ada", content='{"m": 1}', headers=MERGE)
    assert merged.json() == {"_id": "ada", "n": 2, "m": 1}
    patch = '[{"op": "replace", "path": "/n", "value": 3}]'
    patched = await client.patch("/stuff/ada", content=patch, headers=JSON_PATCH)
    assert patched.json()["n"] == 3
    tag = {"If-Match": patched.headers["etag"]}
    count = '{"$inc": {"n": 1}}'
    counted = await client.patch("/stuff/ada", content=count, headers=OPERATORS | tag)
    assert counted.json()["n"] == 4
    for path, status in (("/stuff/ada", 200), ("/stuff/c?upsert=true", 201)):
        counted = await client.patch(path, content=count, headers=OPERATORS)
        assert counted.status_code == status
    tag = {"If-Match": (await client.get("/stuff/ada")).headers["etag"]}
    assert (await client.delete("/stuff/ada", headers=tag)).status_code == 204
    assert (await client.delete("/stuff/new")).status_code == 204
    assert (await client.delete("/stuff/c")).status_code == 204
    assert (await client.post("/stuff", json={"n": 0})).status_code == 201
    # At once, so that they share round trips.
    answers = await asyncio.gather(*(put(client, f"n{n}", n) for n in range(30)))
    assert {answer.status_code for answer in answers} == {201}
    found = await asyncio.gather(*(client.get(f"/stuff/n{n}") for n in range(30)))
    assert [each.json()["n"] for each in found] == list(range(30))


async def use_the_collection(client: AsyncClient) -> None:
    for count in (1005, 20):  # inserted, then replaced, which costs the embedded engine much
        lines = "\n".join(json.dumps({"_id": f"l{n}", "n": n, "a": {"b": n}}) for n in range(count))
        loaded = await client.post("/stuff", content=lines, headers=LINES)
        assert loaded.json()["failed"] == 0
    page = {"filter": '{"n": {"$gte": 5}}', "sort": "-n,a.b", "fields": "a.b", "limit": "10"}
    first = (await client.get("/stuff", params=page | {"count": "true"})).json()
    assert (first["total"], len(first["items"])) == (1025, 10)
    second = (await client.get("/stuff", params=page | {"after": first["next"]})).json()
    assert len(second["items"]) == 10
    assert (await client.head("/stuff", params={"count": "true"})).status_code == 200
    stream = await client.get("/stuff", params={"sort": "n"}, headers=STREAM)
    assert len(stream.text.splitlines()) == 1036
    async with client.stream("GET", "/stuff", headers=STREAM) as broken_off:
        async for _ in broken_off.aiter_bytes():
            break
    deleted = await client.delete("/stuff", params={"filter": '{"n": {"$gte": 1000}}'})
    assert deleted.json() == {"deleted": 5}


async def follow_the_feed(client: AsyncClient) -> None:
    async with follow(client) as events, follow(client, filter='{"n": {"$gt": 1}}') as some:
        await put(client, "fed", 1)
        await put(client, "fed", 2)
        first, _ = await events.take(2)
        assert (first.n, (await some.next()).n) == (1, 2)
    async with follow(client, last=first.id) as events:
        assert (await events.next()).n == 2
    async with follow(client, "/stuff/fed") as events:
        await client.delete("/stuff/fed")
        assert (await events.next()).kind == "delete"


async def use_the_command_line(settings: Settings, uri: str) -> None:
    environment = {"STUFF_MONGODB_URI": uri, "STUFF_DATABASE": settings.database}
    for arguments in [
        ("create", "email", "--unique", "--sparse", "--name", "addresses"),
        ("list",),
        ("explain", "--sort", "-n", "--filter", '{"n": {"$gt": 1}}'),
        ("drop", "addresses"),
    ]:
        result = await asyncio.to_thread(stuff_here, "index", *arguments, **environment)
        assert (result.returncode, result.stderr.count("\n")) == (0, 1), result.stderr
    result = await asyncio.to_thread(stuff_here, "introspect", "--output", "-", **environment)
    assert (result.returncode, '"stuff"' in result.stdout) == (0, True), result.stderr
