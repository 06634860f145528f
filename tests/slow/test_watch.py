"""`stuff watch`: the feed on a terminal."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from tests.support.patience import TIMEOUT
from tests.support.serving import stuff_serve


async def test_watch_prints_the_feed_and_goes_on_when_the_server_is_back(tmp_path: Path) -> None:
    with stuff_serve(tmp_path) as service:
        url, port = service.base_url, service.http.base_url.port
        command = [sys.executable, "-u", "-m", "service", "watch", "--url", url]
        watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert watching.stdout is not None
            n = 0
            reading = asyncio.create_task(asyncio.to_thread(watching.stdout.readline))
            while not reading.done():  # until it has begun
                n += 1
                await asyncio.to_thread(service.http.put, "/stuff/a", json={"n": n})
                await asyncio.sleep(0.05)
            assert (await reading).startswith('put a {"_id":"a","n":')
            service.http.put("/stuff/b", json={"n": "last"})
            await read_until(watching.stdout, 'put b {"_id":"b","n":"last"}\n')
            await asyncio.to_thread(service.stop)
            with stuff_serve(tmp_path, f"--port={port}") as service_again:
                service_again.http.delete("/stuff/b")
                assert await read_line(watching.stdout) == "delete b\n"
                watching.send_signal(signal.SIGINT)
                assert await asyncio.to_thread(watching.wait, TIMEOUT) == 0
        finally:
            watching.kill()
            watching.wait()
            watching.stdout.close()  # type: ignore[union-attr]


async def read_line(file: IO[str]) -> str:
    return await asyncio.wait_for(asyncio.to_thread(file.readline), TIMEOUT)


async def read_until(file: IO[str], wanted: str) -> None:
    while await read_line(file) != wanted:
        pass


def test_watch_says_why_it_cannot() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "service", "watch", "--patience=0", "--url=http://127.0.0.1:1"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert result.returncode == 1
    assert "http://127.0.0.1:1 does not answer: Connection refused." in result.stderr
