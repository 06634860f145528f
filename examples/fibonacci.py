"""Recursive Fibonacci numbers, three at a time, each computed once.

`alru_cache` keeps the task of a computation, not just its result: whoever asks for a number that
is being computed waits for that one computation.
"""

import asyncio

from async_lru import alru_cache


@alru_cache(maxsize=None)
async def fibonacci(n: int) -> int:
    await asyncio.sleep(0)  # here others get their turn, as they would during real work
    if n < 2:
        return n
    return sum(await asyncio.gather(fibonacci(n - 2), fibonacci(n - 1)))


async def main() -> None:
    numbers = (10, 50, 90)
    for n, value in zip(numbers, await asyncio.gather(*map(fibonacci, numbers)), strict=True):
        print(f"fibonacci({n}) = {value}")


if __name__ == "__main__":
    asyncio.run(main())
