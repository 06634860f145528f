"""The database away, slow, or failing: every request gets a problem in time."""

import os
from typing import Any

import anyio
import pytest
from pymongo import MongoClient

from tests.support.applications import Application
from tests.support.patience import TIMEOUT, patient
from tests.support.problems import assert_problem


async def test_an_absent_database_is_503_and_is_found_when_it_comes(
    application: Application, free_port: int, engine_on_port: Any
) -> None:
    uri = f"mongodb://127.0.0.1:{free_port}/?retryWrites=false"
    async with application(mongodb_uri=uri, server_selection_timeout=0.5) as client:
        requests = [
            ("GET", "/stuff/a"),
            ("PUT", "/stuff/a"),
            ("POST", "/stuff"),
            ("GET", "/readyz"),
        ]

        async def assert_unavailable() -> None:
            for method, path in requests:
                with anyio.fail_after(patient(5)):
                    response = await client.request(method, path, json={})
                assert_problem(response, 503, "database-unavailable")
                assert int(response.headers["retry-after"]) > 0
            assert (await client.get("/healthz")).json() == {"status": "ok"}

        async def wait_until_ready() -> None:
            with anyio.fail_after(TIMEOUT):
                while (await client.get("/readyz")).status_code != 200:
                    await anyio.sleep(0.05)

        await assert_unavailable()
        engine = engine_on_port(free_port)
        await wait_until_ready()
        assert (await client.put("/stuff/a", json={"x": 1})).status_code == 201
        engine.kill()
        engine.wait()
        await assert_unavailable()
        engine_on_port(free_port)
        await wait_until_ready()
        assert (await client.get("/stuff/a")).json() == {"_id": "a", "x": 1}


async def test_a_database_that_hangs_is_503_within_the_time_limit(
    application: Application, free_port: int, engine_on_port: Any
) -> None:
    engine = engine_on_port(free_port)
    with MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{free_port}/") as mongo:
        mongo.admin.command("ping")
    uri = f"mongodb://127.0.0.1:{free_port}/?retryWrites=false"
    async with application(mongodb_uri=uri, operation_timeout=patient(1)) as client:
        await client.put("/stuff/a", json={"x": 1})
        engine.send_signal(19)  # SIGSTOP
        await anyio.to_thread.run_sync(os.waitpid, engine.pid, os.WUNTRACED)  # has stopped
        with anyio.fail_after(patient(10)):
            assert_problem(await client.get("/stuff/a"), 503, "database-unavailable")
            assert_problem(await client.get("/readyz"), 503, "database-unavailable")
        engine.send_signal(18)  # SIGCONT
        with anyio.fail_after(TIMEOUT):
            while (await client.get("/stuff/a")).status_code != 200:
                await anyio.sleep(0.05)


@pytest.mark.parametrize(
    ("failure", "method", "status", "slug"),
    [
        ({"errorCode": 13}, "PUT", 503, "database-unavailable"),
        ({"errorCode": 13}, "GET", 503, "database-unavailable"),
        ({"errorCode": 50}, "GET", 503, "database-unavailable"),
        ({"writeConcernError": {"code": 64, "errmsg": "x"}}, "PUT", 503, "database-unavailable"),
        ({"writeConcernError": {"code": 64, "errmsg": "x"}}, "PATCH", 503, "database-unavailable"),
        ({"errorCode": 2}, "GET", 500, "internal-error"),
    ],
)
async def test_failures_of_the_database_are_problems(
    application: Application,
    free_port: int,
    engine_on_port: Any,
    failure: dict[str, Any],
    method: str,
    status: int,
    slug: str,
) -> None:
    engine_on_port(free_port, "--enable-test-commands")
    uri = f"mongodb://127.0.0.1:{free_port}/?retryWrites=false&retryReads=false"
    async with application(mongodb_uri=uri) as client:
        if method != "PUT":
            await client.put("/stuff/a", json={})
        command = {
            "configureFailPoint": "failCommand",
            "mode": {"times": 1},
            "data": {
                "failCommands": ["find", "update"] if method == "GET" else ["update"],
                **failure,
            },
        }
        with MongoClient[dict[str, Any]](uri) as mongo:
            mongo.admin.command(command)
        headers = {"content-type": "application/merge-patch+json"} if method == "PATCH" else {}
        content = None if method == "GET" else '{"x": 1}'
        response = await client.request(method, "/stuff/a", content=content, headers=headers)
        assert_problem(response, status, slug)
        assert (await client.put("/stuff/a", json={})).is_success
