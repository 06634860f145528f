"""Filters: MongoDB's language by an allow-list, each refusal with a pointer to the place."""

import json
from contextlib import closing
from datetime import UTC, datetime
from email.message import Message
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import anyio.to_thread
import pytest
from bson import Decimal128, ObjectId
from httpx import AsyncClient
from pymongo.collection import Collection

from service.documents.query.patterns import explain_danger
from tests.support.applications import Application
from tests.support.problems import is_sentence

DOCUMENTS = [
    {"_id": "ada", "born": 1815, "name": "Ada", "fields": ["mathematics", "computing"]},
    {"_id": "alan", "born": 1912, "name": "Alan", "fields": ["computing"], "died": {"year": 1954}},
    {"_id": "emmy", "born": 1882, "name": "Emmy", "fields": ["mathematics"], "died": None},
    {"_id": "grace", "born": 1906, "name": "Grace", "ranks": [{"n": 1, "of": "a"}, {"n": 7}]},
]


@pytest.fixture(autouse=True)
def documents(collection: Collection[dict[str, Any]]) -> None:
    collection.insert_many(DOCUMENTS)


async def find(client: AsyncClient, filter: Any) -> list[Any]:
    response = await client.get("/stuff", params={"filter": json.dumps(filter)})
    assert response.status_code == 200, response.text
    return [item["_id"] for item in response.json()["items"]]


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({}, "ada alan emmy grace"),
        ({"name": "Ada"}, "ada"),
        ({"_id": "alan"}, "alan"),
        ({"born": {"$eq": 1815}}, "ada"),
        ({"born": {"$ne": 1815}}, "alan emmy grace"),
        ({"born": {"$gt": 1882}}, "alan grace"),
        ({"born": {"$gte": 1882, "$lt": 1912}}, "emmy grace"),
        ({"born": {"$lte": 1882}}, "ada emmy"),
        ({"name": {"$in": ["Ada", "Emmy", "Zoe"]}}, "ada emmy"),
        ({"name": {"$nin": ["Ada", "Emmy"]}}, "alan grace"),
        ({"fields": "computing"}, "ada alan"),
        ({"fields": ["computing"]}, "alan"),
        ({"fields": {"$all": ["computing", "mathematics"]}}, "ada"),
        ({"fields": {"$size": 1}}, "alan emmy"),
        ({"fields": {"$elemMatch": {"$gt": "m"}}}, "ada emmy"),
        ({"ranks": {"$elemMatch": {"n": 7, "of": {"$exists": False}}}}, "grace"),
        ({"ranks.n": 1}, "grace"),
        ({"died": {"$exists": True}}, "alan emmy"),
        ({"died": None}, "ada emmy grace"),
        ({"died": {"year": 1954}}, "alan"),
        ({"died.year": {"$type": "number"}}, "alan"),
        ({"died": {"$type": ["object", "null"]}}, "alan emmy"),
        ({"born": {"$mod": [2, 1]}}, "ada"),
        ({"born": {"$not": {"$gt": 1900}}}, "ada emmy"),
        ({"name": {"$regex": "^a", "$options": "i"}}, "ada alan"),
        ({"name": {"$not": {"$regex": "a"}}}, "emmy"),
        ({"$or": [{"born": 1815}, {"name": "Emmy"}]}, "ada emmy"),
        ({"$and": [{"born": {"$gt": 1850}}, {"fields": "mathematics"}]}, "emmy"),
        ({"$nor": [{"fields": "computing"}, {"name": "Emmy"}]}, "grace"),
        ({"name": {"$eq": {"$unknown": 1}}}, ""),
    ],
)
async def test_operators_find_what_they_find_in_mongodb(
    client: AsyncClient, filter: Any, found: str
) -> None:
    assert await find(client, filter) == found.split()


