"""Export and import: nothing lost, nothing twice, whatever breaks; and what the commands say."""

import asyncio
import gzip
import json
import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from bson import ObjectId
from httpx import AsyncClient
from hypothesis import given
from hypothesis import strategies as st
from pymongo.collection import Collection

from service.client.exporting import Exporter
from service.client.files import FileFault, Source, _elements, target
from service.client.importing import Importer, TransferFault
from service.settings import Settings
from tests.support.applications import listen
from tests.support.proxy import breaking
from tests.support.serving import TIMEOUT, Service, stuff_serve

Documents = Collection[dict[str, Any]]


def lines(count: int, size: int = 100) -> list[bytes]:
    text = "x" * size
    return [json.dumps({"_id": f"{n:06}", "n": n, "text": text}).encode() for n in range(count)]


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[AsyncClient]:
    headers = {"Accept-Encoding": "identity"}
    async with AsyncClient(base_url=url, timeout=30, headers=headers) as client:
        yield client


async def export(
    url: str, filter: str | None = None, patience: float = 20
) -> tuple[bytes, Exporter]:
    written: list[bytes] = []
    async with client_of(url) as client:
        exporter = Exporter(client, patience)
        await exporter.run(written.append, filter, None)
    return b"".join(written), exporter


async def load(url: str, records: list[bytes], requests: int = 4, patience: float = 20) -> Importer:
    async with client_of(url) as client:
        importer = Importer(client, requests, patience)
        await importer.run(enumerate(records, 1))
    return importer


async def test_an_export_imported_into_an_empty_store_exports_the_same(
    settings: Settings, collection: Documents
) -> None:
    odd = [
        {"_id": "a/b", "z": 1.0, "a": 2**60, "": {"$x": [None, -0.0, 1e300]}},
        {"_id": "ü\U0001f600", "text": 'line\nbreak "quoted" \u2028 \\'},
        {"_id": "-", "_class_id": "x", "nested": {"_id": 5, "_stuff": 6}},
    ]
    async with listen(settings) as url:
        await load(url, [*lines(3000), *(json.dumps(document).encode() for document in odd)])
        first, _ = await export(url)
        assert first.count(b"\n") == 3003
        collection.delete_many({})
        await load(url, first.split(b"\n"))
        assert collection.count_documents({}) == 3003
        second, _ = await export(url)
    assert first == second


async def test_an_import_goes_on_when_connections_break_and_makes_nothing_twice(
    settings: Settings, collection: Documents
) -> None:
    records = [*lines(5000, 200), *(b'{"n": %d}' % n for n in range(3000))]
    async with (
        listen(settings) as url,
        breaking(url, sent=[100_000, 300_000, 10], received=[20, 1 << 30, 0, 10]) as proxy,
    ):
        importer = await load(proxy, records)
    summary = importer.summary
    assert (summary.stored, summary.failed) == (8000, 0)
    assert summary.repeated > 0
    assert collection.count_documents({}) == 8000
    assert len(collection.distinct("n", {"text": {"$exists": False}})) == 3000


async def test_an_export_goes_on_when_connections_break_and_has_nothing_twice(
    settings: Settings, collection: Documents
) -> None:
    async with listen(settings) as url:
        await load(url, lines(4000, 300))
        collection.insert_many([{"_id": ObjectId(), "n": n} for n in range(2000)])
        whole, _ = await export(url)
        async with breaking(url, sent=[], received=[50, 200_000, 900_000, 1000]) as proxy:
            broken, exporter = await export(proxy)
            assert exporter.summary.resumed == 4
            assert broken == whole
        filter = '{"n": {"$lt": 1000}}'
        async with breaking(url, sent=[], received=[100_000, 150_000]) as proxy:
            filtered, exporter = await export(proxy, filter)
            assert exporter.summary.resumed == 2
            assert filtered.count(b"\n") == len(set(filtered.splitlines())) == 2000


async def test_documents_of_the_same_id_are_stored_in_their_order(
    settings: Settings, collection: Documents
) -> None:
    records = [b'{"_id": "%d", "n": %d}' % (n % 3001, n) for n in range(15_000)]
    async with listen(settings) as url:
        await load(url, records, requests=8)
    expected = {str(n % 3001): n for n in range(15_000)}
    assert {document["_id"]: document["n"] for document in collection.find()} == expected


async def test_faulty_documents_are_named_by_their_number_in_the_file(settings: Settings) -> None:
    records = lines(5000)
    records[17] = b"nonsense"
    records[4321] = b'{"_id": 5}'
    records[100] = b"  "
    async with listen(settings) as url:
        summary = (await load(url, records)).summary
    assert (summary.stored, summary.failed) == (4997, 2)
    assert sorted(number for number, _ in summary.failures) == [18, 4322]


