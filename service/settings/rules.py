"""Which values settings may have. Each rule returns the value, or raises `ValueError` with the
cause, which never holds a secret."""

import re
import warnings
from ipaddress import ip_network
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.errors import PyMongoError

SCHEMES = ("mongodb://", "mongodb+srv://")
UNKNOWN_OPTION = re.compile(r"Unknown option: (\w+)")
MALFORMED_URI = (
    "It is not the URI of a MongoDB. In the user name and the password, percent-encode characters "
    "such as @ : / ? # and %"
)

MAX_DATABASE_BYTES = 63
MAX_NAMESPACE_BYTES = 255  # of `database.collection`
RESERVED_DATABASES = {"admin", "config", "local"}
RECORDS = "stuff_idempotency"
"""The collection in the database that has the records of requests with an `Idempotency-Key`."""
DEFAULT_PORTS = {"http": 80, "https": 443}
ALGORITHMS = (
    *(f"{kind}{bits}" for kind in ("RS", "ES", "PS") for bits in (256, 384, 512)),
    "EdDSA",
)
LOCAL = ("127.0.0.1", "::1", "localhost")


def mongodb_uri(uri: SecretStr) -> SecretStr:
    """Checks the URI without connecting or looking up names. Accepts unknown options."""
    text = uri.get_secret_value()
    if not text.startswith(SCHEMES):
        raise ValueError(f"A MongoDB URI starts with {' or '.join(SCHEMES)}")
    for said in _said_about_uri(text):
        # The driver would ignore the option.
        if not UNKNOWN_OPTION.match(said):
            raise ValueError(f"An option of the URI is wrong: {said}")
    return uri


def unknown_options(uri: SecretStr) -> list[str]:
    """The names of the URI's options that the driver does not know, and ignores."""
    matches = map(UNKNOWN_OPTION.match, _said_about_uri(uri.get_secret_value()))
    return [match[1] for match in matches if match is not None]


def named_database(uri: SecretStr) -> str | None:
    """The database that the URI names, unless it is the one in which the user is defined."""
    parts = urlsplit(uri.get_secret_value())
    name = unquote(parts.path.lstrip("/"))
    is_of_user = "@" in parts.netloc and "authsource=" not in parts.query.lower()
    return None if is_of_user or not name else name


def _said_about_uri(uri: str) -> list[str]:
    """What the driver warns of. Raises `ValueError` for what it refuses."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            MongoClient[dict[str, object]](uri, connect=False).close()
        except OSError as error:  # a file of certificates, for example
            raise ValueError(f"{error.filename}: {error.strerror}") from None
        except (PyMongoError, ValueError) as error:
            # A password with special characters is taken for a port, or the name of a database.
            is_about_hosts = re.search("escaped|database name|[Pp]ort|IPv6", str(error))
            raise ValueError(MALFORMED_URI if is_about_hosts else str(error)) from None
    return [str(warning.message) for warning in caught]


def database_name(name: str) -> str:
    """https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions"""
    if found := re.search(r'[/\\. "$\0]', name):
        raise ValueError(f"The name of a database has no {found[0]!r}")
    if len(name.encode()) > MAX_DATABASE_BYTES:
        raise ValueError(f"The name of a database has at most {MAX_DATABASE_BYTES} bytes")
    if name in RESERVED_DATABASES:
        raise ValueError(f"MongoDB keeps the database {name!r} for itself")
    return name


def collection_name(name: str) -> str:
    """https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions"""
    if found := re.search(r"[$\0]", name):
        raise ValueError(f"The name of a collection has no {found[0]!r}")
    if name.startswith("system."):
        raise ValueError("MongoDB keeps collections for itself whose names start with 'system.'")
    if name.startswith(".") or name.endswith(".") or ".." in name:
        raise ValueError("The name of a collection has dots only between other characters")
    if name == RECORDS:
        raise ValueError("Stuff keeps its records of requests with an Idempotency-Key there")
    return name


def origins(text: str) -> str:
    """Origins as browsers send them (RFC 6454, section 6.2), separated by commas, or `*`."""
    for origin in filter(None, map(str.strip, text.split(","))):
        if origin != "*":
            _check_origin(origin)
    return text


def _check_origin(origin: str) -> None:
    example = origin if "://" in origin else f"https://{origin}"
    try:
        parts = urlsplit(example)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or "*" in host:
        raise ValueError(f"{origin!r} is not an origin, such as https://example.com")
    host = f"[{host}]" if ":" in host else host
    is_default = port is None or port == DEFAULT_PORTS.get(parts.scheme)
    expected = f"{parts.scheme}://{host}{'' if is_default else f':{port}'}"
    if origin != expected:
        raise ValueError(f"Browsers send {expected} as the origin, not {origin}")


def root_path(path: str) -> str:
    """A prefix of paths, or the empty string."""
    if not re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*", path):
        raise ValueError(
            "A path prefix begins with a slash, does not end with one, and has letters, digits and "
            "- . _ ~ between them, such as /api"
        )
    return path


def proxies(text: str) -> str:
    """Addresses and networks, separated by commas, or `*`."""
    for proxy in text.split(",") if text not in ("", "*") else ():
        try:
            ip_network(proxy.strip())
        except ValueError as error:
            raise ValueError(f"{error} (10.0.0.1 and 10.0.0.0/8 would be)") from None
    return text


def jwks_url(url: str) -> str:
    """An https URL, or one of this machine: who answers there decides which tokens are valid."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError("It is not the URL of a server, such as https://issuer.example/jwks")
    if parts.scheme != "https" and host not in LOCAL:
        raise ValueError("Keys are fetched over https only")
    return url


def algorithms(text: str) -> str:
    """Names of asymmetric signature algorithms, separated by commas (RFC 7518, section 3.1). No
    HMAC: with a public key as its secret, anybody could sign (RFC 8725, section 2.1)."""
    for name in text.split(","):
        if name not in ALGORITHMS:
            raise ValueError(f"{name!r} is none of {', '.join(ALGORITHMS)}")
    return text


def port(value: object) -> object:
    """Kubernetes sets STUFF_PORT to an address, if there is a Service named stuff."""
    if isinstance(value, str) and value.startswith("tcp://"):
        raise ValueError(
            "Kubernetes has set this for the Service 'stuff'. Set enableServiceLinks: false in "
            "the Pod, or STUFF_PORT to a number"
        )
    return value
