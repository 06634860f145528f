"""Lines of the log: what they are made of, and what they leave out."""

import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from httpx import AsyncClient
from pymongo.errors import OperationFailure

from service.errors import InvalidDocument
from service.mongo.faults import translated
from service.observability import logs, repeats
from service.settings import Settings
from service.store.points import PointOperations


@pytest.fixture(params=["console", "json"])
def written(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Returns what has been logged, in one of the formats."""
    config = logs.config(Settings(log_format=request.param, log_level="debug"))
    stream = config["handlers"]["line"]["stream"] = io.StringIO()
    names = ("", "service", "uvicorn")
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    handlers = logging.getLogger().handlers[:]
    filters = logging.getLogger("uvicorn.error").filters[:]
    logging.getLogger("uvicorn.error").filters.clear()  # which commands of other tests have set
    logging.config.dictConfig(config)
    yield stream.getvalue
    logging.getLogger("uvicorn.error").filters[:] = filters
    logging.getLogger().handlers[:] = handlers
    for logger, level in before:
        logger.setLevel(level)


def refuse(errmsg: str, code: int) -> OperationFailure:
    return OperationFailure(errmsg, code, {"errmsg": errmsg, "code": code, "codeName": "Name"})


@pytest.mark.parametrize("code", [13, 50, 59, 91, 4711])
def test_what_the_database_says_is_not_logged(written: Callable[[], str], code: int) -> None:
    """It quotes filters: not authorized to execute command { find: "stuff", filter: {...} }."""
    translated(refuse('not authorized to execute { filter: { a: "secret" } }', code))
    assert f"OperationFailure Name (code {code})" in written()
    assert "secret" not in written()


async def test_a_fault_is_logged_with_its_place_and_without_content(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch, written: Callable[[], str]
) -> None:
    async def fail(_: PointOperations, id: str) -> None:
        try:
            int(f"secret {id}")
        except ValueError as error:
            try:
                raise InvalidDocument("secret") from error
            except InvalidDocument:
                raise {"secret": RuntimeError("The reason.")}["secret"] from refuse("secret", 8)

    monkeypatch.setattr(PointOperations, "get", fail)
    response = await client.get("/stuff/a", headers={"X-Request-ID": "the-id"})
    assert response.status_code == 500
    text = written()
    assert "The request failed unexpectedly" in text
    assert "the-id" in text
    assert "RuntimeError: The reason." in text
    assert "OperationFailure (code 8)" in text
    assert "test_logs.py" in text
    for content in ("invalid literal", "InvalidDocument: secret", "error: secret", "full error"):
        assert content not in text


def test_a_record_of_any_library_is_one_object(written: Callable[[], str]) -> None:
    logging.getLogger("another.library").warning("two\nlines %s", "ü")
    logging.getLogger("another.library").info("too much")
    logging.getLogger("pymongo.command").debug("secret")
    text = written()
    assert "too much" not in text
    assert "secret" not in text
    if text.startswith("{"):
        line: dict[str, Any] = json.loads(text)
        assert (line["level"], line["logger"]) == ("warning", "another.library")
        assert line["message"] == "two\nlines ü"


def test_a_warning_that_clients_repeat_fills_no_log(
    written: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    malformed, server = "Invalid HTTP request received.", logging.getLogger("uvicorn.error")
    # A server of another test may have taken its lines for itself.
    monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", True)
    monkeypatch.setattr(repeats, "PAUSE", 3600.0)
    for _ in range(50):
        server.warning(malformed)
    assert written().count(malformed) == 1
    server.warning("Another warning.")
    assert "Another warning." in written()
    monkeypatch.setattr(repeats, "PAUSE", 0.0)
    server.warning(malformed)
    server.warning(malformed)
    assert written().count(malformed) == 3
    assert written().count(f"{malformed} (and 49 times since the last line)") == 1
