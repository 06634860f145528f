"""Conditional requests (RFC 9110, section 13): no update is lost, and nothing is sent twice."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from httpx import AsyncClient
from pymongo.collection import Collection

from service.documents.layout import Stored
from service.store.points import PointOperations
from tests.support.problems import assert_problem

OTHER = '"00000000000000000000000000000000"'
PAST = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
FUTURE = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)


@pytest.fixture
async def tag(client: AsyncClient) -> str:
    """The entity tag of the document at /stuff/a."""
    return str((await client.put("/stuff/a", json={"x": 1})).headers["etag"])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if-none-match": "TAG"}, 304),
        ({"if-none-match": "W/TAG"}, 304),
        ({"if-none-match": f'{OTHER}, W/"x" ,,TAG'}, 304),
        ({"if-none-match": ", TAG ,"}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": OTHER}, 200),
        ({"if-none-match": '""'}, 200),
        ({"if-match": "TAG"}, 200),
        ({"if-match": "*"}, 200),
        ({"if-match": "W/TAG"}, 412),
        ({"if-match": OTHER}, 412),
        ({"if-match": f"{OTHER},TAG"}, 200),
        ({"if-match": OTHER, "if-none-match": "TAG"}, 412),
        ({"if-match": "TAG", "if-none-match": "TAG"}, 304),
        ({"if-modified-since": FUTURE}, 304),
        ({"if-modified-since": PAST}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-modified-since": "Nov 9999 99:99:99 99999999999 1e9"}, 200),
        ({"if-modified-since": FUTURE.replace("GMT", "-0000")}, 304),
        ({"if-modified-since": PAST.replace("GMT", "-0000")}, 200),
        ({"if-modified-since": FUTURE, "if-none-match": OTHER}, 200),
        ({"if-modified-since": PAST, "if-none-match": "TAG"}, 304),
        ({"if-unmodified-since": PAST}, 412),
        ({"if-unmodified-since": FUTURE}, 200),
        ({"if-unmodified-since": "yesterday"}, 200),
        ({"if-unmodified-since": PAST, "if-match": "TAG"}, 200),
    ],
)
async def test_reads_follow_the_rfc(
    client: AsyncClient, tag: str, headers: dict[str, str], status: int
) -> None:
    headers = {name: value.replace("TAG", tag) for name, value in headers.items()}
    for method in ("GET", "HEAD"):
        response = await client.request(method, "/stuff/a", headers=headers)
        assert response.status_code == status
        if status != 412:
            assert response.headers["etag"] == tag
            assert "last-modified" in response.headers
        if status == 304:
            assert response.content == b""
            assert "content-type" not in response.headers


async def test_a_document_is_not_modified_since_its_own_last_change(
    client: AsyncClient, tag: str
) -> None:
    modified = (await client.get("/stuff/a")).headers["last-modified"]
    same = await client.get("/stuff/a", headers={"if-modified-since": modified})
    assert same.status_code == 304
    unmodified = await client.get("/stuff/a", headers={"if-unmodified-since": modified})
    assert unmodified.status_code == 200


@pytest.mark.parametrize("value", ["abc", '"a" "b"', '"a', "W/*", "*, *", '"a b"', ",", 'w/"a"'])
@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
async def test_a_malformed_precondition_is_400(
    client: AsyncClient, tag: str, header: str, value: str
) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        content = "{}" if method in ("PUT", "PATCH") else None
        headers = {header: value}
        if method == "PATCH":
            headers["content-type"] = "application/merge-patch+json"
        response = await client.request(method, "/stuff/a", content=content, headers=headers)
        assert_problem(response, 400, "invalid-precondition", parameter=header.lower())


async def test_several_lines_of_a_precondition_are_one_list(client: AsyncClient, tag: str) -> None:
    headers = [("If-None-Match", OTHER), ("If-None-Match", tag)]
    assert (await client.get("/stuff/a", headers=headers)).status_code == 304


@pytest.mark.parametrize(
    ("headers", "put", "patch", "delete"),
    [
        ({"if-match": "TAG"}, 200, 200, 204),
        ({"if-match": "*"}, 200, 200, 204),
        ({"if-match": OTHER}, 412, 412, 412),
        ({"if-match": "W/TAG"}, 412, 412, 412),
        ({"if-match": f"W/TAG, {OTHER}, TAG"}, 200, 200, 204),
        ({"if-none-match": "*"}, 412, 412, 412),
        ({"if-none-match": "W/TAG"}, 412, 412, 412),
        ({"if-none-match": OTHER}, 200, 200, 204),
        ({"if-unmodified-since": PAST}, 412, 412, 412),
        ({"if-unmodified-since": FUTURE}, 200, 200, 204),
        ({"if-modified-since": FUTURE}, 200, 200, 204),
    ],
)
async def test_writes_follow_the_rfc(
    client: AsyncClient, headers: dict[str, str], put: int, patch: int, delete: int
) -> None:
    for method, status in (("PUT", put), ("PATCH", patch), ("DELETE", delete)):
        tag = (await client.put("/stuff/a", json={"x": 1})).headers["etag"]
        sent = {name: value.replace("TAG", tag) for name, value in headers.items()}
        if method == "PATCH":
            sent["content-type"] = "application/merge-patch+json"
        content = None if method == "DELETE" else '{"x": 2}'
        response = await client.request(method, "/stuff/a", content=content, headers=sent)
        if status == 412:
            assert_problem(response, 412, "precondition-failed", etag=tag)
            assert (await client.get("/stuff/a")).json() == {"_id": "a", "x": 1}
        else:
            assert response.status_code == status


async def test_preconditions_on_a_missing_document(client: AsyncClient) -> None:
    for value in ("*", OTHER):
        headers = {"if-match": value}
        response = await client.put("/stuff/new", json={}, headers=headers)
        assert_problem(response, 412, "precondition-failed", etag=None)
        for method in ("GET", "DELETE"):
            response = await client.request(method, "/stuff/new", headers=headers)
            assert_problem(response, 404, "document-not-found")
    created = await client.put("/stuff/new", json={}, headers={"if-none-match": "*"})
    assert created.status_code == 201
    created = await client.put("/stuff/newer", json={}, headers={"if-none-match": OTHER})
    assert created.status_code == 201


async def test_a_create_only_put_raced_by_50_clients_creates_once(client: AsyncClient) -> None:
    for number in range(3):
        answers = await asyncio.gather(
            *(
                client.put(
                    f"/stuff/{number}", json={"writer": writer}, headers={"if-none-match": "*"}
                )
                for writer in range(50)
            )
        )
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [201] + [412] * 49
        (winner,) = [n for n, answer in enumerate(answers) if answer.status_code == 201]
        assert (await client.get(f"/stuff/{number}")).json()["writer"] == winner


async def test_a_document_of_another_program_is_compared_by_its_content(
    client: AsyncClient, collection: Collection[dict[str, Any]]
) -> None:
    collection.insert_one({"_id": "a", "n": 1})
    tag = (await client.get("/stuff/a")).headers["etag"]
    assert (await client.get("/stuff/a", headers={"if-none-match": tag})).status_code == 304
    collection.update_one({"_id": "a"}, {"$set": {"n": 2}})
    stale = await client.put("/stuff/a", json={"n": 3}, headers={"if-match": tag})
    assert_problem(stale, 412, "precondition-failed")
    tag = stale.json()["etag"]
    fresh = await client.put("/stuff/a", json={"n": 3}, headers={"if-match": tag})
    assert fresh.status_code == 200


async def test_a_change_that_left_the_old_stuff_behind_counts(
    client: AsyncClient, collection: Collection[dict[str, Any]], tag: str
) -> None:
    collection.update_one({"_id": "a"}, {"$set": {"x": 2}})
    assert (await client.get("/stuff/a", headers={"if-none-match": tag})).status_code == 200
    stale = await client.put("/stuff/a", json={"x": 3}, headers={"if-match": tag})
    assert_problem(stale, 412, "precondition-failed")
    assert (await client.delete("/stuff/a", headers={"if-match": tag})).status_code == 412
    current = (await client.get("/stuff/a")).headers["etag"]
    assert stale.json()["etag"] == current
    assert (
        await client.put("/stuff/a", json={"x": 3}, headers={"if-match": current})
    ).status_code == 200


async def test_documents_of_16_megabytes_are_compared_too(client: AsyncClient) -> None:
    sizes = [16 * 1024 * 1024 - 200, 15_900_000]
    tag = (await client.put("/stuff/a", json={"x": "x" * sizes[0]})).headers["etag"]
    assert (
        await client.put("/stuff/a", json={"x": "y" * sizes[1]}, headers={"if-match": OTHER})
    ).status_code == 412
    replaced = await client.put("/stuff/a", json={"x": "y" * sizes[0]}, headers={"if-match": tag})
    assert replaced.status_code == 200
    headers = {"content-type": "application/merge-patch+json", "prefer": "return=minimal"}
    patched = await client.patch("/stuff/a", content='{"y": 1}', headers=headers)
    assert patched.status_code == 204
    deleted = await client.delete("/stuff/a", headers={"if-match": patched.headers["etag"]})
    assert deleted.status_code == 204


class Intruder:
    """Another program that changes the document between the service's reading and writing it."""

    def __init__(self, collection: Collection[dict[str, Any]], times: int) -> None:
        self.collection = collection
        self.times = times
        self.find = PointOperations._find

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def find(store: PointOperations, id: str) -> Stored | None:
            found = await self.find(store, id)
            if self.times > 0:
                self.times -= 1
                self.collection.update_one({"_id": id}, {"$inc": {"intruder": 1}})
            return found

        monkeypatch.setattr(PointOperations, "_find", find)


