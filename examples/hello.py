"""A coroutine that greets the world."""

import asyncio


async def hello() -> None:
    print("Hello, world!")


if __name__ == "__main__":
    asyncio.run(hello())
