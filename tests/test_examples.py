"""The programs in `examples/` print what they promise."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from examples import fibonacci
from tests.support.patience import TIMEOUT

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT,
    ).stdout


def test_hello() -> None:
    assert run("hello.py") == "Hello, world!\n"


def test_chain() -> None:
    assert run("chain.py") == "Hello, world!\n"


def test_fibonacci() -> None:
    assert run("fibonacci.py") == (
        "fibonacci(10) = 55\nfibonacci(50) = 12586269025\nfibonacci(90) = 2880067194370816120\n"
    )


async def test_fibonacci_computes_each_number_once_whoever_asks_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed: list[float] = []
    sleep = asyncio.sleep

    async def counting_sleep(seconds: float) -> None:
        computed.append(seconds)
        await sleep(seconds)

    monkeypatch.setattr("examples.fibonacci.asyncio.sleep", counting_sleep)
    fibonacci.fibonacci.cache_clear()
    assert await asyncio.gather(*map(fibonacci.fibonacci, (20, 30, 30))) == [6765, 832040, 832040]
    assert len(computed) == 31


def test_client(url: str) -> None:
    assert run("client.py", url).splitlines() == [
        "PUT 201",
        "PUT 200",
        "GET 200 {'_id': 'ada', 'name': 'Ada Lovelace', 'born': 1815}",
        "POST 201",
        "DELETE 204",
        "DELETE 204",
        "GET 404 No such document",
    ]