async def test_values_that_json_lacks_are_written_as_extended_json(
    client: AsyncClient, collection: Collection[dict[str, Any]]
) -> None:
    date, id, price = datetime(2026, 1, 1, tzinfo=UTC), ObjectId("a" * 24), Decimal128("1.10")
    collection.insert_one({"_id": id, "at": date, "price": price})
    for filter in (
        {"_id": {"$oid": "a" * 24}},
        {"at": {"$date": "2026-01-01T00:00:00Z"}},
        {"at": {"$gte": {"$date": "2026-01-01T00:00:00Z"}}},
        {"price": {"$in": [{"$numberDecimal": "1.1"}]}},
        {"at": {"$lt": {"$maxKey": 1}, "$type": "date"}},
    ):
        assert await find(client, filter) == [{"$oid": "a" * 24}], filter


@pytest.mark.parametrize(
    ("filter", "pointer"),
    [
        ("", ""),
        ("{", ""),
        ("[]", ""),
        ("null", ""),
        ('"name"', ""),
        ('{"a": NaN}', ""),
        ('{"a": 18446744073709551616}', "/a"),
        ('{"a": 1, "a": 2}', "/a"),
        ('{"$where": "1"}', "/$where"),
        ('{"$expr": {"$gt": ["$a", 1]}}', "/$expr"),
        ('{"$text": {"$search": "a"}}', "/$text"),
        ('{"$comment": "a"}', "/$comment"),
        ('{"a": {"$where": "1"}}', "/a/$where"),
        ('{"a": {"$function": {}}}', "/a/$function"),
        ('{"a": {"$near": [0, 0]}}', "/a/$near"),
        ('{"$or": [{"a": 1}, {"b": {"$not": {"$foo": 1}}}]}', "/$or/1/b/$not/$foo"),
        ('{"a": {"$elemMatch": {"$where": "1"}}}', "/a/$elemMatch/$where"),
        ('{"a": {"$elemMatch": {"b": {"$where": "1"}}}}', "/a/$elemMatch/b/$where"),
        ('{"a": {"$elemMatch": 1}}', "/a/$elemMatch"),
        ('{"a": {"$gt": 1, "b": 2}}', "/a/b"),
        ('{"$or": []}', "/$or"),
        ('{"$or": {"a": 1}}', "/$or"),
        ('{"$and": [1]}', "/$and/0"),
        ('{"a": {"$in": 1}}', "/a/$in"),
        ('{"a": {"$not": 1}}', "/a/$not"),
        ('{"a": {"$not": {"b": 1}}}', "/a/$not"),
        ('{"a": {"$exists": 1}}', "/a/$exists"),
        ('{"a": {"$type": "text"}}', "/a/$type"),
        ('{"a": {"$type": null}}', "/a/$type"),
        ('{"a": {"$size": -1}}', "/a/$size"),
        ('{"a": {"$size": true}}', "/a/$size"),
        ('{"a": {"$mod": [0, 1]}}', "/a/$mod/0"),
        ('{"a": {"$mod": [1]}}', "/a/$mod"),
        ('{"a": {"$regex": 1}}', "/a/$regex"),
        ('{"a": {"$regex": "(a+)+$"}}', "/a/$regex"),
        ('{"a": {"$regex": "a", "$options": "x"}}', "/a/$options"),
        ('{"a": {"$options": "i"}}', "/a/$options"),
        ('{"a": {"$oid": "123"}}', "/a"),
        ('{"a": [1, {"b": {"$oid": "x"}}]}', "/a/1/b"),
        ('{"a": {"b": {"$all": [{"c": [{"$oid": "x"}]}], "$gt": 1}}}', "/a/b/$all/0/c/0"),
        ('{"a": {"$all": [1, {"c": [{"$oid": "x"}]}]}}', "/a/$all/1/c/0"),
        ('{"a": {"$mod": [2.5, 1]}}', "/a/$mod"),
        ('{"a": {"$type": true}}', "/a/$type"),
        ('{"a": {"$type": 1.5}}', "/a/$type"),
        ('{"a": {"$gt": {"$date": "yesterday"}}}', "/a/$gt"),
        ('{"a": {"$in": [1, {"$numberDecimal": "x"}]}}', "/a/$in/1"),
        ('{"a": {"$regularExpression": {"pattern": "a", "options": ""}}}', "/a/$regularExpression"),
        ('{"a": {"$numberLong": "999999999999999999999999999999"}}', "/a"),
        ('{"a": {"$numberLong": 1e300}}', "/a"),
        ('{"a": {"$in": [1, {"$numberInt": "99999999999999999999"}]}}', "/a/$in/1"),
        ('{"a.²": 1}', "/a.²"),
        ('{"$or": [{"a.³.b": {"$gt": 1}}]}', "/$or/0/a.³.b"),
        ('{"a": {"$all": [{"$elemMatch": {"$regex": "^(a+)+c"}}]}}', "/a/$all/0/$elemMatch/$regex"),
        (
            '{"a": {"$all": [{"$elemMatch": {"b": {"$where": "1"}}}]}}',
            "/a/$all/0/$elemMatch/b/$where",
        ),
        ('{"a": {"$all": [{"$regex": "^(a+)+c"}]}}', "/a/$all/0"),
        ('{"a": {"$in": [{"$regex": "^(a+)+c"}]}}', "/a/$in/0"),
        ('{"a": {"$ne": {"$regex": "^(a+)+c"}}}', "/a/$ne"),
    ],
)
async def test_what_is_not_allowed_is_refused_with_a_pointer(
    client: AsyncClient, filter: str, pointer: str
) -> None:
    for method in ("GET", "DELETE"):
        response = await client.request(method, "/stuff", params={"filter": filter})
        assert response.status_code == 422, response.text
        problem = response.json()
        assert problem["type"] == "/problems/invalid-parameter"
        assert (problem["parameter"], problem["pointer"]) == ("filter", pointer)
        assert is_sentence(problem["detail"])
        if "/$" in pointer and "is not allowed" in problem["detail"]:
            assert pointer.rpartition("/")[2] in problem["detail"]
            assert "$or" in problem["detail"] or "$gte, $in" in problem["detail"]
    assert await find(client, {}) == ["ada", "alan", "emmy", "grace"]


