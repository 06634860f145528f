"""What mutation does not find: clients that are slow, do not read, or send much at once."""

import asyncio
import re
import time

from tests.support.clients import connect
from tests.support.patience import TIMEOUT, patient
from tests.trials.fuzz.attack import CLIENT_TIMEOUT, SLACK, Attack
from tests.trials.fuzz.corpus import JSON, request

PROMPT = patient(1.0)  # seconds in which others are answered meanwhile
HOARDERS = 200


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


async def hoard(attack: Attack) -> None:
    """Clients that ask for much and read nothing hold nobody up, and are sent away."""
    asked = request(b"GET /assets/swagger-ui-bundle.js") * 8 + request(b"GET /openapi.json") * 8

    async def one() -> None:
        _, writer = await asyncio.open_connection(attack.host, attack.port, limit=1)
        writer.write(asked)
        try:
            async with asyncio.timeout(15 * CLIENT_TIMEOUT + SLACK):
                while True:  # this fails when the server has reset the connection
                    await asyncio.sleep(0.1)
                    writer.write(b"\r\n")
                    await writer.drain()
        except ConnectionError:
            pass
        except TimeoutError:
            attack.faults.append("a client that does not read was not sent away")
        finally:
            writer.transport.abort()

    async with asyncio.TaskGroup() as group:
        for _ in range(HOARDERS):
            group.create_task(one())
        async with connect(f"http://{attack.host}:{attack.port}") as client:
            for _ in range(20):
                start = time.monotonic()
                if (await client.get("/stuff/a")).status_code >= 500:
                    attack.faults.append("clients that do not read take the place of others")
                if time.monotonic() - start > PROMPT:
                    attack.faults.append("clients that do not read hold others up")
                await asyncio.sleep(0.1)
