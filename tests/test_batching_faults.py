"""Batching when the database refuses or is away: a fault affects only the operation that has it."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from httpx import AsyncClient
from pymongo import MongoClient
from pymongo.collection import Collection

from service.store.batching import bounds
from tests.support.applications import Application
from tests.support.patience import TIMEOUT, patient
from tests.support.problems import assert_problem

Documents = Collection[dict[str, Any]]


async def test_a_fault_of_one_operation_affects_no_other(
    client: AsyncClient, collection: Documents
) -> None:
    collection.database.create_collection(collection.name, validator={"n": {"$gte": 0}})
    collection.create_index("unique", unique=True, sparse=True)
    await client.put("/stuff/taken", json={"n": 0, "unique": 1})
    bodies = [{"n": n, "unique": 1} if n == 7 else {"n": n} for n in range(-1, 40)]
    responses = await asyncio.gather(
        *(client.put(f"/stuff/{body['n']}", json=body) for body in bodies)
    )
    for body, response in zip(bodies, responses, strict=True):
        match body["n"]:
            case -1:
                assert_problem(response, 422, "document-rejected")
            case 7:
                assert_problem(response, 409, "duplicate-key", keys=["unique"])
            case _:
                assert response.status_code == 201
    assert collection.count_documents({}) == 40


async def test_a_batch_that_the_database_refuses_is_sent_one_by_one(
    application: Application,
    free_port: int,
    engine_on_port: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds, "ROUND_TRIPS", 1)
    engine_on_port(free_port, "--enable-test-commands")
    uri = f"mongodb://127.0.0.1:{free_port}/?retryWrites=false&retryReads=false"
    with MongoClient[dict[str, Any]](uri) as mongo:
        mongo.admin.command("ping")  # it is up
    async with application(mongodb_uri=uri) as client:
        for command, method in (("update", "PUT"), ("find", "GET")):
            for times in (1, 2):
                failure = {
                    "configureFailPoint": "failCommand",
                    "mode": {"times": times},
                    "data": {"failCommands": [command], "errorCode": 2},
                }
                with MongoClient[dict[str, Any]](uri) as mongo:
                    mongo.admin.command(failure)
                responses = await asyncio.gather(
                    *(client.request(method, f"/stuff/{n}", json={}) for n in range(10))
                )
                # The first time it is the batch that is refused, the second time one alone.
                failed = [response for response in responses if not response.is_success]
                assert len(failed) == times - 1
                for response in failed:
                    assert_problem(response, 500, "internal-error")


async def test_upserts_that_conflict_with_another_service_are_retried(
    application: Application, collection: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with application() as first, application() as second:
        ids = range(60)
        answers = await asyncio.gather(
            *(
                client.put(f"/stuff/{id}", json={"by": name})
                for id in ids
                for name, client in (("first", first), ("second", second))
            )
        )
        statuses = [answer.status_code for answer in answers]
        assert [sorted(statuses[2 * id : 2 * id + 2]) for id in ids] == [[200, 201]] * len(ids)


async def test_when_the_database_is_gone_all_waiting_operations_fail_at_once(
    application: Application,
    free_port: int,
    engine_on_port: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds, "ROUND_TRIPS", 1)
    monkeypatch.setattr(bounds, "MAX_COUNT", 1)
    engine = engine_on_port(free_port)
    uri = f"mongodb://127.0.0.1:{free_port}/?retryWrites=false&retryReads=false"
    async with application(mongodb_uri=uri, server_selection_timeout=patient(0.5)) as client:
        async with asyncio.timeout(TIMEOUT):
            while not (await client.get("/readyz")).is_success:
                await asyncio.sleep(0.05)
        engine.kill()
        engine.wait()
        with suppress(AssertionError):
            await client.get("/stuff/0")  # the driver finds out
        async with asyncio.timeout(patient(5)):
            responses = await asyncio.gather(
                *(client.get(f"/stuff/{n}") for n in range(30)),
                *(client.put(f"/stuff/{n}", json={}) for n in range(30)),
                *(client.delete(f"/stuff/{n}") for n in range(30)),
            )
        for response in responses:
            assert_problem(response, 503, "database-unavailable")
