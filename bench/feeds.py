"""What followers of the feed cost those who write, and how soon they are told."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from statistics import median
from threading import Event, Thread
from urllib.parse import urlsplit

import httpx

from bench import servers
from bench.measuring import CpuMeter, Load, Result, resident_bytes
from bench.plan import Bench
from bench.report import Record

IDLE, BUSY = 1000, 100
WRITES_A_SECOND = 100
_NUMBER = re.compile(rb'"document":\{"_id":"\d+","n":(\d+)')


def feed(bench: Bench) -> Iterator[Record]:
    """PUTs with 1,000 followers of other documents and with none; then the time from sending a PUT
    until the last of 100 followers has its event, at 100 PUTs a second."""
    watched, alone = bench.seed("feed", 10_000, 100), bench.seed("stuff", 10_000, 100)
    with (
        servers.stuff(bench.database, watched) as store,
        servers.stuff(bench.database, alone) as other,
        _followers(store.url, [f"/stuff/idle-{n}" for n in range(IDLE)]),
    ):
        records = list(bench.compare("feed", [(store, Load("PUT")), (other, Load("PUT"))]))
    for record, followers in zip(records, (IDLE, 0), strict=True):
        yield {**record, "followers": followers}
    with (
        servers.stuff(bench.database, watched) as store,
        _followers(store.url, ["/stuff"] * BUSY) as f,
    ):
        meters = CpuMeter(store.process), CpuMeter(bench.engine)
        delays = _write(store.url, f, bench.seconds * bench.turns)
        service_cpu_us, engine_cpu_us = [meter.per(len(delays)) for meter in meters]
        result = Result(
            rate=WRITES_A_SECOND,
            p50_ms=median(delays),
            p99_ms=sorted(delays)[len(delays) * 99 // 100],
            service_cpu_us=service_cpu_us,
            engine_cpu_us=engine_cpu_us,
            memory_mb=resident_bytes(store.process) / 2**20,
            errors=0,
        )
        load = Load("PUT to event", 1)
        record = {"section": "feed", "server": "stuff", **asdict(load), **asdict(result)}
        yield {**record, "followers": BUSY}


class _Followers:
    """When each of them was told of each number."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.times: dict[int, list[float]] = {}

    def told(self, number: int) -> None:
        self.times.setdefault(number, []).append(time.perf_counter())


@contextmanager
def _followers(url: str, paths: list[str]) -> Iterator[_Followers]:
    """Clients of the feed, in a thread of their own."""
    followers = _Followers(len(paths))
    ready, done = Event(), Event()
    target = urlsplit(url)

    async def follow(path: str, begun: asyncio.Semaphore) -> None:
        assert target.hostname
        reader, writer = await asyncio.open_connection(target.hostname, target.port, limit=2**24)
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        await reader.readuntil(b"retry:")
        begun.release()
        while line := await reader.readline():
            if match := _NUMBER.search(line):
                followers.told(int(match[1]))

    async def run() -> None:
        begun = asyncio.Semaphore(0)
        tasks = []
        for path in paths:
            tasks.append(asyncio.create_task(follow(path, begun)))
            await begun.acquire()
        ready.set()
        await asyncio.to_thread(done.wait)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        if not ready.wait(60):
            raise SystemExit("bench: the feed does not begin")
        yield followers
    finally:
        done.set()
        thread.join()


def _write(url: str, followers: _Followers, seconds: float) -> list[float]:
    """Milliseconds from sending each PUT until all followers have its event."""
    sent: dict[int, float] = {}
    with httpx.Client(base_url=url) as client:
        start = time.perf_counter()
        for number in range(int(seconds * WRITES_A_SECOND)):
            time.sleep(max(0.0, start + number / WRITES_A_SECOND - time.perf_counter()))
            sent[number] = time.perf_counter()
            client.put(f"/stuff/{number % 1000}", json={"n": number}).raise_for_status()
    time.sleep(2)
    if any(len(followers.times.get(number, ())) != followers.count for number in sent):
        raise SystemExit("bench: an event did not reach all followers")
    return [(max(followers.times[number]) - start) * 1000 for number, start in sent.items()]
