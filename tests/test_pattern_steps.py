"""Patterns on the embedded engine, which has no limit of its own: one pass over the text, or none.

Each that is allowed is run on the engine itself, over texts that it likes least.
"""

import json
from contextlib import nullcontext
from typing import Any

import anyio
import pytest
from httpx import AsyncClient
from pymongo.collection import Collection

from service.documents.query.filters import Pattern, check_steps
from service.documents.query.patterns import explain_danger
from service.errors import InvalidParameter
from tests.support.applications import Application
from tests.support.database import roles
from tests.support.database.playing import Play
from tests.support.patience import patient
from tests.support.problems import assert_problem, is_sentence

SIZE = 20_000  # characters

ALLOWED = [
    "", "^Ada", "^A.*e$", "love|hate", "[A-Z][a-z]+", r"\d{4}-\d{2}", "^a.*b$", "^a*b", "^a+?b",
    "a{0,20}b", "a?a?a?b", "^(a|a)(a|a)(a|a)b", r"\.(jpe?g|png|gif)$", "colou?r", "https?://",
    "^.*?a{1,9}c", "^(a.*)b", "(?:19|20)[0-9]{2}", r"\bAda\b", "a" * 400 + "b", "a*", "(a)b+",
    "x{,3}a{9}", "^a|^b.*c|d", "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-", "a(bc)?", r"^\s*$", "a{40}b",
    "(?:a*|b){0}c", "(?:(?:a)*){0}b", "^(?:(?:ab)*){0}c", "^.{0,1000}b", "a{}",
]  # fmt: skip

REFUSED = [
    "a+b", ".*b", "a.*b", "a*$", "a+a+b", "^a+a+b", "^a*.*a*b", "^(a*)*b", "(a+)+", "(a|aa)+$",
    "(a|a)" * 12 + "b", "a?" * 20 + "b", "a{0,10}" * 12 + "b", "(a{0,9}){0,9}b", "^(ab)*c",
    "(ab)*$", "(^a.*|b)", "b(a+a+)?", "b(.*.*.*c)?", "^a{0,99}a{0,99}b", "(?:a|a|a){9}b",
    "a{3,1}(a?){9}b", "a{1,99999}b", "^*a", "x{,}y", "[^b]*b", "a{60}b",
    "(?:a*|b){0}" + "(?:a|a)" * 30 + "c", "(?:a*|b){0,0}" + "(?:a|a)" * 30 + "c",
    "a?" * 30 + "x{}", "a?" * 30 + "x{,\u0663}",  # no repetitions at the end, but literals
]  # fmt: skip

TEXTS = ["a" * SIZE, "aab" * (SIZE // 3), "ab" * (SIZE // 2), "A" * SIZE, "1" * SIZE, "a\n" * SIZE]


def refusal(pattern: str, options: str = "") -> str | None:
    """Why the embedded engine does not get the pattern; None if it does."""
    if danger := explain_danger(pattern):
        return danger
    try:
        check_steps([(pattern, options, [])])
    except InvalidParameter as error:
        return error.detail
    return None


@pytest.mark.parametrize("pattern", REFUSED)
def test_patterns_that_may_take_more_than_a_pass_are_refused(pattern: str) -> None:
    assert is_sentence(refusal(pattern))


def test_options_count() -> None:
    for pattern, options, is_allowed in (
        ("^a.*b", "i", True),
        ("^a.*b", "s", True),
        ("^a.*b", "m", True),
        ("^a.*b", "ms", False),  # from the beginning of each line to the end of the text
        ("^[^x]*b", "", True),
        ("^[^x]*b", "m", False),
        ("^(?:a|b|c){9}d", "m", False),
        (r"\Aa[^x]*b", "m", True),
        ("a" * 400 + "b", "", True),
        ("a" * 400 + "b", "i", False),  # not searched for in one pass
    ):
        assert (refusal(pattern, options) is None) == is_allowed, (pattern, options)


@pytest.mark.parametrize("options", ["", "i", "s"])
async def test_allowed_patterns_take_a_pass_over_the_text(
    client: AsyncClient, collection: Collection[dict[str, Any]], options: str
) -> None:
    collection.insert_many({"text": text} for text in TEXTS)
    for pattern in ALLOWED:
        if options == "i" and "a" * 40 in pattern:
            continue
        assert refusal(pattern, options) is None, pattern
        filter = {"text": {"$regex": pattern, "$options": options}}
        with anyio.fail_after(patient(2)):
            response = await client.get("/stuff", params={"filter": json.dumps(filter), "limit": 1})
        assert response.status_code == 200, pattern


@pytest.mark.parametrize(
    ("filter", "pointer"),
    [
        ({"a": {"$regex": "a.*b"}}, "/a/$regex"),
        ({"a": {"$not": {"$regex": "a.*b"}}}, "/a/$not/$regex"),
        ({"$nor": [{"a": {"$regex": "a.*b"}}]}, "/$nor/0/a/$regex"),
        ({"a": {"$all": [{"$elemMatch": {"$regex": "a.*b"}}]}}, "/a/$all/0/$elemMatch/$regex"),
        (
            {"a": {"$all": [{"$elemMatch": {"b": {"$elemMatch": {"$regex": "a.*b"}}}}]}},
            "/a/$all/0/$elemMatch/b/$elemMatch/$regex",
        ),
        ({"a": {"$elemMatch": {"$or": [{"b": {"$regex": "a.*b"}}]}}},
         "/a/$elemMatch/$or/0/b/$regex"),
        ({"$or": [{"a": {"$regex": "[a-z]{9}"}}] * 6}, "/$or/5/a/$regex"),
    ],
)  # fmt: skip
async def test_patterns_are_checked_wherever_they_are(
    client: AsyncClient, filter: Any, pointer: str
) -> None:
    for method in ("GET", "DELETE"):
        response = await client.request(method, "/stuff", params={"filter": json.dumps(filter)})
        problem = assert_problem(response, 422, "invalid-parameter", parameter="filter")
        assert problem["pointer"] == pointer
        assert "embedded engine" in problem["detail"]
    text = json.dumps(filter).replace("$regex", "$\\u0072egex")
    assert (await client.get("/stuff", params={"filter": text})).status_code == 422


def test_what_an_anchored_pattern_takes_for_each_text_is_counted() -> None:
    """Fifty patterns took 1 ms for each text of ten characters, of which there may be very many."""
    steep = "^" + "(a|a)" * 8 + "b"
    for patterns, is_allowed in (
        ([steep], False),
        (["^(a|a)(a|a)(a|a)b"] * 6, True),
        (["^(a|a)(a|a)(a|a)b"] * 50, False),
        (["a(?:" + "(a|a)" * 8 + "b)?"], False),
        (["^Ada", "^A.*e$", "love|hate", r"\d{4}-\d{2}"], True),
    ):
        found: list[Pattern] = [(pattern, "", []) for pattern in patterns]
        with nullcontext() if is_allowed else pytest.raises(InvalidParameter):
            check_steps(found)


async def test_mongodb_has_limits_of_its_own(application: Application, play: Play) -> None:
    uri = play(roles.PRIMARY, forward=True).uri(retryWrites="false")
    parameters = {"filter": '{"a": {"$regex": "a.*b"}}'}
    async with application(mongodb_uri=uri) as client:
        assert (await client.get("/stuff", params=parameters)).status_code == 200
        parameters = {"filter": '{"a": {"$regex": "(a+)+"}}'}
        assert (await client.get("/stuff", params=parameters)).status_code == 422
