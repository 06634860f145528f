"""Several processes on one engine, a service of two workers and another one: they count, create and
watch as one would."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.clients import connect_blocking
from tests.support.metrics import parsed, value
from tests.support.patience import TIMEOUT
from tests.support.serving import Service, stuff_serve, two_services, wait_until
from tests.support.threads import at_once

EVENTS = {"Accept": "text/event-stream"}


def increment_by_patch(http: httpx.Client) -> None:
    while True:
        n = http.get("/stuff/counter").json()["n"]
        operations = [
            {"op": "test", "path": "/n", "value": n},
            {"op": "replace", "path": "/n", "value": n + 1},
        ]
        headers = {"content-type": "application/json-patch+json"}
        response = http.patch("/stuff/counter", content=json.dumps(operations), headers=headers)
        if response.status_code == 200:
            assert response.json()["n"] == n + 1
            return
        assert response.status_code == 409, response.text


def increment_by_put(http: httpx.Client) -> None:
    while True:
        read = http.get("/stuff/counter")
        headers = {"if-match": read.headers["etag"]}
        response = http.put("/stuff/counter", json={"n": read.json()["n"] + 1}, headers=headers)
        if response.status_code == 200:
            return
        assert response.status_code == 412, response.text


@pytest.mark.parametrize("increment", [increment_by_patch, increment_by_put])
def test_processes_that_count_together_lose_no_increment(
    tmp_path: Path, increment: Callable[[httpx.Client], None]
) -> None:
    clients, increments = 4, 15

    def count(base_url: str) -> None:
        for _ in range(increments):
            # A connection of its own, and so any of the workers.
            with connect_blocking(base_url) as http:
                increment(http)

    with two_services(tmp_path) as services:
        services[0].http.put("/stuff/counter", json={"n": 0})
        at_once([partial(count, services[n % 2].base_url) for n in range(clients)])
        expected = {"_id": "counter", "n": clients * increments}
        for service in services:
            assert service.http.get("/stuff/counter").json() == expected


def test_one_of_many_concurrent_creates_succeeds(tmp_path: Path) -> None:
    ids, racers = 15, 6
    statuses: dict[int, list[int]] = {number: [] for number in range(ids)}

    def race(service: Service, racer: int) -> None:
        for number in range(ids):
            # A connection of its own, and so any of the workers.
            with connect_blocking(service.base_url) as http:
                headers = {"If-None-Match": "*"}
                response = http.put(f"/stuff/{number}", json={"by": racer}, headers=headers)
            statuses[number].append(response.status_code * 1000 + racer)

    with two_services(tmp_path) as services:
        at_once([partial(race, services[racer % 2], racer) for racer in range(racers)])
        for number, answers in statuses.items():
            created = [answer % 1000 for answer in answers if answer // 1000 == 201]
            assert len(created) == 1
            assert sorted(answer // 1000 for answer in answers) == [201] + [412] * (racers - 1)
            for service in services:
                assert service.http.get(f"/stuff/{number}").json()["by"] == created[0]


class Follower:
    """A client of a feed, on a connection of its own."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.seen: dict[str, list[int]] = {}
        self._lines = lines

    def read(self, count: int) -> None:
        deadline = time.monotonic() + TIMEOUT
        for line in self._lines:  # of which some come when nothing happens
            assert time.monotonic() < deadline, f"{count} changes are missing"
            if line.startswith("data: "):
                change = json.loads(line.removeprefix("data: "))
                self.seen.setdefault(change["_id"], []).append(change["document"]["n"])
                count -= 1
                if count == 0:
                    break


@contextmanager
def following(service: Service) -> Iterator[Follower]:
    with (
        connect_blocking(service.base_url) as client,
        client.stream("GET", "/stuff", headers=EVENTS) as response,
    ):
        lines = response.iter_lines()
        assert next(lines) == ": The feed begins."
        yield Follower(lines)


def test_a_follower_sees_the_writes_of_all_processes(tmp_path: Path) -> None:
    followers, writers, writes = 4, 4, 25

    def write(service: Service, writer: int) -> None:
        for n in range(writes):
            with connect_blocking(service.base_url) as http:
                assert http.put(f"/stuff/{writer}", json={"n": n}).is_success

    with ExitStack() as stack:
        services = stack.enter_context(two_services(tmp_path))
        observers = [
            stack.enter_context(following(services[number % 2])) for number in range(followers)
        ]
        read = [partial(follower.read, writers * writes) for follower in observers]
        at_once([*read, *(partial(write, services[n % 2], n) for n in range(writers))])
        expected = {str(writer): list(range(writes)) for writer in range(writers)}
        for follower in observers:
            assert follower.seen == expected


def test_metrics_cover_all_workers(tmp_path: Path) -> None:
    with stuff_serve(tmp_path, "--workers=2") as service:
        for n in range(40):
            # Each on a connection of its own, to one worker or the other.
            with connect_blocking(service.base_url) as client:
                client.put(f"/stuff/{n}", json={})
        labels = {"method": "PUT", "route": "/stuff/{id}", "status": "201"}
        wait_until(lambda: counted(service, **labels) == 40)  # each publishes every second
        for _ in range(5):
            assert counted(service, **labels) == 40


def test_each_worker_shows_what_it_uses_of_the_machine(tmp_path: Path) -> None:
    with stuff_serve(tmp_path, "--workers=2") as service:

        def shows() -> dict[Any, float]:
            return parsed(service.http.get("/metrics").text)

        wait_until(lambda: value(shows(), "stuff_database_up") == 1)  # the lowest of both
        workers = {str(pid) for pid in service.workers()}
        assert len(workers) == 2
        shown = shows()
        names = ("cpu_seconds_total", "resident_memory_bytes", "open_fds", "start_time_seconds")
        for name in names:
            found = {
                dict(labels)["pid"]: figure
                for (series, labels), figure in shown.items()
                if series == f"process_{name}"
            }
            assert found.keys() == workers
            assert all(found.values())


def counted(service: Service, **labels: str) -> float:
    with connect_blocking(service.base_url) as client:
        return value(parsed(client.get("/metrics").text), "stuff_requests_total", **labels)
