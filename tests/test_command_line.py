"""Commands for documents: what they store, show, export and import, and how they end."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.support.commands import stuff_here
from tests.support.http_servers import QuietHandler, http_server
from tests.support.transferring import lines

pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def server(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUFF_URL", url)


def test_commands_read_and_write_documents(tmp_path: Path) -> None:
    file = tmp_path / "ada.json"
    file.write_text('{"name": "Ada", "born": 1815}')
    put = stuff_here("put", "a/da", str(file))
    etag = put.stdout.split()[-1]
    assert put.stdout == f"created a/da {etag}\n"
    assert json.loads(stuff_here("get", "a/da", "--meta").stdout)["_stuff"]["etag"] == etag
    assert stuff_here("put", "a/da", "--create", sent="{}").returncode == 1
    replaced = stuff_here("put", "a/da", "--if-match", etag, sent='{"name": "Ada L."}')
    assert replaced.stdout.startswith("replaced")
    late = stuff_here("delete", "a/da", "--if-match", etag)
    assert (late.returncode, "412" in late.stderr) == (1, True)
    assert json.loads(stuff_here("get", "a/da").stdout) == {"_id": "a/da", "name": "Ada L."}
    assert stuff_here("delete", "a/da").stdout == "deleted a/da\n"
    gone = stuff_here("get", "a/da")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr == (
        "stuff: No such document (404). There is no document 'a/da'. `stuff put` creates one.\n"
    )
    for condition in ([], ["--if-match", "*"]):
        again = stuff_here("delete", "a/da", *condition)
        assert (again.returncode, "PUT" in again.stderr) == (1, False)
    unreadable = stuff_here("put", "a", str(tmp_path / "none"))
    assert unreadable.returncode == 1
    assert unreadable.stderr == f"stuff: {tmp_path}/none: No such file or directory\n"


def test_the_server_may_be_named_before_the_command(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUFF_URL", "http://127.0.0.1:1")
    put = stuff_here("--url", url, "put", "ada", sent="{}")
    assert put.stdout.startswith("created ada ")


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
    some = stuff_here("export", "-", "--filter", '{"n": {"$lt": 2}}', "--fields", "n", "--json")
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
    assert stuff_here("ls").stdout.split() == ["a", "b", "c"]


def test_what_cannot_be_imported_is_one_clear_line(tmp_path: Path) -> None:
    def said(file: Path, *options: str) -> str:
        result = stuff_here("import", str(file), *options)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.count("\n") == 1
        return result.stderr

    file = tmp_path / "file"
    assert said(file) == f"stuff: {file}: No such file or directory.\n"
    assert said(tmp_path) == f"stuff: {tmp_path}: Is a directory.\n"
    for text in (
        json.dumps({"_id": "a", "b": [1]}, indent=2),
        '{\n"_id": "a"\n}\n{\n"_id": "b"\n}',
    ):
        file.write_text(text)
        assert f"jq -c . {file}" in said(file)
    file.write_bytes(gzip.compress(b"{}"))
    assert ".gz" in said(file)
    file.write_text("{}")
    gone = said(file, "--patience=0", "--url=http://127.0.0.1:1")
    assert gone == "stuff: http://127.0.0.1:1 does not answer: Connection refused.\n"
    assert stuff_here("ls").stdout == ""
    file.write_text('{"_id": "a"\n{"_id": "b"}\n')  # damaged, but one document on each line
    assert stuff_here("import", str(file)).stderr.startswith(f"{file}:1: ")
    assert stuff_here("ls").stdout == "b\n"


def test_an_export_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "x.gz"
    for options in (
        ("--filter", '{"$where": 1}'),
        ("--filter", "{"),
        ("--patience=0", "--url=http://127.0.0.1:1"),
    ):
        failed = stuff_here("export", str(target), *options)
        assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
        assert list(tmp_path.iterdir()) == []
    nowhere = stuff_here("export", str(tmp_path / "none" / "x"))
    assert nowhere.stderr == f"stuff: {tmp_path}/none/x.part: No such file or directory\n"
    assert stuff_here("export", str(tmp_path)).stderr == f"stuff: {tmp_path}: Is a directory\n"


def test_a_filter_of_one_document_is_refused_instead_of_ignored() -> None:
    for filter in ("{", '{"n": 1}'):
        result = stuff_here("watch", "a", "--filter", filter)
        assert (result.returncode, result.stdout) == (2, "")
        assert "filter" in result.stderr


def test_a_url_needs_no_scheme(url: str) -> None:
    address = url.removeprefix("http://")
    assert stuff_here("put", "a", "--url", address, sent="{}").returncode == 0
    assert stuff_here("get", "a", "--url", f"{address}/").stdout == '{"_id":"a"}\n'


def test_a_key_that_cannot_be_sent_is_refused_at_once() -> None:
    for key in ("schlüssel", "two\nlines"):
        for command in (("get", "a"), ("export", "-")):
            result = stuff_here(*command, STUFF_KEY=key)
            assert (result.returncode, result.stderr.count("\n")) == (1, 1)
            assert "STUFF_KEY" in result.stderr
            assert key not in result.stderr
    assert stuff_here("ls", STUFF_KEY="stuff_key \n").returncode == 0


def test_another_server_is_not_taken_for_stuff(tmp_path: Path) -> None:
    class Page(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<p>\nSign in\n</p>\n")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

    file = tmp_path / "file"
    file.write_text("{}")
    with http_server(Page) as port:
        for command in (
            ("get", "a"), ("ls",), ("watch",), ("import", str(file)), ("export", str(file))
        ):  # fmt: skip
            result = stuff_here(*command, "--url", f"http://127.0.0.1:{port}")
            assert (result.returncode, result.stdout) == (1, ""), command
            assert "it sent text/html" in result.stderr
    assert file.read_text() == "{}"
