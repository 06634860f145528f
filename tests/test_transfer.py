"""Export and import: nothing lost, nothing twice, whatever breaks; and what the commands say."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from bson import Binary, DatetimeMS, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from httpx import AsyncClient
from pymongo.collection import Collection

from service.client import importing
from service.client.errors import RequestRefused, ServerUnavailable
from service.client.exporting import Exporter
from service.client.importing import Importer
from service.client.lines import NDJSON
from service.client.retrying import FIRST_DELAY, MAX_DELAY, Retries
from service.documents import layout
from service.settings import Settings
from tests.support.applications import listen
from tests.support.bson_values import VALUES
from tests.support.clients import connect
from tests.support.proxy import breaking
from tests.support.transferring import export, lines, load

Documents = Collection[dict[str, Any]]
ENGINE_LACKS = ("far date", "reference")
"""A date beyond the year 9999, and references whose keys are in another order."""


@pytest.fixture(autouse=True)
def small_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few documents make many requests."""
    monkeypatch.setattr(importing, "CHUNK_COUNT", 200)


async def test_an_export_imported_into_an_empty_store_exports_the_same(
    settings: Settings, collection: Documents
) -> None:
    odd = [
        {"_id": "a/b", "z": 1.0, "a": 2**60, "": {"$x": [None, -0.0, 1e300]}},
        {"_id": "ü\U0001f600", "text": 'line\nbreak "quoted" \u2028 \\'},
        {"_id": "-", "_class_id": "x", "nested": {"_id": 5, "_stuff": 6}},
    ]
    async with listen(settings) as url:
        await load(url, [*lines(500), *(json.dumps(document).encode() for document in odd)])
        first, _ = await export(url)
        assert first.count(b"\n") == 503
        collection.delete_many({})
        await load(url, first.split(b"\n"))
        assert collection.count_documents({}) == 503
        second, _ = await export(url)
    assert first == second


async def test_an_import_resumes_when_connections_break_and_creates_nothing_twice(
    settings: Settings, collection: Documents
) -> None:
    records = [*lines(900, 200), *(b'{"n": %d}' % n for n in range(500))]
    async with (
        listen(settings) as url,
        breaking(url, sent=[20_000, 60_000, 10], received=[20, 1 << 30, 0, 10]) as proxy,
    ):
        importer = await load(proxy, records)
    summary = importer.summary
    assert (summary.stored, summary.failed) == (1400, 0)
    assert summary.repeated > 0
    assert collection.count_documents({}) == 1400
    assert len(collection.distinct("n", {"text": {"$exists": False}})) == 500


async def test_an_export_resumes_when_connections_break_and_repeats_nothing(
    settings: Settings, collection: Documents
) -> None:
    async with listen(settings) as url:
        collection.insert_many([json.loads(line) for line in lines(1000, 300)])
        collection.insert_many([{"_id": ObjectId(), "n": n} for n in range(500)])
        whole, _ = await export(url)
        async with breaking(url, sent=[], received=[50, 50_000, 225_000, 1000]) as proxy:
            broken, exporter = await export(proxy)
            assert exporter.summary.resumed == 4
            assert broken == whole
        filter = '{"n": {"$lt": 250}}'
        async with breaking(url, sent=[], received=[25_000, 37_000]) as proxy:
            filtered, exporter = await export(proxy, filter)
            assert exporter.summary.resumed == 2
            assert filtered.count(b"\n") == len(set(filtered.splitlines())) == 500


async def test_documents_of_the_same_id_are_stored_in_their_order(
    settings: Settings, collection: Documents
) -> None:
    records = [b'{"_id": "%d", "n": %d}' % (n % 301, n) for n in range(1500)]
    async with listen(settings) as url:
        await load(url, records, requests=8)
    expected = {str(n % 301): n for n in range(1500)}
    assert {document["_id"]: document["n"] for document in collection.find()} == expected


async def test_faulty_documents_are_named_by_their_number_in_the_file(settings: Settings) -> None:
    records = lines(500)
    records[17] = b"nonsense"
    records[432] = b'{"_id": [5]}'
    records[100] = b"  "
    async with listen(settings) as url:
        summary = (await load(url, records)).summary
    assert (summary.stored, summary.failed) == (497, 2)
    assert sorted(number for number, _ in summary.failures) == [18, 433]


@pytest.fixture
def foreign(collection: Documents) -> list[bytes]:
    """Documents of every BSON type, with ids of many types, as another program stored them."""
    fields = {name or "empty": value for name, value in VALUES.items() if name not in ENGINE_LACKS}
    ids = ["text", "", 5, 7.5, Int64(2**60), Decimal128("8.5"), None, True, b"\0", ObjectId(),
           DatetimeMS(1), Timestamp(1, 2), {"b": 1, "a": [Int64(2)]}, MinKey(), MaxKey(),
           Binary(b"0123456789abcdef", 4)]  # fmt: skip
    collection.insert_many([{"_id": id, "n": number, **fields} for number, id in enumerate(ids)])
    collection.insert_one({"_id": "literal", "looks": {"$date": "like a date"}})
    return stored(collection)


def stored(collection: Documents) -> list[bytes]:
    """The documents as bytes, without `_stuff`."""
    found = collection.with_options(CodecOptions(document_class=RawBSONDocument)).find()
    return sorted(layout.with_elements(bytes(document.raw), None) for document in found)


