"""All settings of the service, and its only reader of the environment."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from service.errors import ConfigurationError
from service.settings import rules
from service.settings.faults import configuration_error

PREFIX = "STUFF_"
SECRETS_DIR = Path("/run/secrets")
"""Where Docker and Kubernetes mount secrets. A file `stuff_mongodb_uri` there is a setting too."""

Seconds = Annotated[float, Field(ge=0.001, le=86_400)]  # what the driver can count, too


class Settings(BaseSettings):
    """Each field `x` is read from `STUFF_X`, or from a file `stuff_x` in `/run/secrets`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    mongodb_uri: Annotated[
        Annotated[SecretStr, AfterValidator(rules.mongodb_uri)] | None,
        Field(description="The MongoDB to use. If unset, the embedded engine is started."),
    ] = None
    database: Annotated[
        str,
        Field(min_length=1, description="The database."),
        AfterValidator(rules.database_name),
    ] = "demo"
    collection: Annotated[
        str,
        Field(min_length=1, description="The collection."),
        AfterValidator(rules.collection_name),
    ] = "stuff"
    data_dir: Annotated[Path, Field(description="The data directory of the embedded engine.")] = (
        Path("data")
    )
    host: Annotated[str, Field(description="The address to listen on.")] = "127.0.0.1"
    port: Annotated[
        int,
        Field(ge=0, le=65535, description="The port; 0 chooses a free one."),
        BeforeValidator(rules.port),
    ] = 8000
    root_path: Annotated[
        str,
        Field(description="The path prefix at a reverse proxy, which removes it: `/api`."),
        AfterValidator(rules.root_path),
    ] = ""
    forwarded_allow_ips: Annotated[
        str,
        Field(
            description="Addresses and networks of the reverse proxies whose X-Forwarded-For and "
            "X-Forwarded-Proto are believed, separated by commas, or *."
        ),
        AfterValidator(rules.proxies),
    ] = ""
    insecure: Annotated[
        bool, Field(description="Allow other machines to connect even if there is no key.")
    ] = False
    api_keys: Annotated[
        SecretStr | None,
        Field(
            description="The lines with the hashes of API keys that `stuff key create` prints for "
            "it, separated by `;`; not the keys themselves."
        ),
    ] = None
    api_keys_file: Annotated[
        Path | None,
        Field(description="A file with one API key per line, read again when it changes."),
    ] = None
    jwt_jwks_url: Annotated[
        Annotated[str, AfterValidator(rules.jwks_url)] | None,
        Field(description="The address of the keys (a JWKS) that sign accepted tokens (JWT)."),
    ] = None
    jwt_issuer: Annotated[str | None, Field(description="The `iss` of accepted tokens.")] = None
    jwt_audience: Annotated[str | None, Field(description="The `aud` of accepted tokens.")] = None
    jwt_algorithms: Annotated[
        str,
        Field(description="Accepted signature algorithms, separated by commas."),
        AfterValidator(rules.algorithms),
    ] = "RS256,ES256"
    jwt_scope_prefix: Annotated[
        str, Field(description="The prefix of `read` and `write` in the scopes of tokens.")
    ] = ""
    cors_origins: Annotated[
        str,
        Field(description="Origins whose pages may use the service, separated by commas, or *."),
        AfterValidator(rules.origins),
    ] = ""
    workers: Annotated[int, Field(ge=1, description="Number of processes that serve requests.")] = 1
    max_body_bytes: Annotated[int, Field(ge=1, description="Largest request body, in bytes.")] = (
        32 * 1024 * 1024
    )
    max_total_body_bytes: Annotated[
        int,
        Field(
            ge=0,
            description="Most bytes of bodies, and of documents made of them, that a process "
            "holds, beyond 64 KiB for each request; more are refused with 503.",
        ),
    ] = 256 * 1024 * 1024
    max_url_bytes: Annotated[
        # Room for a filter of 64 KiB, each byte of it percent-encoded.
        int, Field(ge=1024, description="Longest URL, in bytes.")
    ] = 256 * 1024
    max_header_bytes: Annotated[
        int, Field(ge=1024, description="Largest header section, in bytes.")
    ] = 64 * 1024
    max_requests: Annotated[
        int,
        Field(
            ge=1, description="Requests that a process serves at once; more are refused with 503."
        ),
    ] = 1000
    max_connections: Annotated[
        # More than the requests and the followers of the feed together.
        int,
        Field(
            ge=1,
            description="Connections that a process keeps open at once. For one more, the one that "
            "has been idle longest is closed; if none is idle, the new one gets a 503.",
        ),
    ] = 8192
    max_unread_bytes: Annotated[
        int,
        Field(
            ge=1,
            description="Bytes of responses that a process keeps for clients that read slowly. "
            "Beyond them, those that have not read for the longest time are disconnected.",
        ),
    ] = 256 * 1024 * 1024
    client_timeout: Annotated[
        Seconds,
        Field(description="Seconds to wait for a client to send, or to read, a part."),
    ] = 60.0
    max_stream_bytes: Annotated[
        int, Field(ge=1, description="Most bytes that one request may load as lines.")
    ] = 64 * 1024**3
    server_selection_timeout: Annotated[
        Seconds, Field(description="Seconds to look for a primary before a request gets 503.")
    ] = 5.0
    operation_timeout: Annotated[
        Seconds, Field(description="Seconds that a database operation may take in all.")
    ] = 20.0
    query_timeout: Annotated[
        Seconds,
        Field(
            description="Seconds that the database may work on a page, a count or a deletion by a "
            "filter, before the answer is a 504."
        ),
    ] = 10.0
    max_subscribers: Annotated[
        int, Field(ge=0, description="Clients of a process that follow the feed at once.")
    ] = 5000
    collections: Annotated[
        Path | None, Field(description="A JSON file of collections to serve beside /stuff.")
    ] = None
    indexes: Annotated[
        Path | None, Field(description="A JSON file of indexes to create when the service starts.")
    ] = None
    shutdown_timeout: Annotated[
        int, Field(ge=0, description="Seconds that requests under way may take after SIGTERM.")
    ] = 30
    tracing: Annotated[
        bool, Field(description="Send traces, to the address in OTEL_EXPORTER_OTLP_ENDPOINT.")
    ] = False
    access_log: Annotated[
        bool, Field(description="Log each request, at level info, without its path and query.")
    ] = False
    log_level: Annotated[
        Literal["critical", "error", "warning", "info", "debug"],
        Field(description="The log level."),
    ] = "info"
    log_format: Annotated[
        Literal["console", "json"],
        Field(description="console, or json for one JSON object per line."),
    ] = "console"

    @model_validator(mode="after")
    def _tokens_are_complete(self) -> "Settings":
        given = [self.jwt_jwks_url, self.jwt_issuer, self.jwt_audience]
        if any(given) and not all(given):
            raise ConfigurationError(
                "jwt_jwks_url",
                "STUFF_JWT_JWKS_URL, STUFF_JWT_ISSUER and STUFF_JWT_AUDIENCE are set together.",
            )
        return self

    @model_validator(mode="after")
    def _namespace_is_short(self) -> "Settings":
        namespace = f"{self.database}.{self.collection}"
        if len(namespace.encode()) > rules.MAX_NAMESPACE_BYTES:
            raise ConfigurationError(
                "collection",
                f"The names of database and collection have {rules.MAX_NAMESPACE_BYTES} bytes at "
                "most, with the dot between them.",
            )
        return self

    def __init__(self, **values: Any) -> None:
        """Reads the environment. Raises `ConfigurationError`."""
        # pydantic-settings warns about a missing secrets directory, which is the usual case.
        secrets = SECRETS_DIR if os.access(SECRETS_DIR, os.R_OK | os.X_OK) else None
        try:
            super().__init__(_secrets_dir=secrets, **values)
        except SettingsError as error:
            raise _unreadable(error) from None
        except ValidationError as error:
            raise configuration_error(error) from None  # the cause would show values


def _unreadable(error: SettingsError) -> ConfigurationError:
    """The fault of a secret that is not text, or that this user may not read."""
    field = re.search('"(.+?)"', str(error))
    setting = field[1] if field else "secrets"
    cause = getattr(error.__cause__, "strerror", None) or "it is not UTF-8"
    file = SECRETS_DIR / f"{PREFIX}{setting}".lower()
    return ConfigurationError(setting, f"The secret {file} cannot be read: {cause}.")