async def test_what_another_program_changes_meanwhile_is_not_lost(
    client: AsyncClient,
    collection: Collection[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    merge = {"content-type": "application/merge-patch+json"}
    for method, headers, status in (
        ("PUT", {}, 412),
        ("DELETE", {}, 412),
        ("PATCH", merge, 412),
    ):
        tag = (await client.put("/stuff/a", json={"x": 1})).headers["etag"]
        with monkeypatch.context() as patched:
            Intruder(collection, 1).install(patched)
            content = None if method == "DELETE" else '{"y": 1}'
            response = await client.request(
                method, "/stuff/a", content=content, headers={**headers, "if-match": tag}
            )
        assert response.status_code == status
        assert (await client.get("/stuff/a")).json() == {"_id": "a", "x": 1, "intruder": 1}
    with monkeypatch.context() as patched:
        Intruder(collection, 3).install(patched)
        response = await client.patch("/stuff/a", content='{"y": 1}', headers=merge)
    assert response.json() == {"_id": "a", "x": 1, "intruder": 4, "y": 1}


async def test_a_patch_that_keeps_meeting_other_writes_gives_up(
    client: AsyncClient,
    collection: Collection[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await client.put("/stuff/a", json={"x": 1})
    with monkeypatch.context() as patched:
        Intruder(collection, 10_000).install(patched)
        headers = {"content-type": "application/merge-patch+json"}
        response = await client.patch("/stuff/a", content='{"y": 1}', headers=headers)
    assert_problem(response, 503, "write-conflict")
    assert response.headers["retry-after"] == "1"
    assert "y" not in (await client.get("/stuff/a")).json()
