"""Logs: one line per event, for people or for machines, each with the id of its request."""

import copy
import json
import logging
from datetime import UTC, datetime
from typing import Any

from uvicorn.config import LOGGING_CONFIG

from service.observability.request_ids import request_id
from service.settings import Settings


class RequestId(logging.Filter):
    """Adds the id of the current request to records."""

    def filter(self, record: logging.LogRecord) -> bool:
        id = request_id.get()
        record.request_id = id
        record.suffix = f" [{id}]" if id else ""
        return True


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
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def config(settings: Settings) -> dict[str, Any]:
    """The configuration of `logging`, for the server and the service alike.

    https://docs.python.org/3/library/logging.config.html#logging-config-dictschema
    """
    config = copy.deepcopy(LOGGING_CONFIG)
    config["filters"] = {"request_id": {"()": "service.observability.logs.RequestId"}}
    for name, handler in config["handlers"].items():
        handler["filters"] = ["request_id"]
        if settings.log_format == "json":
            config["formatters"][name] = {"()": "service.observability.logs.JsonFormatter"}
        else:
            config["formatters"][name]["fmt"] += "%(suffix)s"
    config["loggers"]["service"] = {
        "handlers": ["default"],
        "level": settings.log_level.upper(),
        "propagate": False,
    }
    return config
