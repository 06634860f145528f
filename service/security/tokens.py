"""JSON Web Tokens: their signatures are checked with the public keys of their issuer.

RFC 7519 (tokens), RFC 8725 (best practices), RFC 9068 (`scope`).
Needs PyJWT, the extra `jwt`.
"""

from typing import Any

from service.errors import ConfigurationError, Unauthorized, how_to_install
from service.security.scopes import is_scope
from service.settings import Settings

LEEWAY = 10  # seconds that clocks may differ
MAX_TOKEN = 16 * 1024  # characters


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
        # Few services have tokens, and these imports take a tenth of a start.
        from service.security.key_sets import KeySet

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

    def owner(self, token: str) -> tuple[str, ...]:
        """Whose token this is, which `scopes` has verified: its issuer and subject. A token without
        a subject belongs only to itself."""
        claims = self._jwt.decode(token, options={"verify_signature": False})
        return (claims["iss"], claims["sub"]) if "sub" in claims else (token,)

    async def close(self) -> None:
        await self._keys.close()


def _claimed(claims: dict[str, Any]) -> set[str]:
    """The scopes of a token: words in `scope` (RFC 9068), or a list, or the same in `scp`."""
    scopes = claims.get("scope", claims.get("scp", []))
    words = scopes.split() if isinstance(scopes, str) else scopes
    return {word for word in words if isinstance(word, str)} if isinstance(words, list) else set()
