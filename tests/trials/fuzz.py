"""Hostile bytes against a live server: `python -m tests.trials.fuzz [--cases N] [--seed N]`.

A corpus of requests, good and bad, and mutations of them, each on a connection of its own; and what
mutation does not find: slow clients, bombs, pipelines. The server must never answer 5xx but 503,
must answer or close in time, must serve others meanwhile, and must not grow.
"""

import argparse
import asyncio
import gzip
import random
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from tests.support.clients import connect
from tests.support.patience import TIMEOUT, patient
from tests.support.serving import Service, stuff_serve

CLIENT_TIMEOUT = patient(1.0)  # seconds: STUFF_CLIENT_TIMEOUT
SLACK = patient(15.0)  # seconds for the server's own work: bombs take some
PROMPT = patient(1.0)  # seconds in which others are answered meanwhile
MAX_GROWTH = 150 * 1024 * 1024  # bytes
CONNECTIONS = 48

JSON = b"Content-Type: application/json\r\n"
NDJSON = b"Content-Type: application/x-ndjson\r\n"
GZIP = b"Content-Encoding: gzip\r\n"


def request(
    line: bytes, body: bytes | None = None, headers: bytes = b"", length: int | None = None
) -> bytes:
    """A request; with a body its length, or another that is claimed."""
    head = line + b" HTTP/1.1\r\nHost: localhost\r\n" + headers
    if body is None:
        return head + b"\r\n"
    claimed = len(body) if length is None else length
    return head + b"Content-Length: %d\r\n\r\n" % claimed + body


def chunked(line: bytes, *chunks: bytes, headers: bytes = JSON) -> bytes:
    head = (
        line + b" HTTP/1.1\r\nHost: localhost\r\n" + headers + b"Transfer-Encoding: chunked\r\n\r\n"
    )
    return head + b"".join(chunks)


