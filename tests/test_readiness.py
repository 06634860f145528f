"""While the database cannot be used: what `/readyz` and the log say, and how often it is tried."""

import logging
from itertools import islice
from typing import Any

import anyio
import pytest
from httpx import AsyncClient

from service.errors import ConfigurationError
from service.mongo import outages
from service.mongo.database import check_database
from service.settings import Settings
from tests.support.applications import Application
from tests.support.database import roles
from tests.support.database.answers import error
from tests.support.database.playing import Play
from tests.support.link import linked
from tests.support.patience import TIMEOUT
from tests.support.problems import assert_problem

SECRET = "hunter2"


async def reason(client: AsyncClient) -> str:
    """Why the service is not ready."""
    problem = assert_problem(await client.get("/readyz"), 503, "database-unavailable")
    detail: str = problem["detail"]
    assert SECRET not in detail
    return detail


async def comes_up(client: AsyncClient) -> None:
    with anyio.fail_after(TIMEOUT):
        while (await client.get("/readyz")).status_code != 200:
            await anyio.sleep(0.05)


def with_password(uri: str) -> str:
    return uri.replace("mongodb://", f"mongodb://user:{SECRET}@")


async def test_a_wrong_password_is_named_and_not_tried_each_second(
    application: Application, play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    database = play(roles.PRIMARY)
    database.always("find", error(18, f"Authentication failed, not {SECRET}."))
    async with application(mongodb_uri=database.uri(), server_selection_timeout=0.5) as client:
        said = await reason(client)
        assert said.startswith("STUFF_MONGODB_URI: ")
        assert "password" in said
    [line, *_] = [record.getMessage() for record in caplog.records]
    assert line.startswith(said)
    assert "Next attempt in" in line
    assert SECRET not in caplog.text


async def test_a_wrong_password_ends_the_start(mongodb_uri: str, settings: Settings) -> None:
    """The engine of the tests has no users."""
    uri = with_password(mongodb_uri)
    with pytest.raises(ConfigurationError, match="user name or the password") as refused:
        await check_database(settings, uri, ["stuff"])
    assert refused.value.setting == "mongodb_uri"
    assert SECRET not in str(refused.value)
    await check_database(settings, mongodb_uri, ["stuff"])


@pytest.mark.parametrize(
    ("code", "message"), [(18, "no"), (8000, "bad auth : authentication failed"), (13, "no")]
)
async def test_a_user_without_access_ends_the_start(
    play: Play, settings: Settings, code: int, message: str
) -> None:
    database = play(roles.PRIMARY)
    database.always("find", error(code, message))
    with pytest.raises(ConfigurationError, match="STUFF_MONGODB_URI"):
        await check_database(settings, database.uri(), ["stuff"])


async def test_a_database_that_is_away_does_not_end_the_start(
    play: Play, settings: Settings, free_port: int
) -> None:
    brief = Settings(**settings.model_dump() | {"server_selection_timeout": 0.2})
    await check_database(brief, f"mongodb://127.0.0.1:{free_port}", ["stuff"])
    busy = play(roles.PRIMARY)
    busy.always("find", error(8000, "overloaded"))
    await check_database(brief, busy.uri(), ["stuff"])


async def test_a_collation_ends_the_start(settings: Settings, collection: Any) -> None:
    collection.database.create_collection(collection.name, collation={"locale": "en"})
    assert settings.mongodb_uri is not None
    with pytest.raises(ConfigurationError, match="STUFF_COLLECTION"):
        await check_database(settings, settings.mongodb_uri.get_secret_value(), ["stuff"])


@pytest.fixture
def uris(play: Play, free_port: int) -> dict[str, str]:
    played = play(roles.PRIMARY)
    return {
        "refused": f"mongodb://user:{SECRET}@127.0.0.1:{free_port}/",
        "resolved": f"mongodb://user:{SECRET}@no-such-host.invalid/",
        "replica set": played.uri(replicaSet="other"),
        "no primary": play(roles.SECONDARY).uri(),
    }


@pytest.mark.parametrize("kind", ["refused", "resolved", "replica set", "no primary"])
async def test_readiness_says_why_the_database_cannot_be_used(
    application: Application, uris: dict[str, str], kind: str
) -> None:
    limits = {"server_selection_timeout": 0.3}
    async with application(mongodb_uri=uris[kind], **limits) as client:
        with anyio.fail_after(TIMEOUT):  # until the first attempt has failed
            while kind not in await reason(client):
                await anyio.sleep(0.05)


async def test_readiness_says_why_when_the_database_goes_away_later(
    application: Application, mongodb_uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "service.mongo")
    async with linked(mongodb_uri) as link, application(mongodb_uri=link.uri) as client:
        await comes_up(client)
        await link.cut()
        with anyio.fail_after(TIMEOUT):
            while "The connection is refused." not in await reason(client):
                await anyio.sleep(0.05)
        await link.open()
        await comes_up(client)


async def test_the_log_says_when_the_database_is_there(
    application: Application, play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "service.mongo")
    database = play(roles.PRIMARY)
    database.answer("find", error(18), error(18))
    async with application(mongodb_uri=database.uri(), server_selection_timeout=0.3) as client:
        await comes_up(client)
    said = [r.getMessage() for r in caplog.records if r.name == "service.mongo.readiness"]
    assert len(said) == 3
    assert said[-1] == "The database is available."


def test_delays_between_attempts_grow_to_a_limit_with_jitter() -> None:
    delays = list(islice(outages.delays(), 10))
    for n, delay in enumerate(delays):
        ceiling = min(outages.FIRST_DELAY * 2**n, outages.MAX_DELAY)
        assert ceiling / 2 <= delay <= ceiling
    assert delays != list(islice(outages.delays(), 10))
