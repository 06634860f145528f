"""Commands for documents: what they store, show, export and import, and how they end."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.support.commands import stuff_here
from tests.support.transferring import lines

pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def server(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUFF_URL", url)


def test_commands_read_and_write_documents(tmp_path: Path) -> None:
    file = tmp_path / "ada.json"
    file.write_text('{"name": "Ada", "born": 1815}')
    put = stuff_here("put", "a/da", str(file))
    assert put.stdout.startswith('created a/da "')
    etag = put.stdout.split()[-1]
    assert stuff_here("put", "a/da", "--create", sent="{}").returncode == 1
    replaced = stuff_here("put", "a/da", "--if-match", etag, sent='{"name": "Ada L."}')
    assert replaced.stdout.startswith("replaced")
    late = stuff_here("delete", "a/da", "--if-match", etag)
    assert (late.returncode, "412" in late.stderr) == (1, True)
    assert json.loads(stuff_here("get", "a/da").stdout) == {"_id": "a/da", "name": "Ada L."}
    assert stuff_here("delete", "a/da").stdout == "deleted a/da\n"
    gone = stuff_here("get", "a/da")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr.startswith("stuff: No such document (404).")


def test_ls_lists_ids_by_prefix_filter_and_order() -> None:
    records = "\n".join(json.dumps({"_id": id, "n": n}) for n, id in enumerate(["ab", "ac", "b"]))
    assert stuff_here("import", "-", sent=records).returncode == 0
    assert stuff_here("ls").stdout.split() == ["ab", "ac", "b"]
    assert stuff_here("ls", "a").stdout.split() == ["ab", "ac"]
    assert stuff_here("ls", "a", "--filter", '{"n": {"$gt": 0}}').stdout.split() == ["ac"]
    assert stuff_here("ls", "--sort=-n", "--limit=1").stdout.split() == ["b"]
    shown = stuff_here("ls", "a", "--fields", "n").stdout
    assert shown == '{"_id":"ab","n":0}\n{"_id":"ac","n":1}\n'
    refused = stuff_here("ls", "--filter", '{"$where": 1}')
    assert (refused.returncode, "$where" in refused.stderr) == (1, True)


def test_export_and_import_between_files(
    tmp_path: Path, collection: Collection[dict[str, Any]]
) -> None:
    records = b"\n".join(lines(1200)).decode()
    assert stuff_here("import", "-", sent=records).returncode == 0
    file, packed = tmp_path / "all.ndjson", tmp_path / "all.ndjson.gz"
    for path in (file, packed):
        exported = stuff_here("export", str(path))
        assert exported.returncode == 0
        assert exported.stderr.startswith("1,200 documents exported")
    assert gzip.decompress(packed.read_bytes()) == file.read_bytes()
    collection.delete_many({})
    imported = stuff_here("import", str(packed))
    assert imported.stderr.startswith(
        "1,200 documents imported (1,200 created, 0 replaced), 0 failed"
    )
    assert stuff_here("export", "-").stdout == file.read_text()
    array = tmp_path / "array.json"
    array.write_text(
        json.dumps([json.loads(line) for line in file.read_bytes().splitlines()], indent=1)
    )
    again = stuff_here("import", str(array))
    assert again.stderr.startswith("1,200 documents imported (0 created, 1,200 replaced)")
    some = stuff_here("export", "-", "--filter", '{"n": {"$lt": 2}}', "--fields", "n")
    assert some.stdout == '{"_id":"000000","n":0}\n{"_id":"000001","n":1}\n'


def test_an_incomplete_import_ends_with_a_failure_status(tmp_path: Path) -> None:
    faulty = stuff_here("import", "-", sent='{"_id": "a"}\n[]\n{"_id": "b"}')
    assert faulty.returncode == 1
    assert faulty.stderr.startswith("-:2: A document is a JSON object")
    assert "2 documents imported (2 created, 0 replaced), 1 failed" in faulty.stderr
    truncated = stuff_here("import", "-", sent='[{"_id": "c"}, {"_id": "d"')
    assert truncated.returncode == 1
    assert "1 documents imported" in truncated.stderr
    assert "not complete" in truncated.stderr
    missing = stuff_here("import", str(tmp_path / "no such file"))
    assert missing.returncode == 1
    assert "Traceback" not in missing.stderr
    assert stuff_here("ls").stdout.split() == ["a", "b", "c"]
    away = stuff_here("export", str(tmp_path / "x"), "--patience=0", "--url=http://127.0.0.1:1")
    assert (away.returncode, (tmp_path / "x").exists()) == (1, False)
