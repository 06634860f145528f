"""`stuff serve`: the embedded engine, supervision, workers, signals."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest

from tests.support.serving import (
    TIMEOUT,
    alive,
    answers,
    engines,
    running,
    stuff_serve,
    wait_until,
)
from tests.support.threads import meanwhile

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


@pytest.mark.parametrize("workers", ["1", "2"])
def test_nothing_stays_behind_when_the_parent_is_killed(tmp_path: Path, workers: str) -> None:
    with stuff_serve(tmp_path, "--workers", workers) as service:
        assert service.http.put("/stuff/ada", json={}).status_code == 201
        below = service.descendants()
        assert len(below) >= 2
        assert service.stop(signal.SIGKILL) == -signal.SIGKILL
        wait_until(lambda: not engines(tmp_path))
        wait_until(lambda: not any(alive(pid) for pid in below))
    with stuff_serve(tmp_path) as service:
        assert service.http.get("/stuff/ada").status_code == 200


def test_the_engine_dies_with_its_guardian(tmp_path: Path) -> None:
    with stuff_serve(tmp_path) as service:
        (engine,) = engines(tmp_path)
        (guardian,) = [pid for pid in service.descendants() if pid != engine]
        os.kill(guardian, signal.SIGKILL)
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
            with httpx.Client(base_url=service.base_url) as http:  # a connection, a worker
                path = f"/stuff/{number}"
                assert http.put(path, json={"n": number}).status_code == 201
            with httpx.Client(base_url=service.base_url) as http:
                assert http.get(path).json() == {"_id": str(number), "n": number}
        assert service.stop() == 0
    assert not running(str(tmp_path))


def test_a_port_in_use_is_said_and_starts_no_engine(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = subprocess.run(
            [sys.executable, "-m", "service", "serve", "--port", str(taken.getsockname()[1])],
            env=os.environ | {"STUFF_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
    assert result.returncode != 0
    assert "in use" in result.stderr
    assert not (tmp_path / "engine").exists()


def kill_engine(tmp_path: Path, _: int) -> None:
    for engine in engines(tmp_path):
        os.kill(engine, signal.SIGKILL)


def kill_service(_: Path, service: int) -> None:
    os.kill(service, signal.SIGKILL)


@pytest.mark.parametrize("kill", [kill_engine, kill_service])
def test_no_acknowledged_write_is_lost_when_something_is_killed(
    tmp_path: Path, kill: Callable[[Path, int], None]
) -> None:
    acknowledged: dict[str, int] = {}

    def write(base_url: str, writer: int, done: threading.Event) -> None:
        with httpx.Client(base_url=base_url, timeout=TIMEOUT) as http:
            number = 0
            while not done.is_set():
                number += 1
                id = f"{writer}-{number}"
                try:
                    response = http.put(f"/stuff/{id}", json={"n": number})
                except httpx.TransportError:
                    return
                assert response.status_code in (201, 503)
                if response.status_code == 201:
                    acknowledged[id] = number

    with stuff_serve(tmp_path) as service:
        with meanwhile(partial(write, service.base_url), 8):
            wait_until(lambda: len(acknowledged) > 500)
            kill(tmp_path, service.process.pid)
        if kill is kill_service:
            service.process.wait(TIMEOUT)
        else:
            service.stop()
    with stuff_serve(tmp_path) as service:
        for id, number in acknowledged.items():
            found = service.http.get(f"/stuff/{id}")
            assert (found.status_code, found.json()) == (200, {"_id": id, "n": number})


def test_a_rolling_restart_under_load_loses_no_request(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    faults: list[object] = []

    def use(base_url: str, number: int, done: threading.Event) -> None:
        count = 0
        # Half of them keep their connection.
        with httpx.Client(base_url=base_url, timeout=TIMEOUT) as kept:
            while not done.is_set():
                count += 1
                path = f"/stuff/{number}-{count}"
                try:
                    if number % 2:
                        put, get = kept.put(path, json={}), kept.get(path)
                    else:
                        put, get = httpx.put(base_url + path, json={}), httpx.get(base_url + path)
                except httpx.TransportError as error:
                    faults.append(error)
                    return
                if (put.status_code, get.status_code) != (201, 200):
                    faults.append((put, get))
                acknowledged.add(path)
                if count % 20 == 0:
                    time.sleep(0.3)  # so that some connections rest when the workers leave

    with stuff_serve(tmp_path, "--workers", "2") as service:
        workers = service.workers()
        assert len(workers) == 2
        with meanwhile(partial(use, service.base_url), 8):
            wait_until(lambda: len(acknowledged) > 200)
            service.process.send_signal(signal.SIGHUP)
            wait_until(lambda: not any(alive(pid) for pid in workers))
            seen = len(acknowledged)
            wait_until(lambda: len(acknowledged) > seen + 200)
        assert faults == []
        for path in acknowledged:
            assert service.http.get(path).status_code == 200
        assert service.stop() == 0
    assert not running(str(tmp_path))


def test_a_signal_lets_requests_finish_and_takes_no_others(tmp_path: Path) -> None:
    with stuff_serve(tmp_path) as service:
        url = httpx.URL(service.base_url)
        address = (url.host, url.port or 0)
        with socket.create_connection(address, TIMEOUT) as slow:
            slow.sendall(b"PUT /stuff/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n{")
            service.http.get("/healthz")  # by now the other one is under way
            service.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not can_connect(address))
            slow.sendall(b'"slow": 1}')
            slow_answer = slow.makefile("rb")
            assert read_status(slow_answer) == 201
            assert slow_answer.read() == b""
        assert service.process.wait(TIMEOUT) == 0
    with stuff_serve(tmp_path) as service:
        assert service.http.get("/stuff/slow").json() == {"_id": "slow", "slow": 1}


def can_connect(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, TIMEOUT).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_request_that_crosses_the_signal_on_a_resting_connection_is_answered(
    tmp_path: Path,
) -> None:
    with stuff_serve(tmp_path) as service:
        url = httpx.URL(service.base_url)
        address = (url.host, url.port or 0)
        with socket.create_connection(address, TIMEOUT) as resting:
            reader = resting.makefile("rb")
            resting.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_status(reader) == 200
            service.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not can_connect(address))
            resting.sendall(b"GET /stuff/none HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_status(reader) == 404
            assert reader.read() == b""  # and closed
        assert service.process.wait(TIMEOUT) == 0


def test_an_oversized_body_leaves_the_connection_usable(tmp_path: Path) -> None:
    """Over a real connection, since here the server has to read what the application did not."""
    with stuff_serve(tmp_path, STUFF_MAX_BODY_BYTES="1000") as service:
        url = httpx.URL(service.base_url)
        with socket.create_connection((url.host, url.port or 0), TIMEOUT) as connection:
            reader = connection.makefile("rb")
            for framing in (
                b"Content-Length: 200000\r\n\r\n",
                b"Transfer-Encoding: chunked\r\n\r\n",
            ):
                connection.sendall(b"PUT /stuff/a HTTP/1.1\r\nHost: x\r\n" + framing)
                if b"chunked" in framing:
                    connection.sendall(b"30D40\r\n" + b"x" * 200_000 + b"\r\n0\r\n\r\n")
                else:
                    connection.sendall(b"x" * 200_000)
                assert read_status(reader) == 413
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_status(reader) == 200


def read_status(reader: BinaryIO) -> int:
    status = int(reader.readline().split()[1])
    length = 0
    while line := reader.readline().strip().lower():
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    reader.read(length)
    return status


def test_plain_uvicorn_serves_the_application_too(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "service.app:app", "--port", str(port)],
        env=os.environ | {"STUFF_DATA_DIR": str(tmp_path)},
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:

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
