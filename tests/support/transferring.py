"""Exports and imports in the process of the tests."""

import json

from httpx import AsyncClient

from service.client.exporting import Exporter
from service.client.importing import Importer
from service.client.lines import NDEJSON
from tests.support.clients import connect
from tests.support.patience import TIMEOUT


def lines(count: int, size: int = 100) -> list[bytes]:
    text = "x" * size
    return [json.dumps({"_id": f"{n:06}", "n": n, "text": text}).encode() for n in range(count)]


def client_of(url: str) -> AsyncClient:
    return connect(url, headers={"Accept-Encoding": "identity"})


async def export(
    url: str, filter: str | None = None, patience: float = TIMEOUT, media_type: str = NDEJSON
) -> tuple[bytes, Exporter]:
    written: list[bytes] = []
    async with client_of(url) as client:
        exporter = Exporter(client, patience, media_type)
        await exporter.run(written.append, filter, None)
    return b"".join(written), exporter


async def load(
    url: str,
    records: list[bytes],
    requests: int = 4,
    patience: float = TIMEOUT,
    media_type: str = NDEJSON,
) -> Importer:
    async with client_of(url) as client:
        importer = Importer(client, requests, patience, media_type)
        await importer.run(enumerate(records, 1))
    return importer