async def test_operators_are_nested_twenty_levels_deep_at_most(client: AsyncClient) -> None:
    filter: dict[str, Any] = {"name": "Ada"}
    for _ in range(20):
        filter = {"$or": [filter]}
    assert await find(client, filter) == ["ada"]
    for wrapped in ({"$and": [filter]}, {"$nor": [filter]}):
        response = await client.get("/stuff", params={"filter": json.dumps(wrapped)})
        assert response.status_code == 422
        assert response.json()["pointer"].startswith(("/$and/0/$or", "/$nor/0/$or"))
    for levels, status in ((20, 200), (21, 422)):
        nots = '{"a": ' + '{"$not": ' * levels + '{"$gt": 1}' + "}" * (levels + 1)
        assert (await client.get("/stuff", params={"filter": nots})).status_code == status
    nots = '{"a": ' + '{"$not": ' * 50 + '{"$gt": 1}' + "}" * 51
    assert (await client.get("/stuff", params={"filter": nots})).status_code == 422


async def test_the_edges_of_what_is_allowed(client: AsyncClient) -> None:
    assert await find(client, {"born": {"$size": 0}}) == []
    assert await find(client, {"name": {"$type": 2}}) == ["ada", "alan", "emmy", "grace"]
    assert await find(client, {"name": {"$type": ["string", 1]}}) == await find(client, {})
    assert await find(client, {"name": {"$regex": "^A.*a$", "$options": "is"}}) == ["ada"]
    assert await find(client, {"name": {"$regex": "^A.*a$", "$options": "im"}}) == ["ada"]
    assert await find(client, {"name": {"$in": []}}) == []
    for pattern, danger in (("x" * 500, False), ("a+b+c+", False), ("a+b+c+d+", True)):
        assert (explain_danger(pattern) is not None) == danger
    for pattern in ("(a|b){1}", "(a?)?", "a{9}b{9}c{9}d{9}", "a{10}b{10}c{10}d{10}", "(a)(b)+"):
        assert explain_danger(pattern) is None
    for pattern in ("(a|b){2}", "a{11}b{11}c{11}d{11}", "a{,11}b{,11}c{,11}d{,11}", "((a|b)c)+"):
        assert explain_danger(pattern) is not None
    for escape in "123456789gkRKGCXQE":
        assert explain_danger(rf"\{escape}") is not None


