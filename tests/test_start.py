"""What keeps `stuff serve` from starting, and what it warns of."""

import socket
from pathlib import Path
from typing import Any

import pytest

from service.cli.serving import reachable
from service.errors import ConfigurationError, Unauthorized
from service.security import Gate, make_key
from service.server.checks import check_settings, doubts
from service.server.engine import EmbeddedEngine
from service.server.listening import bound_socket
from service.server.mongodb import MongoDB
from service.settings import Settings
from tests.support.commands import stuff_here


def refused(**environment: str) -> str:
    """What `stuff serve` says in its one line."""
    result = stuff_here("serve", **environment)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_a_file_of_keys_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    said = refused(STUFF_API_KEYS_FILE=str(tmp_path / "none"))
    assert (
        said == f"STUFF_API_KEYS_FILE: {tmp_path}/none cannot be read: No such file or directory.\n"
    )
    assert "Is a directory" in refused(STUFF_API_KEYS_FILE=str(tmp_path))
    (tmp_path / "keys").write_text("nonsense")
    assert "Line 1" in refused(STUFF_API_KEYS_FILE=str(tmp_path / "keys"))


async def test_a_worker_that_is_started_again_goes_on_with_the_keys_that_it_can_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By then the file may have changed, and the other workers still answer."""
    token, key = make_key(["read"])
    file = tmp_path / "keys"
    file.write_text(f"nonsense\n{key}\n")
    assert await Gate(Settings(api_keys_file=file)).scopes(token) == {"read"}
    assert "line 1 is not a key" in caplog.text
    file.unlink()
    gate = Gate(Settings(api_keys_file=file))
    assert not gate.is_open
    with pytest.raises(Unauthorized):
        await gate.scopes(token)


def test_a_service_without_a_single_key_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# none yet\n")
    settings = Settings(api_keys_file=tmp_path / "keys")
    check_settings(settings)
    [said] = doubts(settings)
    assert "all requests get 401" in said
    _, key = make_key(["read"])
    (tmp_path / "keys").write_text(f"{key}\n")
    assert list(doubts(settings)) == []
    assert list(doubts(Settings())) == []
    assert list(doubts(Settings(api_keys=str(key)))) == []


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        (None, "", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "not a URL"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://", "not a URL"),
    ],
)
def test_tracing_without_an_address_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str | None, value: str, cause: str
) -> None:
    for endpoint in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(endpoint, raising=False)
    if name is not None:
        monkeypatch.setenv(name, value)
    said = refused(STUFF_TRACING="true")
    assert said.startswith("STUFF_TRACING: ")
    assert cause in said
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318")
    check_settings(Settings(tracing=True))


def test_an_option_of_another_driver_is_warned_of() -> None:
    [said] = doubts(Settings(mongodb_uri="mongodb://u:hunter2@host/?useNewUrlParser=true"))
    assert said.startswith("STUFF_MONGODB_URI: ")
    assert "usenewurlparser" in said
    assert "hunter2" not in said


def test_a_database_in_the_uri_that_is_not_used_is_warned_of() -> None:
    [said] = doubts(Settings(mongodb_uri="mongodb://u:hunter2@host/mine?authSource=admin"))
    assert "mine" in said
    assert "STUFF_DATABASE" in said
    assert "hunter2" not in said
    for uri, database in (
        ("mongodb://host/mine", "demo"),
        ("mongodb://host/mine", "mine"),
    ):
        assert list(doubts(Settings(mongodb_uri=uri, database=database))) == []
    for uri in (
        "mongodb://host/demo",
        "mongodb://host",
        "mongodb://host/?w=1",
        "mongodb://u:p@host/mine",
    ):
        assert list(doubts(Settings(mongodb_uri=uri))) == []


def test_an_unknown_variable_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUFF_PROT", "9000")
    assert list(doubts(Settings())) == ["STUFF_PROT is not a setting. Did you mean STUFF_PORT?"]


@pytest.mark.parametrize(
    ("host", "shown"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("localhost", "localhost")],
)
def test_the_address_that_is_shown_can_be_opened_in_a_browser(host: str, shown: str) -> None:
    assert reachable(host) == shown


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"STUFF_PORT: Port {port} of 127.0.0.1"):
            bound_socket("127.0.0.1", port)
    with bound_socket("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0
        assert listener.get_inheritable()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a" * 100, "2001:db8::1"])
def test_an_address_of_another_machine_is_named(host: str) -> None:
    with pytest.raises(ConfigurationError, match="STUFF_HOST: ") as error:
        bound_socket(host, 0)
    assert host in str(error.value)


def test_a_port_that_only_the_superuser_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", denied)
    with pytest.raises(ConfigurationError, match="STUFF_PORT: This user may not"):
        bound_socket("127.0.0.1", 80)


def test_a_data_directory_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for directory in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/none")):
        with pytest.raises(ConfigurationError, match="STUFF_DATA_DIR: ") as error:
            EmbeddedEngine(directory).start()
        assert str(directory) in str(error.value)


def test_the_place_of_the_documents_is_named_without_secrets(tmp_path: Path) -> None:
    uri = "mongodb://user:hunter2@a,b:27018/?replicaSet=x"
    assert str(MongoDB(uri)) == "the MongoDB at a,b:27018"
    assert (
        str(MongoDB("mongodb+srv://u:hunter2@cluster.example")) == "the MongoDB at cluster.example"
    )
    assert str(tmp_path) in str(MongoDB("mongodb://127.0.0.1:1/", tmp_path))
