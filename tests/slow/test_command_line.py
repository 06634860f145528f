"""Imports on a terminal, and while the server is started again."""

import asyncio
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx

from tests.support.patience import TIMEOUT
from tests.support.serving import stuff_serve
from tests.support.transferring import lines, load


def test_a_terminal_shows_documents_and_rate(url: str, tmp_path: Path) -> None:
    file = tmp_path / "documents.ndjson"
    file.write_bytes(b"\n".join(lines(1000)))
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "service", "import", str(file)]
    environment = os.environ | {"STUFF_URL": url, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(command, stderr=end, env=environment)
    os.close(end)
    shown = b""
    with suppress(OSError):  # the other end is closed
        while part := os.read(terminal, 1000):
            shown += part
    os.close(terminal)
    assert process.wait(TIMEOUT) == 0
    assert b"1,000 documents" in shown
    assert b"/s" in shown


async def test_an_import_survives_a_restart_of_the_server(tmp_path: Path) -> None:
    file = tmp_path / "documents.ndjson"
    file.write_bytes(b"\n".join(lines(15_000)))
    port = "--port=0"
    with stuff_serve(tmp_path / "data", port) as service:
        url = service.base_url
        importing = asyncio.create_task(load(url, file.read_bytes().splitlines()))
        while service.http.get("/stuff", params={"limit": 1}).json()["items"] == []:
            await asyncio.sleep(0.05)
        await asyncio.to_thread(service.stop)
    with stuff_serve(tmp_path / "data", f"--port={httpx.URL(url).port}") as service:
        importer = await importing
        assert importer.summary.stored == 15_000
        page = service.http.get("/stuff", params={"limit": 1, "count": "true"}).json()
        assert page["total"] == 15_000
