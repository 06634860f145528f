"""Several processes on one engine, a service of two workers and another one: they count, create and
watch as one would."""

import json
import time
from functools import partial
from pathlib import Path

import httpx

from tests.support.serving import TIMEOUT, Service, two_services
from tests.support.threads import at_once

EVENTS = {"Accept": "text/event-stream"}


def test_of_many_who_create_a_document_one_does(tmp_path: Path) -> None:
    ids, racers = 15, 6
    statuses: dict[int, list[int]] = {number: [] for number in range(ids)}

    def race(service: Service, racer: int) -> None:
        for number in range(ids):
            # A connection of its own, and so any of the workers.
            with httpx.Client(base_url=service.base_url, timeout=TIMEOUT) as http:
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

    def __init__(self, service: Service) -> None:
        self.seen: dict[str, list[int]] = {}
        self._client = httpx.Client(base_url=service.base_url, timeout=TIMEOUT)
        self._context = self._client.stream("GET", "/stuff", headers=EVENTS)
        self._lines = self._context.__enter__().iter_lines()
        assert next(self._lines) == ": The feed begins."

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
        self._context.__exit__(None, None, None)
        self._client.close()


def test_whoever_follows_sees_what_all_processes_write(tmp_path: Path) -> None:
    followers, writers, writes = 4, 4, 25

    def write(service: Service, writer: int) -> None:
        for n in range(writes):
            with httpx.Client(base_url=service.base_url, timeout=TIMEOUT) as http:
                assert http.put(f"/stuff/{writer}", json={"n": n}).is_success

    with two_services(tmp_path) as services:
        following = [Follower(services[number % 2]) for number in range(followers)]
        read = [partial(follower.read, writers * writes) for follower in following]
        at_once([*read, *(partial(write, services[n % 2], n) for n in range(writers))])
        expected = {str(writer): list(range(writes)) for writer in range(writers)}
        for follower in following:
            assert follower.seen == expected