CORPUS = [
    request(b"GET /stuff/a"),
    request(b"GET /stuff/a?fields=a,b.c&meta=true", headers=b'If-None-Match: "a", W/"b"\r\n'),
    request(b"HEAD /stuff/a"),
    request(b"PUT /stuff/a", b'{"a": {"b": [1, 2.5, null, "\xc3\xa4"]}}', JSON),
    request(
        b"PUT /stuff/a%2Fb/c", b"{}", JSON + b"If-Match: *\r\nPrefer: return=representation\r\n"
    ),
    request(b"PATCH /stuff/a", b'{"a": null}', b"Content-Type: application/merge-patch+json\r\n"),
    request(
        b"PATCH /stuff/a",
        b'[{"op": "add", "path": "/x/-", "value": 1}, {"op": "move", "from": "/a", "path": "/b"}]',
        b"Content-Type: application/json-patch+json\r\n",
    ),
    request(b"DELETE /stuff/a", headers=b"If-Unmodified-Since: Mon, 23 Nov 2026 12:00:00 GMT\r\n"),
    request(b"DELETE /stuff?filter=%7B%22a%22%3A1%7D"),
    request(b"POST /stuff", b'{"a": 1}', JSON),
    request(b"POST /stuff", b'{"_id": "a"}\n{"b": 1}\nno\n', NDJSON),
    request(b"POST /stuff", gzip.compress(b'{"_id": "a"}', mtime=0), NDJSON + GZIP),
    request(
        b"GET /stuff?limit=2&sort=-a,b&filter=%7B%22a%22%3A%7B%22%24gt%22%3A1%7D%7D&count=true"
    ),
    request(b"GET /stuff", headers=b"Accept: application/x-ndjson\r\nAccept-Encoding: zstd\r\n"),
    request(b"OPTIONS /stuff"),
    request(b"GET /openapi.json", headers=b"Accept-Encoding: gzip;q=0.5, *;q=0\r\n"),
    request(b"GET /metrics"),
    request(b"GET /problems/not-found"),
    request(b"GET /assets/..%2f..%2fapp.py"),
    chunked(b"PUT /stuff/a", b"2\r\n{}\r\n0\r\n\r\n"),
    chunked(b"PUT /stuff/a", b"1;x=y\r\n{\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n"),
    # Truncated, of the wrong length, framed twice or badly.
    request(b"PUT /stuff/a", b'{"a": 1', JSON),
    request(b"PUT /stuff/a", b'{"a": 1}', JSON, length=100),
    request(b"PUT /stuff/a", b'{"a": 1}', JSON, length=3),
    request(b"PUT /stuff/a", b"{}", JSON + b"Content-Length: 9\r\n"),
    request(b"PUT /stuff/a", b"{}", JSON + b"Content-Length: -1\r\n"),
    request(b"PUT /stuff/a", b"{}", JSON + b"Transfer-Encoding: chunked\r\n"),
    request(b"PUT /stuff/a", b"{}", JSON + b"Transfer-Encoding: gzip\r\n"),
    chunked(b"PUT /stuff/a", b"zz\r\n{}\r\n0\r\n\r\n"),
    chunked(b"PUT /stuff/a", b"ffffffffffffffff\r\n{}"),
    chunked(b"PUT /stuff/a", b"2\r\n{}"),
    # Not UTF-8, in the path, the query, a header and the body.
    request(b"GET /stuff/%ff%fe"),
    request(b"GET /stuff/\xff\xfe"),
    request(b"GET /stuff?filter=%ff&sort=%00"),
    request(b"GET /stuff/a", headers=b"If-Match: \xff\xfe\r\n"),
    request(b"PUT /stuff/a", b'{"\xff": "\xed\xa0\x80"}', JSON),
    request(b"PUT /stuff/a", b'{"a": "\\ud800", "b": NaN, "c": 1e999}', JSON),
    # Deep, long, many.
    request(b"PUT /stuff/a", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, JSON),
    request(b"PUT /stuff/a", b"[" * 100_000, JSON),
    request(b"PUT /stuff/a", b'{"a": ' + b"9" * 100_000 + b"}", JSON),
    request(b"GET /stuff?filter=" + b"%7B%22$and%22:%5B" * 500),
    request(b"GET /stuff/" + b"a" * 300_000),
    request(b"GET /stuff/a", headers=b"X-A: " + b"a" * 100_000 + b"\r\n"),
    request(b"GET /stuff/a", headers=b"".join(b"X-%d: a\r\n" % n for n in range(20_000))),
    request(b"GET /stuff?sort=" + b",".join(b"a%d" % n for n in range(1000))),
    # Bombs: gigabytes of zeros, of spaces, and of lines.
    request(b"PUT /stuff/a", gzip.compress(bytes(300_000_000), mtime=0), JSON + GZIP),
    request(b"POST /stuff", gzip.compress(b" " * 300_000_000, mtime=0), NDJSON + GZIP),
    request(b"POST /stuff", gzip.compress(b"\n" * 20_000_000, mtime=0), NDJSON + GZIP),
    request(b"PUT /stuff/a", gzip.compress(b"{}", mtime=0)[:-4], JSON + GZIP),
    # Other protocols, and none.
    b"GET / HTTP/0.9\r\n\r\n",
    b"GET /stuff/a HTTP/1.0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    request(b"GET /stuff/a", headers=b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    request(b"CONNECT example.org:443"),
    request(b"GET http://example.org/stuff/a"),
    request(b"GET *"),
    request(b"BREW /stuff/a"),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\r\n" * 1000,
    b"",
    request(b"GET /stuff/a") * 100,
    request(b"PUT /stuff/a", b"{}", JSON) * 50,
]
TOKENS = [
    b"\r\n", b"\n", b"\0", b"\xff", b"%00", b"%", b"{", b"[", b'"', b"\\u0000", b":", b" ", b"-1",
    b"99999999999999999999", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"Range: bytes=0-1\r\n", b"$where",
    b"$id", b"../", b"_id", b"_stuff", b"1e400", b"gzip", b"*", b",", b";q=", b"HTTP/1.1",
    b"\xed\xa0\x80",
]  # fmt: skip


