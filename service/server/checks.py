"""Checks of the settings before the service starts. Without them the fault would show in each
worker, or not at all.

Each check raises `ConfigurationError`, which names the setting and the cause.
"""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from service.declarations import read_declarations
from service.errors import ConfigurationError
from service.observability.tracing import telemetry
from service.security import Gate, KeyFault, KeyFile, parse_keys
from service.security.loopback import is_loopback
from service.settings import Settings
from service.settings.names import unknown_settings
from service.settings.rules import named_database, unknown_options


def check_settings(settings: Settings) -> None:
    """Raise `ConfigurationError` if a file that the settings name cannot be used, or if the service
    would be open to other machines without being told so."""
    read_declarations(settings)
    _check_tracing(settings)
    _check_key_file(settings)
    gate = Gate(settings)
    if gate.is_local_only and not _is_loopback(settings.host):
        raise ConfigurationError(
            "host",
            f"Other machines can reach {settings.host}, and there is no API key. Create one (stuff "
            "key create) and set STUFF_API_KEYS or STUFF_API_KEYS_FILE, or listen on 127.0.0.1, or "
            "let anyone do anything with --insecure (STUFF_INSECURE=true).",
        )


def doubts(settings: Settings) -> Iterator[str]:
    """Warnings, a sentence each: settings that work, but are probably a mistake."""
    yield from unknown_settings()
    if settings.mongodb_uri is not None:
        for option in unknown_options(settings.mongodb_uri):
            yield f"STUFF_MONGODB_URI: The driver does not know the option {option}: it is ignored."
        named = named_database(settings.mongodb_uri)
        if named not in (None, settings.database) and "database" not in settings.model_fields_set:
            yield (
                f"STUFF_MONGODB_URI names the database {named}, but documents are kept in "
                f"{settings.database}. Set STUFF_DATABASE to say which one you mean."
            )
    if not _has_keys(settings):
        yield "There is no API key in STUFF_API_KEYS or STUFF_API_KEYS_FILE: all requests get 401."


def _check_tracing(settings: Settings) -> None:
    """https://opentelemetry.io/docs/specs/otel/protocol/exporter/"""
    telemetry(settings)
    if not settings.tracing or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    names = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    name = next((name for name in names if os.environ.get(name)), None)
    if name is None:
        raise ConfigurationError(
            "tracing",
            "Nothing says where to send traces. Set OTEL_EXPORTER_OTLP_ENDPOINT, such as "
            "http://collector:4318.",
        )
    endpoint = urlsplit(os.environ[name])
    if endpoint.scheme not in ("http", "https") or not endpoint.hostname:
        raise ConfigurationError("tracing", f"{name} is not a URL such as http://collector:4318.")


def _check_key_file(settings: Settings) -> None:
    """While the service runs, such faults are only logged."""
    if settings.api_keys_file is None:
        return
    try:
        KeyFile(settings.api_keys_file).read()
    except OSError as error:
        detail = f"{settings.api_keys_file} cannot be read: {error.strerror}."
        raise ConfigurationError("api_keys_file", detail) from None
    except KeyFault as fault:
        raise ConfigurationError("api_keys_file", f"{settings.api_keys_file}: {fault}") from None


def _has_keys(settings: Settings) -> bool:
    """Whether there is a key or an issuer of tokens, if the settings ask for either."""
    if settings.jwt_jwks_url is not None:
        return True
    if settings.api_keys is None and settings.api_keys_file is None:
        return True
    own = settings.api_keys.get_secret_value() if settings.api_keys is not None else ""
    file = settings.api_keys_file
    return bool(parse_keys(own)) or (file is not None and bool(KeyFile(file).read()))


def _is_loopback(host: str) -> bool:
    try:
        return is_loopback(host)
    except ValueError:
        return host == "localhost"
