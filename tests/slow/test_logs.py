"""The log of `stuff serve`: complete, readable by machines, and without content."""

import json
import signal
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from service.security import make_key
from tests.support.serving import Service, stuff, stuff_serve, wait_until


def lines_of(log: Path) -> list[dict[str, Any]]:
    """Each line, which is a JSON object."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        assert {"time", "level", "logger", "message"} <= line.keys()
    return lines


def send_garbage(service: Service) -> None:
    address = urlsplit(service.base_url)
    with socket.create_connection((address.hostname, address.port or 0)) as connection:
        connection.sendall(b"GET /secret\x00 HTTP/1.1\r\n\r\n")
        while connection.recv(4096):
            pass


@pytest.mark.parametrize("workers", [1, 2])
def test_in_json_every_line_of_the_one_stream_is_an_object(tmp_path: Path, workers: int) -> None:
    log, other = tmp_path / "log", tmp_path / "other"
    environment = {"STUFF_LOG_FORMAT": "json", "STUFF_WORKERS": str(workers)}
    with (
        other.open("w") as stderr,
        stuff_serve(tmp_path / "data", stdout=log, stderr=stderr, **environment) as service,
    ):
        for _ in range(20):
            send_garbage(service)
        if workers > 1:
            service.process.send_signal(signal.SIGHUP)
            wait_until(lambda: log.read_text().count("startup complete") == 2 * workers)
        assert service.stop() == 0
    text = "\n".join(line["message"] for line in lines_of(log))
    assert "Documents are kept in demo.stuff of the embedded engine" in text
    assert f"Swagger UI: {service.base_url}/docs" in text
    assert text.count("Application startup complete.") == text.count("Finished server process") > 0
    # Once in a while per process, whatever clients send.
    assert 1 <= text.count("Invalid HTTP request received.") < 20
    assert other.read_text() == ""


def test_a_start_that_fails_is_an_object_too(tmp_path: Path) -> None:
    environment = {"STUFF_LOG_FORMAT": "json", "STUFF_DATA_DIR": str(tmp_path / "data")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for name, value in (
            ("STUFF_PORT", port), ("STUFF_API_KEYS_FILE", str(tmp_path / "none"))
        ):  # fmt: skip
            ended = stuff("serve", **environment | {name: value})
            line = json.loads(ended.stdout)
            assert (ended.returncode, ended.stderr, line["level"]) == (2, "", "critical")
            assert name in line["message"]


@pytest.mark.parametrize("form", ["console", "json"])
def test_the_log_has_no_keys_and_no_content(tmp_path: Path, form: str) -> None:
    token, key = make_key(["read", "write"])
    log, other = tmp_path / "log", tmp_path / "other"
    environment = {
        "STUFF_LOG_FORMAT": form, "STUFF_LOG_LEVEL": "debug", "STUFF_API_KEYS": str(key)
    }  # fmt: skip
    with (
        other.open("w") as stderr,
        stuff_serve(tmp_path / "data", stdout=log, stderr=stderr, **environment) as service,
    ):
        http = service.http
        assert http.get("/stuff", headers={"Authorization": "Bearer stuff_a_secret"}).is_error
        http.headers["Authorization"] = f"Bearer {token}"
        assert http.put("/stuff/a", json={"content": "secret"}).status_code == 201
        assert http.get("/stuff", params={"filter": '{"content": "secret"}'}).is_success
        assert http.get("/stuff", params={"filter": '{"secret"'}).is_error
        assert http.request("DELETE", "/stuff", params={"filter": '{"a": "secret"}'}).is_success
        assert http.put("/stuff/a", content=b'{"secret": ').is_error
        send_garbage(service)
        assert service.stop() == 0
    text = log.read_text() + other.read_text()
    assert "Finished server process" in text
    assert "secret" not in text
    assert token not in text
    assert token.split("_", 2)[2] not in text
