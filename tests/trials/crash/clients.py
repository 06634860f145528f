"""Clients that write down what they do, and are answered."""

import asyncio
import json
import math
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import Any

import httpx

from tests.support.linearizability import ANY, Event, Operation, is_linearizable

WEIGHTS: dict[Operation, int] = {
    "put": 4, "create": 1, "replace": 3, "patch": 2, "delete": 1, "get": 6,
}  # fmt: skip
NDJSON, MERGE = "application/x-ndjson", "application/merge-patch+json"
OPERATORS = "application/vnd.stuff.update-operators+json"
JOURNAL = 1.0  # seconds in which the engine writes its journal, at the most
PAUSE = 0.3  # seconds after a request without an answer


class Fault(Exception):
    """What must not happen."""


class Impossible(Fault):
    """A history that cannot have happened in any order."""


def fields(value: int) -> dict[str, Any]:
    """A document that cannot be half there unnoticed."""
    return {"value": value, "text": f"{value} " * 100, "end": value}


def value_of(document: dict[str, Any]) -> int:
    value: int = document["value"]
    if document["text"] != f"{value} " * 100 or document["end"] != value:
        raise Fault(f"A document is half there: {document}")
    return value


def _content(kind: str, value: int) -> dict[str, Any]:
    return {"$set": fields(value)} if kind == OPERATORS else fields(value)


class NotSent(Exception):
    """The service is not there."""


class History:
    """What was done to each document, and answered."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self.given_up = 0  # writes
        self.engine_killed = -math.inf  # when that began
        self.events: dict[str, list[Event]] = defaultdict(list)
        self.statuses: Counter[str] = Counter()

    def give_up(self) -> float:
        """When, which is now, a write was answered 503. Of one worker, it must not undo a later
        one; those of other processes are not waited for."""
        self.given_up += 1
        return time.perf_counter() if self._workers == 1 else math.inf

    def check(self) -> None:
        for id, events in self.events.items():
            if not is_linearizable(events) and not is_linearizable(self._durable(events)):
                what = f"The history of {id} is not linearizable"
                if is_linearizable([replace(event, given_up=math.inf) for event in events]):
                    what = f"A write of {id} that was answered 503 has undone a later one"
                raise Impossible(f"{what}:\n{_told(events)}")

    def _durable(self, events: Sequence[Event]) -> list[Event]:
        """Without what was seen just before the engine was killed: it shows a write a moment before
        its journal has it, and a kill takes back what was not acknowledged."""
        begin = self.engine_killed - JOURNAL
        return [
            event
            for event in events
            if event.is_acknowledged_write
            or not event.is_answered
            or not begin < event.end < self.engine_killed + JOURNAL
        ]


def _told(events: Sequence[Event]) -> str:
    """A line for each event: milliseconds from and to, what it did, what was answered."""
    zero = min(event.start for event in events)
    lines = []
    for event in sorted(events, key=lambda event: event.start):
        answer: Any = "?" if event.answer is ANY else event.answer
        did = event.operation if event.value is None else f"{event.operation} {event.value}"
        if event.operation == "replace":
            did += f" for {event.seen}"
        if not event.is_answered:
            answer = "never answered"
            if event.given_up < math.inf:
                answer = f"given up at {1000 * (event.given_up - zero):.0f}"
        end = f"{1000 * (event.end - zero):.0f}" if event.is_answered else ""
        lines.append(f"{1000 * (event.start - zero):.0f}-{end} {did}: {answer}")
    return "\n".join(lines)


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
                kind = self._chance.random()
                if kind < 0.05:
                    await self._load(self._chance.sample(ids, 5), values)
                elif kind < 0.15:
                    await self._commit(self._chance.sample(ids, 3), values)
                else:
                    await self._do(operation, self._chance.choice(ids), values)

    async def _do(self, operation: Operation, id: str, values: "count[int]") -> None:
        tag, seen = self._tags.get(id, ("", None))
        if operation == "replace" and not tag:
            operation = "get"
        value = None if operation in ("get", "delete") else next(values)
        method = {"get": "GET", "delete": "DELETE", "patch": "PATCH"}.get(operation, "PUT")
        kinds = (MERGE, OPERATORS) if operation == "patch" else ("application/json",)
        kind = self._chance.choice(kinds)
        headers = {"Content-Type": kind}
        if operation == "create":
            headers["If-None-Match"] = "*"
        if operation == "replace":
            headers["If-Match"] = tag
        content = None if value is None else json.dumps(_content(kind, value))
        start = time.perf_counter()
        response, given_up = await self._send(method, f"/stuff/{id}", content, headers)
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
        event = Event(start, end, operation, value, answer, seen, given_up)
        self._history.events[id].append(event)

    async def _load(self, ids: list[str], values: "count[int]") -> None:
        lines = {id: next(values) for id in ids}
        content = "\n".join(json.dumps({"_id": id, **fields(n)}) for id, n in lines.items())
        start = time.perf_counter()
        headers = {"Content-Type": NDJSON}
        response, given_up = await self._send("POST", "/stuff", content, headers)
        end = time.perf_counter() if response is not None else math.inf
        if response is not None and response.json().get("failed") != 0:
            raise Fault(f"A load was answered {response.text}")
        for id, value in lines.items():
            self._history.events[id].append(Event(start, end, "put", value, ANY, None, given_up))

    async def _commit(self, ids: list[str], values: "count[int]") -> None:
        """Put several documents together, as any number of puts at one moment."""
        puts = {id: next(values) for id in ids}
        writes = [{"op": "put", "id": id, "document": fields(n)} for id, n in puts.items()]
        content = json.dumps({"writes": writes})
        start = time.perf_counter()
        headers = {"Content-Type": "application/json"}
        response, given_up = await self._send("POST", "/commit", content, headers)
        end = time.perf_counter() if response is not None else math.inf
        created: list[Any] = [None] * len(ids)
        if response is not None:
            if response.status_code != 200:
                raise Fault(f"A commit was answered {response.status_code} {response.text}")
            created = [each["status"] == 201 for each in response.json()["results"]]
        for (id, value), answer in zip(puts.items(), created, strict=True):
            event = Event(start, end, "put", value, answer, None, given_up)
            self._history.events[id].append(event)

    async def _send(
        self, method: str, path: str, content: str | None, headers: dict[str, str]
    ) -> tuple[httpx.Response | None, float]:
        """The answer, or None if it is not known whether this has happened; and when the service
        said that it is not, else infinity."""
        given_up = math.inf
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
                return response, given_up
            if method != "GET":
                given_up = self._history.give_up()
        await asyncio.sleep(PAUSE)
        return None, given_up
