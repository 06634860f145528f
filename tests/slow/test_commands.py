"""Commands for documents, as processes."""

import asyncio
import gzip
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.support.serving import TIMEOUT, Service, stuff_serve
from tests.support.transferring import lines, load


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
