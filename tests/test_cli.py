"""The `stuff` command and its settings."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from service import __version__
from service.cli import COMMANDS
from service.cli import stuff as stuff_group
from service.cli.lazy import LazyCommand
from service.errors import ConfigurationError
from service.server.checks import check_settings
from service.settings import Settings
from service.settings import settings as settings_module
from tests.support.commands import stuff_here
from tests.support.patience import TIMEOUT
from tests.support.serving import stuff


def test_the_console_script_and_the_module_are_the_same() -> None:
    script = Path(sysconfig.get_path("scripts")) / "stuff"
    by_script = subprocess.run([script, "--help"], capture_output=True, text=True, timeout=TIMEOUT)
    assert by_script.returncode == 0
    assert by_script.stdout == stuff("--help").stdout
    assert "serve" in by_script.stdout
    assert "openapi" in by_script.stdout


def test_openapi_is_written_to_a_file_or_to_standard_output(tmp_path: Path) -> None:
    target = tmp_path / "openapi.json"
    assert stuff_here("openapi", str(target)).returncode == 0
    assert stuff_here("openapi", "-").stdout == target.read_text()


def test_openapi_is_written_nowhere_that_was_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert json.loads(stuff_here("openapi").stdout)["info"]["title"] == "Stuff"
    assert list(tmp_path.iterdir()) == []
    failed = stuff_here("openapi", str(tmp_path / "no" / "file"))
    assert failed.returncode == 1
    assert failed.stderr == f"stuff: {tmp_path}/no/file: No such file or directory\n"


def test_the_version_is_shown() -> None:
    result = stuff_here("--version")
    assert (result.returncode, result.stdout) == (0, f"stuff {__version__}\n")


def test_a_wrong_setting_is_named() -> None:
    result = stuff_here("serve", STUFF_PORT="many", STUFF_MONGODB_URI="mongodb://u:secret@x/")
    assert result.returncode == 2
    assert "STUFF_PORT" in result.stderr
    assert "Traceback" not in result.stderr
    assert "secret" not in result.stderr


def test_a_malformed_uri_is_refused_without_showing_it() -> None:
    result = stuff_here("serve", STUFF_MONGODB_URI="user:secret@host")
    assert result.returncode == 2
    assert "STUFF_MONGODB_URI" in result.stderr
    assert "mongodb://" in result.stderr
    assert "secret" not in result.stderr


def test_all_wrong_settings_are_named_without_their_values() -> None:
    with pytest.raises(ConfigurationError) as error:
        Settings(port="many", workers=0, mongodb_uri="user:secret@host")
    names = [line.partition(":")[0] for line in str(error.value).splitlines()]
    assert sorted(names) == ["STUFF_MONGODB_URI", "STUFF_PORT", "STUFF_WORKERS"]
    assert "secret" not in str(error.value)


def test_wrong_keys_are_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("nonsense")
    for settings in ({"api_keys": "nonsense"}, {"api_keys_file": tmp_path / "keys"}):
        with pytest.raises(ConfigurationError, match="Line 1") as error:
            check_settings(Settings(**settings))
        assert error.value.setting in settings


def test_serve_without_the_embedded_engine_says_what_to_do(tmp_path: Path) -> None:
    code = (
        "import service.server.engine as e; e.COMMAND = 'no-such-engine'; "
        "from service.cli import main; import sys; "
        f"sys.argv = ['stuff', 'serve', '--port', '0', '--data-dir', {str(tmp_path)!r}]; main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT
    )
    assert result.returncode == 1
    assert "pip install '.[embedded]'" in result.stderr
    assert "STUFF_MONGODB_URI" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_engine_that_does_not_start_is_reported_with_its_log(tmp_path: Path) -> None:
    (tmp_path / "engine").write_text("no directory")
    result = stuff("serve", "--port", "0", "--data-dir", str(tmp_path))
    assert result.returncode == 1
    assert "engine.log" in result.stderr
    assert "Traceback (most" not in result.stderr.split("engine.log")[0]


@pytest.mark.parametrize("url", ["http://", "http://:x", "ftp://a", "a:b", ":8000"])
@pytest.mark.parametrize(
    "command", [("get", "a"), ("ls",), ("watch",), ("export", "-"), ("import", "-")]
)
def test_a_malformed_url_is_refused_at_once(command: tuple[str, ...], url: str) -> None:
    result = stuff_here(*command, STUFF_URL=url)
    assert result.returncode == 2
    assert url in result.stderr


def test_settings_come_from_the_environment_and_from_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_module, "SECRETS_DIR", tmp_path)
    (tmp_path / "stuff_mongodb_uri").write_text("mongodb://secret/\n")
    monkeypatch.setenv("STUFF_PORT", "8001")
    settings = Settings()
    assert settings.port == 8001
    assert settings.mongodb_uri is not None
    assert settings.mongodb_uri.get_secret_value() == "mongodb://secret/"
    assert "secret" not in repr(settings)


def test_every_command_is_listed_with_the_first_line_of_its_own_help() -> None:
    for name, (_, help) in COMMANDS.items():
        command = stuff_group.commands[name]
        assert isinstance(command, LazyCommand)
        assert command.load().help.split("\n\n")[0] == help, name


@pytest.mark.parametrize("command", [[], ["get"], ["ls"], ["key", "create"], ["serve"]])
def test_a_flag_is_shown_without_a_value(command: list[str]) -> None:
    shown = stuff_here(*command, "--help").stdout
    assert "--help" in shown
    assert "<str>" in shown
    assert "bool" not in shown


def test_commands_that_talk_to_a_server_do_not_load_the_service() -> None:
    """Loading it takes longer than most of them run."""
    code = """
import sys
from service.cli import stuff
stuff(["--help"], standalone_mode=False)
for command in ("get", "put", "delete", "ls", "watch", "export", "import"):
    stuff([command, "--help"], standalone_mode=False)
heavy = {"beanie", "fastapi", "motor", "pydantic_settings", "uvicorn"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
stuff(["serve", "--help"], standalone_mode=False)
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT
    )
    light, whole = result.stderr.splitlines()
    assert light == "[]"
    assert whole == "['beanie', 'fastapi', 'motor', 'pydantic_settings', 'uvicorn']"


def test_a_service_without_tokens_loads_nothing_that_fetches_keys() -> None:
    """It starts a tenth sooner, and each worker has 5 MB less."""
    code = """
import sys, service.application
print(sorted({"httpx", "jwt", "rich"} & set(sys.modules)))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT
    )
    assert result.stdout == "[]\n"
