"""The public keys of an issuer of tokens (RFC 7517, JSON Web Key Sets).

Needs PyJWT, the extra `jwt`.
"""

import asyncio
import json
import logging
import time
from typing import Any

import httpx
from jwt import PyJWK, PyJWTError

from service.errors import TokenKeysUnavailable

log = logging.getLogger(__name__)

FRESH = 300.0  # seconds until the keys are fetched again
STALE = 3600.0  # seconds that they stay in use while they cannot be fetched again
COOLDOWN = 10.0  # seconds between two attempts, however many tokens name an unknown key
FETCH_TIMEOUT = 5.0  # seconds
MAX_KEY_SET = 1024 * 1024  # bytes


class KeySet:
    """The keys of the issuer, cached and refreshed.

    A token whose key is known never waits for the issuer: keys are refreshed in the background.
    PyJWT's own client (`PyJWKClient`) blocks, and fetches again for each unknown key.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str | None, PyJWK] = {}
        self._fetched = self._tried = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None

    async def find(self, id: str | None) -> PyJWK | None:
        """The key with this id; for None, the only key, if there is one. Raises
        `TokenKeysUnavailable`."""
        age = time.monotonic() - self._fetched
        if id not in self._keys or age > FRESH:
            refreshing = self._begin_to_refresh()
            if refreshing is not None and (id not in self._keys or age > STALE):
                await asyncio.shield(refreshing)  # one fetch for all who wait
        if time.monotonic() - self._fetched > STALE:
            raise TokenKeysUnavailable
        return self._keys.get(id)

    async def close(self) -> None:
        """Stop refreshing."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])

    def _begin_to_refresh(self) -> asyncio.Task[None] | None:
        """The task that refreshes the keys; None within `COOLDOWN` of the last attempt."""
        if self._refreshing is None or self._refreshing.done():
            now = time.monotonic()
            if now - self._tried < COOLDOWN:
                return None
            self._tried = now
            self._refreshing = asyncio.create_task(self._refresh())
        return self._refreshing

    async def _refresh(self) -> None:
        now = time.monotonic()
        try:
            self._keys = _parse(await self._fetch())
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            log.warning(
                "The keys for tokens could not be fetched from %s: %s",
                self._url,
                error or type(error).__name__,
            )
        else:
            self._fetched = now

    async def _fetch(self) -> bytes:
        async with (
            asyncio.timeout(FETCH_TIMEOUT),
            httpx.AsyncClient() as client,
            client.stream("GET", self._url) as response,
        ):
            response.raise_for_status()
            body = b""
            async for part in response.aiter_bytes():
                body += part
                if len(body) > MAX_KEY_SET:
                    raise ValueError("The key set is too large.")
            return body


def _parse(body: bytes) -> dict[str | None, PyJWK]:
    """The keys for signatures by their ids; a single key also under None. Raises `ValueError`."""
    keys: dict[str | None, PyJWK] = {}
    document = json.loads(body)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("It is not a JSON Web Key Set.")
    for entry in document["keys"]:
        try:
            key = PyJWK(entry)
        except (PyJWTError, AttributeError, TypeError, ValueError):  # of an unknown kind
            continue
        if _is_for_signatures(entry) and key.key_type != "oct":
            keys[key.key_id] = key
    if not keys:
        raise ValueError("It has no key for signatures.")
    if len(keys) == 1:
        keys[None] = next(iter(keys.values()))
    return keys


def _is_for_signatures(entry: dict[str, Any]) -> bool:
    """Whether the key may verify signatures (RFC 7517, sections 4.2 and 4.3)."""
    operations = entry.get("key_ops")
    may_verify = operations is None or (isinstance(operations, list) and "verify" in operations)
    return may_verify and entry.get("use") in (None, "sig")
