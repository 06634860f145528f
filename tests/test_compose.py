"""`compose.yaml`: no container has more rights than it needs, and the store is closed.

The script that makes the secrets is run as it is, in a directory of its own. Only `chown` is
replaced, since the users of the containers do not exist here.
"""

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.security import parse_keys
from service.settings import Settings
from tests.support.applications import Application

COMPOSE: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent.parent / "compose.yaml").read_text()
)
SERVICES: dict[str, Any] = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_containers_have_no_more_rights_than_they_need(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    if name != "secrets":  # runs once, without a network
        assert "cap_add" not in service
    else:
        assert service["network_mode"] == "none"


@pytest.mark.parametrize("name", SERVICES)
def test_images_have_a_version_or_are_built_here(name: str) -> None:
    service = SERVICES[name]
    assert "build" in service or re.fullmatch(r"\w+:\d+\.\d+\.\d+", service["image"])


def test_the_store_asks_for_a_key_and_is_for_this_machine() -> None:
    assert "STUFF_INSECURE" not in str(COMPOSE)
    assert SERVICES["stuff"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in SERVICES["mongo"]


def mounted(name: str) -> set[str]:
    return {volume.split(":")[0] for volume in SERVICES[name]["volumes"]}


def test_nobody_sees_the_secrets_of_others() -> None:
    assert mounted("stuff") == {"stuff-secrets"}
    assert mounted("mongo") == {"mongo-data", "mongo-secrets"}
    assert mounted("secrets") == {"stuff-secrets", "mongo-secrets", "operator-secrets"}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    for name in ("mongo", "stuff", "operator", "bin"):
        (tmp_path / name).mkdir()
    chown = tmp_path / "bin" / "chown"
    chown.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/chown.log\n')
    chown.chmod(0o755)
    return tmp_path


def make_secrets(directory: Path) -> dict[str, str]:
    """What the service `secrets` leaves, by path."""
    [script] = SERVICES["secrets"]["command"]
    script = script.replace("$$", "$").replace("/secrets/", f"{directory}/")
    path = f"{directory}/bin:/usr/bin:/bin"
    made = subprocess.run(
        [*SERVICES["secrets"]["entrypoint"], script],
        env={"PATH": path},
        capture_output=True,
        text=True,
    )
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    return {
        f"{name}/{file.name}": file.read_text()
        for name in ("mongo", "stuff", "operator")
        for file in sorted((directory / name).iterdir())
    }


async def test_the_first_start_makes_a_key_that_opens_the_store(
    secrets: Path, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_secrets(secrets)
    assert sorted(made) == [
        "mongo/keyfile", "mongo/root_password", "mongo/stuff_password", "operator/api_key",
        "stuff/stuff_api_keys", "stuff/stuff_mongodb_uri",
    ]  # fmt: skip
    assert made["mongo/stuff_password"] in made["stuff/stuff_mongodb_uri"]
    secret = made["operator/api_key"]
    assert secret not in made["stuff/stuff_api_keys"]
    monkeypatch.setattr("service.settings.settings.SECRETS_DIR", secrets / "stuff")
    settings = Settings()
    assert settings.api_keys is not None
    [key] = parse_keys(settings.api_keys.get_secret_value()).values()
    assert key.scopes == {"read", "write"}
    async with application(api_keys=settings.api_keys) as client:
        headers = {"Authorization": f"Bearer {secret}"}
        assert (await client.put("/stuff/a", json={}, headers=headers)).status_code == 201
        assert (await client.get("/stuff/a", headers=headers)).status_code == 200
        assert (await client.get("/stuff/a")).status_code == 401


def test_secrets_are_made_once_and_only_their_owners_read_them(secrets: Path) -> None:
    made = make_secrets(secrets)
    assert make_secrets(secrets) == made
    for path in made:
        mode = stat.S_IMODE((secrets / path).stat().st_mode)
        assert mode == (0o600 if path == "operator/api_key" else 0o400), path
    owners = (secrets / "chown.log").read_text()
    assert f"10001:10001 {secrets}/stuff/stuff_api_keys.new" in owners
    assert f"mongodb:mongodb {secrets}/mongo" in owners
    assert "operator" not in owners


def test_a_store_that_had_no_key_gets_one_and_keeps_its_passwords(secrets: Path) -> None:
    made = make_secrets(secrets)
    for path in ("stuff/stuff_api_keys", "operator/api_key"):
        (secrets / path).parent.chmod(0o700)
        (secrets / path).unlink()
    again = make_secrets(secrets)
    assert again["operator/api_key"] != made["operator/api_key"]
    changed = {"operator/api_key", "stuff/stuff_api_keys"}
    assert {path for path in made if made[path] != again[path]} == changed
