"""Sending bytes to a service, and seeing what it answers, and when."""

import asyncio
import random
import re
import time
from collections import Counter

import httpx

from tests.support.patience import patient
from tests.support.serving import Service
from tests.trials.fuzz.corpus import CORPUS, mutated

CLIENT_TIMEOUT = patient(1.0)  # seconds: STUFF_CLIENT_TIMEOUT
SLACK = patient(15.0)  # seconds for the server's own work: bombs take some
CONNECTIONS = 48


class Attack:
    """Sends bytes to a service, and sees what it answers, and when."""

    def __init__(self, service: Service) -> None:
        url = httpx.URL(service.base_url)
        self.host, self.port = url.host, url.port or 0
        self.statuses: Counter[int] = Counter()
        self.faults: list[str] = []

    async def send(self, data: bytes, chance: random.Random) -> None:
        """One connection: all the bytes, at once or in parts; then wait for an answer."""
        start = time.monotonic()
        reader, writer = await asyncio.open_connection(self.host, self.port)
        received = b""
        try:
            async with asyncio.timeout(CLIENT_TIMEOUT + SLACK):
                try:
                    step = chance.choice([len(data) or 1, 1 + len(data) // 3])
                    for place in range(0, len(data), step):
                        writer.write(data[place : place + step])
                        await writer.drain()
                    while not is_answered(received, data.startswith(b"HEAD")):
                        part = await reader.read(65_536)
                        if not part:
                            break
                        received += part
                except ConnectionError:
                    pass
        except TimeoutError:
            seconds = time.monotonic() - start
            self.faults.append(
                f"no answer after {seconds:.1f} s: {data[:300]!r}, {received[:300]!r}"
            )
        finally:
            writer.transport.abort()
        for status in re.findall(rb"^HTTP/1.1 (\d{3}) ", received, re.MULTILINE)[:1]:
            self.statuses[int(status)] += 1
            if status >= b"500" and status != b"503":
                self.faults.append(f"{status!r}: {data[:300]!r}, {received[:600]!r}")


def is_answered(received: bytes, is_head: bool) -> bool:
    """Whether this begins with a whole response."""
    head, found, body = received.partition(b"\r\n\r\n")
    if not found or is_head:
        return bool(found)
    if match := re.search(rb"(?mi)^content-length: *(\d+)", head):
        return len(body) >= int(match[1]) or b" 304 " in head[:20]
    return b"0\r\n\r\n" in body or re.match(rb"HTTP/1.1 (204|304)", head) is not None


async def flood(attack: Attack, cases: int, seed: int) -> None:
    """The corpus, and mutations of it."""
    pending = iter([*CORPUS, *(None for _ in range(cases))])
    chance = random.Random(seed)

    async def work() -> None:
        for case in pending:
            data = mutated(chance.choice(CORPUS), chance) if case is None else case
            await attack.send(data, chance)

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(work())