def mutated(case: bytes, chance: random.Random) -> bytes:
    data = bytearray(case[:20_000])
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data[place:place] = chance.choice(TOKENS)
            case 1:
                del data[place : place + chance.randint(1, 20)]
            case 2:
                del data[place:]
            case 3:
                data[place:place] = data[place : place + chance.randint(1, 50)] * chance.randint(
                    1, 9
                )
            case 4 if data:
                data[place % len(data)] = chance.randrange(256)
            case _:
                other = chance.choice(CORPUS)[:5000]
                data[place:] = other[chance.randrange(len(other) + 1) :]
    return bytes(data)


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


async def crawl(attack: Attack) -> None:
    """Clients that send a byte now and then hold nobody up, and are sent away."""

    async def one(head: bytes) -> None:
        reader, writer = await asyncio.open_connection(attack.host, attack.port)
        try:
            async with asyncio.timeout(3 * CLIENT_TIMEOUT + SLACK):
                answer = asyncio.create_task(reader.read())
                while not answer.done():
                    writer.write(head[:1] or b"a")
                    head = head[1:]
                    await asyncio.sleep(0.1)
                if not re.match(rb"HTTP/1.1 (408|400)|$", answer.result()):
                    attack.faults.append(f"a slow client was answered {answer.result()[:100]!r}")
        except TimeoutError:
            attack.faults.append("a slow client was not sent away")
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    async with asyncio.TaskGroup() as group:
        for _ in range(100):
            group.create_task(one(b"GET /stuff/a HTTP/1.1\r\nX: "))
        async with connect(f"http://{attack.host}:{attack.port}") as client:
            for _ in range(20):
                start = time.monotonic()
                (await client.get("/stuff/a")).read()
                if time.monotonic() - start > PROMPT:
                    attack.faults.append("slow clients hold others up")
                await asyncio.sleep(0.1)


async def pipeline(attack: Attack) -> None:
    """Requests that are sent together are answered in their order."""
    reader, writer = await asyncio.open_connection(attack.host, attack.port)
    for number in range(50):
        head = b"X-Request-ID: %d\r\n" % number
        writer.write(request(b"PUT /stuff/pipeline", b"{}", JSON + head))
        writer.write(request(b"GET /stuff/none", headers=head))
    async with asyncio.timeout(TIMEOUT):
        received = b""
        while received.count(b"x-request-id: 49\r\n") < 2:
            received += await reader.read(65_536)
    ids = re.findall(rb"x-request-id: (\d+)", received)
    if ids != [b"%d" % (number // 2) for number in range(100)]:
        attack.faults.append(f"pipelined requests were answered in the order {ids}")
    writer.transport.abort()


def memory(service: Service) -> int:
    """The resident bytes of the service's process."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024


def peak(service: Service) -> int:
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--cases", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    settings: dict[str, Any] = {
        "STUFF_CLIENT_TIMEOUT": str(CLIENT_TIMEOUT),
        "STUFF_MAX_BODY_BYTES": str(4 * 1024 * 1024),
        "STUFF_MAX_STREAM_BYTES": str(16 * 1024 * 1024),
        "STUFF_LOG_LEVEL": "critical",
    }
    with (
        tempfile.TemporaryDirectory() as scratch,
        stuff_serve(Path(scratch) / "data", **settings) as service,
    ):
        service.http.get("/stuff")
        before = memory(service)
        attack = Attack(service)
        asyncio.run(flood(attack, options.cases, options.seed))
        asyncio.run(crawl(attack))
        asyncio.run(pipeline(attack))
        grown, most = memory(service) - before, peak(service) - before
        if service.http.get("/readyz").status_code != 200:
            attack.faults.append("the service is not ready any more")
    if most > MAX_GROWTH:
        attack.faults.append(f"the service grew by {most:,} bytes")
    for fault in attack.faults[:20]:
        print(fault)
    answers = ", ".join(
        f"{status} {count} times" for status, count in sorted(attack.statuses.items())
    )
    print(f"{answers}; grown by {grown:,} bytes, at most by {most:,}")
    print(f"{sum(attack.statuses.values())} passed, {len(attack.faults)} failed")
    sys.exit(bool(attack.faults))


if __name__ == "__main__":
    main()
