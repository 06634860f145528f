"""Signals: a stop lets requests finish, a rolling restart loses none."""

import os
import signal
import socket
import threading
import time
from functools import partial
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest

from tests.support.clients import connect_blocking
from tests.support.patience import TIMEOUT
from tests.support.serving import alive, running, stuff_serve, wait_until
from tests.support.threads import meanwhile


@pytest.mark.parametrize("processes", [1, 2])
def test_a_rolling_restart_under_load_loses_no_request(tmp_path: Path, processes: int) -> None:
    acknowledged: set[str] = set()
    faults: list[object] = []

    def use(base_url: str, number: int, done: threading.Event) -> None:
        count = 0
        # Half of them keep their connection.
        with connect_blocking(base_url) as kept:
            while not done.is_set():
                count += 1
                path = f"/stuff/{number}-{count}"
                try:
                    if number % 2:
                        put, get = kept.put(path, json={}), kept.get(path)
                    else:
                        with connect_blocking(base_url) as once:
                            put = once.put(path, json={})
                        with connect_blocking(base_url) as once:
                            get = once.get(path)
                except httpx.TransportError as error:
                    faults.append(error)
                    return
                if (put.status_code, get.status_code) != (201, 200):
                    faults.append((put, get))
                acknowledged.add(path)
                if count % 20 == 0:
                    time.sleep(0.3)  # so that some connections rest when the workers leave

    log = tmp_path / "log"
    with (
        log.open("w") as stderr,
        stuff_serve(tmp_path / "data", "--workers", str(processes), stderr=stderr) as service,
    ):
        workers = service.workers()
        wait_until(lambda: log.read_text().count("startup complete") == processes)
        with meanwhile(partial(use, service.base_url), 8):
            wait_until(lambda: len(acknowledged) > 200)
            service.process.send_signal(signal.SIGHUP)
            wait_until(lambda: log.read_text().count("startup complete") == 2 * processes)
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
            slow.sendall(
                b"PUT /stuff/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\n{"
            )
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


def test_a_request_that_crosses_the_signal_on_an_idle_connection_is_answered(
    tmp_path: Path,
) -> None:
    with stuff_serve(tmp_path) as service:
        url = httpx.URL(service.base_url)
        address = (url.host, url.port or 0)
        with socket.create_connection(address, TIMEOUT) as resting:
            reader = resting.makefile("rb")
            resting.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert read_status(reader) == 200
            service.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not can_connect(address))
            resting.sendall(b"GET /stuff/none HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert read_status(reader) == 404
            assert reader.read() == b""  # and closed
        assert service.process.wait(TIMEOUT) == 0


def test_a_request_after_a_feed_that_the_signal_has_ended_is_answered(tmp_path: Path) -> None:
    """The head of the feed has left the connection open."""
    with stuff_serve(tmp_path) as service:
        url = httpx.URL(service.base_url)
        with socket.create_connection((url.host, url.port or 0), TIMEOUT) as following:
            reader = following.makefile("rb")
            following.sendall(
                b"GET /stuff HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
            )
            while reader.readline() != b": The feed begins.\n":
                pass
            service.process.send_signal(signal.SIGTERM)
            while reader.readline() != b"0\r\n":  # the last chunk
                pass
            assert reader.readline() == b"\r\n"
            following.sendall(b"GET /stuff/none HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert read_status(reader) == 404
            assert reader.read() == b""  # and closed
        assert service.process.wait(TIMEOUT) == 0


def read_status(reader: BinaryIO) -> int:
    status = int(reader.readline().split()[1])
    length = 0
    while line := reader.readline().strip().lower():
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    reader.read(length)
    return status


def test_a_closed_terminal_stops_the_service_that_was_started_in_it(tmp_path: Path) -> None:
    terminal, stdin = os.openpty()
    with stuff_serve(tmp_path, stdin=stdin) as service:
        os.close(stdin)
        assert service.http.get("/healthz").status_code == 200
        os.close(terminal)
        assert service.stop(signal.SIGHUP) == 0
