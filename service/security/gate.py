"""What a request may do, by its credentials."""

from service.security.keys import KeyRing, id_of_key
from service.security.loopback import is_loopback
from service.security.tokens import TokenVerifier
from service.settings import Settings


class Gate:
    """API keys and tokens. Without a setting for either, the service is open."""

    def __init__(self, settings: Settings) -> None:
        """Raises `ConfigurationError`."""
        self._keys = KeyRing(settings)
        self._tokens = TokenVerifier(settings) if settings.jwt_jwks_url is not None else None
        self.is_open = self._keys.is_open and self._tokens is None
        self.is_local_only = self.is_open and not settings.insecure
        self._is_local: dict[str, bool] = {}

    def opens_at(self, host: str) -> bool:
        """Whether clients connected to this address of the server need no credentials. On an open
        service that is an address that only this machine can reach, or any if the settings say
        so."""
        if not self.is_local_only:
            return self.is_open
        local = self._is_local.get(host)
        if local is None:
            local = self._is_local[host] = _is_local(host)
        return local

    async def scopes(self, credentials: str) -> frozenset[str]:
        """The scopes of these credentials. Raises `Unauthorized` and `TokenKeysUnavailable`."""
        if self._tokens is not None and not credentials.startswith("stuff_"):
            return await self._tokens.scopes(credentials)
        return self._keys.scopes(credentials)

    def owner(self, credentials: str) -> tuple[str, ...]:
        """Whose credentials these are, which `scopes` has accepted; the same for other credentials
        of the same owner. An API key is the owner itself, by its id."""
        if (id := id_of_key(credentials)) is not None or self._tokens is None:
            return ("key", id or "")
        return ("token", *self._tokens.owner(credentials))

    async def close(self) -> None:
        """Stop refreshing the keys of tokens."""
        if self._tokens is not None:
            await self._tokens.close()


def _is_local(host: str) -> bool:
    """Whether only this machine can reach the address; a Unix socket's is not an IP address."""
    try:
        return is_loopback(host)
    except ValueError:
        return True
