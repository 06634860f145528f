"""Settings that the service could not work with are refused at once, by their name and cause."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from service.errors import ConfigurationError
from service.settings import Settings, names
from service.settings import settings as settings_module
from service.settings.names import unknown_settings
from service.settings.rules import unknown_options

SECRET = "hunter2"


def fault(**values: Any) -> str:
    """What is said about these values; never a secret."""
    with pytest.raises(ConfigurationError) as error:
        Settings(**values)
    said = str(error.value)
    assert SECRET not in said
    assert "\n" not in said
    assert said.endswith(".")
    return said


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("a b", "' '"), ("a/b", "'/'"), ("a.b", "'.'"), ("a$b", "'$'"), ('a"b', "'\"'"),
        ("x" * 64, "63 bytes"), ("ü" * 32, "63 bytes"), ("admin", "itself"), ("", "at least 1"),
    ],
)  # fmt: skip
def test_an_impossible_database_is_refused(name: str, cause: str) -> None:
    said = fault(database=name)
    assert said.startswith("STUFF_DATABASE: ")
    assert cause in said


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("a$b", "'$'"), ("system.users", "system."), (".a", "dots"), ("a.", "dots"),
        ("a..b", "dots"), ("\0", "\\x00"), ("", "at least 1"), ("x" * 251, "255 bytes"),
    ],
)  # fmt: skip
def test_an_impossible_collection_is_refused(name: str, cause: str) -> None:
    said = fault(collection=name)
    assert said.startswith("STUFF_COLLECTION: ")
    assert cause in said


def test_names_that_mongodb_takes_are_taken() -> None:
    for name in ("a.b", "ä-b", "x" * 250, "a b", "1"):
        assert Settings(collection=name).collection == name
    for name in ("x" * 63, "my-database_1", "Ä"):
        assert Settings(database=name).database == name


@pytest.mark.parametrize(
    ("uri", "cause"),
    [
        (f"mongodb://user:{SECRET}/x@host/", "percent-encode"),
        (f"mongodb://user:{SECRET}@x@host/", "percent-encode"),
        (f"mongodb://user:{SECRET}%@host/", "percent-encode"),
        (f"mongodb://user:{SECRET}#@host/?replicaSet", "key=value"),
        ("mongodb://host:99999/", "not the URI of a MongoDB"),
        ("mongodb://", "hostname"),
        ("mongodb://a,b/?directConnection=true", "directConnection"),
        (f"mongodb://user:{SECRET}@host/?maxPoolSize=many", "maxpoolsize"),
        ("mongodb://host/?readPreference=fastest", "fastest"),
        ("mongodb://host/?tls=true&tlsCAFile=/no/such/file", "/no/such/file: No such file"),
    ],
)
def test_a_uri_that_the_driver_refuses_or_would_misunderstand_is_refused(
    uri: str, cause: str
) -> None:
    said = fault(mongodb_uri=uri)
    assert said.startswith("STUFF_MONGODB_URI: ")
    assert cause in said


def test_uris_of_clusters_are_taken_without_looking_up_names() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for uri in (
            f"mongodb+srv://user:{SECRET}@no-such-name.invalid/?retryWrites=true&w=majority",
            f"mongodb://user:{SECRET}@a,b:27018/?replicaSet=x&authSource=demo",
            "mongodb://host/?useNewUrlParser=true",  # an option of another driver
        ):
            Settings(mongodb_uri=uri)
        settings = Settings(mongodb_uri="mongodb://host/?useNewUrlParser=true&w=1")
        assert settings.mongodb_uri is not None
        assert unknown_options(settings.mongodb_uri) == ["usenewurlparser"]


@pytest.mark.parametrize(
    ("origins", "cause"),
    [
        ("example.com", "https://example.com"),
        ("https://a.example,b.example", "https://b.example"),
        ("https://example.com/", "https://example.com as"),
        ("https://example.com/app", "https://example.com as"),
        ("https://Example.com", "https://example.com as"),
        ("https://example.com:443", "https://example.com as"),
        ("https://*.example.com", "not an origin"),
        ("https://", "not an origin"),
        ("null", "https://null"),
        ("https://example.com:port", "not an origin"),
    ],
)
def test_an_origin_that_no_browser_sends_is_refused(origins: str, cause: str) -> None:
    said = fault(cors_origins=origins)
    assert said.startswith("STUFF_CORS_ORIGINS: ")
    assert cause in said


def test_origins_as_browsers_send_them_are_taken() -> None:
    for origins in (
        "", "*", "https://example.com", "http://localhost:5173, https://a.example:8443",
        "http://[::1]:3000", "chrome-extension://abcdef",
    ):  # fmt: skip
        assert Settings(cors_origins=origins).cors_origins == origins


def test_other_impossible_values_are_refused() -> None:
    tokens = {"jwt_issuer": "i", "jwt_audience": "a"}
    for url in ("https://", "issuer.example/jwks", "ftp://issuer", "https://h:port/"):
        assert fault(jwt_jwks_url=url, **tokens).startswith("STUFF_JWT_JWKS_URL: ")
    for seconds in ("inf", "nan", "0", "1e12", "-1"):
        said = fault(server_selection_timeout=seconds)
        assert said.startswith("STUFF_SERVER_SELECTION_TIMEOUT: ")
    said = fault(port="tcp://10.0.0.1:8000")
    assert said.startswith("STUFF_PORT: Kubernetes")
    assert "enableServiceLinks" in said


def test_a_value_of_a_wrong_form_is_told_which_ones_there_are() -> None:
    assert "'critical', 'error', 'warning', 'info' or 'debug'" in fault(log_level="loud")
    assert "'console' or 'json'" in fault(log_format="xml")
    for path in ("api", "/api/", "//", "/a b"):
        assert "such as /api." in fault(root_path=path)
    assert Settings(root_path="/api/v1").root_path == "/api/v1"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_bad_value_of_any_setting_is_explained_in_words_of_ours(name: str) -> None:
    """Not in those of the library that reads settings, which speak of input and parsing."""
    variable = f"STUFF_{name.upper()}"
    for value in ("", "x", "-1", "0", "1.5", "1e99", "nan", "9" * 5000, "maybe", "a b", "\n"):
        try:
            Settings(**{name: value})
        except ConfigurationError as error:
            said = str(error)
            assert said.startswith((f"{variable}: ", "STUFF_JWT_JWKS_URL: "))
            assert len(said) < 500
            for word in ("Input", "should", "pattern", "valid ", "unable", "pars"):
                assert word not in said, said


def test_values_of_a_wrong_type_or_size_are_told_what_would_be_right() -> None:
    assert fault(port="abc") == "STUFF_PORT: Give a whole number."
    assert fault(port="99999") == "STUFF_PORT: Give at most 65535."
    assert fault(client_timeout="soon") == "STUFF_CLIENT_TIMEOUT: Give a number."
    assert fault(insecure="maybe") == "STUFF_INSECURE: Give true or false."
    said = fault(jwt_algorithms="RS256,HS256")
    assert said.startswith("STUFF_JWT_ALGORITHMS: 'HS256' is none of RS256, ")


def test_unknown_names_are_reported_with_the_nearest_known_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(names, "SECRETS_DIR", tmp_path)
    known = ("STUFF_PORT", "stuff_host", "STUFF_KEY", "STUFF_URL")
    kubernetes = ("STUFF_SERVICE_HOST", "STUFF_SERVICE_PORT_HTTP", "STUFF_PORT_8000_TCP_ADDR")
    for name in (*known, *kubernetes, "STUFFING"):
        monkeypatch.setenv(name, "1")
    (tmp_path / "stuff_api_keys").touch()
    (tmp_path / "others_secret").touch()
    assert list(unknown_settings()) == []
    wrong = ("STUFF_PROT", "STUFF_MONGO_URI", "STUFF_LOGLEVEL", "stuff_workres", "STUFF_ODD")
    removed = ("STUFF_BATCH_BYTES", "STUFF_BATCH_COUNT", "STUFF_ROUND_TRIPS")
    for name in (*wrong, *removed):
        monkeypatch.setenv(name, SECRET)
    (tmp_path / "stuff_mongo_uri").write_text(SECRET)
    said = list(unknown_settings())
    assert said == [
        "STUFF_BATCH_BYTES is not a setting, and is ignored.",
        "STUFF_BATCH_COUNT is not a setting, and is ignored.",
        "STUFF_LOGLEVEL is not a setting. Did you mean STUFF_LOG_LEVEL?",
        "STUFF_MONGO_URI is not a setting. Did you mean STUFF_MONGODB_URI?",
        "STUFF_ODD is not a setting, and is ignored.",
        "STUFF_PROT is not a setting. Did you mean STUFF_PORT?",
        "STUFF_ROUND_TRIPS is not a setting, and is ignored.",
        "stuff_workres is not a setting. Did you mean STUFF_WORKERS?",
        f"The secret {tmp_path}/stuff_mongo_uri is not a setting. Did you mean STUFF_MONGODB_URI?",
    ]


def test_a_secret_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings_module, "SECRETS_DIR", tmp_path)
    (tmp_path / "stuff_mongodb_uri").write_text("mongodb://secret/")
    read = Path.read_text

    def refused(path: Path, *arguments: Any, **options: Any) -> str:
        if path.parent == tmp_path:  # the tests may run as root, who may read everything
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", refused)
    said = fault()
    assert said.startswith("STUFF_MONGODB_URI: ")
    assert "Permission denied" in said
    monkeypatch.setattr(Path, "read_text", read)
    (tmp_path / "stuff_mongodb_uri").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in fault()