async def test_an_export_is_a_backup_of_every_bson_type(
    settings: Settings, collection: Documents, foreign: list[bytes]
) -> None:
    async with listen(settings) as url:
        written, _ = await export(url)
        collection.drop()
        summary = (await load(url, written.splitlines())).summary
        assert (summary.created, summary.replaced, summary.failed) == (len(foreign), 0, 0)
        assert stored(collection) == foreign
        assert (await export(url))[0] == written


async def test_an_export_resumes_after_an_id_of_any_type(
    settings: Settings, foreign: list[bytes]
) -> None:
    async with listen(settings) as url:
        whole, _ = await export(url)
        lines = whole.splitlines(keepends=True)
        assert len(lines) == len(foreign)

        async def answer(request: httpx.Request) -> httpx.Response:
            """One document, after which the connection breaks."""
            async with connect(url) as client:
                accept = {"Accept": request.headers["accept"]}
                sent = await client.get(request.url.raw_path.decode(), headers=accept)
            assert sent.status_code == 200, sent.text
            first = sent.content.split(b"\n", 1)[0]
            headers = {"Content-Type": sent.headers["content-type"]}
            return httpx.Response(200, headers=headers, content=broken_after(first + b"\n", sent))

        async def broken_after(line: bytes, sent: httpx.Response) -> AsyncIterator[bytes]:
            if sent.content:
                yield line
                raise httpx.ReadError("It broke.")

        transport = httpx.MockTransport(answer)
        written: list[bytes] = []
        async with AsyncClient(transport=transport, base_url=url) as client:
            exporter = Exporter(client, 60)
            await exporter.run(written.append, None, None)
    assert written == lines
    assert exporter.summary.resumed == len(lines)


async def test_documents_of_equal_ids_of_other_types_are_stored_in_their_order(
    settings: Settings, collection: Documents
) -> None:
    records = [b'{"_id": {"$numberLong": "%d"}, "n": %d}' % (n % 301, n) for n in range(1500)]
    async with listen(settings) as url:
        await load(url, records, requests=8)
    expected = {n % 301: n for n in range(1500)}
    assert {document["_id"]: document["n"] for document in collection.find()} == expected


async def test_plain_json_is_stored_as_it_is_if_that_is_asked_for(
    settings: Settings, collection: Documents
) -> None:
    record = b'{"_id": "a", "at": {"$date": "2026-01-01T00:00:00Z"}, "n": 1}'
    async with listen(settings) as url:
        await load(url, [record], media_type=NDJSON)
        assert collection.find_one("a", {"at": 1}) == {
            "_id": "a",
            "at": {"$date": "2026-01-01T00:00:00Z"},
        }
        await load(url, [record])
        assert collection.find_one("a", {"at": 1, "n": 1}) == {
            "_id": "a",
            "at": datetime(2026, 1, 1),  # noqa: DTZ001 (as the driver returns it)
            "n": 1,
        }
        written, _ = await export(url, media_type=NDJSON)
        assert json.loads(written) == json.loads(record)


async def test_a_server_that_stays_unavailable_is_given_up(free_port: int) -> None:
    for run in (load(f"http://127.0.0.1:{free_port}", lines(1), patience=0.5),
                export(f"http://127.0.0.1:{free_port}", patience=0.5)):  # fmt: skip
        with pytest.raises(ServerUnavailable, match="does not answer: Connection refused"):
            await run


async def test_what_the_server_refuses_is_not_retried(settings: Settings) -> None:
    async with listen(settings) as url:
        with pytest.raises(RequestRefused, match=r"\$where"):
            await export(url, '{"$where": "1"}')
    async with listen(Settings(**settings.model_dump() | {"max_stream_bytes": 100})) as url:
        with pytest.raises(RequestRefused, match="413"):
            await load(url, lines(10))


async def test_when_the_database_goes_away_what_is_settled_is_not_sent_again() -> None:
    received: list[list[str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        ids = [json.loads(line)["_id"] for line in request.content.splitlines()]
        received.append(ids)
        counts = {"replaced": 0, "failed": 0, "errors": []}
        if len(received) == 1:
            problem = counts | {"lines": 3, "created": 3, "detail": "It left."}
            return httpx.Response(503, json=problem)
        return httpx.Response(200, json=counts | {"lines": len(ids), "created": len(ids)})

    transport = httpx.MockTransport(answer)
    async with AsyncClient(transport=transport, base_url="http://stuff.test") as client:
        importer = Importer(client, 1, 10)
        await importer.run(enumerate(lines(5), 1))
    assert [len(ids) for ids in received] == [5, 2]
    assert importer.summary.created == 5


def test_delays_double_up_to_a_limit_with_jitter_and_begin_again_after_progress() -> None:
    failure = ServerUnavailable("Overloaded (503).")
    one, other = Retries(patience=1000), Retries(patience=1000)
    delays = [one.delay(failure) for _ in range(8)]
    for n, delay in enumerate(delays):
        ceiling = min(FIRST_DELAY * 2**n, MAX_DELAY)
        assert ceiling / 2 <= delay <= ceiling
    assert delays != [other.delay(failure) for _ in range(8)]
    one.reset()
    assert one.delay(failure) <= FIRST_DELAY


def test_waiting_for_a_server_is_told_once_until_there_is_progress() -> None:
    said: list[str] = []
    retries = Retries(patience=1000, on_wait=said.append)
    failure = ServerUnavailable("Overloaded (503).")
    for _ in range(3):
        retries.delay(failure)
    assert said == ["The server is unavailable. Overloaded (503)."]
    retries.reset()
    retries.delay(failure)
    assert len(said) == 2