async def get_page(client: AsyncClient, **parameters: str) -> tuple[Message, int, dict[str, Any]]:
    """Headers, status and body of an address that may be longer than httpx likes."""

    def get() -> tuple[Message, int, dict[str, Any]]:
        with closing(HTTPConnection(client.base_url.host, client.base_url.port or 80)) as http:
            http.request("GET", f"/stuff?{urlencode(parameters)}")
            response = http.getresponse()
            return response.headers, response.status, json.load(response)

    return await anyio.to_thread.run_sync(get)


async def test_a_filter_has_64_kilobytes_at_most(live_client: AsyncClient) -> None:
    filter = {"name": {"$in": ["Ada", *(f"{n:08}" for n in range(5400))]}}
    text = json.dumps(filter, separators=(",", ":"))
    text += " " * (64 * 1024 - len(text))
    _, status, page = await get_page(live_client, filter=text)
    assert (status, [item["_id"] for item in page["items"]]) == (200, ["ada"])
    _, status, problem = await get_page(live_client, filter=text + " ")
    assert (status, problem["parameter"]) == (422, "filter")


async def test_a_page_of_a_long_filter_has_no_link_but_a_cursor(live_client: AsyncClient) -> None:
    filter = json.dumps({"name": {"$nin": [f"{n:08}" for n in range(5000)]}})
    headers, _, page = await get_page(live_client, filter=filter, limit="3")
    assert "link" not in headers
    _, _, page = await get_page(live_client, filter=filter, after=page["next"])
    assert [item["_id"] for item in page["items"]] == ["grace"]


@pytest.mark.parametrize(
    "pattern",
    ["", "a", "^Ada$", r"\d{4}-\d{2}", "(jpg|png)$", "(?:ab)+", "a.*b.*c", "[a+]+", r"\(a+\)+",
     "a+?", "x?y?z?", "(a?)b", "[]a]b", "(a(b)c)", "a{2}b{3,}", "{", "a{x}"],
)  # fmt: skip
def test_patterns_that_match_in_time_are_allowed(pattern: str) -> None:
    assert explain_danger(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(a*)*b", "(a|aa)+", "(a|b){2,}", "((a+)b)+", "(?:a{1,9}){50}", "(a?){9}",
     "(x(y|z))*", "a*a*a*a*", ".*.*.*.*b", "a{1,50}a{1,50}a{1,50}a{1,50}", r"(a)\1", r"(?P<x>a)",
     "(?=a)", "(?i)a", "a++", "a**", "(a", "a)", "x" * 501, "a\0", "(?>a)", r"\Qa"],
)  # fmt: skip
def test_patterns_that_may_take_forever_are_refused(pattern: str) -> None:
    assert is_sentence(explain_danger(pattern))


async def test_a_malformed_pattern_is_refused(client: AsyncClient) -> None:
    for pattern in ("[a", "a{2,1}", r"\p{Nonsense}"):
        parameters = {"filter": json.dumps({"name": {"$regex": pattern}})}
        response = await client.get("/stuff", params=parameters)
        assert response.status_code == 422, pattern
        assert response.json()["parameter"] == "filter"


async def test_a_query_that_takes_too_long_is_a_504(
    application: Application, collection: Collection[dict[str, Any]]
) -> None:
    collection.insert_many([{"_id": f"{n}", "n": n, "text": "x" * 100} for n in range(5000)])
    async with application(query_timeout=0.001) as client:
        for method, order in (("GET", {"sort": "text"}), ("DELETE", {})):
            parameters = {"filter": '{"text": {"$regex": "y$"}}'} | order
            response = await client.request(method, "/stuff", params=parameters)
            assert response.status_code == 504, method
            assert response.json()["type"] == "/problems/query-timeout"
        response = await client.get("/stuff", params={"count": "true", "limit": 1})
        assert response.status_code == 504
