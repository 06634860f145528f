"""Processes killed in the middle of commits: each is there as a whole, or not at all."""

import itertools
import os
import random
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.clients import connect_blocking
from tests.support.patience import patient
from tests.support.serving import Service, engines, stuff_serve, wait_until
from tests.support.threads import meanwhile

ACCOUNTS = [f"account-{number}" for number in range(8)]
LIFETIME = 60.0
"""Seconds after which the engine aborts a transaction that nobody continues."""


def kill_engine(tmp_path: Path, _: Service) -> None:
    for engine in engines(tmp_path):
        os.kill(engine, signal.SIGKILL)


def kill_service(_: Path, service: Service) -> None:
    service.process.kill()
    service.process.wait()


def kill_worker(_: Path, service: Service) -> None:
    os.kill(random.choice(service.workers()), signal.SIGKILL)


class Transfers:
    """What was sent, and what was acknowledged, by the ids of the entries in the journal."""

    def __init__(self) -> None:
        self.acknowledged: set[str] = set()
        self._numbers = itertools.count()

    def make(self, base_url: str, writer: int, done: threading.Event) -> None:
        chance = random.Random(writer)
        while not done.is_set():
            with connect_blocking(base_url) as http:
                try:
                    while not done.is_set():
                        self._transfer(http, chance)
                except httpx.TransportError:
                    continue

    def _transfer(self, http: httpx.Client, chance: random.Random) -> None:
        source, target = chance.sample(ACCOUNTS, 2)
        amount = chance.randint(1, 9)
        entry = f"entry-{next(self._numbers)}"
        answer = http.post("/commit", json={"writes": transfer(entry, source, target, amount)})
        assert answer.status_code in (200, 503), answer.text
        if answer.status_code == 200:
            self.acknowledged.add(entry)


def transfer(entry: str, source: str, target: str, amount: int) -> list[dict[str, Any]]:
    def add(id: str, amount: int) -> dict[str, Any]:
        return {"op": "update", "id": id, "operators": {"$inc": {"balance": amount}}}

    document = {"from": source, "to": target, "amount": amount}
    journal = {"op": "create", "id": entry, "document": document}
    return [add(source, -amount), journal, add(target, amount)]


def stored(http: httpx.Client) -> dict[str, dict[str, Any]]:
    lines = http.get("/stuff", headers={"Accept": "application/json"}, params={"limit": 1000})
    found = lines.json()
    documents = found["items"]
    while found["next"]:
        found = http.get("/stuff", params={"limit": 1000, "after": found["next"]}).json()
        documents += found["items"]
    return {document.pop("_id"): document for document in documents}


@pytest.mark.timeout(patient(300))
@pytest.mark.parametrize(
    ("kill", "workers"), [(kill_engine, 1), (kill_service, 1), (kill_worker, 2)]
)
def test_a_commit_is_whole_or_not_there_whatever_is_killed(
    tmp_path: Path, kill: Callable[[Path, Service], None], workers: int
) -> None:
    transfers = Transfers()
    with stuff_serve(tmp_path, "--workers", str(workers)) as service:
        for id in ACCOUNTS:
            service.http.put(f"/stuff/{id}", json={"balance": 0})
        with meanwhile(partial(transfers.make, service.base_url), 6):
            for _ in range(1 if kill is kill_service else 2):
                goal = len(transfers.acknowledged) + 100
                wait_until(lambda: len(transfers.acknowledged) > goal)  # noqa: B023
                kill(tmp_path, service)
                if kill is kill_engine:
                    before = len(transfers.acknowledged)
                    wait_until(lambda: len(transfers.acknowledged) > before)  # noqa: B023
        if kill is kill_worker:
            # What the killed one has locked is free again, in time.
            everywhere = [{"op": "merge", "id": id, "patch": {"seen": True}} for id in ACCOUNTS]
            wait_until(
                lambda: service.http.post("/commit", json={"writes": everywhere}).is_success,
                LIFETIME + patient(30),
            )
        if kill is not kill_service:
            service.stop()
    with stuff_serve(tmp_path) as service:
        found = stored(service.http)
    entries = {id: entry for id, entry in found.items() if id.startswith("entry")}
    assert entries.keys() >= transfers.acknowledged
    balances = dict.fromkeys(ACCOUNTS, 0)
    for entry in entries.values():
        balances[entry["from"]] -= entry["amount"]
        balances[entry["to"]] += entry["amount"]
    assert {id: found[id]["balance"] for id in ACCOUNTS} == balances
