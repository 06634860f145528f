"""Commands on a collection whose schema says `x-bson`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from bson import Decimal128, ObjectId
from pymongo import MongoClient
from pymongo.collection import Collection

from service.settings import Settings
from tests.support.applications import Application, listen
from tests.support.commands import stuff_here
from tests.support.consoles import File, read_page
from tests.support.declaring import declare
from tests.support.patience import TIMEOUT
from tests.support.terminal import ROOT
from tests.support.typed import CANONICAL, ORDER, STORED, at

Documents = Collection[dict[str, Any]]
INDEXES = [{"keys": {"due": 1, "_id": 1}}]


@pytest.fixture
def orders(mongo: MongoClient[dict[str, Any]], settings: Settings) -> Documents:
    """The collection as another program sees it."""
    return mongo[settings.database]["orders"]


@pytest.fixture
def server(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file that a running server has read."""
    file = declare(tmp_path, orders={"schema": ORDER, "indexes": INDEXES})
    monkeypatch.setenv("STUFF_COLLECTIONS", str(file))
    declared = Settings(**settings.model_dump() | {"collections": file})
    with (
        start_blocking_portal("asyncio", {"use_uvloop": True}) as portal,
        portal.wrap_async_context_manager(listen(declared)) as url,
    ):
        monkeypatch.setenv("STUFF_URL", url)
        yield file


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(TIMEOUT):
        while not condition():
            await anyio.sleep(0.02)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["extended", "plain"])
def test_an_import_of_an_export_stores_the_same(
    orders: Documents, tmp_path: Path, form: list[str]
) -> None:
    orders.insert_one({"_id": "a", **STORED})
    exported = str(tmp_path / "orders.ndjson")
    done = stuff_here("export", exported, "--collection", "orders", *form)
    assert done.returncode == 0, done.stderr
    orders.delete_many({})
    done = stuff_here("import", exported, "--collection", "orders", *form)
    assert done.returncode == 0, done.stderr
    assert orders.find_one({"_id": "a"}, {"_stuff": 0}) == {"_id": "a", **STORED}


@pytest.mark.usefixtures("server")
def test_documents_are_shown_stored_and_listed_by_their_strings(
    orders: Documents, tmp_path: Path
) -> None:
    body = tmp_path / "order.json"
    body.write_text(json.dumps(CANONICAL))
    done = stuff_here("put", "a", str(body), "--collection", "orders")
    assert done.returncode == 0, done.stderr
    assert orders.find_one({"_id": "a"}, {"_stuff": 0}) == {"_id": "a", **STORED}
    shown = stuff_here("get", "a", "--collection", "orders")
    assert json.loads(shown.stdout) == {"_id": "a", **CANONICAL}
    filter = json.dumps({"due": {"$lt": "2027-01-01T00:00:00Z"}})
    listed = stuff_here("ls", "--collection", "orders", "--filter", filter)
    assert listed.stdout == "a\n"


UNFIT: list[dict[str, Any]] = [
    {"_id": "b", "due": "tomorrow"},
    {"_id": "c", "due": ObjectId(), "total": "much"},
    {"_id": ObjectId("0" * 24), "tags": [5]},
]
UNFIT_SHOWN = [
    "b /due Give a time such as 2026-01-31T12:00:00Z.",
    "c /due Give a string.",
    "c /total Give a decimal number of at most 34 digits, such as 12.50.",
    '{"$oid":"000000000000000000000000"} /tags/0 Give a string.',
]


def test_documents_that_do_not_fit_are_listed(server: Path, orders: Documents) -> None:
    text = {"_id": "d", "due": "2026-12-01T08:00:00+01:00"}
    orders.insert_many([{"_id": "a", **STORED}, text, *UNFIT])
    done = stuff_here("check", "orders", "--collections", str(server))
    assert done.returncode == 1
    assert sorted(done.stdout.splitlines()) == sorted(UNFIT_SHOWN)
    assert done.stderr == "stuff: 3 of 5 documents do not fit the schema.\n"


def test_types_can_be_tried_before_they_are_served(
    url: str, collection: Documents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUFF_URL", url)
    collection.insert_many([{"_id": "a", **STORED}, *UNFIT])
    file = declare(tmp_path, stuff={"schema": ORDER})
    done = stuff_here("check", "stuff", "--collections", str(file))
    assert sorted(done.stdout.splitlines()) == sorted(UNFIT_SHOWN)


def test_an_index_serves_a_filter_with_a_string(
    server: Path, settings: Settings, mongodb_uri: str, orders: Documents
) -> None:
    orders.insert_many([{"due": at(2026, 1, day), "total": Decimal128("1")} for day in range(1, 9)])
    environment = {
        "STUFF_MONGODB_URI": mongodb_uri,
        "STUFF_DATABASE": settings.database,
        "STUFF_COLLECTIONS": str(server),
    }

    def explained(filter: dict[str, Any]) -> str:
        arguments = ("--collection", "orders", "--filter", json.dumps(filter), "--sort", "due")
        done = stuff_here("index", "explain", *arguments, **environment)
        return done.stdout + done.stderr

    assert "IXSCAN due_1__id_1" in explained({"due": {"$lt": "2026-01-05T00:00:00Z"}})
    assert "Give a time such as" in explained({"due": {"$lt": "x"}})


async def test_documents_expire_as_the_guide_says(
    application: Application,
    mongo: MongoClient[dict[str, Any]],
    settings: Settings,
    tmp_path: Path,
) -> None:
    """MongoDB deletes once a minute, which is not waited for: what counts is that it finds a date
    in a field of a TTL index."""
    page = (ROOT / "docs" / "how-to" / "indexes.md").read_text()
    files = {step.name: step.text for step in read_page(page) if isinstance(step, File)}
    file = tmp_path / "collections.json"
    file.write_text(files["collections.json"])
    sessions = mongo[settings.database]["sessions"]
    async with application(collections=file) as client:
        await until(lambda: "expires_1" in sessions.index_information())
        expires = "2096-01-01T00:00:00Z"
        put = await client.put("/sessions/ada", json={"user": "ada", "expires": expires})
        assert put.status_code == 201
    assert sessions.index_information()["expires_1"]["expireAfterSeconds"] == 0
    assert sessions.find_one({"expires": {"$type": "date"}}, {"_stuff": 0}) == {
        "_id": "ada", "user": "ada", "expires": at(2096, 1, 1)
    }  # fmt: skip
