"""JSON Merge Patch (RFC 7396)."""

from typing import Any

import pytest
from httpx import AsyncClient

from tests.support.patching import MERGE, patch
from tests.support.problems import assert_problem

# RFC 7396, appendix A, for documents: what is patched, the patch, and the result, or None where the
# result is no object and so no document.
MERGES: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"a": "b"}, ["c"], None),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", None),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ({"a": [1, 2]}, {"a": {"b": "c"}}, {"a": {"b": "c"}}),
]


@pytest.mark.parametrize(("document", "merge", "result"), MERGES)
async def test_merge_patches_of_the_rfc(
    client: AsyncClient, document: Any, merge: Any, result: Any
) -> None:
    await client.put("/stuff/a", json=document)
    response = await patch(client, merge, MERGE)
    if result is None:
        assert_problem(response, 422, "invalid-document", pointer="")
        result = document
    else:
        assert response.status_code == 200
        assert response.json() == {"_id": "a", **result}
    found = await client.get("/stuff/a")
    assert list(found.json().items()) == [("_id", "a"), *result.items()]


async def test_merging_the_id_or_the_metadata(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"x": 1})
    assert (await patch(client, {"_id": "a", "y": 1}, MERGE)).status_code == 200
    for body, pointer in (
        ({"_id": "b"}, "/_id"),
        ({"_id": None}, "/_id"),
        ({"_stuff": {"etag": "x"}}, "/_stuff"),
        ({"$x": 1}, "/$x"),
    ):
        response = await patch(client, body, MERGE)
        assert_problem(response, 422, "invalid-document", pointer=pointer)
    assert (await client.get("/stuff/a")).json() == {"_id": "a", "x": 1, "y": 1}


async def test_a_patch_that_is_no_object_is_refused_before_conditions_are_looked_at(
    client: AsyncClient,
) -> None:
    """Whatever they say (RFC 9110, section 13.2.1)."""
    await client.put("/stuff/a", json={})
    assert_problem(await patch(client, [], MERGE, **{"if-match": '"x"'}), 422, "invalid-document")
