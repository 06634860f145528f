"""Patches at their most expensive: no step of them stops other requests for long."""

import asyncio
import gc
import json
import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import jsonpatch
import pytest
from bson import Code, Int64
from hypothesis import given
from hypothesis import strategies as st

from service.documents import layout, patches
from service.documents.codec import Foreign, decode
from service.documents.metadata import WithMetadata
from service.documents.patches import JsonPatch, MergePatch, Patch
from service.documents.patches.equality import are_equal
from service.errors import StuffError
from service.store.slices import SMALL, Slices
from tests.support.patience import patient

MIB = 1024 * 1024
EMPTY: list[Any] = [[] for _ in range(200_000)]
MORE_EMPTY: list[Any] = [*EMPTY[:-1], [1]]
NUMBERS = list(range(200_000))
DATES = [datetime(2026, 1, 1, tzinfo=UTC)] * 150_000
DEEP: dict[str, Any] = {"a": 1}
for _ in range(96):
    DEEP = {"a": DEEP}


def op(op: str, path: str, **members: Any) -> dict[str, Any]:
    return {"op": op, "path": path, **members}


EXPENSIVE: dict[str, tuple[dict[str, Any], Any]] = {
    "nothing": ({"l": EMPTY}, []),
    "many tests": ({"a": 1}, [op("test", "/a", value=1)] * 10_000),
    "many deep tests": (DEEP, [op("test", "/a" * 97, value=1)] * 10_000),
    "many removals at the front": ({"l": NUMBERS}, [op("remove", "/l/0")] * 10_000),
    "many insertions at the front": ({"l": NUMBERS}, [op("add", "/l/0", value=1)] * 10_000),
    "many copies": ({"a": 1}, [op("copy", "/b", **{"from": "/a"})] * 10_000),
    "a large copy": ({"l": EMPTY}, [op("copy", "/m", **{"from": "/l"})]),
    "a large copy of dates": ({"l": DATES}, [op("copy", "/m", **{"from": "/l"})]),
    "large copies that are too many": ({"l": EMPTY}, [op("copy", "/m", **{"from": "/l"})] * 99),
    "copies of copies": (
        {"x": {"a": 1}},
        [op("copy", f"/x/{number}", **{"from": "/x"}) for number in range(18)],
    ),
    "copies of copies with a date": (
        {"x": {"a": DATES[0]}},
        [op("copy", f"/x/{number}", **{"from": "/x"}) for number in range(18)],
    ),
    "a large value": ({}, [op("add", "/l", value=EMPTY)]),
    "the whole": ({}, [op("replace", "", value={"_id": "a", "l": EMPTY})]),
    "a large test": ({"l": EMPTY}, [op("test", "/l", value=EMPTY)]),
    "a large test of numbers": ({"l": NUMBERS}, [op("test", "/l", value=NUMBERS)]),
    "a large test that fails": ({"l": EMPTY}, [op("test", "/l", value=MORE_EMPTY)]),
    "a test of dates that fails": ({"l": DATES}, [op("test", "/l", value=[1] * len(DATES))]),
    "a test of the whole that fails": ({"l": EMPTY}, [op("test", "", value=1)]),
    "an operation that does not apply": ({"l": EMPTY}, [op("remove", "/x")]),
    "a look into a date": ({"l": EMPTY, "d": DATES[0]}, [op("add", "/d/x", value=1)]),
    "a large merge": ({}, {"l": EMPTY}),
    "many merges": ({}, {f"k{number}": number for number in range(100_000)}),
}


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def steps_of(work: Generator[None, None, bytes]) -> tuple[list[float], bytes]:
    """The processor time of each step, and the result, empty if it failed."""
    taken = []
    result: bytes | None = None
    while result is None:
        start = time.process_time()
        try:
            next(work)
        except StopIteration as done:
            result = done.value
        except StuffError:
            result = b""
        taken.append(time.process_time() - start)
    return taken, result


