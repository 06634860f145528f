"""`stuff serve`: the embedded engine, supervision, workers, signals."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.security import make_key
from tests.support.clients import connect_blocking
from tests.support.patience import TIMEOUT
from tests.support.serving import answers, engines, running, stuff, stuff_serve, wait_until

pytestmark = pytest.mark.xdist_group("serve")


def test_a_document_survives_stop_and_start(tmp_path: Path) -> None:
    with stuff_serve(tmp_path) as service:
        assert service.http.put("/stuff/ada", json={"born": 1815}).status_code == 201
        assert service.stop() == 0
    assert not running(str(tmp_path))
    with stuff_serve(tmp_path) as service:
        assert service.http.get("/stuff/ada").json() == {"_id": "ada", "born": 1815}
        assert service.stop(signal.SIGINT) == 0
    assert not running(str(tmp_path))


def test_the_engine_is_started_again_when_it_dies(tmp_path: Path) -> None:
    with stuff_serve(tmp_path) as service:
        assert service.http.put("/stuff/ada", json={"n": 1}).status_code == 201
        for _ in range(2):
            (engine,) = engines(tmp_path)
            os.kill(engine, signal.SIGKILL)
            wait_until(lambda: engines(tmp_path) not in ([], [engine]))  # noqa: B023
            wait_until(lambda: answers(service))
            assert service.http.get("/stuff/ada").json() == {"_id": "ada", "n": 1}
            assert service.http.put("/stuff/ada", json={"n": 1}).status_code == 200


def test_the_engine_dies_with_its_watchdog(tmp_path: Path) -> None:
    with stuff_serve(tmp_path) as service:
        (engine,) = engines(tmp_path)
        (watchdog,) = [pid for pid in service.descendants() if pid != engine]
        os.kill(watchdog, signal.SIGKILL)
        wait_until(lambda: engine not in engines(tmp_path))
        wait_until(lambda: answers(service))


def test_a_second_serve_on_the_same_directory_is_refused_clearly(tmp_path: Path) -> None:
    with stuff_serve(tmp_path) as service:
        second = subprocess.run(
            [sys.executable, "-m", "service", "serve", "--port", "0"],
            env=os.environ | {"STUFF_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        assert second.returncode == 1
        assert f"Another process ({service.process.pid}) uses {tmp_path}" in second.stderr
        assert "Traceback" not in second.stderr
        assert answers(service)


def test_workers_share_one_engine(tmp_path: Path) -> None:
    with stuff_serve(tmp_path, "--workers", "2") as service:
        assert len(engines(tmp_path)) == 1
        for number in range(20):
            with connect_blocking(service.base_url) as http:  # a connection, a worker
                path = f"/stuff/{number}"
                assert http.put(path, json={"n": number}).status_code == 201
            with connect_blocking(service.base_url) as http:
                assert http.get(path).json() == {"_id": str(number), "n": number}
        assert service.stop() == 0
    assert not running(str(tmp_path))


def test_a_port_in_use_is_reported_and_starts_no_engine(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = stuff("serve", "--port", str(port), STUFF_DATA_DIR=str(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"STUFF_PORT: Port {port} of 127.0.0.1 is in use")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "engine").exists()


def test_a_wrong_password_ends_the_start_and_an_unknown_name_is_warned_of(mongodb_uri: str) -> None:
    uri = mongodb_uri.replace("mongodb://", "mongodb://user:hunter2@")
    result = stuff("serve", "--port=0", STUFF_MONGODB_URI=uri, STUFF_WORKRES="2")
    assert (result.returncode, result.stdout) == (2, "")
    warning, fault = result.stderr.splitlines()
    assert "STUFF_WORKRES is not a setting. Did you mean STUFF_WORKERS?" in warning
    assert fault.startswith("STUFF_MONGODB_URI: The database refuses the user name or the password")
    assert "hunter2" not in result.stderr


def test_plain_uvicorn_serves_the_application_too(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "service.app:app", "--port", str(port)],
        env=os.environ | {"STUFF_DATA_DIR": str(tmp_path)},
    )
    try:
        with connect_blocking(f"http://127.0.0.1:{port}") as http:

            def answered() -> bool:
                try:
                    return http.put("/stuff/a", json={}).is_success
                except httpx.TransportError:
                    return False

            wait_until(answered)
            assert http.get("/stuff/a").json() == {"_id": "a"}
    finally:
        process.terminate()
        process.wait(TIMEOUT)
    assert not running(str(tmp_path))


def test_with_a_key_or_insecure_it_listens_to_other_machines_too(tmp_path: Path) -> None:
    token, key = make_key(["read", "write"])
    with stuff_serve(tmp_path, "--host=0.0.0.0", "--insecure") as service:
        assert service.http.get("/stuff").status_code == 200
    keys: dict[str, Any] = {"STUFF_API_KEYS": str(key)}
    with stuff_serve(tmp_path, "--host=0.0.0.0", **keys) as service:
        assert service.http.get("/stuff").status_code == 401
        environment = {"STUFF_URL": service.base_url, "STUFF_KEY": token}
        file = tmp_path / "lines"
        file.write_text('{"_id": "a"}\n')
        assert stuff("import", str(file), **environment).returncode == 0
        assert stuff("get", "a", **environment).stdout == '{"_id":"a"}\n'
        assert stuff("export", "-", **environment).stdout == '{"_id":"a"}\n'
        denied = stuff("get", "a", STUFF_URL=service.base_url)
        assert (denied.returncode, "401" in denied.stderr) == (1, True)


def test_indexes_of_the_embedded_engine_are_made_beside_a_service_or_without(
    tmp_path: Path,
) -> None:
    environment = {"STUFF_DATA_DIR": str(tmp_path)}
    with stuff_serve(tmp_path) as service:
        beside = stuff("index", "create", "beside", **environment)
        assert beside.stdout == "beside_1__id_1\n"
        where = f"In demo.stuff of the embedded engine, data in {tmp_path}:\n"
        assert beside.stderr == where
        service.http.put("/stuff/a", json={"before": 1})
    assert stuff("index", "create", "after", **environment).returncode == 0
    listed = stuff("index", "list", **environment)
    assert "beside_1__id_1" in listed.stdout
    assert "after_1__id_1" in listed.stdout
    assert listed.stderr == where
