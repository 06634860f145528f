"""Logs: one line per event, for people or for machines, each with the id of its request.

For machines every line is a JSON object on standard output, those of the start and of other
libraries too. For people, lines are on standard error. No line has the content of a document or of
a filter, at any level.
"""

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from uvicorn.logging import DefaultFormatter

from service.observability.exceptions import formatted
from service.observability.repeats import Repeats
from service.observability.request_ids import request_id
from service.settings import Settings

log = logging.getLogger(__name__)
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class RequestId(logging.Filter):
    """Adds the id of the current request to records."""

    def filter(self, record: logging.LogRecord) -> bool:
        id = request_id.get()
        record.request_id = id
        record.suffix = f" [{id}]" if id else ""
        return True


class ConsoleFormatter(DefaultFormatter):
    """uvicorn's format."""

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 (logging's name)
        return formatted(ei[1])


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if id := getattr(record, "request_id", ""):
            fields["request_id"] = id
        if record.exc_info:
            fields["exception"] = formatted(record.exc_info[1])
        return json.dumps(fields)


def config(settings: Settings) -> dict[str, Any]:
    """The configuration of `logging`, for the server, the service and all libraries.

    https://docs.python.org/3/library/logging.config.html#logging-config-dictschema
    """
    is_json = settings.log_format == "json"
    console = {"()": ConsoleFormatter, "fmt": "%(levelprefix)s %(message)s%(suffix)s"}
    level = settings.log_level.upper()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": RequestId}, "repeats": {"()": Repeats}},
        "formatters": {"line": {"()": JsonFormatter} if is_json else console},
        "handlers": {
            "line": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout" if is_json else "ext://sys.stderr",
                "formatter": "line",
                "filters": ["request_id"],
            }
        },
        # The driver's debugging messages have commands with all their documents.
        "root": {"handlers": ["line"], "level": max(level, "WARNING", key=logging.getLevelName)},
        "loggers": {
            "service": {"level": level},
            "uvicorn": {"level": level},
            # Of connections. Filters of a logger are not those of the loggers below it.
            "uvicorn.error": {"filters": ["repeats"]},
        },
    }


def capture() -> None:
    """Have warnings, and exceptions that nothing catches, logged like everything else."""
    logging.captureWarnings(True)

    def at_exit(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.exit(130)
        log.critical("The process failed unexpectedly", exc_info=error)

    def in_thread(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None and arguments.exc_type is not SystemExit:
            log.error("A thread failed unexpectedly", exc_info=arguments.exc_value)

    sys.excepthook = at_exit
    threading.excepthook = in_thread


def announce(settings: Settings, line: str) -> None:
    """Tell the operator something about the start: on the screen, or as a line of the log."""
    if settings.log_format == "json":
        log.info(line)
    else:
        print(line, flush=True)  # noqa: T201
