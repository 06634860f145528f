"""The programs in `examples/` print what they promise."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from httpx import AsyncClient

from examples import fibonacci, streams
from service.settings import Settings
from tests.support.applications import Application, listen
from tests.support.clients import connect
from tests.support.consoles import File, read_page
from tests.support.patience import TIMEOUT

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
LIBRARY = EXAMPLES / "library"
NDJSON = {"Content-Type": "application/x-ndjson"}


def run(name: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT,
    ).stdout


def test_hello() -> None:
    assert run("hello.py") == "Hello, world!\n"


def test_chain() -> None:
    assert run("chain.py") == "Hello, world!\n"


def test_fibonacci() -> None:
    assert run("fibonacci.py") == (
        "fibonacci(10) = 55\nfibonacci(50) = 12586269025\nfibonacci(90) = 2880067194370816120\n"
    )


async def test_fibonacci_computes_each_number_once_whoever_asks_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed: list[float] = []
    sleep = asyncio.sleep

    async def counting_sleep(seconds: float) -> None:
        computed.append(seconds)
        await sleep(seconds)

    monkeypatch.setattr("examples.fibonacci.asyncio.sleep", counting_sleep)
    fibonacci.fibonacci.cache_clear()
    assert await asyncio.gather(*map(fibonacci.fibonacci, (20, 30, 30))) == [6765, 832040, 832040]
    assert len(computed) == 31


def test_client(url: str) -> None:
    assert run("client.py", url).splitlines() == [
        "PUT 201",
        "PUT 200",
        "GET 200 {'_id': 'ada', 'name': 'Ada Lovelace', 'born': 1815}",
        "POST 201",
        "DELETE 204",
        "DELETE 204",
        "GET 404 No such document",
    ]


async def test_the_documents_of_the_library_fit_its_schemas(application: Application) -> None:
    async with application(collections=LIBRARY / "collections.json") as client:
        for name, count in (("authors", 39), ("books", 61)):
            lines = (LIBRARY / f"{name}.ndjson").read_bytes()
            loaded = await client.post(f"/{name}", content=lines, headers=NDJSON)
            report = {"lines": count, "created": count, "replaced": 0, "failed": 0, "errors": []}
            assert loaded.json() == report
        books = (await client.get("/books", params={"limit": 100})).json()["items"]
        for author in {author for book in books for author in book["authors"]}:
            assert (await client.get(f"/authors/{author}")).status_code == 200


def test_the_tutorial_shows_the_programs_of_the_library() -> None:
    page = (ROOT / "docs" / "tutorial-clients.md").read_text()
    shown = {step.name: step.text for step in read_page(page) if isinstance(step, File)}
    assert shown.keys() == {"examples/library/lend.py", "examples/library/lend.ts"}
    for name, text in shown.items():
        assert text == (ROOT / name).read_text()


async def test_streams_reads_every_document(client: AsyncClient) -> None:
    await client.put("/stuff/ada", json={"born": 1815})
    await client.put("/stuff/charles", json={"born": 1791})
    read = [document async for document in streams.documents(client)]
    assert read == [{"_id": "ada", "born": 1815}, {"_id": "charles", "born": 1791}]


async def test_streams_follows_the_feed_and_comes_back(settings: Settings) -> None:
    async with listen(settings) as url, connect(url) as store:
        first = asyncio.ensure_future(anext(streams.changes(store)))
        while not first.done():  # until it follows
            await store.put("/stuff/ada", json={})
            await asyncio.sleep(0.1)
        await store.put("/stuff/charles", json={"born": 1791})
        async for change in streams.changes(store, after=first.result()["id"]):
            document = json.loads(change["data"])["document"]
            if document["_id"] == "charles":
                assert change["event"] == "put"
                assert document == {"_id": "charles", "born": 1791}
                break