@pytest.mark.parametrize(("fields", "patch"), EXPENSIVE.values(), ids=EXPENSIVE)
def test_no_step_of_a_patch_takes_longer_than_its_bytes_justify(
    fields: dict[str, Any], patch: Any
) -> None:
    document = WithMetadata().new(layout.id_element("a"), layout.encode_fields(fields)).bson
    body = json.dumps(patch).encode()

    def limit(size: int) -> float:
        return patient(0.05 + 0.04 * size / MIB) * 2

    sent = len(document) + len(body)
    with without_collector():
        start = time.process_time()
        parsed: Patch = MergePatch(body) if isinstance(patch, dict) else JsonPatch(body)
        assert time.process_time() - start < limit(sent)
        steps, result = steps_of(patches.apply(parsed, document, "a"))
    assert max(steps) < limit(sent + len(result))
    assert sum(steps) < patient(2)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from([1.0, 0.0, "", "a", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab0~/"), inner),
    max_leaves=8,
)
STEPS = st.sampled_from(["a", "b", "0", "1", "2", "-", "~0", "~1", "01", "", "a b"])
POINTERS = st.lists(STEPS, max_size=3).map(lambda steps: "".join(f"/{step}" for step in steps))
OPERATIONS = st.builds(
    lambda name, path, source, value: {"op": name, "path": path, "from": source, "value": value},
    st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
    POINTERS,
    POINTERS,
    VALUES,
)


@given(fields=st.dictionaries(st.sampled_from("ab01"), VALUES), operations=st.lists(OPERATIONS))
def test_patches_do_what_those_of_another_implementation_do(
    fields: dict[str, Any], operations: list[Any]
) -> None:
    document = WithMetadata().new(layout.id_element("a"), layout.encode_fields(fields)).bson
    body = json.dumps(operations).encode()
    try:
        expected = jsonpatch.JsonPatch(operations).apply({"_id": "a", **fields})
        assert isinstance(expected, dict)
        assert expected.pop("_id") == "a"
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, AssertionError, KeyError):
        with pytest.raises(StuffError):
            finish(patches.apply(JsonPatch(body), document, "a"))
    else:
        patched = decode(finish(patches.apply(JsonPatch(body), document, "a")))
        assert json.dumps(patched) == json.dumps(expected)


def finish(work: Generator[None, None, bytes]) -> bytes:
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: bytes = end.value
            return result


def finished(result: str) -> Generator[None, None, str]:
    yield
    return result


async def test_other_work_is_done_between_slices_but_no_other_large_one() -> None:
    slices = Slices()
    seen: list[str] = []

    def work(name: str) -> Generator[None, None, str]:
        for _ in range(5):
            seen.append(name)
            time.sleep(0.02)  # longer than a slice
            yield
        return name

    async def others() -> None:
        while len(seen) < 10:
            seen.append("other") if seen[-1:] != ["other"] else None
            await asyncio.sleep(0)

    one, two, _ = await asyncio.gather(
        slices.run(work("one"), SMALL + 1), slices.run(work("two"), SMALL + 1), others()
    )
    assert (one, two) == ("one", "two")
    assert "other" in seen[1:9]
    large = [name for name in seen if name != "other"]
    assert large == ["one"] * 5 + ["two"] * 5
    assert await slices.run(finished("small"), SMALL) == "small"  # at once
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("found", "tested", "equal"),
    [
        ([math.nan], [{"$numberDouble": "NaN"}], True),
        ([math.nan], [None], False),
        ([DATES[0], True, 1], [{"$date": "2026-01-01T00:00:00Z"}, True, 1.0], True),
        ([DATES[0], True], [{"$date": "2026-01-01T00:00:00Z"}, 1], False),
        ([DATES[0], 0.0], [{"$date": "2026-01-01T00:00:00Z"}, False], False),
        ([DATES[0]], [{"$date": "2026-01-02T00:00:00Z"}], False),
        ([Code("f")], ["f"], False),
        ({"a": [Int64(1)], "b": "[t"}, {"b": "[t", "a": [1]}, True),
        ({"a": True, "b": 1}, {"a": 1, "b": True}, False),
        ([[True], 1], [[1], True], False),
        ({"a": Foreign(DATES[0])}, {"a": {"$date": "2026-01-01T00:00:00Z"}}, True),
    ],
)
def test_values_are_compared_as_json(found: Any, tested: Any, equal: bool) -> None:
    assert are_equal(found, tested) is equal
