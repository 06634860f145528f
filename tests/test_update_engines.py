"""Update operators on databases that differ from the embedded engine, and their errors."""

from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from service.documents.layout import MAX_DOCUMENT_BYTES
from tests.support.applications import Application
from tests.support.database import roles
from tests.support.database.answers import broken_after, error
from tests.support.database.playing import Play
from tests.support.database.roles import Role
from tests.support.declaring import declare
from tests.support.patching import update
from tests.support.problems import assert_problem

ROLES = [roles.PRIMARY, roles.MONGOS, roles.STANDALONE, roles.DOCUMENTDB]
COUNT = {"$inc": {"n": 1}}
MINIMAL = {"prefer": "return=minimal"}


@pytest.mark.parametrize("size", [10, MAX_DOCUMENT_BYTES - 200], ids=["small", "large"])
@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
async def test_operators_work_everywhere(
    application: Application, play: Play, role: Role, size: int
) -> None:
    uri = play(role, forward=True).uri(retryWrites="false", readPreference="secondary")
    async with application(mongodb_uri=uri) as client:
        created = await update(client, COUNT, "/stuff/b?upsert=true")
        assert created.status_code == 201
        tag = (await client.put("/stuff/a", json={"x": "x" * size})).headers["etag"]
        stale = await update(client, COUNT, if_match='"0"', **MINIMAL)
        assert_problem(stale, 412, "precondition-failed")
        for headers in ({"if_match": tag}, {}):
            assert (await update(client, COUNT, **MINIMAL, **headers)).status_code == 204
        assert (await client.get("/stuff/a?fields=n")).json() == {"_id": "a", "n": 2}


async def refused(play: Play, application: Application, answer: Any) -> Response:
    """The response when the database answers so."""
    database = play(roles.PRIMARY, forward=True)
    async with application(mongodb_uri=database.uri()) as client:
        await client.put("/stuff/a", json={"n": 1})
        database.answer("findAndModify", answer)
        return await update(client, COUNT)


@pytest.mark.parametrize(
    ("code", "status", "slug"),
    [
        (2, 422, "invalid-patch"),  # BadValue
        (14, 422, "invalid-patch"),  # TypeMismatch
        (28, 422, "invalid-patch"),  # PathNotViable
        (51091, 422, "invalid-patch"),  # a pattern
        (10334, 413, "document-too-large"),
        (17419, 413, "document-too-large"),
        (15, 422, "document-rejected"),  # nested too deep
        (121, 422, "document-rejected"),  # a validator
        (66, 422, "document-rejected"),  # a part of the key of the shards
        (13, 503, "database-unavailable"),
        (50, 503, "database-unavailable"),
        (59, 501, "database-unsupported"),
        (1, 500, "internal-error"),
    ],
)
async def test_the_errors_of_the_database_are_told_by_what_they_are_about(
    application: Application, play: Play, code: int, status: int, slug: str
) -> None:
    message = f'Plan executor error :: caused by :: It is {{a: "{"secret" * 500}"}} there'
    response = await refused(play, application, error(code, message))
    problem = assert_problem(response, status, slug)
    if slug == "invalid-patch":
        assert problem["detail"].endswith("The database says: It is {...} there.")
        assert "secret" not in response.text


async def test_a_duplicate_of_a_unique_value_is_409(application: Application, play: Play) -> None:
    duplicate = error(11000, "E11000 duplicate key error", keyPattern={"n": 1}, keyValue={"n": 2})
    response = await refused(play, application, duplicate)
    assert_problem(response, 409, "duplicate-key", keys=["n"])


async def test_a_counter_that_another_process_creates_at_the_same_moment_is_counted(
    application: Application, play: Play
) -> None:
    """Also if the database answers that there is one by now, instead of trying again."""
    database = play(roles.PRIMARY, forward=True)
    taken = error(11000, "E11000 duplicate key error", keyPattern={"_id": 1}, keyValue={"_id": "a"})
    database.answer("findAndModify", taken, when=lambda asked: asked.get("upsert", False))
    async with application(mongodb_uri=database.uri()) as client:
        response = await update(client, COUNT, "/stuff/a?upsert=true")
        assert (response.status_code, response.json()["n"]) == (201, 1)
    assert len(database.commands("findAndModify")) == 4


async def test_an_unknown_outcome_is_503(application: Application, play: Play) -> None:
    database = play(roles.PRIMARY, forward=True)
    async with application(mongodb_uri=database.uri(retryWrites="false")) as client:
        await client.put("/stuff/a", json={"n": 1})
        database.answer("findAndModify", broken_after)
        response = await update(client, COUNT)
        assert_problem(response, 503, "database-unavailable")
        assert (await client.get("/stuff/a")).json()["n"] == 2


async def test_every_command_is_acknowledged_by_a_majority(
    application: Application, play: Play
) -> None:
    database = play(roles.PRIMARY, forward=True)
    async with application(mongodb_uri=database.uri()) as client:
        await update(client, COUNT, "/stuff/a?upsert=true")
    commands = database.commands("findAndModify")
    assert [each.get("upsert", False) for each in commands] == [False, True]
    for each in commands:
        assert each["writeConcern"] == {"w": "majority", "j": True}
        assert each["maxTimeMS"] > 0


async def test_a_schema_needs_transactions(
    application: Application, play: Play, tmp_path: Path
) -> None:
    file = declare(tmp_path, books={"schema": {"properties": {"n": {"maximum": 2}}}}, notes={})
    uri = play(roles.STANDALONE, forward=True).uri(retryWrites="false")
    async with application(mongodb_uri=uri, collections=file) as client:
        await client.put("/books/a", json={"n": 1})
        response = await update(client, COUNT, "/books/a")
        assert_problem(response, 501, "database-unsupported")
        assert (await update(client, COUNT, "/notes/a?upsert=true")).status_code == 201


def conflicts(count: int) -> list[Any]:
    return [error(112, "conflict", "TransientTransactionError")] * count


async def test_a_conflict_of_transactions_is_tried_again(
    application: Application, play: Play, tmp_path: Path
) -> None:
    file = declare(tmp_path, books={"schema": {"properties": {"n": {"maximum": 2}}}})
    database = play(roles.PRIMARY, forward=True)
    async with application(mongodb_uri=database.uri(), collections=file) as client:
        await client.put("/books/a", json={"n": 1})
        database.answer("findAndModify", *conflicts(3))
        response = await update(client, COUNT, "/books/a")
        assert (response.status_code, response.json()["n"]) == (200, 2)
        await check_violation(client)


async def check_violation(client: AsyncClient) -> None:
    response = await update(client, COUNT, "/books/a")
    problem = assert_problem(response, 422, "schema-violation")
    assert [each["pointer"] for each in problem["errors"]] == ["/n"]
    assert (await client.get("/books/a")).json()["n"] == 2
