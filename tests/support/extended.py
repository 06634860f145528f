"""Extended JSON as bytes and over HTTP."""

from collections.abc import Generator
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from httpx import AsyncClient
from pymongo.collection import Collection

from service.documents import extended_json, layout

Documents = Collection[dict[str, Any]]
EJSON = {"Content-Type": "application/ejson"}
NDEJSON = {"Content-Type": "application/x-ndejson"}


def done(steps: Generator[None, None, Any]) -> Any:
    """What the work returns that yields between its slices."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def restored(written: bytes) -> bytes:
    """The document as it would be stored."""
    value = done(extended_json.loads(written))
    return value if isinstance(value, bytes) else bson.encode(value)


def raw(collection: Documents) -> list[bytes]:
    """The documents as they are stored, without `_stuff`, by their ids."""
    found = collection.with_options(CodecOptions(document_class=RawBSONDocument)).find()
    return sorted(layout.with_elements(bytes(document.raw), None) for document in found)


def line(document: dict[str, Any]) -> bytes:
    """The document as a line of a load."""
    return extended_json.dumps(bson.encode(document))


async def load(client: AsyncClient, *lines: bytes) -> dict[str, Any]:
    """The report of a load of these lines."""
    response = await client.post("/stuff", content=b"\n".join(lines), headers=NDEJSON)
    assert response.status_code == 200, response.text
    report: dict[str, Any] = response.json()
    return report
