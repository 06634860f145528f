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
from tests.support.scratch import in_memory
from tests.trials import crash
from tests.trials.crash.clients import Client, Fault, History, Impossible, value_of
from tests.trials.crash.faults import FailingVictim
from tests.trials.crash.repeating import Repeating
from tests.trials.crash.victim import Victim

CLIENTS = 12
REPEATING = 2  # clients that send each request until it is answered
DOCUMENTS = 24  # of each round


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


async def play(victim: Victim, kind: str, number: int, seed: int, *, plant: bool) -> History:
    """One round: clients use some documents, while something is done to the service."""
    chance = random.Random(f"{seed} {number}")
    history, done, values = History(victim.workers), asyncio.Event(), count()
    ids = [f"{number}-{document}" for document in range(DOCUMENTS)]
    async with connect(victim.base_url) as http:
        async with asyncio.TaskGroup() as group:
            for client in range(CLIENTS):
                own = random.Random(f"{seed} {number} {client}")
                group.create_task(Client(http, history, own, plant).use(ids, values, done))
            repeating = Repeating(http, str(number), history.statuses)
            for _ in range(REPEATING):
                group.create_task(repeating.use(done))
            await asyncio.sleep(chance.uniform(0.2, 1.0))
            if "engine" in kind:
                history.engine_killed = time.perf_counter()
            await asyncio.to_thread(victim.harm, kind, chance)
            await asyncio.sleep(chance.uniform(*victim.going_on))
            done.set()
        await asyncio.to_thread(victim.heal)
        await settle(http, ids, history)
        await repeating.settle()
    history.check()
    return history


async def run(
    rounds: int, seed: int, plant: bool, directory: Path, stack: ExitStack
) -> Counter[str]:
    victims = [
        await asyncio.to_thread(Victim, directory / "killed", stack),
        await asyncio.to_thread(FailingVictim, directory / "failing", stack),
    ]
    kinds = [(victim, kind) for victim in victims for kind in victim.kinds]
    chance = random.Random(seed)
    left: list[tuple[Victim, str]] = []
    statuses: Counter[str] = Counter()
    for number in range(1, rounds + 1):
        left = left or chance.sample(kinds, len(kinds))  # each as often, in any order
        victim, kind = left.pop()
        print(f"{number}: {kind}", end="", flush=True)
        history = await play(victim, kind, number, seed, plant=plant)
        statuses += history.statuses
        events = sum(map(len, history.events.values()))
        print(f", {events} events, {history.given_up} given up")
    for victim in victims:
        await asyncio.to_thread(victim.check_restart)
    return statuses


def main() -> None:
    parser = argparse.ArgumentParser(description=(crash.__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--plant", action="store_true", help="find a planted fault")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(dir=in_memory()) as directory, ExitStack() as stack:
        path = Path(directory)
        try:
            statuses = asyncio.run(run(options.rounds, options.seed, options.plant, path, stack))
        except* Fault as faults:
            [fault] = faults.exceptions[:1]
            print(f"\n{fault}")
            if not options.plant or not isinstance(fault, Impossible):
                sys.exit(1)
            print("The planted fault was found.")
            sys.exit(0)
    if options.plant:
        sys.exit("The planted fault was not found.")
    answers = ", ".join(f"{status} {count} times" for status, count in statuses.most_common())
    print(f"Nothing was lost in {options.rounds} rounds: {answers}.")


if __name__ == "__main__":
    main()
