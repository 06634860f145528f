"""Deleting by a filter: what matches, and nothing else."""

from typing import Any

import pytest
from httpx import AsyncClient
from pymongo.collection import Collection

from tests.support.problems import assert_problem

BORN = {"ada": 1815, "alan": 1912, "emmy": 1882, "grace": 1906}


@pytest.fixture(autouse=True)
def documents(collection: Collection[dict[str, Any]]) -> None:
    collection.insert_many([{"_id": id, "born": born} for id, born in BORN.items()])


async def ids(client: AsyncClient) -> list[str]:
    items = (await client.get("/stuff")).json()["items"]
    return [item["_id"] for item in items]


async def test_delete_deletes_what_matches_and_nothing_else(client: AsyncClient) -> None:
    response = await client.delete("/stuff", params={"filter": '{"born": {"$gt": 1900}}'})
    assert response.status_code == 200
    assert response.json() == {"deleted": 2}
    assert await ids(client) == ["ada", "emmy"]
    response = await client.delete("/stuff", params={"filter": '{"born": {"$gt": 1900}}'})
    assert response.json() == {"deleted": 0}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("filter={}&limit=1", "limit"),
        ("limit=1&filter={}", "limit"),
        ("filter={}&sort=born", "sort"),
        ("filter={}&fields=born", "fields"),
        ("filter={}&after=x", "after"),
        ("fitler={}", "fitler"),
        ("filter={}&" + "x" * 5000, "x" * 100),
        ('filter={"born":1815}&filter={}', "filter"),
    ],
)
async def test_a_parameter_that_a_deletion_would_ignore_is_refused(
    client: AsyncClient, query: str, parameter: str
) -> None:
    response = await client.delete(f"/stuff?{query}")
    problem = assert_problem(response, 422, "invalid-parameter", parameter=parameter)
    assert parameter in problem["detail"]
    assert len(await ids(client)) == 4


async def test_delete_needs_a_filter_and_an_empty_one_deletes_all(client: AsyncClient) -> None:
    for parameters in ({}, {"filter": ""}):
        response = await client.delete("/stuff", params=parameters)
        assert response.status_code == 422
        assert response.json()["parameter"] == "filter"
    assert len(await ids(client)) == 4
    assert (await client.delete("/stuff", params={"filter": "{}"})).json() == {"deleted": 4}
    assert await ids(client) == []
