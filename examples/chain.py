"""Coroutines that await one another: hello → world → excl."""

import asyncio


async def excl() -> str:
    return "!"


async def world() -> str:
    return "world" + await excl()


async def hello() -> str:
    return "Hello, " + await world()


if __name__ == "__main__":
    print(asyncio.run(hello()))
