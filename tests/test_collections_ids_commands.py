"""Commands with `--collection`, in one whose ids are no text."""

import asyncio
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from pymongo import MongoClient
from pymongo.collection import Collection

from service.cli.watch import line
from service.client.exporting import Exporter
from service.client.http import connect
from service.client.ids import IdsOf
from service.client.lines import NDEJSON, NDJSON, key_of_record
from service.client.watching import follow as watch
from service.documents.ids import TEXT, TYPES
from service.settings import Settings
from tests.support.applications import listen
from tests.support.commands import stuff_here
from tests.support.declaring import declare
from tests.support.extended import line as line_of
from tests.support.extended import raw
from tests.support.following import follow
from tests.support.http_servers import QuietHandler, http_server
from tests.support.ids import TYPED, Typed, each_type
from tests.support.patience import TIMEOUT
from tests.support.proxy import breaking
from tests.support.transferring import client_of

ORDERS = ("--collection", "orders")
Documents = Collection[dict[str, Any]]


@pytest.fixture
def orders(mongo: MongoClient[dict[str, Any]], settings: Settings) -> Documents:
    return mongo[settings.database]["orders"]


@pytest.fixture
def with_ids(settings: Settings, tmp_path: Path, typed: Typed) -> Settings:
    file = declare(tmp_path, orders={"id": typed.name, "metadata": False})
    return Settings(**settings.model_dump() | {"collections": file})


