"""A changed file of collections, and SIGHUP."""

import os
import signal
from pathlib import Path

from tests.support.declaring import declare
from tests.support.serving import alive, stuff_serve, wait_until

EVENTS = {"Accept": "text/event-stream"}


def test_a_rolling_restart_reads_the_file_of_collections_anew(tmp_path: Path) -> None:
    file = declare(tmp_path, books={})
    log = tmp_path / "log"
    with (
        log.open("w") as stderr,
        stuff_serve(
            tmp_path / "data", "--workers", "2", stderr=stderr, STUFF_COLLECTIONS=str(file)
        ) as service,
    ):
        assert service.http.put("/books/a", json={}).status_code == 201
        assert service.http.get("/notes").status_code == 404

        wait_until(lambda: len(started(log)) == 2)
        workers = service.workers()
        declare(tmp_path, books={}, notes={"name": 5})
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "collections.json#/collections/notes/name" in log.read_text())
        assert [alive(pid) for pid in workers] == [True, True]
        os.kill(workers[0], signal.SIGKILL)
        wait_until(lambda: len(started(log)) == 3)
        assert service.http.get("/books/a").status_code == 200

        declare(tmp_path, books={}, notes={})
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not any(alive(pid) for pid in workers))
        wait_until(lambda: service.http.get("/notes").status_code == 200)
        assert service.http.get("/books/a").status_code == 200
        assert service.stop() == 0
    assert "Traceback" not in log.read_text()


def test_one_process_reads_the_file_of_collections_anew(tmp_path: Path) -> None:
    file = declare(tmp_path, books={})
    log = tmp_path / "log"
    with (
        log.open("w") as stderr,
        stuff_serve(
            tmp_path / "data",
            stderr=stderr,
            STUFF_COLLECTIONS=str(file),
            STUFF_SHUTDOWN_TIMEOUT="3600",  # a feed that is not closed would last as long
        ) as service,
    ):
        assert service.http.put("/books/a", json={}).status_code == 201
        declare(tmp_path, books={}, notes={"name": 5})
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "collections.json#/collections/notes/name" in log.read_text())
        assert service.http.get("/books/a").status_code == 200
        assert service.http.get("/notes").status_code == 404

        for name in ("notes", "films"):  # once, and once more
            declare(tmp_path, books={}, **{name: {}})
            with service.http.stream("GET", "/books", headers=EVENTS) as feed:
                service.process.send_signal(signal.SIGHUP)
                assert feed.read().startswith(b": The feed begins.")
            wait_until(lambda: service.http.get(f"/{name}").status_code == 200)  # noqa: B023
            assert service.http.get("/books/a").status_code == 200
        assert service.http.get("/notes").status_code == 404
        assert len(started(log)) == 3
        assert service.stop() == 0
    assert "Traceback" not in log.read_text()


def started(log: Path) -> list[str]:
    """The lines about workers that are ready."""
    return [line for line in log.read_text().splitlines() if "startup complete" in line]


def test_worker_processes_know_the_schemas_in_files_beside(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    book = tmp_path / "schemas" / "book.json"
    book.write_text('{"properties": {"author": {"$ref": "author.json"}}}')
    (tmp_path / "schemas" / "author.json").write_text('{"type": "string"}')
    file = declare(tmp_path, books={"schema": {"$ref": "schemas/book.json"}})
    data, options = tmp_path / "data", ("--workers", "2")
    with stuff_serve(data, *options, STUFF_COLLECTIONS=str(file)) as service:
        assert service.http.put("/books/a", json={"author": 5}).status_code == 422
        assert service.http.put("/books/a", json={"author": "Ada"}).status_code == 201
        workers = service.workers()
        (tmp_path / "schemas" / "author.json").write_text('{"type": "integer"}')
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not any(alive(pid) for pid in workers))
        wait_until(lambda: service.http.put("/books/a", json={"author": 5}).status_code == 200)
        assert service.stop() == 0
