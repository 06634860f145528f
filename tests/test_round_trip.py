"""Every JSON object comes back as it was sent, in its own key order."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from httpx import AsyncClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from service.documents.ids import MAX_ID_BYTES

# Surrogates are no characters; everything else is.
text = st.text(st.characters(exclude_categories=["Cs"]))
keys = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.sampled_from(["", "id", "a.b", "$x", "$id", "$date", "revision_id", "_class_id"])
).filter(lambda key: key != "$ref")  # has a test of its own below
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=20,
)
reserved = ("_id", "_stuff")
documents = st.dictionaries(
    keys.filter(lambda key: not key.startswith("$") and key not in reserved), values, max_size=8
)
ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda text: len(text.encode()) <= MAX_ID_BYTES and text not in (".", "..")
)
ODD: list[dict[str, Any]] = [
    {},
    {"id": 1, "revision_id": "no uuid", "_class_id": 2, "settings": {}, "save": [], "bson": 1},
    {"": "", "a.b": {"c.d": 1}, "nested": {"$x": 1, "$set": {"$inc": 2}, "_id": 3, "_stuff": 4}},
    {"z": 1, "a": 2, "m": {"z": 1, "a": 2}},
    {"int": [0, -1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, -(2**63)]},
    {
        "float": [
            0.0,
            1.0,
            0.1,
            -1e-300,
            1.7976931348623157e308,
            5e-324,
            1e19,
            1.8446744073709552e19,
        ]
    },
    {"text": "NUL \0, BEL \a, line \u2028, emoji 😀, combining e\u0301, bidi \u202e"},
    {"reference": {"$ref": "c", "$id": 1, "$db": "d"}, "broken": {"$ref": 5, "$id": 1}},
    {"reference": {"$ref": "c", "$id": {"$ref": "d", "$id": []}, "x": 1}, "half": {"$ref": "c"}},
    {"extended": {"$oid": "65f000000000000000000000", "$date": 1}},
    {"null": None, "empty": [[], {}, [[]]], "mixed": [1, 1.0, "1", True, None]},
    {"quote": 'a "quoted": colon', "spaced : colon": 1, 'key "x":': 1},
    {"model_config": 1, "model_fields": 2, "dict": 3, "__class__": 4, "self": 5, "_saved_state": 6},
]


def exact(text: bytes | str) -> Any:
    """The JSON with all that Python's own equality overlooks: key order, and 1 against 1.0."""
    return json.loads(
        text,
        object_pairs_hook=lambda pairs: [("object", *pair) for pair in pairs],
        parse_float=lambda number: ("float", float(number)),
    )


async def assert_round_trip(client: AsyncClient, id: str, document: dict[str, Any]) -> None:
    path = "/stuff/" + quote(id, safe="")
    sent = json.dumps(document)
    stored = await client.put(path, content=sent)
    assert stored.status_code in (200, 201), stored.text
    read = await client.get(path)
    assert read.status_code == 200
    assert exact(read.content) == exact(json.dumps({"_id": id, **document}))
    assert read.headers["etag"] == stored.headers["etag"]


@pytest.mark.parametrize("document", ODD, ids=lambda document: next(iter(document), "empty"))
async def test_odd_documents_come_back_unchanged(
    client: AsyncClient, document: dict[str, Any]
) -> None:
    await assert_round_trip(client, "odd", document)


async def test_a_reference_whose_keys_are_in_another_order_comes_back_unchanged(
    client: AsyncClient, mongo: MongoClient[dict[str, Any]], request: pytest.FixtureRequest
) -> None:
    if "secantus" in str(mongo.admin.command("buildInfo")).lower():
        reason = "the embedded engine itself puts $ref first (see docs/explanation/engines.md)"
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    await assert_round_trip(client, "odd", {"reference": {"$id": 1, "$ref": "c"}})


@given(id=ids, document=documents)
@settings(max_examples=100)
async def test_any_document_under_any_id_comes_back_unchanged(
    client: AsyncClient, id: str, document: dict[str, Any]
) -> None:
    await assert_round_trip(client, id, document)


async def test_a_hundred_levels_come_back_unchanged(client: AsyncClient) -> None:
    document: dict[str, Any] = {}
    for _ in range(99):
        document = {"a": document}
    await assert_round_trip(client, "deep", document)


async def test_a_document_of_15_megabytes_comes_back_unchanged(client: AsyncClient) -> None:
    await assert_round_trip(
        client, "large", {"text": "x" * 15_000_000, "list": list(range(10_000))}
    )
