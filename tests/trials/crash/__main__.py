"""Rounds of the trial: see the package."""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import httpx

from tests.support.clients import connect
from tests.support.linearizability import Event
from tests.support.patience import TIMEOUT
from tests.support.serving import stuff_serve
from tests.trials import crash
from tests.trials.crash.clients import Client, Fault, History, value_of
from tests.trials.crash.victim import Victim

CLIENTS = 12
DOCUMENTS = 24  # of each round
TARGETS = ["worker", "parent", "engine", "engine and worker"]


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
    parser = argparse.ArgumentParser(description=(crash.__doc__ or "").partition("\n")[0])
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
