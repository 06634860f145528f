"""Processes killed: nothing stays behind, nothing acknowledged is lost."""

import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.support.clients import connect_blocking
from tests.support.patience import TIMEOUT
from tests.support.serving import alive, engines, stuff_serve, wait_until
from tests.support.threads import meanwhile


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
        with connect_blocking(base_url) as http:
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
