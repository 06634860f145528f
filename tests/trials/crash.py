"""Whether anything is lost when processes are killed.

    python -m tests.trials.crash --kills 20 --seed 1

Writers (PUT, create, If-Match, PATCH, DELETE, imports) and readers use a service of two workers on
its embedded engine, while a worker, the parent or the engine is killed (SIGKILL) at random moments.
Afterwards the history of each document must be linearizable, with all that was acknowledged; what
is read must be whole; and no process and no lock may be left behind.

`--plant` has the harness deny one write in a hundred that was acknowledged: that must be found.
"""

import argparse
import asyncio
import json
import math
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from tests.support.clients import connect
from tests.support.linearizability import ANY, Event, Operation, is_linearizable
from tests.support.patience import TIMEOUT
from tests.support.serving import Service, alive, engines, running, stuff_serve, wait_until

CLIENTS = 12
DOCUMENTS = 24  # of each round
WEIGHTS: dict[Operation, int] = {
    "put": 4, "create": 1, "replace": 3, "patch": 2, "delete": 1, "get": 6,
}  # fmt: skip
TARGETS = ["worker", "parent", "engine", "engine and worker"]
NDJSON, MERGE = "application/x-ndjson", "application/merge-patch+json"
PAUSE = 0.3  # seconds after a request without an answer


class Fault(Exception):
    """What must not happen."""


def fields(value: int) -> dict[str, Any]:
    """A document that cannot be half there unnoticed."""
    return {"value": value, "text": f"{value} " * 100, "end": value}


def value_of(document: dict[str, Any]) -> int:
    value: int = document["value"]
    if document["text"] != f"{value} " * 100 or document["end"] != value:
        raise Fault(f"A document is half there: {document}")
    return value


class NotSent(Exception):
    """The service is not there."""


class History:
    """What was done to each document, and answered."""

    def __init__(self) -> None:
        self.events: dict[str, list[Event]] = defaultdict(list)
        self.statuses: Counter[str] = Counter()

    def check(self) -> None:
        for id, events in self.events.items():
            if not is_linearizable(events):
                lines = "\n".join(map(str, sorted(events, key=lambda event: event.start)))
                raise Fault(f"The history of {id} is not linearizable:\n{lines}")


class Client:
    """Uses the documents of a round, and writes down what happens."""

    def __init__(
        self, http: httpx.AsyncClient, history: History, chance: random.Random, plant: bool
    ) -> None:
        self._http = http
        self._history = history
        self._chance = chance
        self._plant = plant
        self._tags: dict[str, tuple[str, int]] = {}  # by id: what was seen last

    async def use(self, ids: list[str], values: "count[int]", done: asyncio.Event) -> None:
        while not done.is_set():
            [operation] = self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
            with suppress(NotSent):
                if self._chance.random() < 0.05:
                    await self._load(self._chance.sample(ids, 5), values)
                else:
                    await self._do(operation, self._chance.choice(ids), values)

    async def _do(self, operation: Operation, id: str, values: "count[int]") -> None:
        tag, seen = self._tags.get(id, ("", None))
        if operation == "replace" and not tag:
            operation = "get"
        value = None if operation in ("get", "delete") else next(values)
        method = {"get": "GET", "delete": "DELETE", "patch": "PATCH"}.get(operation, "PUT")
        headers = {"Content-Type": MERGE if operation == "patch" else "application/json"}
        if operation == "create":
            headers["If-None-Match"] = "*"
        if operation == "replace":
            headers["If-Match"] = tag
        content = None if value is None else json.dumps(fields(value))
        start = time.perf_counter()
        response = await self._send(method, f"/stuff/{id}", content, headers)
        end = time.perf_counter() if response is not None else math.inf
        answer: Any = None
        if response is not None:
            if response.status_code >= 400 and response.status_code not in (404, 412):
                raise Fault(f"{method} was answered {response.status_code} {response.text}")
            match operation:
                case "get":
                    answer = value_of(response.json()) if response.is_success else None
                case "put":
                    answer = response.status_code == 201
                case _:
                    answer = response.is_success
            if response.is_success and operation != "delete":
                known = answer if value is None else value
                self._tags[id] = response.headers["etag"], known
        elif operation == "get":
            return
        if self._plant and answer is True and self._chance.random() < 0.01:
            answer = False
        event = Event(start, end, operation, value, answer, seen)
        self._history.events[id].append(event)

    async def _load(self, ids: list[str], values: "count[int]") -> None:
        lines = {id: next(values) for id in ids}
        content = "\n".join(json.dumps({"_id": id, **fields(n)}) for id, n in lines.items())
        start = time.perf_counter()
        response = await self._send("POST", "/stuff", content, {"Content-Type": NDJSON})
        end = time.perf_counter() if response is not None else math.inf
        if response is not None and response.json().get("failed") != 0:
            raise Fault(f"A load was answered {response.text}")
        for id, value in lines.items():
            self._history.events[id].append(Event(start, end, "put", value, ANY))

    async def _send(
        self, method: str, path: str, content: str | None, headers: dict[str, str]
    ) -> httpx.Response | None:
        """The answer, or None if it is not known whether this has happened."""
        try:
            response = await self._http.request(method, path, content=content, headers=headers)
        except httpx.ConnectError:  # it was not sent
            await asyncio.sleep(PAUSE)
            raise NotSent from None
        except httpx.TransportError as error:
            self._history.statuses[type(error).__name__] += 1
        else:
            self._history.statuses[str(response.status_code)] += 1
            if response.status_code != 503:
                return response
        await asyncio.sleep(PAUSE)
        return None


