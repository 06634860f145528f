"""Updates of the document `a` that wait for one another."""

import asyncio
from typing import Any

from httpx import AsyncClient, Response

from tests.support.database.answers import Gate, forward
from tests.support.database.server import PlayedDatabase
from tests.support.patching import update


def push(client: AsyncClient, number: int) -> "asyncio.Task[Response]":
    return asyncio.ensure_future(update(client, {"$push": {"l": number}}))


async def held_up(
    client: AsyncClient, database: PlayedDatabase
) -> tuple[Gate, asyncio.Task[Response]]:
    """An update that the database gets when the gate opens."""
    gate = Gate()
    database.answer("findAndModify", gate.before(forward))
    first = push(client, 0)
    await gate.reached()
    return gate, first


async def answers_of(
    client: AsyncClient,
    database: PlayedDatabase,
    *operators: dict[str, Any],
    path: str = "/stuff/a",
) -> list[Response]:
    """The answers to updates that have waited together for another one."""
    gate, first = await held_up(client, database)
    tasks = [asyncio.ensure_future(update(client, each, path)) for each in operators]
    await asyncio.sleep(0)
    gate.open()
    await first
    return await asyncio.gather(*tasks)


def counts_together(command: dict[str, Any]) -> bool:
    """Whether the command is that of several increments."""
    return bool(command["query"].keys() == {"_id", "n"})
