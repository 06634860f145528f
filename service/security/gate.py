"""What a request may do, by what it brings."""

from service.security.keys import KeyRing
from service.security.tokens import TokenVerifier
from service.settings import Settings


class Gate:
    """API keys and tokens. Without a setting for either there is nothing to keep closed."""

    def __init__(self, settings: Settings) -> None:
        """Raises `KeyFault` and `TokensUnsupported`."""
        self._keys = KeyRing(settings)
        self._tokens = TokenVerifier(settings) if settings.jwt_jwks_url is not None else None
        self.is_open = self._keys.is_open and self._tokens is None

    async def scopes(self, credentials: str) -> frozenset[str]:
        """What these allow. Raises `Unauthorized`, and `TokenKeysUnavailable`."""
        if self._tokens is not None and not credentials.startswith("stuff_"):
            return await self._tokens.scopes(credentials)
        return self._keys.scopes(credentials)
