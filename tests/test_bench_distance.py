"""The database at a fixed distance, in front of which the benchmark measures."""

import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, ReplaceOne

from bench.forms import as_sent, fields_of

LATENCY = 0.005  # seconds
DOCUMENTS, BODY_BYTES = 100, 50


@pytest.fixture
def distant(free_port: int) -> Iterator[MongoClient[dict[str, Any]]]:
    arguments = [free_port, LATENCY * 1000, DOCUMENTS, BODY_BYTES]
    process = subprocess.Popen([sys.executable, "-m", "bench.distant", *map(str, arguments)])
    try:
        with MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{free_port}") as client:
            client.admin.command("ping")
            yield client
    finally:
        process.kill()
        process.wait()


def test_it_has_documents_in_both_forms(distant: MongoClient[dict[str, Any]]) -> None:
    sent, stored = distant["any"]["sent"], distant["any"]["stored"]
    assert sent.find_one({"_id": "7"}) == as_sent(7, BODY_BYTES)
    found = list(stored.find({"_id": {"$in": ["1", "100", "101", "none"]}}))
    assert [document["_id"] for document in found] == ["1", "100"]
    assert all(document.pop("_stuff") for document in found)
    assert found == [{"_id": str(n), **fields_of(n, BODY_BYTES)} for n in (1, 100)]
    assert stored.find_one({"_id": ""}) is None


def test_it_counts_writes(distant: MongoClient[dict[str, Any]]) -> None:
    collection = distant["any"]["stored"]
    many = [ReplaceOne({"_id": str(n)}, {"n": n}, upsert=True) for n in range(64)]
    for count in (1, 2, 64):
        result = collection.bulk_write(many[:count], ordered=False)
        assert (result.matched_count, result.upserted_count) == (count, 0)
    raw = RawBSONDocument(b"\x05\0\0\0\0")
    assert collection.replace_one({"_id": "1"}, raw, upsert=True).matched_count == 1


def test_no_answer_is_early(distant: MongoClient[dict[str, Any]]) -> None:
    times = []
    for _ in range(20):
        start = time.perf_counter()
        distant["any"]["sent"].find_one({"_id": "1"})
        times.append(time.perf_counter() - start)
    assert min(times) >= LATENCY
    assert median(times) < 20 * LATENCY
