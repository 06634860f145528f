"""Clients that repeat a request with its `Idempotency-Key` until it is answered."""

import asyncio
import json
import uuid
from collections import Counter

import httpx

from tests.support.patience import TIMEOUT
from tests.trials.crash.clients import PAUSE, Fault, Impossible

OPERATORS = "application/vnd.stuff.update-operators+json"


class Repeating:
    """Requests that must have been carried out once each: additions to one counter, and new
    documents."""

    def __init__(self, http: httpx.AsyncClient, round: str, statuses: Counter[str]) -> None:
        self._http = http
        self._round = round
        self._statuses = statuses
        self._totals: list[int] = []
        self._posted: list[str] = []
        self._pending: list[tuple[str, bool]] = []  # the key, and whether it counts

    async def use(self, done: asyncio.Event) -> None:
        """Send one request after the other until it is done."""
        counts = True
        while not done.is_set():
            counts = not counts
            key = str(uuid.uuid4())
            self._pending.append((key, counts))
            while not await self._is_answered(key, counts):
                await asyncio.sleep(PAUSE)
                if done.is_set():
                    return
            self._pending.remove((key, counts))

    async def settle(self) -> None:
        """Repeat what was not answered, now that the service is back, and compare with what is
        there. Raises `Fault`."""
        async with asyncio.timeout(4 * TIMEOUT):
            for key, counts in self._pending:
                while not await self._is_answered(key, counts):
                    await asyncio.sleep(PAUSE)
        expected = [*range(1, len(self._totals) + 1)]
        if sorted(self._totals) != expected:
            raise Impossible(f"{len(expected)} additions came to {sorted(self._totals)}")
        selection = json.dumps({"round": self._round})
        page = await self._http.get("/stuff", params={"filter": selection, "limit": "1000"})
        stored = sorted(item["key"] for item in page.json()["items"])
        if stored != sorted(self._posted):
            raise Impossible(f"{sorted(self._posted)} were created as {stored}")

    async def _is_answered(self, key: str, counts: bool) -> bool:
        headers = {"Idempotency-Key": f'"{key}"'}
        try:
            if counts:
                response = await self._http.patch(
                    f"/stuff/total-{self._round}?upsert=true",
                    content=json.dumps({"$inc": {"total": 1}}),
                    headers=headers | {"Content-Type": OPERATORS},
                )
            else:
                response = await self._http.post(
                    "/stuff", json={"round": self._round, "key": key}, headers=headers
                )
        except httpx.TransportError as error:
            self._statuses[type(error).__name__] += 1
            return False
        self._statuses[str(response.status_code)] += 1
        if response.status_code in (409, 503):
            return False
        if not response.is_success:
            raise Fault(f"A repetition was answered {response.status_code} {response.text}")
        if counts:
            self._totals.append(response.json()["total"])
        else:
            self._posted.append(key)
        return True