async def test_a_server_that_stays_away_is_given_up(free_port: int) -> None:
    for run in (load(f"http://127.0.0.1:{free_port}", lines(1), patience=0.5),
                export(f"http://127.0.0.1:{free_port}", patience=0.5)):  # fmt: skip
        with pytest.raises(TransferFault, match="away"):
            await run


async def test_what_the_server_refuses_is_not_tried_again(settings: Settings) -> None:
    async with listen(settings) as url:
        with pytest.raises(TransferFault, match=r"\$where"):
            await export(url, '{"$where": "1"}')
    async with listen(Settings(**settings.model_dump() | {"max_stream_bytes": 100})) as url:
        with pytest.raises(TransferFault, match="413"):
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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    values=st.lists(JSON, max_size=8),
    indent=st.sampled_from([None, 0, 3]),
    escaped=st.booleans(),
    size=st.integers(1, 40),
)
def test_an_array_is_split_into_its_elements_wherever_it_is_cut(
    values: list[Any], indent: int | None, escaped: bool, size: int
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=escaped).encode()
    chunks = iter([text[start : start + size] for start in range(0, len(text), size)])
    elements = list(_elements(chunks))
    assert all(b"\n" not in element for element in elements)
    assert [json.loads(element) for element in elements] == values


@pytest.mark.parametrize("text", [b"[", b"[1", b'["a]', b"[1,", b'[{"a": [1]', b"[1] 2", b"[1][2]"])
def test_an_array_that_is_none_is_a_fault(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "array.json"
    file.write_bytes(text)
    with pytest.raises(FileFault):
        list(Source(file).records())


def test_a_fault_inside_a_string_is_not_mended(tmp_path: Path) -> None:
    file = tmp_path / "array.json"
    file.write_bytes(b'[{"a": "b\nc"}, {"a":\n1}, , 3,]')
    records = [record for _, record in Source(file).records()]
    for record in (records[0], records[2], records[4]):
        with pytest.raises(ValueError, match=r".*"):
            json.loads(record)
    assert json.loads(records[1]) == {"a": 1}
    assert len(records) == 5


def test_files_are_packed_and_unpacked_by_their_names(tmp_path: Path) -> None:
    packed = tmp_path / "documents.ndjson.gz"
    with target(packed) as write:
        write(b'{"a": 1}\n{"a": 2}')
    assert gzip.decompress(packed.read_bytes()) == b'{"a": 1}\n{"a": 2}'
    assert list(Source(packed).records()) == [(1, b'{"a": 1}'), (2, b'{"a": 2}')]
    packed.write_bytes(packed.read_bytes()[:-4])
    with pytest.raises(FileFault):
        list(Source(packed).records())


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "documents.ndjson"
    file.write_bytes(b"before")
    with suppress(RuntimeError), target(file) as write:
        write(b"after")
        assert file.read_bytes() == b"before"
        raise RuntimeError
    assert file.read_bytes() == b"before"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with stuff_serve(tmp_path_factory.mktemp("transfer")) as service:
        yield service


@pytest.fixture(autouse=True)
def emptied(request: pytest.FixtureRequest) -> None:
    if "service" in request.fixturenames:
        request.getfixturevalue("service").http.delete("/stuff", params={"filter": "{}"})


def stuff(
    service: Service, *arguments: str, sent: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        input=sent,
        capture_output=True,
        timeout=TIMEOUT,
        env=os.environ | {"STUFF_URL": service.base_url},
    )


def test_commands_read_and_write_documents(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "ada.json"
    file.write_text('{"name": "Ada", "born": 1815}')
    put = stuff(service, "put", "a/da", str(file))
    assert put.stdout.startswith(b'created a/da "')
    etag = put.stdout.split()[-1].decode()
    assert stuff(service, "put", "a/da", "--create", sent=b"{}").returncode == 1
    replaced = stuff(service, "put", "a/da", "--if-match", etag, sent=b'{"name": "Ada L."}')
    assert replaced.stdout.startswith(b"replaced")
    late = stuff(service, "delete", "a/da", "--if-match", etag)
    assert (late.returncode, b"412" in late.stderr) == (1, True)
    assert json.loads(stuff(service, "get", "a/da").stdout) == {"_id": "a/da", "name": "Ada L."}
    assert stuff(service, "delete", "a/da").stdout == b"deleted a/da\n"
    gone = stuff(service, "get", "a/da")
    assert (gone.returncode, gone.stdout) == (1, b"")
    assert gone.stderr.startswith(b"stuff: No such document (404).")


def test_ls_lists_ids_by_prefix_filter_and_order(service: Service) -> None:
    records = b"\n".join(
        b'{"_id": "%s", "n": %d}' % (id, n) for n, id in enumerate([b"ab", b"ac", b"b"])
    )
    assert stuff(service, "import", "-", sent=records).returncode == 0
    assert stuff(service, "ls").stdout.split() == [b"ab", b"ac", b"b"]
    assert stuff(service, "ls", "a").stdout.split() == [b"ab", b"ac"]
    assert stuff(service, "ls", "a", "--filter", '{"n": {"$gt": 0}}').stdout.split() == [b"ac"]
    assert stuff(service, "ls", "--sort=-n", "--limit=1").stdout.split() == [b"b"]
    shown = stuff(service, "ls", "a", "--fields", "n").stdout
    assert shown == b'{"_id":"ab","n":0}\n{"_id":"ac","n":1}\n'
    refused = stuff(service, "ls", "--filter", '{"$where": 1}')
    assert (refused.returncode, b"$where" in refused.stderr) == (1, True)


def test_export_and_import_between_files(service: Service, tmp_path: Path) -> None:
    records = b"\n".join(lines(2500))
    assert stuff(service, "import", "-", sent=records).returncode == 0
    file, packed = tmp_path / "all.ndjson", tmp_path / "all.ndjson.gz"
    for path in (file, packed):
        exported = stuff(service, "export", str(path))
        assert exported.returncode == 0
        assert exported.stderr.startswith(b"2,500 documents exported")
    assert gzip.decompress(packed.read_bytes()) == file.read_bytes()
    service.http.delete("/stuff", params={"filter": "{}"})
    imported = stuff(service, "import", str(packed))
    assert imported.stderr.startswith(
        b"2,500 documents imported (2,500 created, 0 replaced), 0 failed"
    )
    assert stuff(service, "export", "-").stdout == file.read_bytes()
    array = tmp_path / "array.json"
    array.write_text(
        json.dumps([json.loads(line) for line in file.read_bytes().splitlines()], indent=1)
    )
    again = stuff(service, "import", str(array))
    assert again.stderr.startswith(b"2,500 documents imported (0 created, 2,500 replaced)")
    some = stuff(service, "export", "-", "--filter", '{"n": {"$lt": 2}}', "--fields", "n")
    assert some.stdout == b'{"_id":"000000","n":0}\n{"_id":"000001","n":1}\n'


def test_a_terminal_shows_documents_and_rate(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "documents.ndjson"
    file.write_bytes(b"\n".join(lines(2000)))
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "service", "import", str(file)]
    environment = os.environ | {"STUFF_URL": service.base_url, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(command, stderr=end, env=environment)
    os.close(end)
    shown = b""
    with suppress(OSError):  # the other end is closed
        while part := os.read(terminal, 1000):
            shown += part
    os.close(terminal)
    assert process.wait(TIMEOUT) == 0
    assert b"2,000 documents" in shown
    assert b"/s" in shown


def test_an_import_that_is_not_complete_ends_with_a_status_that_says_so(
    service: Service, tmp_path: Path
) -> None:
    faulty = stuff(service, "import", "-", sent=b'{"_id": "a"}\n[]\n{"_id": "b"}')
    assert faulty.returncode == 1
    assert faulty.stderr.startswith(b"-:2: A document is a JSON object")
    assert b"2 documents imported (2 created, 0 replaced), 1 failed" in faulty.stderr
    truncated = stuff(service, "import", "-", sent=b'[{"_id": "c"}, {"_id": "d"')
    assert truncated.returncode == 1
    assert b"1 documents imported" in truncated.stderr
    assert b"not complete" in truncated.stderr
    missing = stuff(service, "import", str(tmp_path / "no such file"))
    assert missing.returncode == 1
    assert b"Traceback" not in missing.stderr
    assert stuff(service, "ls").stdout.split() == [b"a", b"b", b"c"]
    away = stuff(service, "export", str(tmp_path / "x"), "--patience=0", "--url=http://127.0.0.1:1")
    assert (away.returncode, (tmp_path / "x").exists()) == (1, False)


async def test_an_import_survives_a_restart_of_the_server(tmp_path: Path) -> None:
    file = tmp_path / "documents.ndjson"
    file.write_bytes(b"\n".join(lines(40_000)))
    port = "--port=0"
    with stuff_serve(tmp_path / "data", port) as service:
        url = service.base_url
        importing = asyncio.create_task(load(url, file.read_bytes().splitlines()))
        while service.http.get("/stuff", params={"limit": 1}).json()["items"] == []:
            await asyncio.sleep(0.05)
        await asyncio.to_thread(service.stop)
    with stuff_serve(tmp_path / "data", f"--port={httpx.URL(url).port}") as service:
        importer = await importing
        assert importer.summary.stored == 40_000
        page = service.http.get("/stuff", params={"limit": 1, "count": "true"}).json()
        assert page["total"] == 40_000