class Victim:
    """The service, whose processes are killed, and which is there again."""

    def __init__(self, data_dir: Path, stack: ExitStack) -> None:
        self._data_dir = data_dir
        self._outer = stack
        self._inner = ExitStack()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self._port}"
        self.service: Service
        stack.callback(self.stop)
        self.start()

    def start(self) -> None:
        log = self._inner.enter_context((self._data_dir.parent / "log").open("a"))
        options = ["--workers", "2", "--port", str(self._port)]
        self.service = self._inner.enter_context(stuff_serve(self._data_dir, *options, stderr=log))

    def stop(self) -> None:
        self._inner.close()
        wait_until(lambda: not running(str(self._data_dir)))

    def kill(self, target: str, chance: random.Random) -> None:
        if "engine" in target:
            for engine in engines(self._data_dir):
                with suppress(ProcessLookupError):  # it ended by itself
                    os.kill(engine, signal.SIGKILL)
        if "worker" in target:
            os.kill(chance.choice(self.service.workers()), signal.SIGKILL)
        if target == "parent":
            below = self.service.descendants()
            self.service.process.kill()
            self.service.process.wait()
            wait_until(lambda: not any(alive(pid) for pid in below))
            self._inner.close()
            if left := running(str(self._data_dir)):
                raise Fault(f"Processes are left behind: {left}")
            self.start()


async def settle(http: httpx.AsyncClient, ids: list[str], history: History) -> None:
    """Wait until the service is back, and read what has become of each document."""
    async with asyncio.timeout(2 * TIMEOUT):
        for id in ids:
            while True:
                start = time.perf_counter()
                try:
                    response = await http.get(f"/stuff/{id}")
                except httpx.TransportError:
                    response = None
                if response is not None and response.status_code in (200, 404):
                    break
                await asyncio.sleep(0.05)
            answer = value_of(response.json()) if response.is_success else None
            event = Event(start, time.perf_counter(), "get", None, answer)
            history.events[id].append(event)


async def run(kills: int, seed: int, plant: bool, data_dir: Path, stack: ExitStack) -> Counter[str]:
    victim = await asyncio.to_thread(Victim, data_dir, stack)
    values = count()
    statuses: Counter[str] = Counter()
    chance = random.Random(seed)
    targets: list[str] = []
    for round in range(kills):
        if not targets:  # each as often, in any order
            targets = chance.sample(TARGETS, len(TARGETS))
        target = targets.pop()
        history, done = History(), asyncio.Event()
        ids = [f"{round}-{number}" for number in range(DOCUMENTS)]
        async with connect(victim.base_url) as http:
            async with asyncio.TaskGroup() as group:
                for number in range(CLIENTS):
                    own = random.Random(f"{seed} {round} {number}")
                    client = Client(http, history, own, plant)
                    group.create_task(client.use(ids, values, done))
                await asyncio.sleep(chance.uniform(0.2, 1.0))
                await asyncio.to_thread(victim.kill, target, chance)
                await asyncio.sleep(chance.uniform(0.5, 1.5))
                done.set()
            await settle(http, ids, history)
        history.check()
        statuses += history.statuses
        events = sum(map(len, history.events.values()))
        print(f"{round + 1}: the {target} killed, {events} events", flush=True)
    await asyncio.to_thread(victim.stop)
    with stuff_serve(data_dir) as service:  # no lock is left
        if service.http.get("/stuff?count=true").status_code != 200:
            raise Fault("The store does not start again.")
    return statuses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--plant", action="store_true", help="find a planted fault")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        data_dir = Path(directory) / "data"
        try:
            statuses = asyncio.run(run(options.kills, options.seed, options.plant, data_dir, stack))
        except* Fault as faults:
            [fault] = faults.exceptions[:1]
            print(str(fault)[:4000])
            if not options.plant or "linearizable" not in str(fault):
                sys.exit(1)
            print("The planted fault was found.")
            sys.exit(0)
    if options.plant:
        sys.exit("The planted fault was not found.")
    answers = ", ".join(f"{status} {count} times" for status, count in statuses.most_common())
    print(f"Nothing was lost by {options.kills} kills: {answers}.")


if __name__ == "__main__":
    main()