@pytest.fixture
def server(with_ids: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with (
        start_blocking_portal("asyncio", {"use_uvloop": True}) as portal,
        portal.wrap_async_context_manager(listen(with_ids)) as url,
    ):
        monkeypatch.setenv("STUFF_URL", url)
        yield url


@each_type
@pytest.mark.usefixtures("server")
def test_commands_for_documents_take_canonical_strings(orders: Documents, typed: Typed) -> None:
    text, other = typed.texts[1:3]
    orders.insert_one({"_id": typed.values[2], "n": 2})
    assert stuff_here("put", text, *ORDERS, sent='{"n": 1}').stdout.startswith(f"created {text} ")
    assert json.loads(stuff_here("get", text, *ORDERS).stdout) == {"_id": text, "n": 1}
    assert stuff_here("ls", *ORDERS).stdout == f"{text}\n{other}\n"
    filtered = stuff_here("ls", *ORDERS, "--filter", json.dumps({"_id": {"$gt": text}}))
    assert filtered.stdout == f"{other}\n"
    assert stuff_here("delete", text, *ORDERS).stdout == f"deleted {text}\n"
    assert [document["_id"] for document in orders.find()] == [typed.values[2]]
    refused = stuff_here("put", typed.others[0], *ORDERS, sent="{}")
    assert (refused.returncode, TYPES[typed.name].rule in refused.stderr) == (1, True)


@pytest.mark.parametrize("typed", TYPED[:2], ids=str)
@pytest.mark.usefixtures("server")
def test_ls_lists_the_ids_that_begin_so(orders: Documents, typed: Typed) -> None:
    orders.insert_many({"_id": id} for id in typed.values)
    all = "".join(f"{text}\n" for text in typed.texts)
    assert stuff_here("ls", typed.texts[0][:-1], *ORDERS).stdout == all
    assert stuff_here("ls", typed.texts[3], *ORDERS).stdout == f"{typed.texts[3]}\n"
    assert stuff_here("ls", "018e3a60", *ORDERS).stdout == ""


@each_type
@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("plain", [(), ("--json",)], ids=["extended", "json"])
def test_an_import_of_an_export_stores_the_same_bytes(
    orders: Documents, typed: Typed, plain: tuple[str, ...], tmp_path: Path
) -> None:
    file = str(tmp_path / "orders.ndjson")
    orders.insert_many(
        {"_id": TYPES[typed.name].parse(text), "n": n} for n, text in enumerate(typed.texts)
    )
    before = raw(orders)
    assert stuff_here("export", file, *plain, *ORDERS).returncode == 0
    for how in (plain, ()):
        orders.delete_many({})
        imported = stuff_here("import", file, *how, *ORDERS)
        assert imported.stderr.startswith("5 documents imported (5 created")
        assert raw(orders) == before


@each_type
@pytest.mark.usefixtures("server")
def test_documents_without_ids_get_some_of_the_type(orders: Documents, typed: Typed) -> None:
    sent = '{"n": 1}\n{}\n{ }\n\n' + json.dumps({"_id": typed.texts[0]})
    imported = stuff_here("import", "-", *ORDERS, sent=sent)
    if typed.name == "integer":
        assert "-:1: The ids of this collection are integers" in imported.stderr
        assert (imported.returncode, orders.count_documents({})) == (1, 1)
    else:
        assert imported.stderr.startswith("4 documents imported (4 created")
        kinds = {type(document["_id"]) for document in orders.find()}
        assert kinds == {type(typed.values[0])}


@each_type
@pytest.mark.parametrize("media_type", [NDJSON, NDEJSON])
async def test_an_export_that_breaks_off_is_resumed_by_ids_of_the_type(
    with_ids: Settings, orders: Documents, typed: Typed, media_type: str
) -> None:
    ids = TYPES[typed.name]
    made = [ids.new() if ids.made else n for n in range(1000)]
    orders.insert_many({"_id": id, "text": "x" * 300} for id in [*made, *typed.values[-1:]])
    written: list[bytes] = []
    async with (
        listen(with_ids) as url,
        breaking(url, sent=[], received=[100_000, 20, 150_000]) as proxy,
        client_of(proxy) as client,
    ):
        exporter = Exporter(client, TIMEOUT, media_type, "orders")
        await exporter.run(written.append, None, None)
    assert exporter.summary.resumed >= 2
    texts = [json.dumps(json.loads(line)["_id"]) for line in b"".join(written).splitlines()]
    assert len(texts) == len(set(texts)) == 1001


@each_type
async def test_watch_prints_canonical_strings(
    with_ids: Settings, orders: Documents, typed: Typed
) -> None:
    text = typed.texts[0]
    async with listen(with_ids) as url, client_of(url) as client:
        async with follow(client, "/orders") as events:
            await client.put("/orders/" + typed.texts[1], json={})
            start = (await events.next()).id
        orders.insert_one({"_id": typed.values[0]})
        await client.delete(f"/orders/{text}")

        def watched() -> list[str]:
            with connect(url) as http:
                feed = watch(http, f"/orders/{text}", last_event_id=start)
                return [line(event) for event in islice(feed, 2)]

        printed = await asyncio.to_thread(watched)
    assert printed == [f'put {text} {{"_id":"{text}"}}', f"delete {text}"]


@each_type
@pytest.mark.usefixtures("server")
def test_plans_are_explained_for_canonical_strings(
    with_ids: Settings, orders: Documents, typed: Typed
) -> None:
    assert with_ids.mongodb_uri is not None
    orders.insert_one({"_id": typed.values[0]})
    environment = {
        "STUFF_MONGODB_URI": with_ids.mongodb_uri.get_secret_value(),
        "STUFF_DATABASE": with_ids.database,
        "STUFF_COLLECTIONS": str(with_ids.collections),
    }
    filter = json.dumps({"_id": typed.texts[0]})
    explained = stuff_here("index", "explain", "--filter", filter, *ORDERS, **environment)
    assert explained.returncode == 0
    wrong = json.dumps({"_id": typed.others[0]})
    refused = stuff_here("index", "explain", "--filter", wrong, *ORDERS, **environment)
    assert (refused.returncode, TYPES[typed.name].rule in refused.stderr) == (1, True)


@each_type
def test_an_id_is_the_same_in_both_notations(typed: Typed) -> None:
    """So that its documents are sent in their order."""
    for text, id in zip(typed.texts, typed.values, strict=True):
        keys = {
            key_of_record(record, NDEJSON)
            for record in (line_of({"_id": text}), line_of({"_id": id}))
        }
        assert keys == {text}


async def test_a_server_that_does_not_say_has_ids_that_are_text() -> None:
    class Older(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with http_server(Older) as port:
        async with client_of(f"http://127.0.0.1:{port}") as client:
            assert await IdsOf(client, "orders").get() is TEXT
