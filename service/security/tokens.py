"""JSON Web Tokens: their signatures are checked with the public keys of their issuer.

RFC 7519 (tokens), RFC 7517 (JSON Web Key Sets), RFC 8725 (best practices), RFC 9068 (`scope`).
Needs PyJWT, the extra `jwt`.
"""

import asyncio
import json
import logging
import time
from typing import TYPE_CHECKING, Any

import httpx

from service.errors import (
    ConfigurationError,
    TokenKeysUnavailable,
    Unauthorized,
    how_to_install,
)
from service.security.scopes import is_scope
from service.settings import Settings

if TYPE_CHECKING:
    from jwt import PyJWK

log = logging.getLogger(__name__)

LEEWAY = 10  # seconds that clocks may differ
MAX_TOKEN = 16 * 1024  # characters
FRESH = 300.0  # seconds until the keys are fetched again
STALE = 3600.0  # seconds that they stay in use while they cannot be fetched again
COOLDOWN = 10.0  # seconds between two attempts, however many tokens name an unknown key
FETCH_TIMEOUT = 5.0  # seconds
MAX_KEY_SET = 1024 * 1024  # bytes


class TokenVerifier:
    """Verifies tokens and returns their scopes, without the prefix of the settings."""

    def __init__(self, settings: Settings) -> None:
        """Raises `ConfigurationError` if PyJWT is not installed."""
        try:
            import jwt
        except ImportError:
            raise ConfigurationError(
                "jwt_jwks_url", f"PyJWT is not installed. {how_to_install('jwt')}"
            ) from None
        assert settings.jwt_jwks_url is not None
        self._jwt = jwt
        self._keys = KeySet(settings.jwt_jwks_url)
        self._algorithms = settings.jwt_algorithms.split(",")
        self._issuer = settings.jwt_issuer
        self._audience = settings.jwt_audience
        self._prefix = settings.jwt_scope_prefix

    async def scopes(self, token: str) -> frozenset[str]:
        """The scopes of the token. Raises `Unauthorized` and `TokenKeysUnavailable`."""
        try:
            if len(token) > MAX_TOKEN:
                raise self._jwt.DecodeError("Too long")
            key = await self._keys.find(self._jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise self._jwt.InvalidKeyError("The key is unknown")
            claims = self._jwt.decode(
                token,
                key,
                # Never the one that the token names (RFC 8725, section 3.1).
                algorithms=self._algorithms,
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud"]},
            )
        except self._jwt.PyJWTError as error:
            detail = f"This token is not valid ({type(error).__name__}). Send another."
            raise Unauthorized(detail) from None
        return frozenset(
            scope
            for claimed in _claimed(claims)
            if claimed.startswith(self._prefix)
            and is_scope(scope := claimed.removeprefix(self._prefix))
        )

    async def close(self) -> None:
        await self._keys.close()


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

    async def find(self, id: str | None) -> "PyJWK | None":
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


def _parse(body: bytes) -> "dict[str | None, PyJWK]":
    """The keys for signatures by their ids; a single key also under None. Raises `ValueError`."""
    from jwt import PyJWK, PyJWTError

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


def _claimed(claims: dict[str, Any]) -> set[str]:
    """The scopes of a token: words in `scope` (RFC 9068), or a list, or the same in `scp`."""
    scopes = claims.get("scope", claims.get("scp", []))
    words = scopes.split() if isinstance(scopes, str) else scopes
    return {word for word in words if isinstance(word, str)} if isinstance(words, list) else set()
