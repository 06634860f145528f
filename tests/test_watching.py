"""Following the feed over HTTP: what is retried, and what is not."""

import asyncio
import time

import httpx
import pytest

from service.client.errors import RequestRefused, ServerUnavailable
from service.client.watching import Event, follow
from service.settings import Settings
from tests.support.applications import listen


async def first_event(url: str, filter: str | None = None, patience: float = 0) -> Event:
    def run() -> Event:
        with httpx.Client(base_url=url) as client:
            return next(follow(client, "/stuff", filter, patience=patience))

    return await asyncio.to_thread(run)


async def test_a_full_feed_is_retried_for_as_long_as_patience_lasts(settings: Settings) -> None:
    async with listen(Settings(**settings.model_dump() | {"max_subscribers": 0})) as url:
        began = time.monotonic()
        with pytest.raises(ServerUnavailable, match="503"):
            await first_event(url, patience=0.5)
        assert time.monotonic() - began > 0.1  # one delay at least


async def test_a_refused_filter_is_not_retried(settings: Settings) -> None:
    async with listen(settings) as url:
        with pytest.raises(RequestRefused, match=r"\$where"):
            await first_event(url, '{"$where": "1"}', patience=1000)
