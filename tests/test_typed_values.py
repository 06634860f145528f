"""Collections whose schema says `x-bson`: strings for clients, other BSON types in the database."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import Binary, Decimal128, Int64, ObjectId, Regex, json_util
from httpx import AsyncClient
from pymongo import MongoClient
from pymongo.collection import Collection

from service.settings import Settings
from tests.support.applications import Application, live
from tests.support.bson_values import VALUES
from tests.support.committing import committed, merge, put, write
from tests.support.declaring import declare
from tests.support.following import follow
from tests.support.problems import assert_problem
from tests.support.requests import JSON, MERGE, NDJSON
from tests.support.typed import CANONICAL, ID, ORDER, OTHER_ID, STORED, UUID, at

EJSON = {"Content-Type": "application/ejson"}
NDEJSON = {"Content-Type": "application/x-ndejson"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
Documents = Collection[dict[str, Any]]


@pytest.fixture
async def client(application: Application, tmp_path: Path) -> AsyncIterator[AsyncClient]:
    async with application(collections=declare(tmp_path, orders={"schema": ORDER})) as client:
        yield client


@pytest.fixture
def orders(mongo: MongoClient[dict[str, Any]], settings: Settings) -> Documents:
    """The collection as another program sees it."""
    return mongo[settings.database]["orders"]


def stored(orders: Documents, id: str = "a") -> dict[str, Any]:
    """The fields that another program finds, with their types."""
    found = orders.find_one({"_id": id})
    assert found is not None
    del found["_id"], found["_stuff"]
    return found


async def test_commits_store_by_type_too(client: AsyncClient, orders: Documents) -> None:
    await committed(client, put("a", CANONICAL, collection="orders"))
    assert stored(orders) == STORED
    test = [{"op": "test", "path": f"/{name}", "value": CANONICAL[name]} for name in CANONICAL]
    operators = {"$set": CANONICAL | {"n": 2}}
    patches = merge("a", {"n": 1}), write("json_patch", "a", test), write("update", "a", operators)
    for each in patches:
        await committed(client, each | {"collection": "orders"})
    assert stored(orders) == STORED | {"n": 2}


@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}], ids=["plain", "conditional"])
async def test_what_is_put_is_stored_by_type_and_read_as_it_was_sent(
    client: AsyncClient, orders: Documents, headers: dict[str, str]
) -> None:
    put = await client.put("/orders/a", json=CANONICAL, headers=headers)
    assert put.status_code == 201
    assert stored(orders) == STORED
    assert list(stored(orders)) == list(CANONICAL)
    got = await client.get("/orders/a")
    assert got.json() == {"_id": "a", **CANONICAL}
    assert list(got.json()) == ["_id", *CANONICAL]
    assert got.headers["etag"] == put.headers["etag"]


async def test_every_way_to_write_stores_the_types(client: AsyncClient, orders: Documents) -> None:
    body = json.dumps(CANONICAL)
    created = await client.post("/orders", content=body, headers=JSON)
    assert stored(orders, created.json()["_id"]) == STORED
    for id, headers in (("b", NDJSON), ("c", NDEJSON)):
        line = json.dumps({"_id": id} | CANONICAL)
        report = (await client.post("/orders", content=line, headers=headers)).json()
        assert report["created"] == 1, report
        assert stored(orders, id) == STORED
    await client.put("/orders/d", content=body, headers=EJSON)
    assert stored(orders, "d") == STORED
    await client.put("/orders/e", json={})
    merged = await client.patch("/orders/e", content=body, headers=MERGE)
    without_null = {key: value for key, value in CANONICAL.items() if value is not None}
    assert merged.json() == {"_id": "e", **without_null}
    patch = [{"op": "replace", "path": "", "value": {"_id": "e"} | CANONICAL}]
    patched = await client.patch("/orders/e", content=json.dumps(patch), headers=JSON_PATCH)
    assert patched.json() == {"_id": "e", **CANONICAL}
    assert stored(orders, "e") == STORED


async def test_the_feed_shows_canonical_strings_and_its_filter_takes_them(
    settings: Settings, tmp_path: Path, orders: Documents
) -> None:
    filter = json.dumps({"due": {"$lt": "2027-01-01T00:00:00Z"}, "tags": ID})
    file = declare(tmp_path, orders={"schema": ORDER})
    async with live(settings, collections=file) as client:
        async with (
            follow(client, "/orders", filter=filter) as some,
            follow(client, "/orders/a") as of_one,
        ):
            # By another program.
            orders.insert_one({"_id": "b", **STORED, "due": at(2028, 1, 1)})
            orders.insert_one({"_id": "a", **STORED})
            for events in (some, of_one):
                assert (await events.next()).data["document"] == {"_id": "a", **CANONICAL}


async def test_the_feed_shows_documents_with_many_values(
    settings: Settings, tmp_path: Path, orders: Documents
) -> None:
    file = declare(tmp_path, orders={"schema": ORDER})
    async with live(settings, collections=file) as client:
        async with follow(client, "/orders") as events:
            first = events.last_id
            orders.insert_one({"_id": "a", "tags": STORED["tags"] * 20_000})
            tags = (await events.next()).data["document"]["tags"]
            assert tags == CANONICAL["tags"] * 20_000
        async with follow(client, "/orders", last=first) as events:
            assert (await events.next()).data["document"]["tags"] == tags


async def test_every_way_to_read_shows_the_canonical_strings(
    client: AsyncClient, orders: Documents
) -> None:
    shown = {"_id": "a", **CANONICAL}
    orders.insert_one({"_id": "a", **STORED})  # by another program
    assert (await client.get("/orders/a")).json() == shown
    assert (await client.get("/orders")).json()["items"] == [shown]
    lines = await client.get("/orders", headers={"Accept": "application/x-ndjson"})
    assert json.loads(lines.text) == shown
    view = {"_id": "a", "due": CANONICAL["due"], "lines": [{"at": CANONICAL["lines"][0]["at"]}]}
    parameters = {"fields": "due,lines.at"}
    assert (await client.get("/orders/a", params=parameters)).json() == view
    assert (await client.get("/orders", params=parameters)).json()["items"] == [view]
    put = await client.put("/orders/a", json=CANONICAL, headers={"Prefer": "return=representation"})
    assert put.json() == shown
    assert (await client.get("/orders/a", params={"meta": "true"})).json().keys() > shown.keys()


async def test_extended_json_shows_the_types_and_is_taken_back(
    client: AsyncClient, orders: Documents
) -> None:
    """So an import of an export stores the same bytes."""
    await client.put("/orders/a", json=CANONICAL)
    extended = await client.get("/orders/a", headers={"Accept": "application/ejson"})
    assert extended.json()["due"] == {"$date": {"$numberLong": "1796113800125"}}
    assert extended.json()["tags"] == [{"$oid": ID}, {"$oid": OTHER_ID}]
    lines = await client.get("/orders", headers={"Accept": "application/x-ndejson"})
    orders.delete_many({})
    report = (await client.post("/orders", content=lines.content, headers=NDEJSON)).json()
    assert report["created"] == 1, report
    assert stored(orders) == STORED
    again = await client.put("/orders/a", content=extended.content, headers=EJSON)
    assert (again.status_code, stored(orders)) == (200, STORED)


@pytest.mark.parametrize(
    ("field", "sent", "canonical"),
    [
        ("due", "2026-12-01T10:00:00+02:00", "2026-12-01T08:00:00.000Z"),
        ("due", "2026-12-01t10:00:00z", "2026-12-01T10:00:00.000Z"),
        ("due", "2026-12-01T10:00:00.1Z", "2026-12-01T10:00:00.100Z"),
        ("due", "2026-12-01T10:00:00.123999999Z", "2026-12-01T10:00:00.123Z"),
        ("due", "1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
        ("due", "9999-12-31T00:00:00-23:59", "9999-12-31T23:59:00.000Z"),
        ("customer", ID.upper(), ID),
        ("key", UUID.upper(), UUID),
        ("total", "-1.50e2", "-150"),
        ("total", "1e3", "1E+3"),
        ("total", "007", "7"),
        ("total", "Infinity", "Infinity"),
        ("total", "1" * 34, "1" * 34),
        ("total", "0." + "0" * 30 + "120", "1.20E-31"),
        ("seal", "AP9=", "AP8="),
        ("seal", "", ""),
    ],
)
async def test_other_strings_for_a_value_are_normalised(
    client: AsyncClient, field: str, sent: str, canonical: str
) -> None:
    put = await client.put("/orders/a", json={field: sent})
    assert put.status_code == 201
    got = await client.get("/orders/a")
    assert got.json() == {"_id": "a", field: canonical}
    again = await client.put("/orders/a", json={field: canonical})
    assert again.headers["etag"] == put.headers["etag"] == got.headers["etag"]
    assert (await client.get("/orders/a")).json()[field] == canonical


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"due": "tomorrow"}, "/due"),
        ({"due": "2026-12-01"}, "/due"),
        ({"due": "2026-12-01T10:00:00"}, "/due"),
        ({"due": "2026-02-30T10:00:00Z"}, "/due"),
        ({"due": "0000-01-01T00:00:00Z"}, "/due"),
        ({"due": "0001-01-01T00:00:00+01:00"}, "/due"),
        ({"due": "9999-12-31T23:59:59-01:00"}, "/due"),
        ({"due": "2026-12-31T23:59:60Z"}, "/due"),
        ({"due": "２026-12-31T23:59:00Z"}, "/due"),  # noqa: RUF001
        ({"due": 1796113800125}, "/due"),
        ({"due": None}, "/due"),
        ({"customer": ID[1:]}, "/customer"),
        ({"customer": "x" * 24}, "/customer"),
        ({"total": "12,5"}, "/total"),
        ({"total": 12.5}, "/total"),
        ({"total": "1" * 34 + "2"}, "/total"),
        ({"total": "1E+6200"}, "/total"),
        ({"seal": "AP8"}, "/seal"),
        ({"seal": "-_8="}, "/seal"),
        ({"seal": "AP8=\n"}, "/seal"),
        ({"seal": "ü"}, "/seal"),
        ({"key": UUID.replace("-", "")}, "/key"),
        ({"key": f"urn:uuid:{UUID}"}, "/key"),
        ({"paid": ""}, "/paid"),
        ({"tags": [ID, "x"]}, "/tags/1"),
        ({"read_at": {"a/b": "x"}}, "/read_at/a~1b"),
        ({"lines": [{}, {"parts": [{"at": "x"}]}]}, "/lines/1/parts/0/at"),
    ],
)
async def test_a_string_that_is_no_such_value_is_named(
    client: AsyncClient, orders: Documents, document: dict[str, Any], pointer: str
) -> None:
    response = await client.put("/orders/a", json=document)
    problem = assert_problem(response, 422, "schema-violation")
    assert [each["pointer"] for each in problem["errors"]] == [pointer]
    await client.put("/orders/a", json={})
    merged = await client.patch("/orders/a", content=json.dumps(document), headers=MERGE)
    assert merged.status_code == (200 if document == {"due": None} else 422)
    line = json.dumps({"_id": "b"} | document)
    report = (await client.post("/orders", content=line, headers=NDJSON)).json()
    assert [each["pointer"] for each in report["errors"][0]["errors"]] == [pointer]
    assert orders.find_one({"_id": "b"}) is None


async def test_all_faults_are_listed_once(client: AsyncClient) -> None:
    bad = {"due": "x", "customer": "x", "lines": 5, "tags": ["x"] * 30}
    problem = assert_problem(await client.put("/orders/a", json=bad), 422, "schema-violation")
    pointers = [each["pointer"] for each in problem["errors"]]
    assert len(pointers) == 20 == len(set(pointers))
    assert {"/due", "/customer", "/lines", "/tags/0"} <= set(pointers)
    [date] = [each["detail"] for each in problem["errors"] if each["pointer"] == "/due"]
    assert date == "Give a time such as 2026-01-31T12:00:00Z."


OTHERS: list[tuple[Any, Any]] = [
    ("next week", "next week"),
    (5, 5),
    (Int64(2**60), 2**60),
    (None, None),
    (1.5, 1.5),
    ({"a": 1}, {"a": 1}),
    (Binary(b"ab", 5), {"$binary": {"base64": "YWI=", "subType": "05"}}),
    (Regex("a", "i"), {"$regularExpression": {"pattern": "a", "options": "i"}}),
]


@pytest.mark.parametrize(("value", "shown"), OTHERS)
@pytest.mark.parametrize("field", ["due", "customer", "total", "seal", "key"])
async def test_values_of_other_types_are_read_as_they_are(
    client: AsyncClient, orders: Documents, field: str, value: Any, shown: Any
) -> None:
    orders.insert_one({"_id": "a", field: value, "tags": [value]})
    found = (await client.get("/orders/a")).json()
    assert found == {"_id": "a", field: shown, "tags": [shown]}
    assert (await client.get("/orders")).json()["items"] == [found]
    assert (await client.delete("/orders/a")).status_code == 204


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("key", Binary(b"a" * 16, 3), {"$binary": {"base64": "YWFhYWFhYWFhYWFhYWFhYQ==",
                                                   "subType": "03"}}),
        ("key", Binary(b"a", 4), {"$binary": {"base64": "YQ==", "subType": "04"}}),
        ("due", ObjectId(ID), {"$oid": ID}),
    ],
)  # fmt: skip
async def test_what_has_no_canonical_string_is_extended_json(
    client: AsyncClient, orders: Documents, field: str, value: Any, shown: Any
) -> None:
    orders.insert_one({"_id": "a", field: value, "n": 1})
    assert (await client.get("/orders/a")).json()[field] == shown
    merged = await client.patch("/orders/a", content='{"n": 2}', headers=MERGE)
    assert_problem(merged, 422, "schema-violation")
    await client.patch("/orders/a", content=json.dumps({field: None}), headers=MERGE)
    assert (await client.get("/orders/a")).json() == {"_id": "a", "n": 1}


async def test_the_next_write_converts_text_of_other_programs(
    client: AsyncClient, orders: Documents
) -> None:
    texts = {"due": "2026-12-01T08:30:00+01:00", "total": "12.50"}
    orders.insert_many([{"_id": id, **texts, "n": 1} for id in ("a", "b")])
    found = (await client.get("/orders/a")).json()
    assert found == {"_id": "a", **texts, "n": 1}
    await client.put("/orders/a", json=found)
    assert (await client.patch("/orders/b", content='{"m": 1}', headers=MERGE)).status_code == 200
    for id in ("a", "b"):
        assert stored(orders, id)["due"] == at(2026, 12, 1, 7, 30)
        assert stored(orders, id)["total"] == Decimal128("12.50")


async def test_patches_see_and_leave_canonical_strings(
    client: AsyncClient, orders: Documents
) -> None:
    orders.insert_one({"_id": "a", **STORED})
    patch = [
        {"op": "test", "path": "/due", "value": CANONICAL["due"]},
        {"op": "test", "path": "/lines/0", "value": CANONICAL["lines"][0]},
        {"op": "copy", "from": "/due", "path": "/paid"},
        {"op": "move", "from": "/tags/0", "path": "/former"},
        {"op": "replace", "path": "/lines/0/at", "value": 5},
        {"op": "replace", "path": "/read_at/ada", "value": "2026-12-01T10:00:00.9999+02:00"},
    ]
    patched = await client.patch("/orders/a", content=json.dumps(patch), headers=JSON_PATCH)
    assert patched.status_code == 200, patched.text
    assert patched.json()["read_at"]["ada"] == "2026-12-01T08:00:00.999Z"
    expected = STORED | {
        "paid": STORED["due"],
        "tags": STORED["tags"][1:],
        "former": ID,
        "lines": [STORED["lines"][0] | {"at": 5}],
        "read_at": STORED["read_at"] | {"ada": at(2026, 12, 1, 8, 0, 0, 999_000)},
    }
    assert stored(orders) == expected


async def test_conditions_compare_what_is_stored(client: AsyncClient, orders: Documents) -> None:
    etag = (await client.put("/orders/a", json=CANONICAL)).headers["etag"]
    orders.update_one({"_id": "a"}, {"$set": {"due": at(2027, 1, 1)}})
    stale = await client.put("/orders/a", json=CANONICAL, headers={"If-Match": etag})
    assert stale.status_code == 412
    changed = await client.get("/orders/a", headers={"If-None-Match": etag})
    assert changed.json()["due"] == "2027-01-01T00:00:00.000Z"
    own = {"If-Match": changed.headers["etag"]}
    merged = await client.patch("/orders/a", content='{"total": "1.0"}', headers=MERGE | own)
    assert merged.status_code == 200
    assert (await client.delete("/orders/a", headers=own)).status_code == 412
    assert stored(orders)["total"] == Decimal128("1.0")


async def test_documents_with_many_values_are_read_and_written(
    client: AsyncClient, orders: Documents
) -> None:
    lines = [{"price": f"{n}.50", "at": "2026-12-01T08:00:00Z"} for n in range(60_000)]
    assert (await client.put("/orders/a", json={"lines": lines})).status_code == 201
    found = orders.find_one({"_id": "a"})
    assert found is not None
    assert found["lines"][-1] == {"price": Decimal128("59999.50"), "at": at(2026, 12, 1, 8)}
    last = {"price": "59999.50", "at": "2026-12-01T08:00:00.000Z"}
    assert (await client.get("/orders/a")).json()["lines"][-1] == last
    patch = [{"op": "test", "path": "/lines/59999", "value": last}]
    patched = await client.patch("/orders/a", content=json.dumps(patch), headers=JSON_PATCH)
    assert patched.json()["lines"][-1] == last
    bad = json.dumps({"lines": [*lines, {"at": "x"}]})
    problem = assert_problem(
        await client.put("/orders/a", content=bad, headers=JSON), 422, "schema-violation"
    )
    assert [each["pointer"] for each in problem["errors"]] == ["/lines/60000/at"]


async def test_nothing_is_guessed_without_the_keyword(
    client: AsyncClient, orders: Documents
) -> None:
    await client.put("/orders/a", json={"note": "2026-12-01T10:00:00+02:00"})
    assert stored(orders)["note"] == "2026-12-01T10:00:00+02:00"


async def test_values_at_other_paths_keep_their_types(
    client: AsyncClient, orders: Documents
) -> None:
    values = {name: value for name, value in VALUES.items() if name != "far date"}
    body = json_util.dumps({"more": values}, json_options=json_util.CANONICAL_JSON_OPTIONS)
    put = await client.put("/orders/a", content=body, headers=EJSON)
    assert put.status_code == 201, put.text

    def more() -> Any:
        [found] = orders.find_raw_batches({"_id": "a"}, {"_id": 0, "more": 1})
        return found

    assert more() == bson.encode({"more": values})
    merged = await client.patch("/orders/a", content='{"total": "1"}', headers=MERGE)
    assert merged.status_code == 200, merged.text
    assert more() == bson.encode({"more": values})
